//! Which gateway, public address and ports a pod gets. Pure: the choice is written into the record before the cloud is asked.
//!
//! Each name begins to look at a place of its own, told by a hash, so that agents that choose at the same time from the
//! same table rarely choose the same; and the first free ones from there are taken, so that a table can be filled.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use crate::cloud::vpc::forward::{self, EntryView};
use crate::domain::ports::{Outside, Ports, Protocol};

/// SNAT has the ports above this one of an address that it uses (`CreateForwardEntry`, `PortBreak`).
const SNAT_ABOVE: u16 = 1024;

/// A gateway that may be used, in the order of the pool.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// `ngw-...`
    pub id: String,
    /// `ftb-...`
    pub table: String,
    /// Public ports that may be given, both ends included.
    pub range: RangeInclusive<u16>,
    /// Its addresses that may be used.
    pub addresses: Vec<Address>,
    /// Every entry of its table, whoever's it is and whatever state it is in.
    pub entries: Vec<EntryView>,
    /// What records have chosen here, whether there is an entry yet or not.
    pub chosen: Vec<(Ipv4Addr, u16, Protocol)>,
    /// Its table took no more entries a while ago.
    pub full: bool,
}

/// A public address of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub ip: Ipv4Addr,
    /// SNAT uses it too.
    pub snat: bool,
}

/// Why there is nothing to choose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    #[error("there is no NAT gateway to use")]
    NoGateway,
    #[error("every NAT gateway is full, or has no {0} ports free on one address")]
    Full(usize),
}

/// The pod's place. `seed`: the same for the same record, and as good as random among records.
pub fn choose(gateways: &[Gateway], ask: &Ports, seed: u64) -> Result<Outside, NoRoom> {
    if gateways.is_empty() {
        return Err(NoRoom::NoGateway);
    }
    let (all, rest) = around(gateways, seed);
    let mut found = all
        .filter(|gateway| !gateway.full)
        .filter_map(|gateway| gateway.place(ask, rest));
    found.next().ok_or(NoRoom::Full(ask.inside.len()))
}

/// All of them once, from one that the seed tells, and what is left of the seed for the next choice.
fn around<T>(all: &[T], seed: u64) -> (impl Iterator<Item = &T>, u64) {
    let count = all.len().max(1) as u64;
    let start = usize::try_from(seed % count).unwrap_or(0);
    (all[start..].iter().chain(&all[..start]), seed / count)
}

impl Gateway {
    /// All ports share one address.
    fn place(&self, ask: &Ports, seed: u64) -> Option<Outside> {
        let (mut all, rest) = around(&self.addresses, seed);
        all.find_map(|address| {
            Some(Outside {
                gateway: self.id.clone(),
                table: self.table.clone(),
                address: address.ip,
                ports: self.ports(*address, ask, rest)?,
            })
        })
    }

    fn ports(&self, address: Address, ask: &Ports, seed: u64) -> Option<Vec<u16>> {
        let taken = self.taken(address.ip, ask.protocol)?;
        let last = match address.snat {
            true => (*self.range.end()).min(SNAT_ABOVE),
            false => *self.range.end(),
        };
        let all: Vec<u16> = (*self.range.start()..=last).collect();
        let free = around(&all, seed).0.filter(|port| !taken.contains(port));
        let ports: Vec<u16> = free.copied().take(ask.inside.len()).collect();
        (ports.len() == ask.inside.len()).then_some(ports)
    }

    /// The ports of an address that are in use; `None`: an entry has the whole address.
    fn taken(&self, ip: Ipv4Addr, protocol: Protocol) -> Option<BTreeSet<u16>> {
        let chosen = self
            .chosen
            .iter()
            .filter(|it| it.0 == ip && it.2 == protocol);
        let mut taken: BTreeSet<u16> = chosen.map(|it| it.1).collect();
        let here = ip.to_string();
        for entry in self.entries.iter().filter(|it| it.external_ip == here) {
            match forward::ports(&entry.external_port) {
                None => return None,
                Some(_) if entry.protocol != protocol.as_str() && entry.protocol != "any" => {}
                Some(ports) => taken.extend(ports),
            }
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests;
