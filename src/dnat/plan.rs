//! The decision: facts of one name in, one step out. Pure; the five rules of `docs/design.md` live here.

mod begin;
mod ensure;
mod leave;
mod told;

use super::facts::Facts;
use super::step::{Pause, Step};
use crate::domain::dnat::DnatRecord;
use crate::eip::facts::Sight;
use crate::engine::holding::{self, Verdict};

#[cfg(test)]
mod tests;

/// What is to be done as soon as what it rests on is fresh; a turn is waited for before anything is read for it.
pub fn aim(facts: &Facts<'_>) -> Step {
    match facts.record {
        Sight::Unknown => Step::ReadRecord,
        Sight::Absent => begin::plan(facts),
        Sight::Seen { it, .. } => with_record(facts, it),
    }
}

fn with_record(facts: &Facts<'_>, record: &DnatRecord) -> Step {
    match record.node.as_deref() {
        _ if !record.ours => return others(facts, record),
        None => return nobodys(facts, record),
        Some(node) if node != facts.me.label => return others(facts, record),
        Some(_) => {}
    }
    if let Some(step) = wrong_account(facts, record) {
        return step;
    }
    if record.tombstone {
        return leave::give_back(facts, record);
    }
    match facts.own_pod(record) {
        Some(pod) if pod.serves() && pod.ports.keeps() => ensure::plan(facts, record, pod),
        Some(pod) => leave::plan(facts, record, Some(pod)),
        None if record.owner.is_none() => unserved(facts, record),
        // Absence counts only by a live read; another uid seen by the watch may be older than the record.
        None if facts.owner_gone => leave::plan(facts, record, None),
        None => Step::ReadPod,
    }
}

/// Claimed, and serving no pod yet.
fn unserved(facts: &Facts<'_>, record: &DnatRecord) -> Step {
    match facts.pod {
        Sight::Unknown => Step::ReadPod,
        _ => match begin::asks(facts) {
            Some((pod, wish)) if record.keeper.is_some() => Step::Serve {
                at: record.rev.clone(),
                pod: pod.uid.clone(),
                wish: wish.clone(),
                settled: record.is_settled(),
            },
            _ => leave::plan(facts, record, None),
        },
    }
}

/// A blank record: ours to claim for our pod, or over, or resting.
fn nobodys(facts: &Facts<'_>, record: &DnatRecord) -> Step {
    if let Some(step) = wrong_account(facts, record) {
        return step;
    }
    let claim = Step::Claim {
        at: record.rev.clone(),
    };
    if record.tombstone || begin::asks(facts).is_some() {
        return claim;
    }
    match record.keeper.as_ref().map(|keeper| &keeper.workload) {
        // Not kept, and nobody's: it should be a node's, or gone.
        None if facts.found => claim,
        Some(Some(workload)) if facts.found => match facts.workload_keeps {
            None => Step::ReadWorkload(workload.clone()),
            Some(true) => Step::Rest,
            Some(false) => claim,
        },
        _ => Step::Rest,
    }
}

/// A record of our pod's name that is another node's: waited for, or taken where that node is gone.
fn others(facts: &Facts<'_>, record: &DnatRecord) -> Step {
    let waits = begin::asks(facts).is_some();
    match (waits, record.tombstone) {
        _ if let Some(step) = take(facts, record, waits) => step,
        (false, _) => Step::Rest,
        (true, true) => Step::Pause(Pause::NameTaken),
        (true, false) => Step::Pause(Pause::NotOurs),
    }
}

/// Rule Consent: on evidence, by whoever has a use for it or found it in a sweep.
fn take(facts: &Facts<'_>, record: &DnatRecord, waits: bool) -> Option<Step> {
    let from = record.node.as_ref()?;
    let somebodys = !record.ours || (record.tombstone && !record.finalizer);
    if !(waits || facts.found) || somebodys || wrong_account(facts, record).is_some() {
        return None;
    }
    match holding::judge(facts.holding(record)) {
        Verdict::Leave => None,
        Verdict::ReadNode => Some(Step::ReadNode {
            label: from.clone(),
        }),
        Verdict::ReadPod => Some(Step::ReadPod),
        Verdict::Take => Some(Step::Take {
            at: record.rev.clone(),
            from: from.clone(),
        }),
    }
}

/// An id means nothing in another account or region: "no such table" there would look like "gone".
fn wrong_account(facts: &Facts<'_>, record: &DnatRecord) -> Option<Step> {
    match (&record.account, &facts.me.account) {
        (Some(made_in), Some(mine)) if made_in != mine => Some(Step::Pause(Pause::WrongAccount {
            record: made_in.clone(),
        })),
        _ => None,
    }
}

/// Rule Freshness, the same for every step.
pub fn guard(facts: &Facts<'_>, step: Step) -> Step {
    if facts.in_flight && step.waits_for_open_calls() && facts.open_write != Some(&step) {
        return Step::Pause(Pause::InFlight);
    }
    let record_stale = step.changes_cloud() && !facts.record.is_fresh();
    let needs_pod = matches!(step, Step::Make { .. });
    match (record_stale, needs_pod && !facts.pod.is_fresh()) {
        (true, _) if needs_pod => Step::ReadBoth,
        (true, _) => Step::ReadRecord,
        (false, true) => Step::ReadPod,
        (false, false) => step,
    }
}
