//! What `plan` decides on: everything that depends on time is judged already.

use std::net::Ipv4Addr;

use super::names;
use super::step::Step;
use crate::cloud::vpc::forward::{self, EntryView};
use crate::domain::dnat::{DnatRecord, Entry};
use crate::domain::pod::Pod;
use crate::domain::ports::{Outside, Protocol, Spot};
use crate::eip::facts::{Crd, Me, Sight};
use crate::engine::holding::Evidence;

/// One name's facts. Pod and record share the name.
#[derive(Clone, Debug)]
// Each is a judgement of its own; none excludes another.
#[allow(clippy::struct_excessive_bools)]
pub struct Facts<'a> {
    pub me: &'a Me,
    pub pod: Sight<'a, Pod>,
    pub record: Sight<'a, DnatRecord>,
    /// A live read has shown that the record's owner is gone: a uid never comes back.
    pub owner_gone: bool,
    /// Where the pod's present address is.
    pub spot: Option<&'a Spot>,
    /// What was chosen less than 5 s ago, for that spot.
    pub chosen: Option<&'a Outside>,
    /// A look that counts: asked after the last own change of these entries was answered, and less than 5 s ago.
    pub look: Option<&'a Table>,
    /// The latest look since that change, however long ago: what only we change is still so.
    pub seen: Option<&'a Table>,
    /// The last change that the cloud has accepted from us, if no look has shown its end yet.
    pub settling: Option<Change>,
    /// The cloud has accepted an entry that no look has shown, less than 15 s ago.
    pub unseen: bool,
    /// This process made the record and has not yet asked for an entry: no look is needed.
    pub sure: bool,
    /// The cloud says that something stands in an entry's way: the whole table is to be looked at.
    pub blocked: bool,
    /// The address is not, or no longer, the gateway's.
    pub lost: bool,
    /// An entry, whoever's, has kept the table busy for over a minute.
    pub stuck: bool,
    /// A choice was tried in vain a moment ago: there is no other gateway.
    pub no_other: bool,
    /// The gateway has refused us an entry, for it is full.
    pub full: bool,
    /// Two looks, far enough apart, have shown that there is no such table.
    pub no_table_twice: bool,
    /// What this record's next entry is asked for with.
    pub token: &'a str,
    /// Whether the workload still makes this pod, read less than 5 s ago.
    pub workload_keeps: Option<bool>,
    /// A call or write of ours on this record has had no answer for less than a minute.
    pub in_flight: bool,
    /// The write without an answer: to repeat it as it was fences it.
    pub open_write: Option<&'a Step>,
    pub crd: Crd,
    /// A re-creation after a deletion by hand has to wait.
    pub held_off: bool,
    /// A sweep has found that something is due.
    pub found: bool,
    /// And that it is a tombstone left lying.
    pub left_lying: bool,
    /// Whether the node that has the record is there and Ready, read a moment ago.
    pub node_lives: Option<bool>,
    /// No interface of the VPC has the pod's present address.
    pub no_place: bool,
    /// Another controller runs here, or it is not known yet that none does: nothing new is begun.
    pub others_run: bool,
    /// A live read has shown that there is no record; else it is only that none was seen.
    pub record_read: bool,
    pub annotate_now: bool,
    pub condition_now: bool,
}

/// A change of ours that settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Make,
    Remove,
}

/// What a look has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub entries: Vec<EntryView>,
    /// All of it, not only what leads to the pod's address.
    pub whole: bool,
    /// All that bears the record's names.
    pub own: bool,
    /// There is no such table.
    pub missing: bool,
}

/// An entry that bears the record's name.
#[derive(Clone, Debug)]
pub struct Mine<'a> {
    pub n: usize,
    pub entry: &'a EntryView,
    /// It leads where the record says.
    pub right: bool,
}

impl<'a> Facts<'a> {
    /// The pod, if it is scheduled to our node.
    pub fn pod_here(&self) -> Option<&'a Pod> {
        let node = Some(self.me.node.as_str());
        self.pod.it().filter(|pod| pod.node.as_deref() == node)
    }

    /// The record's own pod, as far as known.
    pub fn own_pod(&self, record: &DnatRecord) -> Option<&'a Pod> {
        let owner = record.owner.as_ref();
        self.pod.it().filter(|pod| owner == Some(&pod.uid))
    }

    /// What is known of the node that has this record, and of the pod that it serves.
    pub fn holding(&self, record: &DnatRecord) -> Evidence {
        let own = self.own_pod(record).is_some() && self.pod.is_fresh();
        Evidence {
            tombstone: record.tombstone,
            left_lying: self.left_lying,
            node_lives: self.node_lives,
            unserved: match record.owner.is_none() || self.owner_gone {
                true => Some(true),
                false => own.then_some(false),
            },
        }
    }

    /// The record's entries in a table.
    pub fn mine<'t>(&self, record: &DnatRecord, table: &'t Table) -> Vec<Mine<'t>> {
        let of = |entry: &'t EntryView| {
            let (uid, n) = names::parse(&self.me.cluster, &entry.name)?;
            let wanted = record.mapping.as_ref().and_then(|it| it.entry(n));
            (uid == record.rev.uid).then(|| Mine {
                n,
                entry,
                right: wanted.is_some_and(|wanted| leads_as(entry, &wanted)),
            })
        };
        table.entries.iter().filter_map(of).collect()
    }
}

impl Table {
    /// Another's entry for this port of this address outside; the whole of an address, too, is its owner's.
    pub fn outside(&self, end: (Ipv4Addr, u16), protocol: Protocol) -> Option<&EntryView> {
        let here = end.0.to_string();
        let mut all = self.entries.iter();
        all.find(|it| {
            it.external_ip == here && has(&it.external_port, &it.protocol, end.1, protocol)
        })
    }

    /// The entry that leads to this port of this address.
    pub fn inside(&self, end: (Ipv4Addr, u16), protocol: Protocol) -> Option<&EntryView> {
        let here = end.0.to_string();
        let mut all = self.entries.iter();
        all.find(|it| {
            it.internal_ip == here && has(&it.internal_port, &it.protocol, end.1, protocol)
        })
    }
}

/// What can't be read is taken for everything.
fn has(ports: &str, protocol: &str, port: u16, of: Protocol) -> bool {
    let same = protocol == of.as_str() || protocol == "any";
    forward::ports(ports).is_none_or(|range| same && range.contains(&port))
}

fn leads_as(seen: &EntryView, wanted: &Entry) -> bool {
    let end = |ip: &str, port: &str| Some((ip.parse().ok()?, port.parse().ok()?));
    end(&seen.external_ip, &seen.external_port) == Some(wanted.external)
        && end(&seen.internal_ip, &seen.internal_port) == Some(wanted.internal)
        && seen.protocol == wanted.protocol.as_str()
}
