//! What `plan` decides on: everything that depends on time is judged already.

use jiff::Timestamp;

use super::outcome::{Holder, Namer};
use super::step::Brake;
use crate::domain::eip::{Look, Seen};
use crate::domain::ids::{ClusterUid, EipId, Place, Uid};
use crate::domain::pod::Pod;
use crate::domain::record::Record;
use crate::eip::step::Step;
use crate::engine::holding::Evidence;

/// An object as far as this agent knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight<'a, T> {
    /// Not known: a watch event is no proof of absence.
    Unknown,
    /// A live read said that there is none of that name.
    Absent,
    Seen {
        it: &'a T,
        /// Written by us, or read live, less than 5 s ago (rule Freshness).
        fresh: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crd {
    /// Not read since this record's tombstone was first seen.
    Unknown,
    Fine,
    Terminating,
}

/// One name's facts. Pod and record share the name.
#[derive(Clone, Debug)]
// Each is a judgement of its own; none excludes another.
#[allow(clippy::struct_excessive_bools)]
pub struct Facts<'a> {
    pub me: &'a Me,
    pub pod: Sight<'a, Pod>,
    pub record: Sight<'a, Record>,
    /// A live read has shown that the record's owner is gone: a uid never comes back.
    pub owner_gone: bool,
    /// A look that counts: asked after the last own change of that EIP was answered, and less than 5 s ago.
    pub look: Option<&'a Look>,
    /// The last change of this EIP that the cloud has accepted from us, if no look has shown its end yet.
    pub settling: Option<Settling>,
    /// The cloud accepted our Release of this EIP.
    pub released: bool,
    /// Two looks, far enough apart, did not list the EIP.
    pub gone_twice: bool,
    /// Two looks, far enough apart, showed the EIP without any tag of ours: tags may show late.
    pub untagged_twice: bool,
    /// The EIPs that carry the record's tag, by a look that counts.
    pub tagged: Option<&'a [Seen]>,
    /// The id that Allocate answered for this very record and attempt.
    pub got: Option<&'a EipId>,
    /// The cloud has said for long enough that Allocate's token was used otherwise: nothing shows by its tag.
    pub token_spent: bool,
    /// This process made the record and has not yet asked for an EIP, or knows the EIP to stand nowhere: no look is needed.
    pub sure: bool,
    /// The place of the pod's present address.
    pub place: Option<&'a Place>,
    /// A call or write of ours on this record has had no answer for less than a minute.
    pub in_flight: bool,
    /// The write without an answer: to repeat it as it was fences it.
    pub open_write: Option<&'a Step>,
    pub crd: Crd,
    /// A re-creation after a deletion by hand has to wait.
    pub held_off: bool,
    /// The pod's own garbage collection has had long enough to write the tombstone.
    pub waited_for_gc: bool,
    /// A sweep has found that something is due.
    pub found: bool,
    /// And that it is a tombstone left lying.
    pub left_lying: bool,
    /// Whether the node that has the record is there and Ready, read a moment ago.
    pub node_lives: Option<bool>,
    /// The records that name this EIP, listed less than 5 s ago.
    pub namers: Option<&'a [Namer]>,
    /// The interface that the EIP was last seen on.
    pub holder: Option<&'a Holder>,
    /// The bandwidth that the cloud has accepted from us for this EIP, in Mbit/s.
    pub bandwidth_set: Option<u32>,
    /// The time that a TTL record is kept for has passed.
    pub ttl_over: bool,
    /// A first look did not list the EIP, and no second one has settled it.
    pub in_doubt: bool,
    /// A brake holds an Allocate for this pod back.
    pub brake: Option<Brake>,
    /// Its pod has had an EIP and no address for too long.
    pub unused: bool,
    /// A pod that was so before gets its record only with its address.
    pub address_first: bool,
    /// Many records of living pods were deleted at once: give nothing back for now.
    pub storm: bool,
    /// Another EIP controller runs here, or it is not known yet that none does: nothing new is begun.
    pub others_run: bool,
    /// No EIP can be bound to the pod's present address.
    pub no_place: bool,
    /// A live read has shown that there is no record; else it is only that none was seen.
    pub record_read: bool,
    /// Another controller's record need not be taken over yet.
    pub take_over_later: bool,
    /// The pod's annotations may be written now (a refused write is retried by itself).
    pub annotate_now: bool,
    /// The pod's condition may be written now.
    pub condition_now: bool,
}

/// What is judged of a name from outside of it, at one moment.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
pub struct Around {
    /// The API server's time of day.
    pub wall: Timestamp,
    pub brake: Option<Brake>,
    pub unused: bool,
    pub address_first: bool,
    pub storm: bool,
    pub others_run: bool,
}

impl Around {
    /// Nothing stands in the way.
    pub fn quiet(wall: Timestamp) -> Self {
        Self {
            wall,
            brake: None,
            unused: false,
            address_first: false,
            storm: false,
            others_run: false,
        }
    }
}

/// What the cloud is still about to do for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    Associate,
    Unassociate,
    Join,
    Leave,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// Our node's name.
    pub node: String,
    /// Our value of the label `eipd.io/node`.
    pub label: String,
    pub cluster: ClusterUid,
    /// `account/region`, as far as known.
    pub account: Option<String>,
    pub policy: Policy,
}

/// What the administrator decided, and what the agent knows of its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The VPC, as far as known: a named EIP is taken from nobody outside it.
    pub vpc: Option<String>,
    /// A named EIP may be taken from its present holder.
    pub allow_rob: bool,
    /// A changed bandwidth annotation reaches the living EIP.
    pub live_bandwidth: bool,
    /// Since when eipd is installed: only older records are taken over.
    pub installed_at: Option<Timestamp>,
}

impl<'a, T> Sight<'a, T> {
    pub fn it(&self) -> Option<&'a T> {
        match self {
            Self::Seen { it, .. } => Some(it),
            _ => None,
        }
    }

    pub fn is_fresh(&self) -> bool {
        matches!(self, Self::Seen { fresh: true, .. } | Self::Absent)
    }
}

impl<'a> Facts<'a> {
    /// The pod, if it is scheduled to our node.
    pub fn pod_here(&self) -> Option<&'a Pod> {
        self.pod
            .it()
            .filter(|pod| pod.node.as_deref() == Some(self.me.node.as_str()))
    }

    /// The record's own pod, as far as known.
    pub fn own_pod(&self, record: &Record) -> Option<&'a Pod> {
        self.pod
            .it()
            .filter(|pod| record.owner.as_ref() == Some(&pod.uid))
    }

    /// What is known of the node that has this record, and of the pod that it serves.
    pub fn holding(&self, record: &Record) -> Evidence {
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

    /// Whether an EIP carries the tags of this record's present attempt (rule Proof).
    pub fn proves(&self, seen: &Seen, record: &Uid, attempt: u32) -> bool {
        seen.cluster_tag.as_deref() == Some(self.me.cluster.as_str())
            && seen.record_tag.as_deref()
                == Some(crate::api::keys::record_tag(record, attempt).as_str())
    }
}
