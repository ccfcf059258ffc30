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

    /// The addresses that can be given out, from `first` on.
    fn usable_from(self, first: u32) -> impl Iterator<Item = Ipv4Addr> {
        (first.max(self.base + 1)..self.last().saturating_sub(2)).map(Ipv4Addr::from)
    }

    fn last(self) -> u32 {
        self.base | !mask(self.bits)
    }
}

/// The addresses of a vSwitch that are in use.
#[derive(Debug, Default)]
pub struct Taken {
    ips: BTreeSet<Ipv4Addr>,
    /// Everything below is in use, so that a big vSwitch is not searched from its start each time.
    full_below: u32,
}

impl Taken {
    /// How many.
    pub fn count(&self) -> usize {
        self.ips.len()
    }

    /// True if that one is in use.
    pub fn has(&self, ip: Ipv4Addr) -> bool {
        self.ips.contains(&ip)
    }

    /// Notes an address as in use.
    pub fn take(&mut self, ip: Ipv4Addr) {
        self.ips.insert(ip);
    }

    /// Notes an address as free.
    pub fn give_back(&mut self, ip: Ipv4Addr) {
        self.ips.remove(&ip);
        self.full_below = self.full_below.min(u32::from(ip));
    }

    /// The first free address of the range.
    pub fn free(&mut self, cidr: Cidr) -> Option<Ipv4Addr> {
        let free = cidr
            .usable_from(self.full_below)
            .find(|ip| !self.has(*ip))?;
        self.full_below = u32::from(free);
        Some(free)
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
        let mut taken = Taken::default();
        while let Some(ip) = taken.free(cidr) {
            taken.take(ip);
        }
        assert_eq!(taken.count(), 4);
        assert!(taken.has("10.1.2.4".parse().unwrap()));
    }

    #[test]
    fn an_address_given_back_is_the_next_free_one() {
        let (cidr, mut taken) = (Cidr::parse("10.1.2.0/24").unwrap(), Taken::default());
        for n in 1..=9 {
            let ip = taken.free(cidr).unwrap();
            assert_eq!(ip.to_string(), format!("10.1.2.{n}"));
            taken.take(ip);
        }
        let third = "10.1.2.3".parse().unwrap();
        taken.give_back(third);
        assert_eq!(taken.free(cidr), Some(third));
        taken.take(third);
        assert_eq!(taken.free(cidr).unwrap().to_string(), "10.1.2.10");
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
