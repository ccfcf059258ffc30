//! What eipd reads in a record (a `PodEIP` object).

use jiff::Timestamp;

use super::ids::{EipId, Key, Place, ResourceVersion, Uid};
use super::keep::Keep;

#[derive(Clone, Debug, PartialEq, Eq)]
// Each is a fact of its own; none excludes another.
#[allow(clippy::struct_excessive_bools)]
pub struct Record {
    pub key: Key,
    pub rev: Rev,
    /// Value of the label `eipd.io/node`; `None` is blank.
    pub node: Option<String>,
    /// Made, or taken over, by eipd: it carries our owner mark.
    pub ours: bool,
    /// When it was made, by the API server's clock.
    pub created: Option<Timestamp>,
    pub kind: Kind,
    pub keep: Keep,
    /// Uid of the pod that it serves; `None` while it serves none.
    pub owner: Option<Uid>,
    /// That pod owns it: Kubernetes deletes it with the pod.
    pub owned: bool,
    /// Since when its pod is known to be away, on a kept record.
    pub absent_since: Option<Timestamp>,
    /// The frozen Allocate arguments; `None` on records that eipd did not make.
    pub request: Option<String>,
    /// The bandwidth in those.
    pub made_with: Option<Made>,
    /// The EIP that it names for life (label `eipd.io/eip`).
    pub eip: Option<EipId>,
    /// `spec.allocationID` says something else than the label: somebody edited it.
    pub edited: bool,
    /// `spec.allocationID` as it stands there.
    pub named: String,
    pub attempt: u32,
    /// The shared bandwidth package that it names.
    pub package: Option<String>,
    /// The bandwidth that its EIP was changed to, or is to be changed to.
    pub bandwidth: Option<Bandwidth>,
    /// Another holder's place, from which its EIP is to be taken (`allow_eip_rob`).
    pub take: Option<Place>,
    /// It was another controller's: its EIP is to be tagged.
    pub taken_over: bool,
    /// Where its EIP is to stand.
    pub target: Option<Place>,
    /// Where its status says the EIP stands; third parties take the pod as reachable from then on.
    pub shown: Option<Shown>,
    /// The node that it was taken from, and may still be used by, while it has not rested or served since.
    pub taken_from: Option<String>,
    /// `account/region` that it was made in; `None` where that was not known.
    pub account: Option<String>,
    /// It carries a deletionTimestamp.
    pub tombstone: bool,
    /// Our finalizer still stands.
    pub finalizer: bool,
    pub other_finalizers: Vec<String>,
}

/// Whose the EIP is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Made for the pod by eipd: reconfigured, tagged and released by it.
    #[default]
    Auto,
    /// Named by the user: bound and unbound, nothing else.
    Static,
}

/// The bandwidth that an EIP was created with, in Mbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    pub mbit: u32,
    /// What its charge type, which stays, lets it be changed to.
    pub most: u32,
}

/// A bandwidth that differs from the frozen request's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Mbit/s.
    pub mbit: u32,
    /// The cloud has accepted it.
    pub done: bool,
}

/// One state of one object: what a write is conditional on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rev {
    pub uid: Uid,
    pub version: ResourceVersion,
}

/// The addresses that a record's status shows, as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub eip: String,
    pub eni: String,
    pub ip: String,
    pub package: String,
}

impl Record {
    /// Whether the status shows the EIP at the target.
    pub fn shows_target(&self) -> bool {
        match (&self.shown, &self.target) {
            (Some(shown), Some(target)) => {
                shown.eni == target.eni.as_str() && shown.ip == target.ip.to_string()
            }
            _ => false,
        }
    }

    /// Its EIP outlives its pods: the record is kept, blank, while no pod has it.
    pub fn is_fixed(&self) -> bool {
        self.kind == Kind::Auto && self.keep.is_fixed()
    }

    /// A change at the cloud may have been under way when this was written: a target without the status to match, or
    /// whatever the node was about that it was taken from.
    pub fn shows_open_intent(&self) -> bool {
        if self.taken_from.is_some() {
            return true;
        }
        match self.eip {
            // Allocate's intent is the record itself.
            None => self.request.is_some(),
            Some(_) => (self.target.is_some() && !self.shows_target()) || self.take.is_some(),
        }
    }
}
