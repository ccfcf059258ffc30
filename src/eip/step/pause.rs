//! Why nothing may be done now.

use crate::domain::ids::{EipId, Key};

/// Why nothing may be done now. How long to wait is not the plan's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The name is still taken by the record of an earlier pod.
    NameTaken,
    /// The record is another node's, and its pod is ours.
    NotOurs,
    /// A call or write of ours has had no answer: it counts as in flight.
    InFlight,
    /// The CRD is being deleted: touch nothing.
    CrdTerminating,
    /// The record of a living pod was deleted by hand a moment ago.
    HeldOff,
    /// The pod goes by itself: Kubernetes' garbage collector will write the tombstone.
    AwaitTombstone,
    /// The EIP stands where we did not put it.
    Elsewhere { id: EipId, standing: String },
    /// The cloud does not list the EIP: look once more before believing it.
    SecondLook,
    /// The record was made in another account or region.
    WrongAccount { record: String },
    /// Another record names the same EIP and comes first.
    Held { id: EipId, by: Key },
    /// The cloud lists no EIP of the id that the user named.
    NoSuchEip { id: EipId },
    /// The user named an EIP that may not be named.
    NotNameable { id: EipId, why: String },
    /// A brake holds the Allocate back.
    Braked(Brake),
    /// Many records of living pods were deleted at once.
    Storm,
    /// Another EIP controller runs here.
    OthersRun,
    /// The record is another controller's, and there is time to take it over.
    TakeOverLater,
    /// The record is another controller's, and stays that.
    LeftAlone { why: String },
    /// The pod's address is on no network interface that an EIP can be bound to.
    NoPlace,
}

/// What holds an Allocate back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// Three EIPs of this node wait for their pods' addresses already: this pod's has to come first.
    AddressFirst,
    /// Too many pods of its owner ended without an address.
    Owner,
}
