//! What the pod is told: its address, the condition of the readiness gate, and what is wrong with its request.

use super::super::facts::Facts;
use super::super::step::{Step, Verdict};
use crate::domain::pod::{Condition, Pod};
use crate::domain::record::Record;

/// What the user got wrong stands in the condition; the Event comes with it.
pub(super) fn refuse(facts: &Facts<'_>, pod: &Pod, reason: &'static str, why: &[String]) -> Step {
    let message = why.join("; ");
    let said = Condition::Other {
        reason: reason.to_owned(),
        message: message.clone(),
    };
    if pod.outputs.condition == said || !facts.condition_now {
        return Step::Rest;
    }
    Step::Condition {
        pod: pod.uid.clone(),
        verdict: Verdict::Not { reason, message },
    }
}

/// It stands: tell the pod. Each of the two writes is retried by itself, and neither waits for the other.
pub(super) fn show(facts: &Facts<'_>, record: &Record, pod: &Pod) -> Step {
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

/// Whether the pod says that it has an EIP.
pub(super) fn is_told(pod: &Pod) -> bool {
    pod.outputs.address.is_some() || pod.outputs.condition == Condition::Bound
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
