//! What a step came back with.

use crate::domain::dnat::DnatRecord;
use crate::domain::pod::Pod;
use crate::domain::ports::{Outside, Spot};
use crate::eip::outcome::Trouble;

use super::facts::Table;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A live read of the pod; `None`: there is none of that name.
    Pod(Option<Pod>),
    Record(Option<DnatRecord>),
    Both(Option<Pod>, Option<Box<DnatRecord>>),
    /// The record as the API server answered our write.
    Wrote(Box<DnatRecord>),
    /// Our write was the last: the record is gone.
    RecordGone,
    /// Somebody else wrote first, or the name is taken: read again.
    Conflict,
    CrdTerminating(bool),
    /// Whether the workload still makes the pod.
    WorkloadKeeps(bool),
    /// Whether the node is there and Ready, by a live read.
    NodeLives(bool),
    Resolved(Spot),
    Chosen(Outside),
    Looked(Table),
    /// The cloud accepted a change; its end is for a look to see.
    Accepted,
    PodWrote(Pod),
    PodGone,
    /// The name has a turn now, or is to ask again.
    Numbered,
    /// The cloud does not make this entry, for a reason that the plan knows what to do about.
    Refused(Refusal, Trouble),
    Failed(Trouble),
}

/// Why the cloud does not make an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something has the port outside or inside, or the address has an EIP.
    Taken,
    /// The gateway takes no more entries.
    Full,
    /// The address is not, or no longer, the gateway's.
    NotThere,
}

impl Outcome {
    /// Why the step gave no result.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Failed(trouble) | Self::Refused(_, trouble) => Some(trouble),
            _ => None,
        }
    }
}
