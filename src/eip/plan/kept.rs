//! A fixed EIP between two pods: its record rests blank, is claimed for the next pod, and goes when its time is over.

use super::super::facts::{Facts, Sight};
use super::super::step::{Pause, Step};
use super::{adopt, leave, told};
use crate::domain::keep::Keep;
use crate::domain::pod::{Ask, Pod, Which};
use crate::domain::record::{Kind, Record};

/// The record is mine and unbound, and the pod that it served is over; `pod` is that one's object, while it is still there.
pub fn away(facts: &Facts<'_>, record: &Record, pod: Option<&Pod>) -> Step {
    if record.eip.is_none() {
        return delete(record); // a kept record that names no EIP is not kept
    }
    if pod.is_some() {
        return Step::Rest; // absence begins when the object goes
    }
    let next = facts
        .pod_here()
        .filter(|pod| pod.serves() && !pod.deleting && record.owner.as_ref() != Some(&pod.uid));
    next.and_then(|pod| serve_next(record, pod))
        .or_else(|| adopt::tag_first(facts, record))
        .unwrap_or_else(|| rest(record))
}

/// The record is mine and serves no pod: it was claimed, for a pod that is here or because its time is over.
pub fn unserved(facts: &Facts<'_>, record: &Record) -> Step {
    if let Some(step) = leave::unbound(facts, record, None) {
        return step;
    }
    if record.eip.is_none() {
        return delete(record);
    }
    if let Some(pod) = facts.pod_here().filter(|pod| pod.serves()) {
        match &pod.ask {
            Ask::Eip(_) if facts.pod.is_fresh() => {
                return serve_next(record, pod).unwrap_or_else(|| delete(record));
            }
            Ask::Eip(_) => return Step::ReadPod,
            Ask::Nothing | Ask::Refused(_) => {}
        }
    }
    if !facts.pod.is_fresh() {
        return Step::ReadPod;
    }
    match is_due(facts, record) {
        true => delete(record),
        false => adopt::tag_first(facts, record).unwrap_or_else(|| rest(record)),
    }
}

fn rest(record: &Record) -> Step {
    Step::Blank {
        at: record.rev.clone(),
        since: record.absent_since,
    }
}

/// One of our records that is nobody's: claimed for a pod of ours, for a tombstone, or because its time is over.
pub fn blank(facts: &Facts<'_>, record: &Record) -> Step {
    let claim = Step::Claim {
        at: record.rev.clone(),
    };
    let here = facts.pod_here().filter(|pod| pod.serves());
    if record.tombstone {
        return match (record.finalizer, here) {
            (true, _) => claim,
            (false, Some(_)) => Step::Pause(Pause::NameTaken),
            (false, None) => Step::Rest,
        };
    }
    match here.map(|pod| (pod, &pod.ask)) {
        Some((_, Ask::Eip(_))) if facts.others_run => Step::Pause(Pause::OthersRun),
        Some((pod, Ask::Eip(_))) if !pod.deleting => claim,
        Some((pod, Ask::Refused(why))) => told::refuse(facts, pod, "InvalidRequest", why),
        _ if !is_over(facts, record) && !is_undated(record) => Step::Rest,
        _ if !facts.pod.is_fresh() => Step::ReadPod,
        _ => match is_due(facts, record) || (is_undated(record) && !is_asked_for(facts)) {
            true => claim,
            false => Step::Rest,
        },
    }
}

/// Whether nothing but a pod can keep it: its time has passed, or it is none that is kept.
fn is_over(facts: &Facts<'_>, record: &Record) -> bool {
    facts.ttl_over || !record.is_fixed() || record.eip.is_none()
}

/// Whether it is over and no pod asks for it, by a live read.
fn is_due(facts: &Facts<'_>, record: &Record) -> bool {
    is_over(facts, record) && !is_asked_for(facts)
}

fn is_asked_for(facts: &Facts<'_>) -> bool {
    match facts.pod {
        Sight::Unknown => true,
        Sight::Absent => false,
        Sight::Seen { it, .. } => it.ask != Ask::Nothing,
    }
}

/// It is kept for a time, and nothing says since when: resting anew says it.
fn is_undated(record: &Record) -> bool {
    matches!(record.keep, Keep::Ttl { .. }) && record.absent_since.is_none()
}

/// Another pod of the name takes the EIP over; `None` where it asks for another one.
fn serve_next(record: &Record, pod: &Pod) -> Option<Step> {
    let wish = pod.ask.wish()?;
    let fits = record.kind == Kind::Auto && matches!(wish.which, Which::Auto { .. });
    fits.then(|| Step::Serve {
        at: record.rev.clone(),
        pod: pod.uid.clone(),
        keep: wish.keep.clone(),
        new: true,
    })
}

fn delete(record: &Record) -> Step {
    Step::Delete {
        at: record.rev.clone(),
    }
}
