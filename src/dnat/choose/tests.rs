//! What is chosen is free, in range, on one address; and something is chosen as long as there is room.

use proptest::prelude::*;

use super::*;

const A: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

fn gateway(id: &str, addresses: &[Ipv4Addr], range: RangeInclusive<u16>) -> Gateway {
    let address = |ip: &Ipv4Addr| Address {
        ip: *ip,
        snat: false,
    };
    Gateway {
        id: id.to_owned(),
        table: format!("ftb-{id}"),
        range,
        addresses: addresses.iter().map(address).collect(),
        entries: Vec::new(),
        chosen: Vec::new(),
        full: false,
    }
}

fn entry(ip: Ipv4Addr, port: &str, protocol: &str) -> EntryView {
    EntryView {
        id: "fwd-1".to_owned(),
        name: "theirs".to_owned(),
        external_ip: ip.to_string(),
        external_port: port.to_owned(),
        internal_ip: "10.0.0.1".to_owned(),
        internal_port: "80".to_owned(),
        protocol: protocol.to_owned(),
        status: "Available".to_owned(),
    }
}

fn asking(count: u16) -> Ports {
    Ports {
        inside: (80..80 + count).collect(),
        protocol: Protocol::Tcp,
        fixed: false,
    }
}

/// As good as random, and the same each time.
fn seeds(count: usize) -> impl Iterator<Item = u64> {
    let mut random = fastrand::Rng::with_seed(1);
    std::iter::repeat_with(move || random.u64(..)).take(count)
}

/// The one address and the sorted ports that are chosen for any seed, where there is no other way.
fn only(gateways: &[Gateway], count: u16) -> (Ipv4Addr, Vec<u16>) {
    let mut all: BTreeSet<_> = seeds(200)
        .map(|seed| choose(gateways, &asking(count), seed).unwrap())
        .map(|mut chosen| {
            chosen.ports.sort_unstable();
            (chosen.address, chosen.ports)
        })
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.pop_first().unwrap()
}

#[test]
fn both_ends_of_the_range_are_given() {
    let gateway = gateway("g", &[A], 512..=513);
    assert_eq!(only(&[gateway], 2), (A, vec![512, 513]));
}

#[test]
fn what_an_entry_or_a_record_has_is_not_given_again() {
    let mut it = gateway("g", &[A], 512..=516);
    it.entries = vec![entry(A, "512", "tcp"), entry(A, "514/515", "tcp")];
    it.chosen = vec![(A, 516, Protocol::Tcp)];
    assert_eq!(only(&[it.clone()], 1), (A, vec![513]));
    assert_eq!(choose(&[it], &asking(2), 7), Err(NoRoom::Full(2)));
}

#[test]
fn the_other_protocol_and_the_other_address_take_nothing_away() {
    let mut it = gateway("g", &[A], 512..=512);
    it.entries = vec![entry(A, "512", "udp"), entry(B, "512", "tcp")];
    it.chosen = vec![(A, 512, Protocol::Udp), (B, 512, Protocol::Tcp)];
    assert_eq!(only(&[it], 1), (A, vec![512]));
}

#[test]
fn an_address_that_is_mapped_whole_is_passed_over() {
    let mut it = gateway("g", &[A, B], 512..=512);
    it.entries = vec![entry(A, "Any", "any")];
    assert_eq!(only(&[it.clone()], 1).0, B);
    it.entries.push(entry(B, "what is this", "tcp"));
    assert_eq!(choose(&[it], &asking(1), 7), Err(NoRoom::Full(1)));
}

#[test]
fn snat_keeps_the_ports_above_1024() {
    let mut it = gateway("g", &[A], 1024..=2000);
    it.addresses[0].snat = true;
    assert_eq!(only(&[it.clone()], 1), (A, vec![1024]));
    it.range = 1025..=2000;
    assert_eq!(choose(&[it], &asking(1), 7), Err(NoRoom::Full(1)));
}

#[test]
fn all_ports_of_a_pod_share_one_address() {
    let mut it = gateway("g", &[A, B], 512..=513);
    it.entries = vec![entry(A, "512", "tcp")];
    assert_eq!(only(&[it.clone()], 2), (B, vec![512, 513]));
    it.entries.push(entry(B, "513", "tcp"));
    assert_eq!(
        choose(&[it], &asking(2), 7),
        Err(NoRoom::Full(2)),
        "one free port on each address is no place for two"
    );
}

#[test]
fn a_full_gateway_is_passed_over_and_none_is_said() {
    let mut full = gateway("full", &[A], 512..=1024);
    full.full = true;
    let other = gateway("other", &[B], 512..=512);
    assert_eq!(only(&[full.clone(), other], 1), (B, vec![512]));
    assert_eq!(choose(&[full], &asking(1), 7), Err(NoRoom::Full(1)));
    assert_eq!(choose(&[], &asking(1), 7), Err(NoRoom::NoGateway));
}

#[test]
fn gateways_addresses_and_ports_are_all_used() {
    let gateways = [
        gateway("g", &[A, B], 512..=1024),
        gateway("h", &[A, B], 512..=1024),
    ];
    let chosen = seeds(4_000).map(|seed| choose(&gateways, &asking(1), seed).unwrap());
    let places: BTreeSet<_> = chosen
        .map(|it| (it.gateway, it.address, it.ports[0]))
        .collect();
    // Of 2052 places: random picks of 4000 would meet 1760 of them.
    assert!(places.len() > 1_600, "{}", places.len());
}

proptest! {
    #[test]
    fn what_is_chosen_is_free_and_in_range(
        taken in prop::collection::vec((0..3_u8, 510..530_u16, any::<bool>()), 0..40),
        chosen in prop::collection::vec((0..3_u8, 510..530_u16), 0..20),
        count in 1..8_u16,
        seed in any::<u64>(),
    ) {
        let ip = |n: u8| Ipv4Addr::new(198, 18, 0, n);
        let mut it = gateway("g", &[ip(0), ip(1)], 512..=524);
        it.entries = taken
            .iter()
            .map(|(n, port, tcp)| entry(ip(*n), &port.to_string(), if *tcp { "tcp" } else { "udp" }))
            .collect();
        it.chosen = chosen.iter().map(|(n, port)| (ip(*n), *port, Protocol::Tcp)).collect();
        let is_free = |address: Ipv4Addr, port: u16| {
            let by_entry = taken.iter().any(|(n, used, tcp)| *tcp && ip(*n) == address && *used == port);
            let by_record = chosen.iter().any(|(n, used)| ip(*n) == address && *used == port);
            !by_entry && !by_record
        };
        let room = |n: u8| (512..=524).filter(|port| is_free(ip(n), *port)).count();
        match choose(&[it], &asking(count), seed) {
            Ok(found) => {
                let differ: BTreeSet<_> = found.ports.iter().collect();
                prop_assert_eq!(differ.len(), usize::from(count));
                prop_assert!(found.ports.iter().all(|port| (512..=524).contains(port)));
                prop_assert!(found.ports.iter().all(|port| is_free(found.address, *port)));
            }
            Err(_) => prop_assert!(room(0) < usize::from(count) && room(1) < usize::from(count)),
        }
    }
}
