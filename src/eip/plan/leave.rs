//! A pod that is over, or asks no more: unbind, then decide to give back.

use super::super::facts::Facts;
use super::super::step::{LookFor, Pause, Step};
use super::serve::{elsewhere, settled_look};
use super::told::hide;
use super::{kept, named};
use crate::domain::eip::{Look, Standing};
use crate::domain::ids::{EipId, Place};
use crate::domain::pod::{Pod, Stage};
use crate::domain::record::Record;

/// The record is ours and no tombstone; its pod (`None`: gone) has no claim to it any more.
pub fn plan(facts: &Facts<'_>, record: &Record, pod: Option<&Pod>) -> Step {
    unbound(facts, record, pod).unwrap_or_else(|| over(facts, record, pod))
}

/// The next step towards an EIP that is bound nowhere by us; `None` when it is so.
pub(super) fn unbound(facts: &Facts<'_>, record: &Record, pod: Option<&Pod>) -> Option<Step> {
    match (&record.eip, &record.target) {
        (Some(id), Some(target)) => unbind(facts, record, pod, id, target),
        // Taken over with what the other controller left there.
        _ if record.shown.is_some() => Some(Step::ClearStatus {
            at: record.rev.clone(),
        }),
        _ => None,
    }
}

/// The next step towards an EIP that does not stand at the target; `None` when it does not.
fn unbind(
    facts: &Facts<'_>,
    record: &Record,
    pod: Option<&Pod>,
    id: &EipId,
    target: &Place,
) -> Option<Step> {
    if record.shown.is_some() {
        return Some(Step::ClearStatus {
            at: record.rev.clone(),
        });
    }
    match facts.look {
        None => Some(Step::Look(id.clone(), settled_look(facts))),
        Some(Look::Gone) => None,
        Some(Look::Seen(seen)) => match &seen.standing {
            Standing::Free => None,
            Standing::Moving => Some(Step::Look(id.clone(), LookFor::Unbound)),
            // Rule Proof: the pod is over or wants none, by a live read (see `guard`).
            standing if standing.is_at(target) => {
                let successor = named::successor(facts, record, target);
                Some(successor.unwrap_or_else(|| Step::Unassociate {
                    id: id.clone(),
                    place: target.clone(),
                }))
            }
            // The tombstone settles what happens to it: it is not at our target, so it is not ours to unbind.
            Standing::At { .. } | Standing::Foreign(_) if pod.is_none() => None,
            standing => Some(elsewhere(id, standing)),
        },
    }
}

/// Unbound. A fixed EIP waits for its next pod, unless this one lives and gives it up. A Follow record gets its tombstone from Kubernetes when the pod goes; otherwise from us.
fn over(facts: &Facts<'_>, record: &Record, pod: Option<&Pod>) -> Step {
    if let Some(step) = pod
        .filter(|pod| pod.stage() != Stage::Finished && !pod.deleting)
        .and_then(|pod| hide(facts, pod))
    {
        return step;
    }
    if record.is_fixed() && pod.is_none_or(|pod| !pod.serves()) {
        return kept::away(facts, record, pod);
    }
    // A pod of the same name that waits for its own record has no time for that.
    let waited_for = pod.is_none() && facts.pod_here().is_some();
    let goes_by_itself = record.owned && pod.is_none_or(|pod| pod.deleting) && !waited_for;
    if goes_by_itself && !facts.waited_for_gc {
        return Step::Pause(Pause::AwaitTombstone);
    }
    Step::Delete {
        at: record.rev.clone(),
    }
}
