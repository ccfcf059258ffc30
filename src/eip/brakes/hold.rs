//! Why something waits, as its Event says it.

use std::fmt;

use crate::clock::Instant;

/// It may not be done now; plan again then, or when something happens to the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub until: Instant,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Too many EIPs of this node wait for their pods' addresses.
    NodeWaits,
    /// The pods of this owner got no address too often.
    OwnerBurns,
    /// This pod had an EIP and no address for too long.
    AddressFirst,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NodeWaits => {
                "waits for the pod's own address: three EIPs of this node already wait for the addresses of their pods"
            }
            Self::OwnerBurns => {
                "waits: five EIPs for pods of the same owner were in vain within 10 minutes, for those pods got no address; until they get one, there is one EIP a minute"
            }
            Self::AddressFirst => {
                "waits for the pod's own address: its EIP was given back because the pod had no address for 5 minutes"
            }
        })
    }
}
