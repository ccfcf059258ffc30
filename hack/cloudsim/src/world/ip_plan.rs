//! IPv4 ranges and the choice of free addresses in them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;

use serde::{Serialize, Serializer};

use super::Refused;

/// An IPv4 range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u32,
    bits: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/16`.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let parsed = text.split_once('/').and_then(|(base, bits)| {
            let base: Ipv4Addr = base.parse().ok()?;
            let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
            Some(Self {
                base: u32::from(base) & mask(bits),
                bits,
            })
        });
        parsed.ok_or_else(|| Refused::Invalid(format!("{text} is not a range like 10.0.0.0/16")))
    }

    /// True for an address of the range.
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        u32::from(ip) & mask(self.bits) == self.base
    }

    /// True for a range within this one.
    pub fn contains_range(self, other: Self) -> bool {
        other.bits >= self.bits && other.base & mask(self.bits) == self.base
    }

    /// Its netmask.
    pub fn netmask(self) -> Ipv4Addr {
        Ipv4Addr::from(mask(self.bits))
    }

    /// The gateway of a vSwitch: third from the end.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from(self.last().saturating_sub(2))
    }

    /// Addresses that can be given out: not the first, nor the last three.
    pub fn usable(self) -> usize {
        usize::try_from((self.last() - self.base).saturating_sub(3)).unwrap_or(usize::MAX)
    }

    /// The first free address.
    pub fn free(self, used: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let mut all = (self.base + 1..self.last().saturating_sub(2)).map(Ipv4Addr::from);
        all.find(|ip| !used.contains(ip))
    }

    fn last(self) -> u32 {
        self.base | !mask(self.bits)
    }
}

fn mask(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.bits)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_keeps_its_reserved_addresses() {
        let cidr = Cidr::parse("10.1.2.0/29").unwrap();
        assert_eq!(cidr.usable(), 4);
        assert_eq!(cidr.gateway().to_string(), "10.1.2.5");
        let mut used = BTreeSet::new();
        while let Some(ip) = cidr.free(&used) {
            used.insert(ip);
        }
        assert_eq!(used.len(), 4);
        assert!(used.contains(&"10.1.2.4".parse().unwrap()));
    }

    #[test]
    fn ranges_contain_addresses_and_ranges() {
        let cidr = Cidr::parse("10.1.0.0/16").unwrap();
        assert!(cidr.contains("10.1.255.1".parse().unwrap()));
        assert!(!cidr.contains("10.2.0.1".parse().unwrap()));
        assert!(cidr.contains_range(Cidr::parse("10.1.8.0/24").unwrap()));
        assert!(!cidr.contains_range(Cidr::parse("10.0.0.0/8").unwrap()));
        assert!(Cidr::parse("10.0.0.0/33").is_err());
        assert!(
            Cidr::parse("0.0.0.0/0")
                .unwrap()
                .contains("1.2.3.4".parse().unwrap())
        );
    }
}
