//! A gateway with room for fewer entries than are asked for: all of a pod's ports, or none.

use std::time::Duration;

use eipd::clock;

use crate::nat::{asking, eip, gateway, is_ready, record, world};
use crate::world::{LATER, World};

fn room(world: &World, entries: usize) {
    world
        .cloud
        .change_settings(|settings| settings.quotas.forward_entries = entries);
}

fn ready(world: &World, pods: u8) -> usize {
    let names = (0..pods).map(|n| format!("web-{n}"));
    names.filter(|name| is_ready(&world.api, name)).count()
}

/// Twelve pods of five ports, and room for forty: eight pods, and nothing half done.
#[tokio::test(start_paused = true)]
async fn no_pod_holds_what_another_needs_to_be_whole() {
    let (world, _) = world();
    room(&world, 40);
    let nodes: Vec<_> = (0..3).map(|_| world.add_node()).collect();
    let agents: Vec<_> = nodes
        .iter()
        .map(|node| world.start_on(node, &node.name))
        .collect();
    for n in 0..12_u8 {
        let node = &nodes[usize::from(n) % 3];
        let pod = asking(&world, &format!("web-{n}"), "80,81,82,83,84");
        world.run(&pod.on(&node.name), &node.ip(11 + n));
    }
    world
        .until(Duration::from_hours(1), |_| ready(&world, 12) == 8)
        .await;
    // Those that wait say so.
    let told = |world: &World, name: &str| {
        let events = world.events(name);
        events
            .iter()
            .any(|it| it == "NATGatewayFull" || it == "NoPorts")
    };
    let waiting = (0..12).map(|n| format!("web-{n}"));
    let waiting: Vec<_> = waiting.filter(|name| !is_ready(&world.api, name)).collect();
    assert_eq!(waiting.len(), 4);
    world
        .until(Duration::from_mins(20), |_| {
            waiting.iter().all(|name| told(&world, name))
        })
        .await;
    // One goes: another one comes, whole.
    let gone = (0..12)
        .find(|n| is_ready(&world.api, &format!("web-{n}")))
        .unwrap();
    world.delete_pod(&format!("web-{gone}"));
    clock::sleep(Duration::from_secs(5)).await;
    world
        .until(Duration::from_hours(1), |_| ready(&world, 12) == 8)
        .await;
    drop(agents);
}

#[tokio::test(start_paused = true)]
async fn a_full_gateway_is_passed_over_and_what_is_begun_moves_on() {
    let (mut world, _) = world();
    gateway(&world, "ngw-2", "ftb-2");
    eip(&world, "ngw-2");
    world.config += "networkController: {natGwPool: [{natgwId: ngw-1}, {natgwId: ngw-2}]}\n";
    room(&world, 6);
    let _agent = world.start("agent");
    for n in 0..4 {
        let pod = asking(&world, &format!("web-{n}"), "80,81,82");
        world.run(&pod, &format!("10.0.0.{}", 11 + n));
    }
    for n in 0..4 {
        world
            .until_ready(Duration::from_mins(20), &format!("web-{n}"))
            .await;
    }
    assert_eq!(world.entries().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_raised_quota_ends_the_wait() {
    let (world, _) = world();
    room(&world, 1);
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
    clock::sleep(Duration::from_mins(3)).await;
    // It tries again now and then, and takes back again what it got.
    world
        .until(Duration::from_mins(1), |_| world.entries().is_empty())
        .await;
    let made = world.cloud.forward_entries_even_gone().len() as u64;
    assert_eq!(world.count("DeleteForwardEntry"), made, "{}", world.table());
    assert!(!record(&world.api, "web").is_null());
    room(&world, 2);
    world.until_ready(LATER + LATER, "web").await;
}
