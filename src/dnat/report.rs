//! What people hear: Events on the pod that say what is the matter and what to do.

use std::time::Duration;

use super::facts::Facts;
use super::memory::Memory;
use super::outcome::{Outcome, Refusal};
use super::step::{Pause, Step};
use crate::clock::Instant;
use crate::domain::ids::Key;
use crate::domain::pod::Pod;
use crate::domain::ports::PortAsk;
use crate::eip::engine::is_news;
use crate::telemetry::events::{EventKind, Events, PodRef};

/// Writes Events on pods; the channel behind it says the same thing at most hourly.
pub struct Reporter {
    events: Events,
}

/// What an earlier pod of the address left is cleaned up sooner, as a rule.
const PATIENCE: Duration = Duration::from_secs(30);

impl Reporter {
    pub fn new(events: Events) -> Self {
        Self { events }
    }

    /// A refused request.
    pub(super) fn planned(&self, facts: &Facts<'_>) {
        let Some(pod) = facts.pod_here().filter(|pod| pod.serves()) else {
            return;
        };
        match &pod.ports {
            PortAsk::Refused(why) => why
                .iter()
                .for_each(|text| self.warn(pod, "InvalidRequest", text.clone())),
            PortAsk::EipInstead(why) => self.warn(pod, "EIPInsteadOfPorts", why.clone()),
            PortAsk::Nothing | PortAsk::Ports(_) => {}
        }
    }

    /// `since`: when the wait began that this pause is part of.
    pub(super) fn paused(
        &self,
        memory: Option<&Memory>,
        why: &Pause,
        since: Option<Instant>,
        now: Instant,
    ) {
        let Some(pod) = memory.and_then(Memory::pod) else {
            return;
        };
        let (reason, text) = match why {
            Pause::InsideTaken { by, ours: true } => {
                if since.is_none_or(|since| now.duration_since(since) < PATIENCE) {
                    return;
                }
                (
                    "AddressStillForwarded",
                    format!("the forward entry {by} of an earlier pod still leads to this pod's address: its ports follow when that is gone"),
                )
            }
            Pause::InsideTaken { by, ours: false } => (
                "AddressForwarded",
                format!("the forward entry {by}, which is not eipd's, leads to this pod's port: delete it in the console if the pod is to have ports of its own"),
            ),
            Pause::OutsideTaken { by } => (
                "FixedPortTaken",
                format!("the forward entry {by}, which is not this pod's, has its fixed port: delete it in the console, or delete the PodDNAT to get other ports"),
            ),
            Pause::AddressLost { gateway, address } => (
                "FixedAddressLost",
                format!("{address}, which this pod's fixed ports are on, is no address of {gateway} that can be used any more: bind it there again, or delete the PodDNAT to get other ports"),
            ),
            Pause::Full { gateway } => (
                "NATGatewayFull",
                format!("{gateway} takes no more forward entries: this pod waits until some are deleted or the quota is raised; add a NAT gateway to networkController.natGwPool"),
            ),
            Pause::CrdTerminating => (
                "CRDTerminating",
                "the CRD poddnats.alibabacloud.com is being deleted: no forward entry is deleted or made until it is gone and applied again".to_owned(),
            ),
            Pause::WrongAccount { record } => (
                "WrongAccount",
                format!("the PodDNAT was made in {record}, which is not this agent's account and region: check regionID, accountID and the credentials"),
            ),
            Pause::HeldOff => (
                "RecordDeleted",
                "the PodDNAT was deleted by hand while the pod lives; a new one follows after a while".to_owned(),
            ),
            Pause::NotOurs => (
                "NameTaken",
                format!("a PodDNAT {} exists that is not this node's; delete it if nobody needs it", pod.key),
            ),
            Pause::OthersRun => (
                "OtherController",
                "ack-extend-network-controller still runs in this cluster: nothing new is started; take it away".to_owned(),
            ),
            Pause::NameTaken | Pause::InFlight | Pause::SecondLook | Pause::NoPlace => return,
        };
        self.warn(pod, reason, text);
    }

    /// `stuck`: the entry that has kept the table busy for too long.
    pub(super) fn done(
        &self,
        key: &Key,
        memory: &Memory,
        step: &Step,
        outcome: &Outcome,
        stuck: Option<&str>,
    ) {
        let Some(pod) = memory.pod() else { return };
        if let (Some(entry), Step::Make { table, .. } | Step::Remove { table, .. }) = (stuck, step)
        {
            self.warn(
                pod,
                "ForwardEntryStuck",
                format!("the forward entry {entry} has been Pending for over a minute: the forward table {table} takes no other change meanwhile; look at it in the console"),
            );
        }
        match (step, outcome) {
            (Step::Create { wish, .. }, Outcome::Wrote(_)) => wish
                .warnings
                .iter()
                .for_each(|text| self.warn(pod, "CheckRequest", text.clone())),
            (Step::WriteStatus { entries, .. }, Outcome::Wrote(record)) if !entries.is_empty() => {
                let text = record
                    .mapping
                    .as_ref()
                    .map_or_else(String::new, crate::domain::dnat::Mapping::text);
                tracing::info!(pod = %key, ports = %text, "ports ready");
                let text = format!("public ports lead to this pod: {text}");
                self.events
                    .publish(&PodRef::of(pod), EventKind::Normal, "DNATReady", text);
            }
            (_, Outcome::Refused(Refusal::Full, trouble)) => {
                self.warn(pod, "NATGatewayFull", trouble.text.clone());
            }
            (_, outcome) => {
                let failures = memory.failures_of(step);
                if let Some(trouble) = outcome.trouble().filter(|it| is_news(it.kind, failures)) {
                    self.warn(pod, reason(step), trouble.text.clone());
                }
            }
        }
    }

    fn warn(&self, pod: &Pod, reason: &'static str, note: String) {
        self.events
            .publish(&PodRef::of(pod), EventKind::Warning, reason, note);
    }
}

fn reason(step: &Step) -> &'static str {
    match step {
        Step::Choose { .. } => "NoPorts",
        Step::Make { .. } => "ForwardFailed",
        Step::Remove { .. } => "DeleteForwardFailed",
        Step::Resolve { .. } => "InterfaceNotFound",
        Step::Look { .. } => "LookFailed",
        Step::Create { .. } => "RecordRefused",
        _ => "WriteFailed",
    }
}
