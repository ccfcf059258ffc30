//! Public ports of a pod: what is asked for, and where on a NAT gateway it is found.

use std::fmt;
use std::net::Ipv4Addr;

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

impl Protocol {
    /// In lower case, as the cloud takes it and the records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// In any case.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp]
            .into_iter()
            .find(|protocol| protocol.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The pod's own ports, in the order given; none twice, none 0, at least one.
    pub inside: Vec<u16>,
    pub protocol: Protocol,
    /// A pod that comes back under this name has the same ports.
    pub fixed: bool,
}

/// Where a pod's ports are on the Internet: one address for all, and for each port of [`Ports::inside`] one outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The NAT gateway, `ngw-...`.
    pub gateway: String,
    /// Its forward table, `ftb-...`.
    pub table: String,
    pub address: Ipv4Addr,
    /// In the order of the pod's own ports.
    pub ports: Vec<u16>,
}
