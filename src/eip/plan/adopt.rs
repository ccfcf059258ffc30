//! Records of another controller (ack-extend-network-controller): taken over with their EIPs standing where they stand.
//!
//! First the node label and nothing else (a claim), then everything else in one write, then our tags on the EIP. Only
//! records older than eipd itself are taken over, and only where the cloud agrees with what their status says.

use jiff::Timestamp;

use super::super::facts::Facts;
use super::super::step::{LookFor, Pause, Step};
use super::serve::settled_look;
use super::told::is_told;
use crate::api::keys::PODEIP_FINALIZER;
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, EniId, Place};
use crate::domain::pod::{Ask, Pod};
use crate::domain::record::{Kind, Record, Shown};

/// What becomes of a record that is not ours.
enum Verdict {
    /// Ours from now on; its EIP stands there.
    Take(EipId, Option<Place>),
    /// Something has to be seen first.
    First(Step),
    /// It stays what it is.
    Leave(String),
}

/// The record carries no node label.
pub fn unclaimed(facts: &Facts<'_>, record: &Record) -> Step {
    if facts.others_run {
        return Step::Pause(Pause::OthersRun);
    }
    // Another node's agent sees to a pod of its own.
    if facts.pod_here().is_none() {
        if !facts.pod.is_fresh() {
            return Step::ReadPod;
        }
        if facts.pod.it().is_some() {
            return Step::Rest;
        }
    }
    if facts.take_over_later && !is_due(facts, record) {
        return Step::Pause(Pause::TakeOverLater);
    }
    match judge(facts, record) {
        Verdict::Take(..) => Step::Claim {
            at: record.rev.clone(),
        },
        Verdict::First(step) => step,
        Verdict::Leave(why) => Step::Pause(Pause::LeftAlone { why }),
    }
}

/// The record carries our node label, and nothing else of ours yet.
pub fn claimed(facts: &Facts<'_>, record: &Record) -> Step {
    match judge(facts, record) {
        Verdict::Take(id, target) => {
            let pod = facts.pod_here().filter(|pod| is_served(record, pod));
            Step::Adopt {
                at: record.rev.clone(),
                id,
                target,
                pod: pod.map(|pod| pod.uid.clone()),
                owned: !record.is_fixed(),
            }
        }
        Verdict::First(step) => step,
        Verdict::Leave(why) => Step::Pause(Pause::LeftAlone { why }),
    }
}

/// Our tags, on the EIP of a record that was taken over, where they are missing.
pub fn tag(facts: &Facts<'_>, record: &Record, seen: &Seen) -> Option<Step> {
    let untagged = seen.cluster_tag.is_none() && seen.record_tag.is_none();
    let older = is_older(facts, record.created);
    (record.taken_over && record.kind == Kind::Auto && untagged && older).then(|| Step::Tag {
        id: seen.id.clone(),
        record: record.rev.uid.clone(),
        attempt: record.attempt,
    })
}

/// The same for a record that is about to rest, where nobody looks for long.
pub fn tag_first(facts: &Facts<'_>, record: &Record) -> Option<Step> {
    let id = record.eip.clone().filter(|_| {
        record.taken_over && record.kind == Kind::Auto && is_older(facts, record.created)
    })?;
    match facts.look {
        None => Some(Step::Look(id, settled_look(facts))),
        Some(Look::Seen(seen)) => tag(facts, record, seen),
        Some(Look::Gone) => None,
    }
}

/// Whether something has to be done for it now: it goes, or its pod does, or that waits for an address.
fn is_due(facts: &Facts<'_>, record: &Record) -> bool {
    let served = |pod: &Pod| is_served(record, pod) && is_told(pod) && pod.ask != Ask::Nothing;
    record.tombstone || facts.pod_here().is_none_or(|pod| !served(pod))
}

/// Whether the pod has that EIP, by what the record shows. One that asks no more is its pod where it was told of the EIP.
fn is_served(record: &Record, pod: &Pod) -> bool {
    let at = |shown: &Shown| pod.ip.is_some_and(|ip| shown.ip == ip.to_string());
    let asks = pod.ask != Ask::Nothing || is_told(pod);
    pod.serves() && asks && record.shown.as_ref().is_none_or(at)
}

/// What the other controller may have made. A creationTimestamp is the API server's: nobody can forge it.
pub fn is_older(facts: &Facts<'_>, created: Option<Timestamp>) -> bool {
    match (created, facts.me.policy.installed_at) {
        (Some(created), Some(installed)) => created < installed,
        _ => false,
    }
}

fn judge(facts: &Facts<'_>, record: &Record) -> Verdict {
    if let Some(why) = is_not_to_take(facts, record) {
        return Verdict::Leave(why);
    }
    let id = EipId::new(&record.named);
    let look = |what| Verdict::First(Step::Look(id.clone(), what));
    match facts.look {
        None => look(LookFor::Now),
        // Gone: nothing stands, and nothing will be given back that is not there.
        Some(Look::Gone) => match facts.gone_twice {
            true => Verdict::Take(id, None),
            false => Verdict::First(Step::Pause(Pause::SecondLook)),
        },
        Some(Look::Seen(seen)) if seen.cluster_tag.is_some() || seen.record_tag.is_some() => {
            Verdict::Leave(format!("{id} carries the tags of another record"))
        }
        Some(Look::Seen(seen)) => match (&seen.standing, place(record)) {
            (Standing::Moving, _) => look(LookFor::Bound),
            (Standing::Free, _) => Verdict::Take(id, None),
            (standing, Some(place)) if standing.is_at(&place) => Verdict::Take(id, Some(place)),
            (standing, _) => Verdict::Leave(format!(
                "{id} stands at {standing}, which is not what the status says"
            )),
        },
    }
}

fn is_not_to_take(facts: &Facts<'_>, record: &Record) -> Option<String> {
    if !record.finalizer {
        return Some(format!("it lacks the finalizer {PODEIP_FINALIZER}"));
    }
    if record.named.is_empty() {
        return Some("it names no EIP".to_owned());
    }
    if facts.me.policy.installed_at.is_none() {
        return Some("since when eipd is installed is not known".to_owned());
    }
    (!is_older(facts, record.created)).then(|| "it is younger than eipd's DaemonSet".to_owned())
}

/// Where its status says that the EIP stands.
fn place(record: &Record) -> Option<Place> {
    let shown = record.shown.as_ref()?;
    let ip = shown.ip.parse().ok()?;
    (!shown.eni.is_empty()).then(|| Place {
        eni: EniId::new(&shown.eni),
        ip,
    })
}
