//! One effect, with all its inputs: what `plan` decides and `drive` does.

use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::eip::Seen;
use crate::domain::ids::{EipId, EniId, Place, Uid};
use crate::domain::keep::Keep;
use crate::domain::pod::Wish;
use crate::domain::record::{Bandwidth, Rev};

mod pause;

pub use pause::{Brake, Pause};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do until something changes.
    Rest,
    /// Nothing may be done now; plan again later.
    Pause(Pause),

    /// Live GET of the pod.
    ReadPod,
    /// Live GET of the record.
    ReadRecord,
    /// Live GETs of pod and record, at the same time.
    ReadBoth,
    /// Live GET of the records' CRD: is it Terminating?
    ReadCrd,
    /// Is the node of this label there and Ready?
    ReadNode {
        label: String,
    },
    /// Find the interface of a pod's address.
    Resolve {
        pod: Uid,
        ip: Ipv4Addr,
    },
    /// Ask the cloud where the EIP stands.
    Look(EipId, LookFor),
    /// Ask the cloud for the EIPs that carry this record's tag.
    LookByTag {
        record: Uid,
        attempt: u32,
    },

    /// List all records that name this EIP.
    ListNamers(EipId),
    /// Ask the cloud for the interface that an EIP stands on.
    FindHolder(EniId),

    /// Create the record of the pod with this uid, with what it asks frozen.
    Create {
        pod: Uid,
        wish: Arc<Wish>,
    },
    /// Write our node into a blank label, and nothing else.
    Claim {
        at: Rev,
    },
    /// Write our node over another's that is gone, or over one that leaves its tombstone lying.
    Take {
        at: Rev,
        from: String,
    },
    /// Let the record serve this pod from now on, with this strategy: spec and owner in one write.
    Serve {
        at: Rev,
        pod: Uid,
        keep: Keep,
        /// It is another pod than before: its EIP stands nowhere now.
        new: bool,
    },
    /// Its EIP is unbound and its pod away: let the record rest, nobody's.
    Blank {
        at: Rev,
        /// Since when its pod is away, if that is written down already.
        since: Option<Timestamp>,
    },
    /// Make another controller's record, claimed before, one of ours: with the id and the place that the cloud confirms.
    Adopt {
        at: Rev,
        id: EipId,
        target: Option<Place>,
        /// The pod that it serves, if that lives.
        pod: Option<Uid>,
        /// That pod is to own it.
        owned: bool,
    },
    /// Write the EIP's id into the record, for life.
    WriteId {
        at: Rev,
        id: EipId,
    },
    /// Write where the EIP is to stand: the intent of Associate.
    WriteTarget {
        at: Rev,
        place: Place,
    },
    /// Write the holder's place from which the EIP is to be taken: the intent of its Unassociate.
    WriteTake {
        at: Rev,
        place: Place,
    },
    /// Name the shared bandwidth package to be in, or none.
    WritePackage {
        at: Rev,
        package: Option<String>,
    },
    /// Note a bandwidth that the EIP is to get, or has got.
    WriteBandwidth {
        at: Rev,
        bandwidth: Bandwidth,
    },
    /// Take the addresses out of the status: the intent of Unassociate.
    ClearStatus {
        at: Rev,
    },
    /// Write all of the status at once, after the cloud said `InUse` at that very place.
    WriteStatus {
        at: Rev,
        place: Place,
        seen: Box<Seen>,
    },
    /// Give up an EIP that is gone and count the next attempt: the intent of another Allocate.
    NextAttempt {
        at: Rev,
        attempt: u32,
    },
    /// Decide to give back: one DELETE with preconditions.
    Delete {
        at: Rev,
    },
    /// All is given back: let the record go.
    DropFinalizer {
        at: Rev,
        keep: Vec<String>,
    },

    /// Allocate with the record's frozen arguments; the token is made of record uid and attempt.
    Allocate {
        record: Uid,
        attempt: u32,
        request: String,
    },
    Associate {
        id: EipId,
        place: Place,
    },
    Unassociate {
        id: EipId,
        place: Place,
    },
    Release {
        id: EipId,
    },
    JoinPackage {
        id: EipId,
        package: String,
    },
    LeavePackage {
        id: EipId,
        package: String,
    },
    /// Change a living EIP's bandwidth, in Mbit/s.
    SetBandwidth {
        id: EipId,
        mbit: u32,
    },
    /// Put our tags on an EIP that was taken over.
    Tag {
        id: EipId,
        record: Uid,
        attempt: u32,
    },

    /// Write the address into the pod's annotations.
    Annotate {
        pod: Uid,
        address: String,
    },
    /// Write the pod's condition.
    Condition {
        pod: Uid,
        verdict: Verdict,
    },
    /// Take the address out of the pod's annotations.
    ClearAnnotations {
        pod: Uid,
    },
}

/// What the pod's condition is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Bound,
    /// Not bound, and why: a reason in one CamelCase word, and a text for people.
    Not {
        reason: &'static str,
        message: String,
    },
}

/// What a look waits for: it says when to ask first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookFor {
    /// Something must be known now.
    Now,
    /// An Associate of ours settles.
    Bound,
    /// An Unassociate of ours settles.
    Unbound,
    /// A change of the shared bandwidth package settles.
    Package,
}

/// Facts that somebody should hear of, told with the step that follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// `spec.allocationID` was edited; the label counts.
    Edited { named: EipId },
    /// The record names an EIP that is not its own: left alone.
    NotProven { id: EipId, standing: String },
    /// The EIP was given back by somebody else.
    Lost { id: EipId },
    /// The EIP is in a bandwidth package that is not the one asked for, and not by us.
    InAnotherPackage { id: EipId, package: String },
}

impl Step {
    /// Whether it changes something at the cloud.
    pub fn changes_cloud(&self) -> bool {
        matches!(
            self,
            Self::Allocate { .. }
                | Self::Associate { .. }
                | Self::Unassociate { .. }
                | Self::Release { .. }
                | Self::JoinPackage { .. }
                | Self::LeavePackage { .. }
                | Self::SetBandwidth { .. }
                | Self::Tag { .. }
        )
    }

    /// The state of the record that the write is conditional on.
    pub fn at(&self) -> Option<&Rev> {
        match self {
            Self::WriteId { at, .. }
            | Self::WriteTarget { at, .. }
            | Self::ClearStatus { at }
            | Self::WriteStatus { at, .. }
            | Self::NextAttempt { at, .. }
            | Self::Claim { at }
            | Self::Take { at, .. }
            | Self::Serve { at, .. }
            | Self::Blank { at, .. }
            | Self::Adopt { at, .. }
            | Self::WriteTake { at, .. }
            | Self::WritePackage { at, .. }
            | Self::WriteBandwidth { at, .. }
            | Self::Delete { at }
            | Self::DropFinalizer { at, .. } => Some(at),
            _ => None,
        }
    }

    /// The pod that it writes on.
    pub fn pod(&self) -> Option<&Uid> {
        match self {
            Self::Annotate { pod, .. }
            | Self::Condition { pod, .. }
            | Self::ClearAnnotations { pod } => Some(pod),
            _ => None,
        }
    }

    /// Whether it writes the record.
    pub fn writes_record(&self) -> bool {
        matches!(self, Self::Create { .. }) || self.at().is_some()
    }

    /// Whether rule Freshness forbids it while something of ours is in flight on that record.
    pub fn waits_for_open_calls(&self) -> bool {
        matches!(
            self,
            Self::WriteTarget { .. }
                | Self::ClearStatus { .. }
                | Self::WriteStatus { .. }
                | Self::NextAttempt { .. }
                | Self::Delete { .. }
                | Self::DropFinalizer { .. }
                | Self::Serve { .. }
                | Self::Blank { .. }
                | Self::WriteTake { .. }
                | Self::WritePackage { .. }
                | Self::WriteBandwidth { .. }
                | Self::Associate { .. }
                | Self::Unassociate { .. }
                | Self::JoinPackage { .. }
                | Self::LeavePackage { .. }
                | Self::SetBandwidth { .. }
        )
    }

    /// Whether `next` is this step tried again: the same effect, if perhaps on a newer state of the record.
    pub fn is_again(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Resolve { ip: one, .. }, Self::Resolve { ip: other, .. }) => one == other,
            _ => self.name() == next.name(),
        }
    }

    /// A closed set of names, for metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Pause(_) => "pause",
            Self::ReadPod => "read_pod",
            Self::ReadRecord => "read_record",
            Self::ReadBoth => "read_both",
            Self::ReadCrd => "read_crd",
            Self::ReadNode { .. } => "read_node",
            Self::Resolve { .. } => "resolve",
            Self::Look(..) => "look",
            Self::LookByTag { .. } => "look_by_tag",
            Self::ListNamers(_) => "list_namers",
            Self::FindHolder(_) => "find_holder",
            Self::Create { .. } => "create",
            Self::Claim { .. } => "claim",
            Self::Take { .. } => "take",
            Self::Serve { .. } => "serve",
            Self::Blank { .. } => "blank",
            Self::Adopt { .. } => "adopt",
            Self::WriteTake { .. } => "write_take",
            Self::WritePackage { .. } => "write_package",
            Self::WriteBandwidth { .. } => "write_bandwidth",
            Self::JoinPackage { .. } => "join_package",
            Self::LeavePackage { .. } => "leave_package",
            Self::SetBandwidth { .. } => "set_bandwidth",
            Self::Tag { .. } => "tag",
            Self::WriteId { .. } => "write_id",
            Self::WriteTarget { .. } => "write_target",
            Self::ClearStatus { .. } => "clear_status",
            Self::WriteStatus { .. } => "write_status",
            Self::NextAttempt { .. } => "next_attempt",
            Self::Delete { .. } => "delete",
            Self::DropFinalizer { .. } => "drop_finalizer",
            Self::Allocate { .. } => "allocate",
            Self::Associate { .. } => "associate",
            Self::Unassociate { .. } => "unassociate",
            Self::Release { .. } => "release",
            Self::Annotate { .. } => "annotate",
            Self::Condition { .. } => "condition",
            Self::ClearAnnotations { .. } => "clear_annotations",
        }
    }
}
