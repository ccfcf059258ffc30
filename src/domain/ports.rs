//! Public ports of a pod: what is asked for, and where on a NAT gateway it is found.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::ids::{EniId, Uid};
use super::pod::Condition;

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

impl Protocol {
    /// In lower case, as the cloud takes it and the records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// In any case.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp]
            .into_iter()
            .find(|protocol| protocol.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The pod's own ports, in the order given; none twice, none 0, at least one.
    pub inside: Vec<u16>,
    pub protocol: Protocol,
    /// A pod that comes back under this name has the same ports.
    pub fixed: bool,
}

/// Where a pod's ports are on the Internet: one address for all, and for each port of [`Ports::inside`] one outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The NAT gateway, `ngw-...`.
    pub gateway: String,
    /// Its forward table, `ftb-...`.
    pub table: String,
    pub address: Ipv4Addr,
    /// In the order of the pod's own ports.
    pub ports: Vec<u16>,
}

/// What a pod's annotations ask of the NAT gateway controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PortAsk {
    /// No ports (any more).
    #[default]
    Nothing,
    /// Public ports.
    Ports(Arc<PortWish>),
    /// An EIP too, and the cloud allows one of the two: the text says so.
    EipInstead(String),
    /// Something that can't be done as written; each text names key, value and remedy.
    Refused(Arc<[String]>),
}

/// A checked request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortWish {
    pub ports: Ports,
    /// The workload that makes the pod anew, where that is a `StatefulSet`.
    pub workload: Option<Workload>,
    /// What the user should hear although nothing is refused.
    pub warnings: Vec<String>,
}

/// A `StatefulSet`: it owns the fixed ports of its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// `apps/v1`, or `apps.kruise.io/v1beta1`.
    pub api_version: String,
    pub name: String,
    pub uid: Uid,
}

/// What eipd has written on the pod of its ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortOutputs {
    /// The annotation, as it stands there.
    pub text: Option<String>,
    pub condition: Condition,
}

/// Where a pod is in the VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub ip: Ipv4Addr,
    pub eni: EniId,
    /// `None` where nobody tells.
    pub vswitch: Option<String>,
    pub zone: Option<String>,
}

impl PortAsk {
    /// The ports that are asked for, where the request is a good one.
    pub fn wish(&self) -> Option<&Arc<PortWish>> {
        match self {
            Self::Ports(wish) => Some(wish),
            _ => None,
        }
    }

    /// Whether ports that stand may go on standing: a request that went bad later takes nothing away.
    pub fn keeps(&self) -> bool {
        matches!(self, Self::Ports(_) | Self::Refused(_))
    }
}

impl PortWish {
    /// What outlives the pod, if its ports do.
    pub fn keeper(&self) -> Option<Keeper> {
        self.ports.fixed.then(|| Keeper {
            workload: self.workload.clone(),
            settled: false,
        })
    }
}

/// What a record of fixed ports is kept for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeper {
    /// `None`: it is kept until somebody deletes it.
    pub workload: Option<Workload>,
    /// A pod has had these ports: no others will do.
    pub settled: bool,
}
