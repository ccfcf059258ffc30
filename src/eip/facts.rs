//! What `plan` decides on: everything that depends on time is judged already.

use crate::domain::eip::{Look, Seen};
use crate::domain::ids::{ClusterUid, EipId, Place, Uid};
use crate::domain::pod::Pod;
use crate::domain::record::Record;
use crate::eip::step::Step;

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
    /// The pod's annotations may be written now (a refused write is retried by itself).
    pub annotate_now: bool,
    /// The pod's condition may be written now.
    pub condition_now: bool,
}

/// What the cloud is still about to do for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    Associate,
    Unassociate,
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

    /// Whether an EIP carries the tags of this record's present attempt (rule Proof).
    pub fn proves(&self, seen: &Seen, record: &Uid, attempt: u32) -> bool {
        seen.cluster_tag.as_deref() == Some(self.me.cluster.as_str())
            && seen.record_tag.as_deref()
                == Some(crate::api::keys::record_tag(record, attempt).as_str())
    }
}
