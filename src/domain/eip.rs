//! What a look at the cloud says of one EIP.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::ids::{EipId, EniId, Place};

/// The answer of a look for one EIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The cloud does not list it.
    Gone,
    Seen(Box<Seen>),
}

/// An EIP as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: EipId,
    pub address: String,
    pub standing: Standing,
    /// Value of the tag that names the cluster.
    pub cluster_tag: Option<String>,
    /// Value of the tag that names record and attempt.
    pub record_tag: Option<String>,
    pub isp: String,
    pub internet_charge_type: String,
    pub resource_group: String,
    pub name: String,
    pub pool: String,
    pub package: String,
    /// Mbit/s; `None` where the cloud does not say.
    pub bandwidth: Option<u32>,
    /// All of its tags.
    pub tags: BTreeMap<String, String>,
}

/// Where an EIP stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Bound nowhere.
    Free,
    /// Bound. No address means the interface's primary one: the cloud reports that as empty.
    At { eni: EniId, ip: Option<Ipv4Addr> },
    /// Bound to something that is no network interface (type and id).
    Foreign(String),
    /// Associating, Unassociating, Releasing: only queries are accepted.
    Moving,
}

impl Standing {
    /// Whether the EIP stands at that very place.
    pub fn is_at(&self, place: &Place) -> bool {
        match self {
            Self::At { eni, ip } => *eni == place.eni && ip.is_none_or(|ip| ip == place.ip),
            _ => false,
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Free => f.write_str("nowhere"),
            Self::At { eni, ip: Some(ip) } => write!(f, "{eni}/{ip}"),
            Self::At { eni, ip: None } => write!(f, "{eni} (its primary address)"),
            Self::Foreign(what) => f.write_str(what),
            Self::Moving => f.write_str("on its way"),
        }
    }
}
