//! What eipd reads in a record of public ports (a `PodDNAT` object).

use std::net::Ipv4Addr;

use super::ids::{Key, Uid};
use super::ports::{Keeper, Outside, Ports, Protocol};
use super::record::Rev;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnatRecord {
    pub key: Key,
    pub rev: Rev,
    /// Value of the label `eipd.io/node`; `None` is blank.
    pub node: Option<String>,
    /// Made by eipd: it carries our owner mark.
    pub ours: bool,
    /// Uid of the pod that it serves; `None` while it serves none.
    pub owner: Option<Uid>,
    /// It outlives its pods.
    pub keeper: Option<Keeper>,
    /// What it has chosen; `None` where that is not to be read.
    pub mapping: Option<Mapping>,
    /// What its status shows: third parties take the pod as reachable when there are as many entries as ports.
    pub shown: Vec<Entry>,
    /// The node that it was taken from, and may still be used by, while it has not rested or served since.
    pub taken_from: Option<String>,
    /// `account/region` that it was made in; `None` where that was not known.
    pub account: Option<String>,
    /// It carries a deletionTimestamp.
    pub tombstone: bool,
    /// The published finalizer still stands.
    pub finalizer: bool,
    pub other_finalizers: Vec<String>,
}

/// Which ports of which address are to lead where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The NAT gateway, `ngw-...`.
    pub gateway: String,
    /// Its forward table, `ftb-...`.
    pub table: String,
    pub external: Ipv4Addr,
    /// `None` while no pod has it.
    pub internal: Option<Ipv4Addr>,
    pub protocol: Protocol,
    /// Outside and inside of each port.
    pub ports: Vec<(u16, u16)>,
}

/// One entry of the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `fwd-...`
    pub id: String,
    pub external: (Ipv4Addr, u16),
    pub internal: (Ipv4Addr, u16),
    pub protocol: Protocol,
}

impl Mapping {
    /// Of a choice that was just made.
    pub fn new(outside: &Outside, inside: Ipv4Addr, ports: &Ports) -> Self {
        let inner = ports.inside.iter().copied();
        Self {
            gateway: outside.gateway.clone(),
            table: outside.table.clone(),
            external: outside.address,
            internal: Some(inside),
            protocol: ports.protocol,
            ports: outside.ports.iter().copied().zip(inner).collect(),
        }
    }

    /// Whether these are the ports that are asked for.
    pub fn is_of(&self, ports: &Ports) -> bool {
        let inside = self.ports.iter().map(|port| port.1);
        self.protocol == ports.protocol && inside.eq(ports.inside.iter().copied())
    }

    /// The n-th entry, without an id; `None`: there is no such port, or no pod.
    pub fn entry(&self, n: usize) -> Option<Entry> {
        let (outside, inside) = *self.ports.get(n)?;
        Some(Entry {
            id: String::new(),
            external: (self.external, outside),
            internal: (self.internal?, inside),
            protocol: self.protocol,
        })
    }

    /// As it stands on the pod: `203.0.113.4:512->80/tcp,...`.
    pub fn text(&self) -> String {
        let one = |(outside, inside): &(u16, u16)| {
            format!("{}:{outside}->{inside}/{}", self.external, self.protocol)
        };
        let all: Vec<String> = self.ports.iter().map(one).collect();
        all.join(",")
    }
}

impl Entry {
    /// The same but for the id.
    pub fn leads_as(&self, other: &Self) -> bool {
        (self.external, self.internal, self.protocol)
            == (other.external, other.internal, other.protocol)
    }
}

impl DnatRecord {
    /// Whether the status shows just what the spec has.
    pub fn shows_all(&self) -> bool {
        let Some(mapping) = &self.mapping else {
            return false;
        };
        let shown = |(n, entry): (usize, &Entry)| {
            mapping
                .entry(n)
                .is_some_and(|wanted| entry.leads_as(&wanted))
        };
        self.shown.len() == mapping.ports.len() && self.shown.iter().enumerate().all(shown)
    }

    /// It outlives its pods, and these have had its ports.
    pub fn is_settled(&self) -> bool {
        self.keeper
            .as_ref()
            .is_some_and(|keeper| keeper.settled || !self.shown.is_empty())
    }
}
