//! `/proc/net/fib_trie`: every route of a network namespace, and among them its own addresses.

use std::net::Ipv4Addr;

/// The addresses of the namespace itself, loopback's left out: those with the line `/32 host LOCAL` below them
/// (`net/ipv4/fib_trie.c`, `fib_trie_seq_show`).
pub fn addresses(text: &str) -> Vec<Ipv4Addr> {
    let (mut found, mut leaf) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("|-- ") {
            Some(address) => leaf = address.parse::<Ipv4Addr>().ok(),
            None if line == "/32 host LOCAL" => found.extend(leaf.filter(|ip| !ip.is_loopback())),
            None => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pod's, by a ptp plugin.
    const POD: &str = "Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.77.0.0/16 2 0 2
        |-- 10.77.0.0
           /16 universe UNICAST
        |-- 10.77.255.254
           /32 link UNICAST
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.77.0.4
        /32 host LOCAL
     |-- 10.77.255.255
        /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
";

    #[test]
    fn a_namespaces_own_addresses_are_found() {
        assert_eq!(addresses(POD), [Ipv4Addr::new(10, 77, 0, 4)]);
        assert!(addresses("").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Main:|[-+ |]{0,4}|[0-9.]{1,12}|/32 host LOCAL|\n|\\PC){0,40}") {
            addresses(&text);
        }
    }
}
