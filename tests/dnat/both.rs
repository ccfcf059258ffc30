//! An EIP and ports: the cloud allows one of them on an address.

use std::time::Duration;

use eipd::clock;

use crate::nat::{asking, is_ready, record, world};
use crate::world::{LATER, NS, SOON, World, is_bound};

const EIP: &str = "k8s.aliyun.com/pod-with-eip";

fn event<'a>(events: &'a [serde_json::Value], reason: &str) -> Option<&'a str> {
    events.iter().find(|it| it["reason"] == reason)?["note"].as_str()
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_asks_for_both_gets_the_eip_and_is_told() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(
        &asking(&world, "web", "80").annotation(EIP, "true"),
        "10.0.0.11",
    );
    world.until_bound("web").await;
    clock::sleep(SOON).await;
    assert!(record(&world.api, "web").is_null());
    assert_eq!(world.changes_of_ports(), 0);
    let events = world.api.list("events");
    let note = event(&events, "EIPInsteadOfPorts").unwrap();
    assert!(note.contains("k8s.aliyun.com/pod-dnat"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn a_living_pod_goes_from_ports_to_an_eip_and_back() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.annotate("web", EIP, Some("true"));
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(world.entries().is_empty() && record(&world.api, "web").is_null());
    world.annotate("web", EIP, None);
    world.until(LATER, |view| is_ready(view, "web")).await;
    assert!(world.record("web").is_null());
}

/// The address of a pod whose other kind is still being cleaned up, by an agent that does not get to it.
#[tokio::test(start_paused = true)]
async fn an_address_that_carries_the_other_kind_waits_for_the_clean_up() {
    let (world, _) = world();
    let agent = world.start("agent");
    world.run(&asking(&world, "old", "80"), "10.0.0.11");
    world.until_ready(SOON, "old").await;
    // What would delete the entry is held up.
    world.cloud.add_fault(cloudsim::faults::NewFault {
        action: "DeleteForwardEntry".to_owned(),
        args: std::collections::BTreeMap::new(),
        count: Some(6),
        skip: 0,
        fault: cloudsim::faults::FaultKind::Refuse(cloudsim::faults::Answer {
            code: "OperationConflict".to_owned(),
            ..Default::default()
        }),
    });
    world.delete_pod("old");
    world.run_pod("eip", "10.0.0.11");
    world.until(LATER, |view| is_bound(view, "eip")).await;
    world.delete_pod("eip");
    world
        .until(LATER, |view| view.get("podeips", NS, "eip").is_none())
        .await;
    drop(agent);
}

#[tokio::test(start_paused = true)]
async fn ports_wait_for_an_eip_that_stands_there_and_say_so_after_half_a_minute() {
    let (world, _) = world();
    let _agent = world.start("agent");
    let foreign = world.cloud.create_eip(&[].into(), None).unwrap();
    let at = cloudsim::control::eips::ConsoleAction::Bind {
        eni: world.eni.id.clone(),
        private_ip: Some("10.0.0.11".parse().unwrap()),
        settle_ms: 0,
    };
    world.cloud.change_eip(&foreign.id, &at).unwrap();
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    clock::sleep(Duration::from_secs(20)).await;
    assert!(event(&world.api.list("events"), "ForwardFailed").is_none());
    clock::sleep(Duration::from_mins(1)).await;
    let events = world.api.list("events");
    let note = event(&events, "ForwardFailed").unwrap();
    assert!(note.contains("RequestId"), "{note}");
    assert!(refused(&world) < 12, "{}", refused(&world));
    world
        .cloud
        .change_eip(
            &foreign.id,
            &cloudsim::control::eips::ConsoleAction::Unbind { settle_ms: 0 },
        )
        .unwrap();
    world.until_ready(LATER, "web").await;
}

fn refused(world: &World) -> u64 {
    world.count("CreateForwardEntry")
}

#[tokio::test(start_paused = true)]
async fn an_entry_by_hand_to_the_pods_port_is_told_and_left() {
    let (world, ip) = world();
    let entry = cloudsim::nat::ForwardEntry {
        table_id: "ftb-1".to_owned(),
        name: "by hand".to_owned(),
        external_ip: ip,
        external_port: cloudsim::nat::Ports::Range(9000, 9000),
        internal_ip: [10, 0, 0, 11].into(),
        internal_port: cloudsim::nat::Ports::Range(80, 80),
        protocol: "tcp".to_owned(),
        ..Default::default()
    };
    let theirs = world.cloud.add_forward_entry(entry);
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
    clock::sleep(Duration::from_mins(2)).await;
    let events = world.api.list("events");
    assert!(
        event(&events, "AddressForwarded")
            .unwrap()
            .contains(&theirs.id)
    );
    world
        .cloud
        .change_forward_entry(&theirs.id, &cloudsim::control::nat::EntryAction::Delete)
        .unwrap();
    world.until_ready(LATER, "web").await;
}
