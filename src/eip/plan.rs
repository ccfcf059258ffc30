//! The decision: facts of one name in, one step out. Pure; the five rules of `docs/design.md` live here.

mod adopt;
mod give_back;
mod kept;
mod leave;
mod named;
mod package;
mod serve;
mod settings;
mod told;

use super::facts::{Facts, Sight};
use super::step::{Notice, Pause, Step};
use crate::domain::eip::Look;
use crate::domain::record::{Kind, Record};
use crate::engine::holding::{self, Verdict};

#[cfg(test)]
mod tests;

/// What somebody should hear of, as the step shows it.
pub fn notice(facts: &Facts<'_>, step: &Step) -> Option<Notice> {
    let record = facts.record.it()?;
    let id = record.eip.clone()?;
    match step {
        Step::DropFinalizer { .. } if !facts.released => match facts.look {
            Some(Look::Seen(seen)) => Some(Notice::NotProven {
                id,
                standing: seen.standing.to_string(),
            }),
            _ => None,
        },
        Step::NextAttempt { .. } => Some(Notice::Lost { id }),
        Step::Associate { .. } | Step::WriteStatus { .. } => package::notice(facts, record),
        Step::WriteTarget { .. } | Step::Release { .. } if record.edited => {
            Some(Notice::Edited { named: id })
        }
        _ => None,
    }
}

/// The next step for one name.
pub fn plan(facts: &Facts<'_>) -> Step {
    guard(facts, choose(facts))
}

fn choose(facts: &Facts<'_>) -> Step {
    match facts.record {
        Sight::Unknown => Step::ReadRecord,
        Sight::Absent => serve::begin(facts),
        Sight::Seen { it, .. } => with_record(facts, it),
    }
}

fn with_record(facts: &Facts<'_>, record: &Record) -> Step {
    match record.node.as_deref() {
        None => return nobodys(facts, record),
        Some(node) if node != facts.me.label => return others(facts, record),
        Some(_) => {}
    }
    if let Some(step) = wrong_account(facts, record) {
        return step;
    }
    if !record.ours {
        return adopt::claimed(facts, record);
    }
    if record.tombstone {
        return give_back::plan(facts, record);
    }
    if record.owner.is_none() {
        return kept::unserved(facts, record);
    }
    match facts.own_pod(record) {
        Some(pod) if pod.serves() && wanted(pod) => serve::plan(facts, record, pod),
        Some(pod) => leave::plan(facts, record, Some(pod)),
        // Absence counts only by a live read; another uid seen by the watch may be older than the record.
        None if facts.owner_gone => leave::plan(facts, record, None),
        None => Step::ReadPod,
    }
}

/// A blank record: ours to claim, another controller's, or resting.
fn nobodys(facts: &Facts<'_>, record: &Record) -> Step {
    match record.ours {
        true => wrong_account(facts, record).unwrap_or_else(|| kept::blank(facts, record)),
        false => adopt::unclaimed(facts, record),
    }
}

/// A request that went bad later does not take away what stands: only a clear "no EIP" does.
fn wanted(pod: &crate::domain::pod::Pod) -> bool {
    pod.ask != crate::domain::pod::Ask::Nothing
}

/// A record of our pod's name that is another node's: waited for, or taken where that node is gone.
fn others(facts: &Facts<'_>, record: &Record) -> Step {
    let waits = facts
        .pod_here()
        .is_some_and(|pod| pod.serves() && wanted(pod));
    match (waits, record.tombstone) {
        _ if let Some(step) = take(facts, record, waits) => step,
        (false, _) => Step::Rest,
        (true, true) => Step::Pause(Pause::NameTaken),
        (true, false) => Step::Pause(Pause::NotOurs),
    }
}

/// Rule Consent: on evidence, by whoever has a use for it or found it in a sweep.
fn take(facts: &Facts<'_>, record: &Record, waits: bool) -> Option<Step> {
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

/// An id means nothing in another account or region: "not listed" there would look like "gone".
fn wrong_account(facts: &Facts<'_>, record: &Record) -> Option<Step> {
    match (&record.account, &facts.me.account) {
        (Some(made_in), Some(mine)) if made_in != mine => Some(Step::Pause(Pause::WrongAccount {
            record: made_in.clone(),
        })),
        _ => None,
    }
}

/// Rule Freshness, the same for every step.
fn guard(facts: &Facts<'_>, step: Step) -> Step {
    if facts.in_flight && step.waits_for_open_calls() && !may_pass_open_calls(facts, &step) {
        return Step::Pause(Pause::InFlight);
    }
    let tombstone = facts.record.it().is_some_and(|record| record.tombstone);
    let needs_pod = match step {
        Step::Associate { .. } | Step::JoinPackage { .. } | Step::SetBandwidth { .. } => true,
        Step::Unassociate { .. } => !tombstone && !facts.owner_gone,

        _ => false,
    };
    let pod_stale = needs_pod && !facts.pod.is_fresh();
    let record_stale = step.changes_cloud() && !facts.record.is_fresh();
    match (record_stale, pod_stale) {
        // One after the other, the first may be stale again when a slow API server has answered the second.
        (true, _) if needs_pod => Step::ReadBoth,
        (true, _) => Step::ReadRecord,
        (false, true) => Step::ReadPod,
        (false, false) => step,
    }
}

/// Two things may go on past an open call.
///
/// Repeating an unanswered write word for word fences it: one of the two must fail on the resourceVersion. And a
/// tombstone that names an EIP of its own: whatever lands late meets a release that can't be undone (checked in the
/// model). An EIP that the user named is not released: a late Associate would bind it for good.
fn may_pass_open_calls(facts: &Facts<'_>, step: &Step) -> bool {
    let named_tombstone = facts.record.it().is_some_and(|record| {
        record.tombstone && record.eip.is_some() && record.kind == Kind::Auto
    });
    named_tombstone || facts.open_write == Some(step)
}
