//! What people hear: Events on the pod that say what is the matter and what to do.

use super::super::facts::Facts;
use super::super::memory::Memory;
use super::super::outcome::{Outcome, TroubleKind};
use super::super::step::{Brake, Notice, Pause, Step};
use crate::domain::ids::Key;
use crate::domain::pod::{Ask, Pod};
use crate::domain::record::Record;
use crate::telemetry::events::{EventKind, Events, PodRef};

mod changes;

/// Writes Events on pods; the channel behind it says the same thing at most hourly.
pub struct Reporter {
    events: Events,
}

impl Reporter {
    pub fn new(events: Events) -> Self {
        Self { events }
    }

    /// A refused request, and what a step shows by the way.
    pub(super) fn planned(&self, facts: &Facts<'_>, notice: Option<&Notice>) {
        let Some(pod) = facts.pod_here() else { return };
        if let Ask::Refused(why) = &pod.ask
            && pod.serves()
        {
            why.iter()
                .for_each(|text| self.warn(pod, "InvalidRequest", text.clone()));
        }
        if let Some(record) = facts.record.it().filter(|record| served(record, pod)) {
            for text in changes::texts(record, pod, facts.me.policy.live_bandwidth) {
                self.warn(pod, "CheckRequest", text);
            }
        }
        match notice {
            None => {}
            Some(Notice::Edited { named }) => self.warn(
                pod,
                "AllocationIDEdited",
                format!("spec.allocationID of the PodEIP was changed by hand; this record names {named} for life and keeps it; to get another EIP delete the PodEIP"),
            ),
            Some(Notice::NotProven { id, standing }) => self.warn(
                pod,
                "EIPLeftAlone",
                format!("{id} (now at {standing}) does not carry this record's tags, or was moved by somebody else: it is neither unbound nor released; release it in the console if it is yours"),
            ),
            Some(Notice::Lost { id }) => self.warn(
                pod,
                "EIPLost",
                format!("{id} does not exist any more: somebody released it; another one is allocated"),
            ),
            Some(Notice::InAnotherPackage { id, package }) => self.warn(
                pod,
                "EIPInAnotherPackage",
                format!("{id} is in the bandwidth package {package}, which this pod did not ask for: it is left there; take it out in the console if that is a mistake"),
            ),
        }
    }

    pub(super) fn paused(&self, key: &Key, memory: Option<&Memory>, why: &Pause) {
        let Some(pod) = memory.and_then(Memory::pod) else {
            return;
        };
        match why {
            Pause::Elsewhere { id, standing } => self.warn(
                pod,
                "EIPElsewhere",
                format!("{id} is bound to {standing}, not to this pod: somebody moved it; unbind it there and it comes back, or delete the PodEIP to get another"),
            ),
            Pause::CrdTerminating => self.warn(
                pod,
                "CRDTerminating",
                "the CRD podeips.alibabacloud.com is being deleted: nothing is given back and nothing is bound until it is gone and applied again".to_owned(),
            ),
            Pause::WrongAccount { record } => self.warn(
                pod,
                "WrongAccount",
                format!("the PodEIP was made in {record}, which is not this agent's account and region: check regionID, accountID and the credentials"),
            ),
            Pause::HeldOff => self.warn(
                pod,
                "RecordDeleted",
                "the PodEIP was deleted by hand while the pod lives; a new one follows after a while".to_owned(),
            ),
            Pause::NotOurs => self.warn(
                pod,
                "NameTaken",
                format!("a PodEIP {key} exists that is not this node's; delete it if nobody needs it"),
            ),
            Pause::Held { id, by } => self.warn(
                pod,
                "EIPHeld",
                format!("{id} is named by {by} too, which has it: this pod gets it when that one lets it go"),
            ),
            Pause::NoSuchEip { id } => self.warn(
                pod,
                "NoSuchEIP",
                format!("pod-eip-instanceid \"{id}\": the cloud lists no such EIP in this account and region; name one that exists"),
            ),
            Pause::NotNameable { id, why } => self.warn(
                pod,
                "EIPNotNameable",
                format!("pod-eip-instanceid \"{id}\": {why}; name another EIP"),
            ),
            Pause::Braked(Brake::AddressFirst) => self.warn(
                pod,
                "WaitingForAddress",
                "three EIPs of this node wait for their pods' addresses already: this pod's is allocated when its address is known".to_owned(),
            ),
            Pause::Braked(Brake::Owner) => self.warn(
                pod,
                "OwnerSlowedDown",
                "five pods of this owner ended without an address within ten minutes: its next pods get one EIP a minute".to_owned(),
            ),
            Pause::Storm => self.warn(
                pod,
                "ManyRecordsDeleted",
                "more than three and more than half of this node's PodEIPs were deleted under living pods within ten seconds: nothing is given back for ten minutes".to_owned(),
            ),
            Pause::OthersRun => self.warn(
                pod,
                "OtherController",
                "ack-extend-network-controller or Terway's EIP function still runs in this cluster: nothing new is started; take it away, or switch it off".to_owned(),
            ),
            Pause::LeftAlone { why } => self.warn(
                pod,
                "RecordLeftAlone",
                format!("the PodEIP {key} was not made by eipd and is not taken over: {why}; delete it if nobody needs it"),
            ),
            Pause::NoPlace
            | Pause::TakeOverLater
            | Pause::NameTaken
            | Pause::InFlight
            | Pause::AwaitTombstone
            | Pause::SecondLook => {}
        }
    }

    /// A call waits for its turn, or for a breaker.
    pub(super) fn later(&self, memory: &Memory, why: &str) {
        if let Some(pod) = memory.pod() {
            self.warn(pod, "WaitingForQuota", why.to_owned());
        }
    }

    pub(super) fn done(&self, key: &Key, memory: &Memory, step: &Step, outcome: &Outcome) {
        let Some(pod) = memory.pod() else { return };
        match (step, outcome) {
            (Step::Create { .. }, Outcome::Wrote(_)) => self.warnings(pod),
            (Step::WriteStatus { place, seen, .. }, Outcome::Wrote(_)) => {
                tracing::info!(pod = %key, eip = %seen.id, address = %seen.address, eni = %place.eni, ip = %place.ip, "EIP bound");
                self.events.publish(
                    &PodRef::of(pod),
                    EventKind::Normal,
                    "EIPBound",
                    format!("{} ({}) is bound to {}", seen.address, seen.id, place),
                );
            }
            (_, Outcome::Failed(trouble)) if is_news(trouble.kind, memory.failures_of(step)) => {
                self.warn(pod, reason(step), trouble.text.clone());
            }
            _ => {}
        }
    }

    fn warnings(&self, pod: &Pod) {
        if let Ask::Eip(wish) = &pod.ask {
            wish.warnings
                .iter()
                .for_each(|text| self.warn(pod, "CheckRequest", text.clone()));
        }
    }

    fn warn(&self, pod: &Pod, reason: &'static str, note: String) {
        self.events
            .publish(&PodRef::of(pod), EventKind::Warning, reason, note);
    }
}

fn served(record: &Record, pod: &Pod) -> bool {
    record.owner.as_ref() == Some(&pod.uid) && !record.tombstone
}

/// Passing trouble is told when it does not pass; what a person must mend, at once.
pub(crate) fn is_news(kind: TroubleKind, failures: u32) -> bool {
    match kind {
        TroubleKind::Quota | TroubleKind::Nowhere | TroubleKind::Lasting => true,
        TroubleKind::Throttled | TroubleKind::TokenUsed => failures >= 3,
        // Within half a minute what an earlier pod of the address left is gone, as a rule.
        TroubleKind::PlaceTaken => failures >= 5,
        TroubleKind::NoAnswer | TroubleKind::Passing | TroubleKind::WrongState => failures >= 6,
    }
}

fn reason(step: &Step) -> &'static str {
    match step {
        Step::Allocate { .. } => "AllocateFailed",
        Step::Associate { .. } => "AssociateFailed",
        Step::Unassociate { .. } => "UnassociateFailed",
        Step::Release { .. } => "ReleaseFailed",
        Step::Resolve { .. } => "InterfaceNotFound",
        Step::Look(..) | Step::LookByTag { .. } => "LookFailed",
        Step::Create { .. } => "RecordRefused",
        _ => "WriteFailed",
    }
}
