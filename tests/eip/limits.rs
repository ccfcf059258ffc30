//! What the administrator's limits keep a namespace from: told on the pod, and nothing is asked of the cloud.

use std::collections::BTreeMap;
use std::time::Duration;

use eipd::clock;
use testbed::apiserver::PodSpec;

use crate::world::{NS, World, is_in_use_at};

fn limited(limits: &str) -> World {
    let mut world = World::new();
    world.config.push_str("eip:\n  limits:\n");
    world.config.push_str(limits);
    world
}

/// Notes of the Events on a pod.
fn notes(world: &World, pod: &str) -> Vec<String> {
    let events = world.api.list("events").into_iter();
    events
        .filter(|event| event["regarding"]["name"] == pod)
        .map(|event| event["note"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn naming(world: &World, pod: &str, eip: &str) -> PodSpec {
    PodSpec::new(NS, pod, &world.node).annotation("k8s.aliyun.com/pod-eip-instanceid", eip)
}

fn eip_with(world: &World, tags: &[(&str, &str)]) -> String {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let mut settings = BTreeMap::new();
    for (n, (key, value)) in (1..).zip(tags.iter().map(own)) {
        settings.insert(format!("Tag.{n}.Key"), key);
        settings.insert(format!("Tag.{n}.Value"), value);
    }
    world.cloud.create_eip(&settings, None).unwrap().id
}

#[tokio::test(start_paused = true)]
async fn a_request_beyond_the_limits_is_an_event_and_no_cloud_call() {
    let world = limited("  - namespaces: [default]\n    maxBandwidth: 20\n");
    let _agent = world.start("agent");
    let greedy = world
        .asking("web")
        .annotation("k8s.aliyun.com/eip-bandwidth", "21");
    world.run(&greedy, "10.0.0.11");
    clock::sleep(Duration::from_mins(3)).await;
    assert_eq!(
        notes(&world, "web"),
        [
            "k8s.aliyun.com/eip-bandwidth \"21\": this namespace may have at most 20 Mbit/s (limits in eipd's configuration)"
        ]
    );
    assert_eq!(world.count("AllocateEipAddress"), 0);
    assert!(world.record("web").is_null());
    let modest = world
        .asking("modest")
        .annotation("k8s.aliyun.com/eip-bandwidth", "20");
    world.run(&modest, "10.0.0.12");
    world.until_bound("modest").await;
    assert_eq!(world.count("AllocateEipAddress"), 1);
}

#[tokio::test(start_paused = true)]
async fn another_namespaces_limits_are_not_ours() {
    let world =
        limited("  - namespaces: [defaul, default-two, 'default-*']\n    chargeTypes: []\n");
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
}

#[tokio::test(start_paused = true)]
async fn a_living_pod_keeps_its_eip_when_the_limits_close_in() {
    let mut world = World::new();
    let agent = world.start("before");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    agent.kill().await;
    world
        .config
        .push_str("eip: {limits: [{namespaces: ['*'], maxBandwidth: 4}]}\n");
    let changes = world.changes();
    let _agent = world.start("after");
    clock::sleep(Duration::from_mins(10)).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    assert_eq!(world.changes(), changes);
    let told = notes(&world, "web").concat();
    assert!(
        told.contains("eip-bandwidth \"5\": the default; this namespace may have at most 4"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn only_eips_with_the_namespaces_tags_can_be_named() {
    let world = limited("  - namespaces: [default]\n    eipTags: {team: a}\n");
    let (other, ours) = (
        eip_with(&world, &[("team", "b")]),
        eip_with(&world, &[("floor", "1"), ("team", "a")]),
    );
    let _agent = world.start("agent");
    world.run(&naming(&world, "thief", &other), "10.0.0.11");
    world.run(&naming(&world, "owner", &ours), "10.0.0.12");
    world.until_bound("owner").await;
    clock::sleep(Duration::from_mins(10)).await;
    assert!(world.events("thief").contains(&"EIPNotNameable".to_owned()));
    assert!(world.cloud.eip(&other).unwrap().place.is_none());
    assert!(is_in_use_at(&world.cloud.eip(&ours).unwrap(), "10.0.0.12"));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_may_name_none_does_not_get_as_far_as_a_look() {
    let world = limited("  - namespaces: ['*']\n    nameEips: false\n");
    let eip = eip_with(&world, &[]);
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", &eip), "10.0.0.11");
    clock::sleep(Duration::from_mins(3)).await;
    let want = format!(
        "k8s.aliyun.com/pod-eip-instanceid \"{eip}\": this namespace may name no EIP (limits in eipd's configuration)"
    );
    assert_eq!(notes(&world, "web"), [want]);
    assert_eq!(world.count("AssociateEipAddress"), 0);
    assert_eq!(world.count("DescribeEipAddresses"), 0);
}
