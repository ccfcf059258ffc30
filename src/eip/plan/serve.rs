//! A pod that asks and lives: create, allocate, bind, show.

use super::super::facts::{Facts, Settling};
use super::super::step::{LookFor, Pause, Step, Verdict};
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, Place};
use crate::domain::pod::{Ask, Condition, Pod};
use crate::domain::record::Record;

/// No record of the name exists.
pub fn begin(facts: &Facts<'_>) -> Step {
    let Some(pod) = facts.pod_here().filter(|pod| pod.serves()) else {
        return Step::Rest;
    };
    match &pod.ask {
        Ask::Nothing => Step::Rest,
        Ask::Refused(why) => refuse(facts, pod, why),
        Ask::Auto(_) if pod.deleting => Step::Rest, // too late to begin
        Ask::Auto(wish) => hide(facts, pod).unwrap_or_else(|| match facts.held_off {
            true => Step::Pause(Pause::HeldOff),
            false => Step::Create {
                pod: pod.uid.clone(),
                request: wish.request.clone(),
            },
        }),
    }
}

/// The pod's record is ours, no tombstone, and the pod wants it.
pub fn plan(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    match &record.eip {
        None => obtain(facts, record, pod),
        Some(id) => bind(facts, record, pod, id),
    }
}

/// What the user got wrong stands in the condition; the Event comes with it.
fn refuse(facts: &Facts<'_>, pod: &Pod, why: &[String]) -> Step {
    let said = Condition::Other("InvalidRequest".to_owned());
    if pod.outputs.condition == said || !facts.condition_now {
        return Step::Rest;
    }
    Step::Condition {
        pod: pod.uid.clone(),
        verdict: Verdict::Not {
            reason: "InvalidRequest",
            message: why.join("; "),
        },
    }
}

fn obtain(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    if let Some(id) = facts.got {
        return write_id(record, id);
    }
    let Some(request) = &record.request else {
        return Step::Rest; // not made by eipd: another issue's business
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
        return Step::Rest; // the address is on its way
    };
    let Some(place) = facts.place.filter(|place| place.ip == ip) else {
        // At rest nothing is asked: the record and the status say enough.
        let settled = record.shows_target() && record.target.as_ref().is_some_and(|t| t.ip == ip);
        return match settled {
            true => show(facts, record, pod),
            false => Step::Resolve(ip),
        };
    };
    match &record.target {
        Some(target) if target == place && record.shows_target() => show(facts, record, pod),
        Some(target) if target == place => {
            hide(facts, pod).unwrap_or_else(|| bind_at(facts, record, id, place))
        }
        Some(target) => {
            hide(facts, pod).unwrap_or_else(|| move_away(facts, record, id, target, place))
        }
        None => Step::WriteTarget {
            at: record.rev.clone(),
            place: place.clone(),
        },
    }
}

/// The target stands in the record; the binding is to follow.
fn bind_at(facts: &Facts<'_>, record: &Record, id: &EipId, place: &Place) -> Step {
    let associate = Step::Associate {
        id: id.clone(),
        place: place.clone(),
    };
    match facts.look {
        None if facts.sure && facts.got == Some(id) && facts.settling.is_none() => associate,
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) => gone(facts, record),
        Some(Look::Seen(seen)) => match &seen.standing {
            // The label may have been edited: what bears another's tags is not bound (tags may show late).
            Standing::Free
                if !facts.proves(seen, &record.rev.uid, record.attempt)
                    && facts.got != Some(id) =>
            {
                elsewhere(id, &seen.standing)
            }
            Standing::Free => associate,
            Standing::Moving => Step::Look(id.clone(), LookFor::Bound),
            standing if standing.is_at(place) => Step::WriteStatus {
                at: record.rev.clone(),
                place: place.clone(),
                seen: seen.clone(),
            },
            standing => elsewhere(id, standing),
        },
    }
}

/// The pod's address has changed: leave the old place, then take the new one.
fn move_away(facts: &Facts<'_>, record: &Record, id: &EipId, old: &Place, new: &Place) -> Step {
    if record.shown.is_some() {
        return Step::ClearStatus {
            at: record.rev.clone(),
        };
    }
    match facts.look {
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) => gone(facts, record),
        Some(Look::Seen(seen)) => match &seen.standing {
            Standing::Free => Step::WriteTarget {
                at: record.rev.clone(),
                place: new.clone(),
            },
            Standing::Moving => Step::Look(id.clone(), LookFor::Unbound),
            // The pod's own address is another one: guarded by a live read (rule Proof).
            standing if standing.is_at(old) => Step::Unassociate {
                id: id.clone(),
                place: old.clone(),
            },
            standing => elsewhere(id, standing),
        },
    }
}

/// When to look: after the end of what is settling, else now.
pub(super) fn settled_look(facts: &Facts<'_>) -> LookFor {
    match facts.settling {
        Some(Settling::Associate) => LookFor::Bound,
        Some(Settling::Unassociate) => LookFor::Unbound,
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
fn gone(facts: &Facts<'_>, record: &Record) -> Step {
    match facts.gone_twice {
        false => Step::Pause(Pause::SecondLook),
        true => next_attempt(record),
    }
}

fn next_attempt(record: &Record) -> Step {
    Step::NextAttempt {
        at: record.rev.clone(),
        attempt: record.attempt + 1,
    }
}

/// It stands: tell the pod. Each of the two writes is retried by itself, and neither waits for the other.
fn show(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
    let Some(shown) = &record.shown else {
        return Step::Rest;
    };
    if pod.outputs.address.as_deref() != Some(shown.eip.as_str()) && facts.annotate_now {
        return Step::Annotate {
            pod: pod.uid.clone(),
            address: shown.eip.clone(),
        };
    }
    if pod.outputs.condition != Condition::Bound && facts.condition_now {
        return Step::Condition {
            pod: pod.uid.clone(),
            verdict: Verdict::Bound,
        };
    }
    Step::Rest
}

/// Nothing stands (any more): an address on the pod, copied from a template or left over, would mislead.
pub(super) fn hide(facts: &Facts<'_>, pod: &Pod) -> Option<Step> {
    if pod.outputs.address.is_some() && facts.annotate_now {
        return Some(Step::ClearAnnotations {
            pod: pod.uid.clone(),
        });
    }
    if pod.outputs.condition == Condition::Bound && facts.condition_now {
        return Some(Step::Condition {
            pod: pod.uid.clone(),
            verdict: Verdict::Not {
                reason: "EIPNotBound",
                message: "the EIP is not bound to this pod's address".to_owned(),
            },
        });
    }
    None
}
