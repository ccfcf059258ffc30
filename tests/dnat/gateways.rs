//! Which gateway, address and ports a pod gets.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use cloudsim::nat::{ForwardEntry, Ports, SnatEntry};
use eipd::clock;

use crate::nat::{
    GATEWAY, TABLE, asking, bare, eip, gateway, is_ready, record, route, route_of, world,
};
use crate::world::{LATER, SOON, World};

fn pool(world: &mut World, entries: &[&str]) {
    let entries: Vec<_> = entries.iter().map(|it| format!("  - {{{it}}}\n")).collect();
    let pool = ["networkController:\n  natGwPool:\n", &entries.concat()];
    world.config.push_str(&pool.concat());
}

fn by_hand(ip: Ipv4Addr, outside: Ports, inside: &str, protocol: &str) -> ForwardEntry {
    ForwardEntry {
        table_id: TABLE.to_owned(),
        name: "by hand".to_owned(),
        external_ip: ip,
        external_port: outside,
        internal_ip: inside.parse().unwrap(),
        internal_port: outside,
        protocol: protocol.to_owned(),
        ..ForwardEntry::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_pool_says_which_gateway_ports_and_eips() {
    let mut world = bare();
    gateway(&world, "ngw-1", "ftb-1");
    gateway(&world, "ngw-2", "ftb-2");
    eip(&world, "ngw-1");
    let (_, unused) = eip(&world, "ngw-2");
    let (_, used) = eip(&world, "ngw-2");
    // No route leads anywhere: the zone is enough.
    pool(
        &mut world,
        &[
            "natgwId: ngw-1, zoneId: cn-hangzhou-b",
            &format!(
                "natgwId: ngw-2, zoneId: cn-hangzhou-a, portRangeStart: 700, portRangeEnd: 702, eips: [{used}]"
            ),
        ],
    );
    let _agent = world.start("agent");
    for (n, last) in [(0, 11), (1, 12), (2, 13)] {
        let name = format!("web-{n}");
        world.run(&asking(&world, &name, "80"), &format!("10.0.0.{last}"));
        world.until_ready(SOON, &name).await;
    }
    let mut ports: Vec<_> = world
        .entries()
        .iter()
        .map(|it| String::from(it.external_port))
        .collect();
    ports.sort();
    assert_eq!(ports, ["700", "701", "702"], "both ends are used");
    assert!(
        world
            .entries()
            .iter()
            .all(|it| it.external_ip == used && used != unused)
    );
    world.run(&asking(&world, "more", "80"), "10.0.0.14");
    clock::sleep(Duration::from_mins(2)).await;
    assert!(record(&world.api, "more").is_null());
    assert!(world.events("more").contains(&"NoPorts".to_owned()));
    world.delete_pod("web-1");
    world.until(LATER, |view| is_ready(view, "more")).await;
}

#[tokio::test(start_paused = true)]
async fn several_gateways_of_a_zone_are_used_in_turn_and_by_id() {
    let mut world = bare();
    let mut entries = Vec::new();
    for n in 1..=3 {
        let id = format!("ngw-{n}");
        gateway(&world, &id, &format!("ftb-{n}"));
        let (eip, _) = eip(&world, &id);
        entries.push(format!("natgwId: {id}, eips: [{eip}]"));
    }
    let entries: Vec<_> = entries.iter().map(String::as_str).collect();
    pool(&mut world, &entries);
    let _agent = world.start("agent");
    let mut used = BTreeMap::<String, usize>::new();
    for n in 0..24 {
        let name = format!("web-{n}");
        world.run(&asking(&world, &name, "80"), &format!("10.0.0.{}", 11 + n));
    }
    for n in 0..24 {
        let name = format!("web-{n}");
        world.until_ready(Duration::from_mins(5), &name).await;
        let gateway = record(&world.api, &name)["spec"]["tableId"].clone();
        *used.entry(gateway.to_string()).or_default() += 1;
    }
    assert!(
        used.len() == 3 && used.values().all(|it| *it >= 3),
        "{used:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_gateway_an_event_says_what_to_do_and_one_that_comes_is_used() {
    let world = bare();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    clock::sleep(Duration::from_mins(2)).await;
    let events = world.api.list("events");
    let note = events.iter().find(|it| it["reason"] == "NoPorts").unwrap()["note"].to_string();
    assert!(
        note.contains("natGwPool") && note.contains(&world.eni.vswitch_id),
        "{note}"
    );
    gateway(&world, GATEWAY, TABLE);
    eip(&world, GATEWAY);
    route(&world, GATEWAY);
    world.until_ready(Duration::from_mins(8), "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_pods_own_vswitch_decides_which_route_is_its() {
    let (world, _) = world();
    gateway(&world, "ngw-2", "ftb-2");
    let (_, other) = eip(&world, "ngw-2");
    route_of(&world, &world.eni.vswitch_id, "ngw-2");
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    assert_eq!(world.entries()[0].external_ip, other);
}

#[tokio::test(start_paused = true)]
async fn a_zone_without_a_gateway_gets_another_only_by_route() {
    for leads in [false, true] {
        let mut world = bare();
        gateway(&world, GATEWAY, TABLE);
        eip(&world, GATEWAY);
        pool(&mut world, &["natgwId: ngw-1, zoneId: cn-hangzhou-z"]);
        if leads {
            route(&world, GATEWAY);
        }
        let _agent = world.start("agent");
        world.run(&asking(&world, "web", "80"), "10.0.0.11");
        clock::sleep(SOON).await;
        assert_eq!(is_ready(&world.api, "web"), leads);
    }
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_serves_any_port_or_snat_is_not_used_for_what_is_refused() {
    let (mut world, any) = world();
    world
        .cloud
        .add_forward_entry(by_hand(any, Ports::Any, "10.0.0.9", "any"));
    let (_, snat) = eip(&world, GATEWAY);
    world
        .cloud
        .add_snat_entry(SnatEntry {
            gateway: GATEWAY.to_owned(),
            ips: vec![snat],
            ..SnatEntry::default()
        })
        .unwrap();
    pool(
        &mut world,
        &["natgwId: ngw-1, portRangeStart: 1023, portRangeEnd: 9000"],
    );
    let _agent = world.start("agent");
    for n in 0..3 {
        let name = format!("web-{n}");
        world.run(&asking(&world, &name, "80"), &format!("10.0.0.{}", 11 + n));
    }
    clock::sleep(Duration::from_mins(1)).await;
    let ours: Vec<_> = world
        .entries()
        .into_iter()
        .filter(|it| it.name != "by hand")
        .collect();
    assert_eq!(ours.len(), 2, "1023 and 1024 of the address that SNAT uses");
    assert!(ours.iter().all(|it| it.external_ip == snat));
    assert_eq!(world.count("CreateForwardEntry"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_comes_is_used_and_one_that_goes_is_left() {
    let (world, first) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web-0", "80"), "10.0.0.11");
    world.until_ready(SOON, "web-0").await;
    let (_, second) = eip(&world, GATEWAY);
    clock::sleep(Duration::from_secs(90)).await;
    for n in 1..12 {
        let name = format!("web-{n}");
        world.run(&asking(&world, &name, "80"), &format!("10.0.0.{}", 11 + n));
    }
    for n in 1..12 {
        world
            .until_ready(Duration::from_mins(3), &format!("web-{n}"))
            .await;
    }
    let on = |ip| {
        world
            .entries()
            .iter()
            .filter(|it| it.external_ip == ip)
            .count()
    };
    assert!(
        on(first) > 1 && on(second) > 1,
        "{} {}",
        on(first),
        on(second)
    );
}

/// Between the choice and the call the EIP is taken off the gateway.
#[tokio::test(start_paused = true)]
async fn an_eip_that_went_after_the_choice_is_chosen_no_more() {
    let (world, first) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "learn", "80"), "10.0.0.12");
    world.until_ready(SOON, "learn").await;
    let (_, second) = eip(&world, GATEWAY);
    world.delete_pod("learn");
    world.until_no_ports(SOON, "learn").await;
    let id = world
        .cloud
        .eips()
        .into_iter()
        .find(|it| it.ip == first)
        .unwrap()
        .id;
    world
        .cloud
        .change_eip(
            &id,
            &cloudsim::control::eips::ConsoleAction::Unbind { settle_ms: 0 },
        )
        .unwrap();
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(LATER, "web").await;
    assert!(world.entries().iter().all(|it| it.external_ip == second));
}

/// Somebody makes an entry in the console on the very port that a record has chosen.
#[tokio::test(start_paused = true)]
async fn a_port_that_another_takes_first_is_chosen_again() {
    for bounded in [true, false] {
        let (world, ip) = world();
        world
            .cloud
            .change_settings(|settings| settings.open.forward_taken_is_bounded = bounded);
        let api = world.api.clone();
        let cloud = world.cloud.clone();
        // As soon as the record stands.
        let thief = tokio::spawn(async move {
            loop {
                clock::sleep(Duration::from_millis(1)).await;
                let record = record(&api, "web");
                let port = record["spec"]["portMapping"][1]["externalPort"].as_str();
                let Some(port) = port.and_then(|it| it.parse().ok()) else {
                    continue;
                };
                let entry = by_hand(ip, Ports::Range(port, port), "10.0.0.9", "tcp");
                return cloud.add_forward_entry(entry);
            }
        });
        let _agent = world.start("agent");
        world.run(&asking(&world, "web", "80,81,82"), "10.0.0.11");
        world.until_ready(LATER, "web").await;
        let theirs = thief.await.unwrap();
        assert_eq!(world.entries().len(), 4, "{}", world.table());
        assert!(world.entries().iter().any(|it| it.id == theirs.id));
        world.delete_pod("web");
        clock::sleep(SOON).await;
        assert_eq!(world.entries().len(), 1, "another's entry is never touched");
        let ours = world.cloud.forward_entries_even_gone();
        let ours = ours.iter().filter(|it| it.name != "by hand").count();
        assert_eq!(
            world.count("DeleteForwardEntry"),
            ours as u64,
            "{}",
            world.table()
        );
    }
}
