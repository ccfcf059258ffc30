//! A pod that asks and lives: create, allocate, bind, show.

use std::sync::Arc;

use super::super::facts::{Facts, Settling};
use super::super::step::{LookFor, Pause, Step};
use super::told::{hide, is_told, refuse, show};
use super::{adopt, leave, named, package, settings};
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, Place};
use crate::domain::pod::{Ask, Pod, Wish};
use crate::domain::record::{Kind, Record};

/// No record of the name exists.
pub fn begin(facts: &Facts<'_>) -> Step {
    let Some(pod) = facts.pod_here() else {
        return Step::Rest;
    };
    if !pod.serves() {
        return over_or_asks_no_more(facts, pod);
    }
    match &pod.ask {
        Ask::Nothing => over_or_asks_no_more(facts, pod),
        Ask::Refused(why) => refuse(facts, pod, "InvalidRequest", why),
        Ask::Eip(_) if pod.deleting => Step::Rest, // too late to begin
        Ask::Eip(wish) => make(facts, pod, wish),
    }
}

/// Another controller's record may be there: then its EIP is to come back now.
fn over_or_asks_no_more(facts: &Facts<'_>, pod: &Pod) -> Step {
    match is_told(pod) && !facts.record_read {
        true => Step::ReadRecord,
        false => Step::Rest,
    }
}

fn make(facts: &Facts<'_>, pod: &Pod, wish: &Arc<Wish>) -> Step {
    // Shown as bound, and no record of ours: another controller's, which goes on working until it is taken over.
    if is_told(pod) && !facts.record_read {
        return match facts.take_over_later && adopt::is_older(facts, pod.created) {
            true => Step::Pause(Pause::TakeOverLater),
            false => Step::ReadRecord,
        };
    }
    if facts.others_run {
        return Step::Pause(Pause::OthersRun);
    }
    if let Some(step) = hide(facts, pod) {
        return step;
    }
    if facts.held_off {
        return Step::Pause(Pause::HeldOff);
    }
    match pod.ip {
        None if facts.address_first => Step::Rest,
        Some(_) if facts.no_place => no_place(facts, pod),
        // What can't be bound is not asked for.
        Some(ip) if facts.place.is_none_or(|place| place.ip != ip) => resolve(pod, ip),
        _ => Step::Create {
            pod: pod.uid.clone(),
            wish: wish.clone(),
        },
    }
}

fn no_place(facts: &Facts<'_>, pod: &Pod) -> Step {
    let why = "the pod's address is on no network interface of this node that an EIP can be bound to (an overlay network, perhaps): eipd serves addresses of the VPC only";
    let told = refuse(facts, pod, "AddressNotInVPC", &[why.to_owned()]);
    match told {
        Step::Rest => Step::Pause(Pause::NoPlace),
        told => told,
    }
}

/// The pod's record is ours, no tombstone, and the pod wants it.
pub fn plan(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    let changed = pod
        .ask
        .wish()
        .and_then(|wish| match settings::is_another(record, wish) {
            true => Some(leave::plan(facts, record, Some(pod))),
            false => settings::strategy(record, pod, wish),
        });
    changed.unwrap_or_else(|| match &record.eip {
        None => obtain(facts, record, pod),
        Some(id) => {
            package::plan(facts, record, pod, id).unwrap_or_else(|| bind(facts, record, pod, id))
        }
    })
}

fn obtain(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    if let Some(id) = facts.got {
        return write_id(record, id);
    }
    let Some(request) = &record.request else {
        return delete(record); // nothing says what to ask for: another record does
    };
    if !facts.sure {
        match facts.tagged {
            None => return look_by_tag(record),
            Some(seen) => {
                if let Some(id) = ours(facts, record, seen) {
                    return write_id(record, id);
                }
            }
        }
    }
    if !pod.taken || pod.deleting {
        return Step::Rest; // the kubelet may still refuse it
    }
    if facts.token_spent {
        return next_attempt(record);
    }
    if facts.others_run {
        return Step::Pause(Pause::OthersRun);
    }
    if let Some(brake) = facts.brake {
        return Step::Pause(Pause::Braked(brake));
    }
    Step::Allocate {
        record: record.rev.uid.clone(),
        attempt: record.attempt,
        request: request.clone(),
    }
}

pub(super) fn write_id(record: &Record, id: &EipId) -> Step {
    Step::WriteId {
        at: record.rev.clone(),
        id: id.clone(),
    }
}

pub(super) fn look_by_tag(record: &Record) -> Step {
    Step::LookByTag {
        record: record.rev.uid.clone(),
        attempt: record.attempt,
    }
}

/// The EIP among these that carries the record's present tag; twins leave the others to the orphan search.
fn ours<'s>(facts: &Facts<'_>, record: &Record, seen: &'s [Seen]) -> Option<&'s EipId> {
    seen.iter()
        .filter(|eip| facts.proves(eip, &record.rev.uid, record.attempt))
        .map(|eip| &eip.id)
        .min()
}

fn bind(facts: &Facts<'_>, record: &Record, pod: &Pod, id: &EipId) -> Step {
    let Some(ip) = pod.ip else {
        return match facts.unused && record.kind == Kind::Auto && !record.is_fixed() {
            true => delete(record), // it costs money and serves nobody
            false => Step::Rest,    // the address is on its way
        };
    };
    let settled = record.shows_target() && record.target.as_ref().is_some_and(|t| t.ip == ip);
    let Some(place) = facts.place.filter(|place| place.ip == ip) else {
        // At rest nothing is asked: the record and the status say enough.
        return match settled {
            true => stand(facts, record, pod, id),
            false => find_place(facts, record, pod, ip),
        };
    };
    match (&record.target, &record.take) {
        (Some(target), _) if target == place && record.shows_target() => {
            stand(facts, record, pod, id)
        }
        (Some(target), _) if target == place => {
            hide(facts, pod).unwrap_or_else(|| bind_at(facts, record, pod, id, place))
        }
        (Some(target), _) => {
            hide(facts, pod).unwrap_or_else(|| move_away(facts, record, id, target, place))
        }
        (None, _) if record.shown.is_some() => clear(record), // taken over, and it does not stand there
        (None, Some(from)) => named::take(facts, record, id, from, place),
        (None, None) => named::before_target(facts, record, pod, id, place)
            .unwrap_or_else(|| aim(record, place)),
    }
}

fn aim(record: &Record, place: &Place) -> Step {
    Step::WriteTarget {
        at: record.rev.clone(),
        place: place.clone(),
    }
}

fn resolve(pod: &Pod, ip: std::net::Ipv4Addr) -> Step {
    let pod = pod.uid.clone();
    Step::Resolve { pod, ip }
}

/// An EIP that nothing can be done with is given back; one that is kept anyway, or is the user's, waits.
fn find_place(facts: &Facts<'_>, record: &Record, pod: &Pod, ip: std::net::Ipv4Addr) -> Step {
    let spare = record.kind == Kind::Auto && !record.is_fixed() && record.target.is_none();
    match facts.no_place {
        false => resolve(pod, ip),
        true if spare => delete(record),
        true => no_place(facts, pod),
    }
}

/// The target stands in the record; the binding is to follow.
fn bind_at(facts: &Facts<'_>, record: &Record, pod: &Pod, id: &EipId, place: &Place) -> Step {
    let associate = Step::Associate {
        id: id.clone(),
        place: place.clone(),
    };
    match facts.look {
        None if facts.sure && facts.got == Some(id) && facts.settling.is_none() => associate,
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) => gone(facts, record, id),
        Some(Look::Seen(seen)) => match &seen.standing {
            Standing::Free if !is_its_own(facts, record, seen) => elsewhere(id, &seen.standing),
            Standing::Free => associate,
            Standing::Moving => Step::Look(id.clone(), LookFor::Bound),
            standing if standing.is_at(place) => Step::WriteStatus {
                at: record.rev.clone(),
                place: place.clone(),
                seen: seen.clone(),
            },
            standing => named::before_target(facts, record, pod, id, place)
                .unwrap_or_else(|| elsewhere(id, standing)),
        },
    }
}

/// The label may have been edited: what bears another's tags is not bound (tags may show late).
fn is_its_own(facts: &Facts<'_>, record: &Record, seen: &Seen) -> bool {
    let untagged = seen.cluster_tag.is_none() && seen.record_tag.is_none();
    match record.kind {
        Kind::Static => untagged,
        Kind::Auto => {
            facts.proves(seen, &record.rev.uid, record.attempt)
                || facts.got == Some(&seen.id)
                || (record.taken_over && untagged)
        }
    }
}

/// The pod's address has changed: leave the old place, then take the new one.
fn move_away(facts: &Facts<'_>, record: &Record, id: &EipId, old: &Place, new: &Place) -> Step {
    if record.shown.is_some() {
        return clear(record);
    }
    match facts.look {
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) => gone(facts, record, id),
        Some(Look::Seen(seen)) => match &seen.standing {
            Standing::Free => aim(record, new),
            Standing::Moving => Step::Look(id.clone(), LookFor::Unbound),
            // The pod's own address is another one: guarded by a live read (rule Proof).
            standing if standing.is_at(old) => {
                named::successor(facts, record, old).unwrap_or_else(|| Step::Unassociate {
                    id: id.clone(),
                    place: old.clone(),
                })
            }
            standing => elsewhere(id, standing),
        },
    }
}

/// When to look: after the end of what is settling, else now.
pub(super) fn settled_look(facts: &Facts<'_>) -> LookFor {
    match facts.settling {
        Some(Settling::Associate) => LookFor::Bound,
        Some(Settling::Unassociate) => LookFor::Unbound,
        Some(Settling::Join | Settling::Leave) => LookFor::Package,
        None => LookFor::Now,
    }
}

pub(super) fn elsewhere(id: &EipId, standing: &Standing) -> Step {
    Step::Pause(Pause::Elsewhere {
        id: id.clone(),
        standing: standing.to_string(),
    })
}

/// The cloud does not list the EIP: believed after a second look only, then another attempt is counted.
fn gone(facts: &Facts<'_>, record: &Record, id: &EipId) -> Step {
    match facts.gone_twice {
        _ if record.kind == Kind::Static => named::no_such_eip(id),
        false => Step::Pause(Pause::SecondLook),
        true if record.request.is_none() => delete(record),
        true => next_attempt(record),
    }
}

fn next_attempt(record: &Record) -> Step {
    Step::NextAttempt {
        at: record.rev.clone(),
        attempt: record.attempt + 1,
    }
}

pub(super) fn delete(record: &Record) -> Step {
    Step::Delete {
        at: record.rev.clone(),
    }
}

fn clear(record: &Record) -> Step {
    Step::ClearStatus {
        at: record.rev.clone(),
    }
}

/// It is shown at its target. A look may say otherwise: then the status is a lie, and comes first.
fn stand(facts: &Facts<'_>, record: &Record, pod: &Pod, id: &EipId) -> Step {
    let clear = || clear(record);
    let Some(target) = &record.target else {
        return show(facts, record, pod);
    };
    match facts.look {
        None if facts.in_doubt => Step::Look(id.clone(), LookFor::Now),
        None => settled(facts, record, pod),
        Some(Look::Gone) if facts.gone_twice => clear(),
        Some(Look::Gone) => Step::Pause(Pause::SecondLook),
        Some(Look::Seen(seen)) if seen.standing == Standing::Moving => {
            Step::Look(id.clone(), LookFor::Now)
        }
        Some(Look::Seen(seen)) if !seen.standing.is_at(target) => clear(),
        Some(Look::Seen(seen)) => match adopt::tag(facts, record, seen) {
            Some(step) => step,
            None if record
                .shown
                .as_ref()
                .is_some_and(|s| s.package != seen.package) =>
            {
                Step::WriteStatus {
                    at: record.rev.clone(),
                    place: target.clone(),
                    seen: seen.clone(),
                }
            }
            None => settled(facts, record, pod),
        },
    }
}

fn settled(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    let wish = pod.ask.wish();
    wish.and_then(|wish| settings::bandwidth(facts, record, wish))
        .unwrap_or_else(|| show(facts, record, pod))
}
