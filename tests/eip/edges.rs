//! Pods that can have no EIP, and kept EIPs in odd company.

use std::time::Duration;

use eipd::clock;
use serde_json::Value;

use crate::world::{LATER, NS, World, is_bound};

fn condition(world: &World, name: &str) -> Value {
    let pod = world.api.get("pods", NS, name).unwrap();
    let all = pod["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    all.into_iter()
        .find(|one| one["type"] == "k8s.aliyun.com/eip")
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_pod_on_an_overlay_network_is_refused_and_costs_one_eip_at_most() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "172.20.3.4");
    world
        .until(LATER, |_| {
            condition(&world, "web")["reason"] == "AddressNotInVPC"
        })
        .await;
    assert!(!world.events("web").is_empty());
    world.until(LATER, |_| world.eips().is_empty()).await;
    let asked = world.count("AllocateEipAddress");
    clock::sleep(Duration::from_hours(10)).await;
    assert!(asked <= 1, "{asked}");
    assert_eq!(world.count("AllocateEipAddress"), asked);
    assert!(world.eips().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_had_its_overlay_address_before_costs_no_eip() {
    let world = World::new();
    world.run_pod("web", "172.20.3.4");
    let _agent = world.start("agent");
    clock::sleep(Duration::from_mins(30)).await;
    assert_eq!(world.changes(), 0);
    assert_eq!(condition(&world, "web")["reason"], "AddressNotInVPC");
}

#[tokio::test(start_paused = true)]
async fn a_bad_request_leaves_the_kept_eip_to_a_better_one() {
    let world = World::new();
    let _agent = world.start("agent");
    let pod = world
        .asking("web-0")
        .annotation("k8s.aliyun.com/pod-eip-release-strategy", "Never");
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    let eip = world.eip().id;
    let bad = pod
        .clone()
        .annotation("k8s.aliyun.com/eip-bandwidth", "lots");
    world.rerun_on(&world.node, &bad, "10.0.0.12");
    clock::sleep(Duration::from_mins(30)).await;
    assert!(!is_bound(&world.api, "web-0"));
    assert_eq!(condition(&world, "web-0")["reason"], "InvalidRequest");
    assert!(world.eip().place.is_none(), "{}", world.cloud_picture());
    world.rerun_on(&world.node, &pod, "10.0.0.13");
    world.until(LATER, |view| is_bound(view, "web-0")).await;
    assert_eq!(world.eip().id, eip);
}
