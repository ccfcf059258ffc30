//! A forward entry: a public address and port, and the private ones behind them.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::clock::Ms;

/// The state of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EntryStatus {
    /// Being made.
    Pending,
    /// Works.
    Available,
    /// Being changed.
    Modifying,
    /// Being deleted.
    Deleting,
    /// Deleted; only its history is left.
    Gone,
}

impl EntryStatus {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Available => "Available",
            Self::Modifying => "Modifying",
            Self::Deleting => "Deleting",
            Self::Gone => "Gone",
        }
    }
}

/// `80`, `80/90` or `Any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Ports {
    /// From the first to the last.
    Range(u16, u16),
    /// All: the entry maps the whole address.
    Any,
}

impl Ports {
    /// Reads what the API takes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("any") {
            return Some(Self::Any);
        }
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        match text.split_once('/') {
            None => number(text).map(|port| Self::Range(port, port)),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                (first < last).then_some(Self::Range(first, last))
            }
        }
    }

    /// Whether a port is in both.
    pub fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Range(a, b), Self::Range(c, d)) => a <= d && c <= b,
            _ => true,
        }
    }

    /// How many; `None` for all.
    pub fn count(self) -> Option<u16> {
        match self {
            Self::Range(first, last) => Some(last - first + 1),
            Self::Any => None,
        }
    }
}

impl From<Ports> for String {
    fn from(ports: Ports) -> Self {
        match ports {
            Ports::Any => "Any".to_owned(),
            Ports::Range(first, last) if first == last => first.to_string(),
            Ports::Range(first, last) => format!("{first}/{last}"),
        }
    }
}

/// A forward entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForwardEntry {
    /// `fwd-...`
    pub id: String,
    /// Its forward table.
    pub table_id: String,
    /// Its name.
    pub name: String,
    /// The EIP's address.
    pub external_ip: Ipv4Addr,
    /// The public port.
    pub external_port: Ports,
    /// The private address.
    pub internal_ip: Ipv4Addr,
    /// The private port.
    pub internal_port: Ports,
    /// `tcp`, `udp`, `any`.
    pub protocol: String,
    /// The present state.
    pub status: EntryStatus,
    /// When the passing state ends; `None` in one that was told to stay.
    pub settles_ms: Option<Ms>,
    /// Every state it ever had, oldest first, and from when.
    pub history: Vec<(Ms, EntryStatus)>,
}

/// All of its fields are for a test to fill: nothing leads anywhere.
impl Default for ForwardEntry {
    fn default() -> Self {
        Self {
            id: String::new(),
            table_id: String::new(),
            name: String::new(),
            external_ip: Ipv4Addr::UNSPECIFIED,
            external_port: Ports::Any,
            internal_ip: Ipv4Addr::UNSPECIFIED,
            internal_port: Ports::Any,
            protocol: String::new(),
            status: EntryStatus::Available,
            settles_ms: None,
            history: Vec::new(),
        }
    }
}

impl ForwardEntry {
    /// Puts it into a state, and notes it.
    pub fn enter(&mut self, status: EntryStatus, ms: Ms, settles: Option<Ms>) {
        self.status = status;
        self.settles_ms = settles;
        self.history.push((ms, status));
    }

    /// The state as a reader sees it who is `lag` late; `None`: it does not show yet, or not any more.
    pub fn seen(&self, now: Ms, lag: Ms) -> Option<EntryStatus> {
        let past = |(ms, _): &&(Ms, EntryStatus)| ms.saturating_add(lag) <= now;
        let status = self.history.iter().rev().find(past)?.1;
        (status != EntryStatus::Gone).then_some(status)
    }

    /// Whether both could not stand side by side: the same public side, or the same private side, of one protocol.
    pub fn clashes_outside(&self, other: &Self) -> bool {
        self.external_ip == other.external_ip
            && shares_protocol(&self.protocol, &other.protocol)
            && self.external_port.overlaps(other.external_port)
    }

    /// The same for the private side.
    pub fn clashes_inside(&self, other: &Self) -> bool {
        self.internal_ip == other.internal_ip
            && shares_protocol(&self.protocol, &other.protocol)
            && self.internal_port.overlaps(other.internal_port)
    }
}

fn shares_protocol(one: &str, other: &str) -> bool {
    one == other || one == "any" || other == "any"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_a_range_or_all() {
        for (text, ports) in [
            ("80", Some(Ports::Range(80, 80))),
            ("80/90", Some(Ports::Range(80, 90))),
            ("Any", Some(Ports::Any)),
            ("any", Some(Ports::Any)),
            ("0", None),
            ("65536", None),
            ("90/80", None),
            ("", None),
            ("80-90", None),
        ] {
            assert_eq!(Ports::parse(text), ports, "{text}");
        }
    }

    #[test]
    fn ranges_overlap_where_they_share_a_port() {
        let range = |first, last| Ports::Range(first, last);
        assert!(range(1, 5).overlaps(range(5, 9)));
        assert!(!range(1, 5).overlaps(range(6, 9)));
        assert!(Ports::Any.overlaps(range(1, 1)));
    }
}
