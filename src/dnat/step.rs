//! What can be done for one name: one read, one write, or one turn at a table.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::turns::What;
use crate::cloud::vpc::forward::ForwardArgs;
use crate::domain::dnat::Entry;
use crate::domain::ids::Uid;
use crate::domain::ports::{Outside, PortWish, Spot, Workload};
use crate::domain::record::Rev;
use crate::eip::step::Verdict;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do until something changes.
    Rest,
    Pause(Pause),
    ReadPod,
    ReadRecord,
    ReadBoth,
    ReadCrd,
    /// Is the node of this label there and Ready?
    ReadNode {
        label: String,
    },
    /// Whether the workload still makes this pod.
    ReadWorkload(Workload),
    /// On which interface the pod's address is, and in which vSwitch and zone.
    Resolve {
        pod: Uid,
        ip: Ipv4Addr,
    },
    /// A gateway, an address and free ports.
    Choose {
        spot: Spot,
        wish: Arc<PortWish>,
    },
    Create {
        pod: Uid,
        wish: Arc<PortWish>,
        spot: Spot,
        outside: Outside,
    },
    /// Our node into a blank label.
    Claim {
        at: Rev,
    },
    /// Our node over another's that is gone, or over one that leaves its tombstone lying.
    Take {
        at: Rev,
        from: String,
    },
    /// The record serves this pod from now on; `settled`: a pod has had its ports.
    Serve {
        at: Rev,
        pod: Uid,
        wish: Arc<PortWish>,
        settled: bool,
    },
    /// Where the pod is now, and another place outside where one was chosen.
    Place {
        at: Rev,
        spot: Spot,
        outside: Option<(Outside, Arc<PortWish>)>,
    },
    Look {
        table: String,
        scope: Scope,
        after: After,
    },
    /// A number in the queue of the table.
    TakeNumber {
        table: String,
        what: What,
    },
    /// `CreateForwardEntry`, in turn.
    Make {
        table: String,
        entry: ForwardArgs,
        token: String,
    },
    /// `DeleteForwardEntry` of each, in one turn.
    Remove {
        table: String,
        /// Id and name.
        entries: Vec<(String, String)>,
    },
    /// All entries, or none.
    WriteStatus {
        at: Rev,
        entries: Vec<Entry>,
    },
    Blank {
        at: Rev,
    },
    Delete {
        at: Rev,
    },
    DropFinalizer {
        at: Rev,
        keep: Vec<String>,
    },
    Annotate {
        pod: Uid,
        text: Option<String>,
    },
    Condition {
        pod: Uid,
        verdict: Verdict,
    },
}

/// How much of a table is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What leads to this address: one call, however long the table is.
    Inside(Ipv4Addr),
    /// What bears the record's names: a call for each of so many, and nothing can slip from one page to another meanwhile.
    Own {
        record: Uid,
        ports: usize,
    },
    Whole,
}

/// What a look waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum After {
    /// Nothing: it may be asked at once.
    Nothing,
    /// An entry of ours to become Available.
    Make,
    /// Entries of ours to be gone.
    Remove,
}

/// Why nothing may be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The record of an earlier pod still has the name.
    NameTaken,
    /// The record of the name is another node's, or not eipd's.
    NotOurs,
    /// A call or write of ours has had no answer for less than a minute.
    InFlight,
    /// Another's entry leads to this port of the pod's address; `ours`: left by an earlier pod of this cluster.
    InsideTaken {
        by: String,
        ours: bool,
    },
    /// Fixed ports that another's entry has.
    OutsideTaken {
        by: String,
    },
    /// Fixed ports of an address that the gateway has no more.
    AddressLost {
        gateway: String,
        address: Ipv4Addr,
    },
    /// The gateway takes no more entries.
    Full {
        gateway: String,
    },
    CrdTerminating,
    /// A living pod's record was deleted by hand.
    HeldOff,
    /// The table did not exist at a first look.
    SecondLook,
    OthersRun,
    WrongAccount {
        record: String,
    },
    /// The pod's address is on no network interface of the VPC.
    NoPlace,
}

impl Step {
    /// Whether it changes something at the cloud.
    pub fn changes_cloud(&self) -> bool {
        matches!(self, Self::Make { .. } | Self::Remove { .. })
    }

    /// The table at which it takes a turn, and what for.
    pub fn turn(&self) -> Option<(&str, What)> {
        match self {
            Self::Make { table, .. } => Some((table, What::Make)),
            Self::Remove { table, .. } => Some((table, What::Remove)),
            _ => None,
        }
    }

    /// The state of the record that the write is conditional on.
    pub fn at(&self) -> Option<&Rev> {
        match self {
            Self::Claim { at }
            | Self::Take { at, .. }
            | Self::Serve { at, .. }
            | Self::Place { at, .. }
            | Self::WriteStatus { at, .. }
            | Self::Blank { at }
            | Self::Delete { at }
            | Self::DropFinalizer { at, .. } => Some(at),
            _ => None,
        }
    }

    pub fn writes_record(&self) -> bool {
        matches!(self, Self::Create { .. }) || self.at().is_some()
    }

    /// Whether rule Freshness forbids it while something of ours is in flight on that record.
    ///
    /// Entries may be made and deleted all the same: the same name on the same port is made once only, and whatever lands
    /// late is found by its name before the record goes.
    pub fn waits_for_open_calls(&self) -> bool {
        self.at().is_some() && !matches!(self, Self::Claim { .. } | Self::Take { .. })
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
            Self::ReadWorkload(_) => "read_workload",
            Self::Resolve { .. } => "resolve",
            Self::Choose { .. } => "choose",
            Self::Create { .. } => "create_dnat",
            Self::Claim { .. } => "claim_dnat",
            Self::Take { .. } => "take_dnat",
            Self::Serve { .. } => "serve_dnat",
            Self::Place { .. } => "place_dnat",
            Self::Look { .. } => "look_table",
            Self::TakeNumber { .. } => "take_number",
            Self::Make { .. } => "make_entry",
            Self::Remove { .. } => "remove_entries",
            Self::WriteStatus { .. } => "write_dnat_status",
            Self::Blank { .. } => "blank_dnat",
            Self::Delete { .. } => "delete_dnat",
            Self::DropFinalizer { .. } => "drop_dnat_finalizer",
            Self::Annotate { .. } => "annotate_ports",
            Self::Condition { .. } => "ports_condition",
        }
    }
}
