//! An agent whose node's pods ask for nothing, and one that is to serve nothing: neither costs anybody anything.

use std::time::Duration;

use eipd::clock;
use serde_json::json;
use testbed::apiserver::{PodSpec, Verb, When};

use crate::world::{LATER, NS, SOON, World};

const RECORDS: &str = "podeips";

fn record_watches(world: &World) -> usize {
    world
        .api
        .open_watches(&When::verb(Verb::Watch).resource(RECORDS))
}

/// The metadata service is the node's own.
fn cloud_calls(world: &World) -> u64 {
    let counts = world.cloud.counts().into_iter();
    let calls = counts.filter(|(action, _)| action != "metadata");
    calls.map(|(_, count)| count).sum()
}

/// Pods that ask for nothing, on their way up and down.
fn others(world: &World) {
    let pod = PodSpec::new(NS, "other", &world.node);
    world.run(&pod, "10.0.0.12");
    world.run(&PodSpec::new(NS, "done", &world.node), "10.0.0.13");
    world.delete_pod("done");
}

#[tokio::test(start_paused = true)]
async fn before_a_pod_asks_no_record_is_watched_and_the_cloud_not_called() {
    let world = World::new();
    let _agent = world.start("agent");
    others(&world);
    clock::sleep(Duration::from_hours(3)).await;
    assert_eq!(record_watches(&world), 0);
    assert_eq!(cloud_calls(&world), 0);
    assert_eq!(world.writes(), 0);
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    clock::sleep(SOON).await;
    assert_eq!(record_watches(&world), 1);
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_there_already_is_watched_from_the_start() {
    let world = World::new();
    let first = world.start("first");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    first.kill().await;
    world.delete_pod("web");
    let _second = world.start("second");
    world.until_clean(LATER, "web").await;
    assert_eq!(record_watches(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_from_a_backup_is_found_though_nobody_asks() {
    let world = World::new();
    let _agent = world.start("agent");
    clock::sleep(Duration::from_hours(1)).await;
    let record = json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {
            "namespace": NS, "name": "lost",
            "labels": {"eipd.io/node": world.node},
            "finalizers": ["podeip-controller"],
        },
        "spec": {"allocationID": "", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}},
    });
    world.api.create(&record).unwrap();
    clock::sleep(Duration::from_hours(3)).await;
    assert_eq!(record_watches(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_enabled_is_not_served_and_not_watched() {
    let eip = [("k8s.aliyun.com/pod-with-eip", "true")];
    let ports = [
        ("k8s.aliyun.com/pod-dnat", ""),
        ("k8s.aliyun.com/pod-dnat-expose-port", "80"),
    ];
    let cases = [
        ("enableControllers: [natgw]\n", RECORDS, eip.as_slice()),
        ("enableControllers: [eip]\n", "poddnats", &ports),
    ];
    for (enabled, other, asks) in cases {
        let mut world = World::new();
        world.config.push_str(enabled);
        let agent = world.start("agent");
        let mut pod = PodSpec::new(NS, "web", &world.node);
        for (key, value) in asks {
            pod = pod.annotation(key, value);
        }
        world.run(&pod, "10.0.0.11");
        clock::sleep(Duration::from_hours(1)).await;
        assert_eq!(world.writes(), 0);
        assert_eq!(world.api.count(&When::any().resource(other)), 0);
        assert_eq!(cloud_calls(&world), 0);
        agent.stop.request();
        assert!(agent.task.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_enabled_nothing_is_watched() {
    let mut world = World::new();
    world.config += "enableControllers: []\n";
    let agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.writes(), 0);
    assert_eq!(world.api.open_watches(&When::any()), 0);
    agent.stop.request();
    assert!(agent.task.await.unwrap().is_ok());
}
