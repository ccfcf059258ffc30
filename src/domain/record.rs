//! What eipd reads in a record (a `PodEIP` object).

use super::ids::{EipId, Key, Place, ResourceVersion, Uid};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    pub rev: Rev,
    /// Value of the label `eipd.io/node`; `None` is blank.
    pub node: Option<String>,
    /// Uid of the pod that owns it.
    pub owner: Option<Uid>,
    /// The frozen Allocate arguments; `None` on records that eipd did not make.
    pub request: Option<String>,
    /// The EIP that it names for life (label `eipd.io/eip`).
    pub eip: Option<EipId>,
    /// `spec.allocationID` says something else than the label: somebody edited it.
    pub edited: bool,
    pub attempt: u32,
    /// Where its EIP is to stand.
    pub target: Option<Place>,
    /// Where its status says the EIP stands; third parties take the pod as reachable from then on.
    pub shown: Option<Shown>,
    /// `account/region` that it was made in; `None` where that was not known.
    pub account: Option<String>,
    /// It carries a deletionTimestamp.
    pub tombstone: bool,
    /// Our finalizer still stands.
    pub finalizer: bool,
    pub other_finalizers: Vec<String>,
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

    /// A change at the cloud may have been under way when this was written: a target without the status to match.
    pub fn shows_open_intent(&self) -> bool {
        match self.eip {
            // Allocate's intent is the record itself.
            None => self.request.is_some(),
            Some(_) => self.target.is_some() && !self.shows_target(),
        }
    }
}
