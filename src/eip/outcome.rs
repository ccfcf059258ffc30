//! What a step came back with.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Instant;
use crate::domain::eip::{Look, Seen};
use crate::domain::ids::{EipId, EniId, Key, Place, Uid};
use crate::domain::pod::Pod;
use crate::domain::record::Record;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A live read of the pod; `None`: there is none of that name.
    Pod(Option<Pod>),
    /// A live read of the record; `None`: there is none of that name.
    Record(Option<Record>),
    /// Live reads of both.
    Both(Option<Pod>, Option<Box<Record>>),
    /// The record as the API server answered our write.
    Wrote(Record),
    /// Our write was the last: the record is gone.
    RecordGone,
    /// Somebody else wrote first, or the name is taken: read again.
    Conflict,
    /// The CRD's state, by a live read.
    CrdTerminating(bool),
    /// Whether the node is there and Ready, by a live read.
    NodeLives(bool),
    Resolved(Place),
    Looked(Look),
    Tagged(Vec<Seen>),
    Allocated(EipId),
    /// The cloud accepted a change; its end is for a look to see.
    Accepted,
    /// The pod as the API server answered our write.
    PodWrote(Pod),
    /// The pod of that uid is gone.
    PodGone,
    /// All records that name the EIP.
    Namers(Vec<Namer>),
    /// The interface that an EIP stands on.
    Holder(Holder),
    /// Not begun: its turn is later, or a breaker is open.
    Later {
        at: Instant,
        why: Option<String>,
    },
    Failed(Trouble),
}

/// A record that names an EIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namer {
    pub key: Key,
    pub uid: Uid,
    pub created: Option<Timestamp>,
    pub target: Option<Place>,
}

/// A network interface that an EIP stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub eni: EniId,
    pub vpc: String,
    pub primary: Option<Ipv4Addr>,
}

/// A step that gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// For people: what happened, with the cloud's `RequestId` where there is one.
    pub text: String,
    /// How long the other side asked to wait.
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// No answer: it may have happened, and may still happen.
    NoAnswer,
    /// Surely not done, and likely to work soon.
    Passing,
    /// The cloud's rate limit.
    Throttled,
    /// A limit or a balance: it ends when somebody frees or raises something.
    Quota,
    /// The EIP or the address is not in the state the call needs: look again.
    WrongState,
    /// The pod's address already has an EIP, or a forward entry, that is not the record's.
    PlaceTaken,
    /// The token was used with other arguments: somebody asked already.
    TokenUsed,
    /// The address is on no interface that an EIP can be bound to.
    Nowhere,
    /// It will not work before somebody changes something.
    Lasting,
}
