//! What eipd knows of a pod: only the facts that decide about its address.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;

use super::ids::{EipId, Key, ResourceVersion, Uid};
use super::keep::Keep;
use super::ports::{PortAsk, PortOutputs};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub key: Key,
    pub uid: Uid,
    pub version: ResourceVersion,
    /// Its creationTimestamp, by the API server's clock.
    pub created: Option<Timestamp>,
    /// Name of the node it was scheduled to; `None` while it waits for one.
    pub node: Option<String>,
    /// Its controller: what makes another one when this one goes.
    pub controller: Option<Uid>,
    pub phase: Phase,
    /// The pod's IPv4 address (`status.podIP`).
    pub ip: Option<Ipv4Addr>,
    /// The kubelet has taken it: `status.startTime` stands. A pod that the kubelet refuses goes straight to Failed.
    pub taken: bool,
    /// It has a deletionTimestamp: it will go, and no container will be started again.
    pub deleting: bool,
    /// At least one container of any sort runs (sidecars and ephemeral ones too).
    pub running: bool,
    pub ask: Ask,
    pub outputs: Outputs,
    /// What it asks of NAT gateways, beside an EIP.
    pub ports: PortAsk,
    pub port_outputs: PortOutputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// What the pod's annotations ask of the EIP controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// No EIP (any more).
    Nothing,
    /// An EIP.
    Eip(Arc<Wish>),
    /// Something that can't be done as written; each text names key, value and remedy.
    Refused(Arc<[String]>),
}

/// A checked request, ready to be frozen in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub which: Which,
    /// What becomes of the EIP when the pod goes.
    pub keep: Keep,
    /// What the user should hear although nothing is refused.
    pub warnings: Vec<String>,
}

/// Which EIP is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// One of its own.
    Auto {
        /// The Allocate arguments as they will stand in the record's `eipd.io/request`.
        request: String,
        /// The shared bandwidth package to be in.
        package: Option<String>,
        /// Mbit/s.
        bandwidth: u32,
    },
    /// One that the user named.
    Static {
        eip: EipId,
        /// What the administrator lets this namespace name.
        nameable: Nameable,
    },
}

/// Which EIPs may be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nameable {
    #[default]
    Any,
    None,
    /// Those that carry all these tags.
    With(BTreeMap<String, String>),
}

/// What eipd has written on the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The address in both output annotations; `Some("")` where the two differ or one is missing.
    pub address: Option<String>,
    pub condition: Condition,
}

/// The pod condition of the readiness gate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    #[default]
    Absent,
    /// "True" with the published reason.
    Bound,
    /// Anything else.
    Other { reason: String, message: String },
}

/// How far a pod is in its life, as far as its address goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No address yet.
    Waiting,
    /// It has its address and may use it. A pod that is being deleted while containers still run is living.
    Living,
    /// Being deleted, and nothing runs any more.
    Leaving,
    /// Succeeded or Failed: its address may be another pod's by now.
    Finished,
}

impl Ask {
    /// The EIP that is asked for, where the request is a good one.
    pub fn wish(&self) -> Option<&Wish> {
        match self {
            Self::Eip(wish) => Some(wish),
            Self::Nothing | Self::Refused(_) => None,
        }
    }
}

impl Pod {
    pub fn stage(&self) -> Stage {
        match self.phase {
            Phase::Succeeded | Phase::Failed => Stage::Finished,
            _ if self.deleting && !self.running => Stage::Leaving,
            _ if self.ip.is_some() => Stage::Living,
            _ => Stage::Waiting,
        }
    }

    /// Whether it exists, has not finished, and has this address (rule Proof).
    pub fn lives_at(&self, ip: Ipv4Addr) -> bool {
        self.stage() != Stage::Finished && self.ip == Some(ip)
    }

    /// Whether it may still get or keep an EIP.
    pub fn serves(&self) -> bool {
        matches!(self.stage(), Stage::Waiting | Stage::Living)
    }
}
