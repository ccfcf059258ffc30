//! What nobody works on is found: records of nodes that are gone, and entries that no record names.

use std::time::Duration;

use cloudsim::nat::{ForwardEntry, Ports};
use eipd::clock;

use crate::nat::{asking, world};
use crate::world::{NS, SOON, World};

/// Longer than many sweeps of a small cluster.
const SWEPT: Duration = Duration::from_hours(6);

/// As the agent names them, of a record that never was.
fn orphan(world: &World, n: u16) -> ForwardEntry {
    let uid = world.api.get("namespaces", "", "kube-system").unwrap();
    let uid = uid["metadata"]["uid"].as_str().unwrap().replace('-', "");
    let ip = world.cloud.eips().into_iter().find(|it| it.place.is_some());
    let entry = ForwardEntry {
        table_id: "ftb-1".to_owned(),
        name: format!(
            "eipd-{}-00000000-0000-4000-8000-000000000000-{n}",
            &uid[..12]
        ),
        external_ip: ip.unwrap().ip,
        external_port: Ports::Range(9000 + n, 9000 + n),
        internal_ip: [10, 0, 0, 50].into(),
        internal_port: Ports::Range(9000 + n, 9000 + n),
        protocol: "tcp".to_owned(),
        ..ForwardEntry::default()
    };
    world.cloud.add_forward_entry(entry)
}

#[tokio::test(start_paused = true)]
async fn a_deleted_nodes_tombstones_are_finished_by_another_agent() {
    let (world, _) = world();
    let gone = world.add_node();
    let dead = world.start_on(&gone, "dead");
    let pod = asking(&world, "web", "80,81").on(&gone.name);
    world.run(&pod, &gone.ip(11));
    world.until_ready(SOON, "web").await;
    dead.kill().await;
    let _agent = world.start("agent");
    world.delete_pod("web");
    world.until_no_ports(SWEPT, "web").await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_no_record_is_deleted_after_two_looks_and_others_never() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let lost: Vec<_> = (0..3).map(|n| orphan(&world, n).id).collect();
    let by_hand = ForwardEntry {
        name: "eipd-of-somebody".to_owned(),
        ..orphan(&world, 9)
    };
    let rename = cloudsim::control::nat::EntryAction::Modify {
        internal_ip: None,
        internal_port: None,
        name: Some(by_hand.name.clone()),
    };
    world
        .cloud
        .change_forward_entry(&by_hand.id, &rename)
        .unwrap();
    let left = |world: &World| {
        world
            .entries()
            .iter()
            .filter(|it| lost.contains(&it.id))
            .count()
    };
    world.until(SWEPT, |_| left(&world) == 0).await;
    clock::sleep(SOON).await;
    assert_eq!(world.entries().len(), 2, "{}", world.table());
    world.all_true("web");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_are_an_alarm_and_not_deleted() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    for n in 0..6 {
        orphan(&world, n);
    }
    clock::sleep(SWEPT).await;
    assert_eq!(world.entries().len(), 7);
}

/// Records that a backup has brought back have other uids: their entries are made anew, and the old ones are few or many.
#[tokio::test(start_paused = true)]
async fn a_record_that_vanished_leaves_its_entries_to_the_sweep() {
    let (world, _) = world();
    let agent = world.start("agent");
    world.run(&asking(&world, "keep", "80"), "10.0.0.12");
    world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    agent.kill().await;
    world.api.vanish("poddnats", NS, "web").unwrap();
    world.delete_pod("web");
    let _second = world.start("second");
    world.until(SWEPT, |_| world.entries().len() == 1).await;
}
