//! A tombstone: unbind what stands at the target, release what is proven ours, let the record go.

use super::super::facts::{Crd, Facts};
use super::super::step::{LookFor, Pause, Step};
use super::serve::{look_by_tag, settled_look, write_id};
use super::told::{hide, is_told};
use super::{adopt, named, package};
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::EipId;
use crate::domain::pod::{Ask, Pod};
use crate::domain::record::{Kind, Record};

/// The record is ours and a tombstone.
pub fn plan(facts: &Facts<'_>, record: &Record) -> Step {
    if !record.finalizer {
        return Step::Rest; // somebody else's finalizer holds it
    }
    match facts.crd {
        Crd::Unknown => return Step::ReadCrd,
        Crd::Terminating => return Step::Pause(Pause::CrdTerminating),
        Crd::Fine => {}
    }
    let lives = facts.own_pod(record).is_some_and(Pod::serves);
    if facts.storm && lives {
        return Step::Pause(Pause::Storm);
    }
    match &record.eip {
        Some(id) => named(facts, record, id),
        None => empty(facts, record),
    }
}

fn named(facts: &Facts<'_>, record: &Record, id: &EipId) -> Step {
    if facts.released {
        return drop_finalizer(facts, record);
    }
    match facts.look {
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) if facts.gone_twice => drop_finalizer(facts, record),
        Some(Look::Gone) => Step::Pause(Pause::SecondLook),
        Some(Look::Seen(seen)) => by_standing(facts, record, seen),
    }
}

fn by_standing(facts: &Facts<'_>, record: &Record, seen: &Seen) -> Step {
    let at_target = record
        .target
        .as_ref()
        .filter(|target| seen.standing.is_at(target));
    match (&seen.standing, at_target) {
        (Standing::Moving, _) => Step::Look(seen.id.clone(), LookFor::Unbound),
        (Standing::Free, _) if record.kind == Kind::Static => drop_finalizer(facts, record),
        (Standing::Free, _) if facts.proves(seen, &record.rev.uid, record.attempt) => {
            package::before_release(seen).unwrap_or_else(|| Step::Release {
                id: seen.id.clone(),
            })
        }
        (Standing::Free, _) if let Some(step) = adopt::tag(facts, record, seen) => step,
        (Standing::Free, _)
            if seen.cluster_tag.is_none() && seen.record_tag.is_none() && !facts.untagged_twice =>
        {
            Step::Pause(Pause::SecondLook)
        }
        (Standing::At { .. }, Some(_)) if record.shown.is_some() => Step::ClearStatus {
            at: record.rev.clone(),
        },
        (Standing::At { .. }, Some(target)) => named::successor(facts, record, target)
            .unwrap_or_else(|| Step::Unassociate {
                id: seen.id.clone(),
                place: target.clone(),
            }),
        // A tag or place that does not match: leave it alone, say so, and let the record go.
        _ => drop_finalizer(facts, record),
    }
}

/// No id was ever written: an Allocate may have happened all the same.
fn empty(facts: &Facts<'_>, record: &Record) -> Step {
    // Allocated a moment ago, and not yet written down.
    if let Some(id) = facts.got.filter(|_| !facts.released) {
        return write_id(record, id);
    }
    if facts.released || facts.sure {
        return drop_finalizer(facts, record);
    }
    if facts.in_flight {
        return Step::Pause(Pause::InFlight);
    }
    let proven = |seen: &&Seen| facts.proves(seen, &record.rev.uid, record.attempt);
    match facts.tagged {
        None => look_by_tag(record),
        Some(seen) => match seen.iter().find(proven) {
            Some(seen) => by_standing(facts, record, seen),
            None => drop_finalizer(facts, record),
        },
    }
}

fn drop_finalizer(facts: &Facts<'_>, record: &Record) -> Step {
    // A pod that lives on (its record was deleted by hand) must not show the address any longer.
    let lives_on = facts
        .own_pod(record)
        .filter(|pod| pod.serves() && !pod.deleting);
    if let Some(step) = lives_on.and_then(|pod| hide(facts, pod)) {
        return step;
    }
    // A write on the pod was refused and is retried: of a pod that asks no more nothing but this record knows.
    if lives_on.is_some_and(|pod| pod.ask == Ask::Nothing && is_told(pod)) {
        return Step::Rest;
    }
    Step::DropFinalizer {
        at: record.rev.clone(),
        keep: record.other_finalizers.clone(),
    }
}
