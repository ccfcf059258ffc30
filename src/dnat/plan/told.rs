//! What the pod is told: where its ports are, the condition of the readiness gate, and what is wrong with its request.

use super::super::facts::Facts;
use super::super::step::Step;
use crate::domain::dnat::Mapping;
use crate::domain::pod::{Condition, Pod};
use crate::eip::step::Verdict;

/// They stand: tell the pod. Each of the two writes is retried by itself, and neither waits for the other.
pub(super) fn show(facts: &Facts<'_>, mapping: &Mapping, pod: &Pod) -> Step {
    let text = mapping.text();
    if pod.port_outputs.text.as_ref() != Some(&text) && facts.annotate_now {
        return annotate(pod, Some(text));
    }
    match pod.port_outputs.condition != Condition::Bound && facts.condition_now {
        true => Step::Condition {
            pod: pod.uid.clone(),
            verdict: Verdict::Bound,
        },
        false => Step::Rest,
    }
}

/// What the user got wrong stands in the condition; the Event comes with it.
pub(super) fn refuse(facts: &Facts<'_>, pod: &Pod, reason: &'static str, why: &str) -> Step {
    if pod.port_outputs.text.is_some() && facts.annotate_now {
        return annotate(pod, None);
    }
    let said = Condition::Other {
        reason: reason.to_owned(),
        message: why.to_owned(),
    };
    if pod.port_outputs.condition == said || !facts.condition_now {
        return Step::Rest;
    }
    Step::Condition {
        pod: pod.uid.clone(),
        verdict: Verdict::Not {
            reason,
            message: why.to_owned(),
        },
    }
}

/// Whether the pod says that it has ports.
pub(super) fn is_told(pod: &Pod) -> bool {
    pod.port_outputs.text.is_some() || pod.port_outputs.condition == Condition::Bound
}

/// Nothing stands (any more): what the pod says would mislead.
pub(super) fn hide(facts: &Facts<'_>, pod: &Pod) -> Option<Step> {
    if pod.port_outputs.text.is_some() && facts.annotate_now {
        return Some(annotate(pod, None));
    }
    if pod.port_outputs.condition == Condition::Bound && facts.condition_now {
        return Some(Step::Condition {
            pod: pod.uid.clone(),
            verdict: Verdict::Not {
                reason: "NoPorts",
                message: "no public port leads to this pod".to_owned(),
            },
        });
    }
    None
}

fn annotate(pod: &Pod, text: Option<String>) -> Step {
    Step::Annotate {
        pod: pod.uid.clone(),
        text,
    }
}
