//! Ids, addresses and secrets that the cloud makes up, all from one seeded generator.

use std::net::Ipv4Addr;

/// Makes ids in the cloud's forms.
#[derive(Debug)]
pub struct Ids {
    rng: fastrand::Rng,
    macs: u32,
}

impl Ids {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            macs: 0,
        }
    }

    /// `eip-bp1...`: the kind, a dash, and 20 characters.
    pub fn resource(&mut self, kind: &str) -> String {
        format!("{kind}-bp1{}", self.text(17, LOWER))
    }

    /// A request id: an upper-case UUID.
    pub fn request(&mut self) -> String {
        let parts = [8, 4, 4, 4, 12].map(|length| self.text(length, HEX));
        parts.join("-")
    }

    /// An `AccessKey` id of a user (`LTAI...`).
    pub fn access_key(&mut self) -> String {
        format!("LTAI{}", self.text(20, MIXED))
    }

    /// An `AccessKey` id of temporary credentials (`STS....`).
    pub fn sts_key(&mut self) -> String {
        format!("STS.{}", self.text(25, MIXED))
    }

    /// A secret or token of `length` characters. All begin alike: hack/test fails when one of them is printed.
    pub fn secret(&mut self, length: usize) -> String {
        format!("{SECRET}{}", self.text(length - SECRET.len(), MIXED))
    }

    /// The next MAC address, `00:16:3e:...`.
    pub fn mac(&mut self) -> String {
        self.macs += 1;
        let [_, a, b, c] = self.macs.to_be_bytes();
        format!("00:16:3e:{a:02x}:{b:02x}:{c:02x}")
    }

    /// Evenly from 0 to `most`.
    pub fn jitter(&mut self, most: u64) -> u64 {
        self.rng.u64(0..=most)
    }

    fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        let mut pick = || char::from(alphabet[self.rng.usize(..alphabet.len())]);
        (0..length).map(|_| pick()).collect()
    }
}

/// The beginning of every secret that this cloud makes up.
pub const SECRET: &str = "Hush";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789ABCDEF";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The `n`th simulated public address: 203.0.113.0/24, then 198.51.100.0/24, then 198.18.0.0/15
/// (the ranges for documents and benchmarks; never a real one). None after the last.
pub fn public_address(n: u32) -> Option<Ipv4Addr> {
    let ranges = [
        ([203, 0, 113, 0], 256_u32),
        ([198, 51, 100, 0], 256),
        ([198, 18, 0, 0], 131_072),
    ];
    let mut left = n;
    for (base, size) in ranges {
        let usable = size - 2; // not the first nor the last
        if left < usable {
            return Some(Ipv4Addr::from(u32::from(Ipv4Addr::from(base)) + 1 + left));
        }
        left -= usable;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_come_from_the_three_ranges_in_order() {
        let at = |n| public_address(n).map(|ip| ip.to_string());
        assert_eq!(at(0).as_deref(), Some("203.0.113.1"));
        assert_eq!(at(253).as_deref(), Some("203.0.113.254"));
        assert_eq!(at(254).as_deref(), Some("198.51.100.1"));
        assert_eq!(at(508).as_deref(), Some("198.18.0.1"));
        assert_eq!(at(508 + 131_069).as_deref(), Some("198.19.255.254"));
        assert_eq!(at(508 + 131_070), None);
    }

    #[test]
    fn request_ids_are_upper_case_uuids() {
        let id = Ids::new(7).request();
        assert_eq!(id.len(), 36);
        assert!(
            id.chars()
                .all(|c| c == '-' || c.is_ascii_digit() || ('A'..='F').contains(&c))
        );
    }

    #[test]
    fn ids_repeat_with_the_same_seed_only() {
        assert_eq!(Ids::new(1).resource("eip"), Ids::new(1).resource("eip"));
        assert_ne!(Ids::new(1).resource("eip"), Ids::new(2).resource("eip"));
    }
}
