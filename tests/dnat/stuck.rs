//! An entry that stays Pending: nothing else goes on in its table.

use std::time::Duration;

use cloudsim::control::nat::EntryAction;
use eipd::clock;

use crate::nat::{asking, eip, gateway, is_ready, world};
use crate::world::{LATER, SOON};

#[tokio::test(start_paused = true)]
async fn it_is_named_and_pods_not_yet_begun_go_elsewhere() {
    let (mut world, first) = world();
    gateway(&world, "ngw-2", "ftb-2");
    let (_, second) = eip(&world, "ngw-2");
    world.config += "networkController: {natGwPool: [{natgwId: ngw-1}, {natgwId: ngw-2}]}\n";
    let entry = cloudsim::nat::ForwardEntry {
        table_id: "ftb-1".to_owned(),
        name: "by hand".to_owned(),
        external_ip: first,
        external_port: cloudsim::nat::Ports::Range(9000, 9000),
        internal_ip: [10, 0, 0, 9].into(),
        internal_port: cloudsim::nat::Ports::Range(80, 80),
        protocol: "tcp".to_owned(),
        ..Default::default()
    };
    let stuck = world.cloud.add_forward_entry(entry);
    world
        .cloud
        .change_forward_entry(&stuck.id, &EntryAction::Stick)
        .unwrap();
    let _agent = world.start("agent");
    for n in 0..8 {
        let pod = asking(&world, &format!("web-{n}"), "80");
        world.run(&pod, &format!("10.0.0.{}", 11 + n));
    }
    for n in 0..8 {
        world
            .until_ready(Duration::from_mins(10), &format!("web-{n}"))
            .await;
    }
    assert_eq!(
        world
            .entries()
            .iter()
            .filter(|it| it.external_ip == second)
            .count(),
        8
    );
    let events = world.api.list("events");
    let told = events
        .iter()
        .find(|it| it["reason"] == "ForwardEntryStuck")
        .unwrap();
    assert!(told["note"].to_string().contains(&stuck.id));
}

#[tokio::test(start_paused = true)]
async fn what_is_begun_waits_and_asks_rarely() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "learn", "80"), "10.0.0.20");
    world.until_ready(SOON, "learn").await;
    let id = world.entries()[0].id.clone();
    world
        .cloud
        .change_forward_entry(&id, &EntryAction::Stick)
        .unwrap();
    let before = world.count("CreateForwardEntry");
    for n in 0..5 {
        let pod = asking(&world, &format!("web-{n}"), "80");
        world.run(&pod, &format!("10.0.0.{}", 11 + n));
    }
    clock::sleep(Duration::from_mins(10)).await;
    let asked = world.count("CreateForwardEntry") - before;
    assert!(asked < 150, "{asked}");
    assert!(!is_ready(&world.api, "web-0"));
    world
        .cloud
        .change_forward_entry(&id, &EntryAction::Settle)
        .unwrap();
    for n in 0..5 {
        world.until_ready(LATER, &format!("web-{n}")).await;
    }
}
