//! Fixed EIPs: kept between two pods of a name, on any node, and given back when their time or their owner says so.

use std::time::Duration;

use eipd::clock;
use serde_json::Value;
use testbed::apiserver::{ApiServer, PodSpec, When};

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

const STRATEGY: &str = "k8s.aliyun.com/pod-eip-release-strategy";

/// A bare pod: stateful, by the published rule.
fn fixed(world: &World, strategy: &str) -> PodSpec {
    world.asking("web-0").annotation(STRATEGY, strategy)
}

/// It runs and has its EIP.
async fn served(world: &World, strategy: &str) -> PodSpec {
    let pod = fixed(world, strategy);
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    pod
}

/// It had its EIP and is gone; the record rests.
async fn kept(world: &World, strategy: &str) {
    served(world, strategy).await;
    world.delete_pod("web-0");
    world.until(LATER, is_blank).await;
}

fn is_blank(view: &ApiServer) -> bool {
    let record = view.get("podeips", NS, "web-0").unwrap_or_default();
    record["spec"]["allocationID"] != ""
        && record["metadata"]["labels"].is_object()
        && record["metadata"]["labels"]["eipd.io/node"].is_null()
}

fn shows_nothing(record: &Value) -> bool {
    let status = &record["status"];
    ["eipAddress", "privateIPAddress", "networkInterfaceID"]
        .iter()
        .all(|field| status[field].is_null())
}

#[tokio::test(start_paused = true)]
async fn a_kept_eip_comes_back_on_the_same_node() {
    let world = World::new();
    let _agent = world.start("agent");
    let pod = served(&world, "Never").await;
    let (eip, record) = (world.eip(), world.record("web-0"));
    assert_eq!(record["spec"]["allocationType"]["releaseStrategy"], "Never");
    assert!(record["metadata"]["ownerReferences"].is_null(), "{record}");
    world.delete_pod("web-0");
    world.until(LATER, is_blank).await;
    assert!(
        shows_nothing(&world.record("web-0")),
        "{}",
        world.record("web-0")
    );
    assert!(world.eip().place.is_none());
    world.run(&pod, "10.0.0.12");
    world.until_bound("web-0").await;
    assert_eq!(world.eip().id, eip.id);
    assert!(is_in_use_at(&world.eip(), "10.0.0.12"));
    assert_eq!(
        world.record("web-0")["metadata"]["uid"],
        record["metadata"]["uid"]
    );
    assert_eq!(world.count("AllocateEipAddress"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kept_eip_follows_its_name_to_another_node() {
    let world = World::new();
    let other = world.add_node();
    let _here = world.start("agent");
    let _there = world.start_on(&other, "other");
    let pod = served(&world, "10m").await;
    let eip = world.eip().id;
    for ip in ["10.0.1.11", "10.0.0.12", "10.0.1.12"] {
        let node = if ip.starts_with("10.0.1") {
            &other.name
        } else {
            &world.node
        };
        world.rerun_on(node, &pod, ip);
        world
            .until(LATER, |view| {
                let record = view.get("podeips", NS, "web-0").unwrap_or_default();
                is_bound(view, "web-0") && record["status"]["privateIPAddress"] == ip
            })
            .await;
        assert!(is_in_use_at(&world.eip(), ip));
        assert_eq!(world.eip().id, eip);
    }
    assert_eq!(world.count("AllocateEipAddress"), 1);
    assert_eq!(world.count("ReleaseEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_kept_record_never_shows_the_old_address_to_the_new_pod() {
    let world = World::new();
    let _agent = world.start("agent");
    let pod = served(&world, "Never").await;
    let old = world.api.get("pods", NS, "web-0").unwrap()["metadata"]["uid"].clone();
    // Same name, same address, at once.
    world.rerun_on(&world.node, &pod, "10.0.0.11");
    let deadline = clock::now() + LATER;
    while clock::now() < deadline {
        let (record, pod) = (
            world.record("web-0"),
            world.api.get("pods", NS, "web-0").unwrap(),
        );
        let told = !pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"].is_null();
        assert_ne!(pod["metadata"]["uid"], old);
        if told {
            assert_eq!(
                record["metadata"]["annotations"]["eipd.io/pod"],
                pod["metadata"]["uid"]
            );
            assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
            return;
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    panic!("never bound: {}", world.cloud_picture());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_finished_keeps_its_fixed_eip_unbound() {
    let world = World::new();
    let _agent = world.start("agent");
    served(&world, "Never").await;
    world.api.finish_pod(NS, "web-0", "Succeeded").unwrap();
    world.until(LATER, |_| world.eip().place.is_none()).await;
    clock::sleep(Duration::from_hours(1)).await;
    assert!(shows_nothing(&world.record("web-0")));
    assert!(!is_blank(&world.api), "absence begins when the object goes");
    world.api.remove_pod(NS, "web-0").unwrap();
    world.until(LATER, is_blank).await;
    assert_eq!(world.count("ReleaseEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_record_rests_without_a_write() {
    let world = World::new();
    let _agent = world.start("agent");
    kept(&world, "Never").await;
    let writes = world.api.count(&When::writes());
    clock::sleep(Duration::from_hours(24)).await;
    assert_eq!(world.api.count(&When::writes()), writes);
    assert_eq!(world.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_takes_its_annotation_away_gives_its_fixed_eip_back() {
    let world = World::new();
    let _agent = world.start("agent");
    served(&world, "Never").await;
    world
        .api
        .edit("pods", NS, "web-0", |pod| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/pod-with-eip"] = "false".into();
        })
        .unwrap();
    world.until_clean(LATER, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_by_hand_under_its_pod_gives_the_fixed_eip_back() {
    let world = World::new();
    let _agent = world.start("agent");
    served(&world, "Never").await;
    let first = world.eip().id;
    world.api.delete("podeips", NS, "web-0").unwrap();
    // The pod lives: after a while it gets a new one.
    world
        .until(LATER, |view| {
            is_bound(view, "web-0") && !world.eips().contains(&first)
        })
        .await;
    clock::sleep(SOON).await;
    assert_eq!(world.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_strategy_is_taken_over_on_a_living_pod_and_the_binding_stands() {
    let world = World::new();
    let _agent = world.start("agent");
    served(&world, "Follow").await;
    let changes = world.changes();
    for (strategy, written, owned) in [
        ("5m30s", "TTL", false),
        ("Never", "Never", false),
        ("Follow", "Follow", true),
    ] {
        world
            .api
            .edit("pods", NS, "web-0", |pod| {
                pod["metadata"]["annotations"][STRATEGY] = strategy.into();
            })
            .unwrap();
        world
            .until(SOON, |view| {
                let record = view.get("podeips", NS, "web-0").unwrap_or_default();
                let kind = &record["spec"]["allocationType"];
                kind["releaseStrategy"] == written
                    && (kind["releaseAfter"] == "5m30s") == (written == "TTL")
                    && record["metadata"]["ownerReferences"].is_array() == owned
            })
            .await;
        assert!(is_bound(&world.api, "web-0"));
    }
    assert_eq!(world.changes(), changes, "nothing is asked of the cloud");
    world.delete_pod("web-0");
    world.until_clean(LATER, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_next_pod_that_asks_for_no_eip_leaves_the_kept_one() {
    let world = World::new();
    let _agent = world.start("agent");
    served(&world, "Never").await;
    let eip = world.eip().id;
    world.delete_pod("web-0");
    world.run(&PodSpec::new(NS, "web-0", &world.node), "10.0.0.12");
    world.until(LATER, is_blank).await;
    clock::sleep(Duration::from_hours(2)).await;
    assert!(is_blank(&world.api));
    world.delete_pod("web-0");
    world.run(&fixed(&world, "Never"), "10.0.0.13");
    world.until_bound("web-0").await;
    assert_eq!(world.eip().id, eip);
}

#[tokio::test(start_paused = true)]
async fn a_next_pod_that_follows_takes_the_kept_eip_and_takes_it_along() {
    let world = World::new();
    let _agent = world.start("agent");
    kept(&world, "Never").await;
    let eip = world.eip().id;
    world.run_pod("web-0", "10.0.0.12");
    world.until_bound("web-0").await;
    assert_eq!(world.eip().id, eip);
    world.delete_pod("web-0");
    world.until_clean(LATER, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn agents_killed_at_every_moment_of_a_move_lose_nothing() {
    for step in 0..60_u64 {
        let world = World::new();
        let other = world.add_node();
        let first = world.start("agent");
        let _there = world.start_on(&other, "other");
        let pod = served(&world, "Never").await;
        let eip = world.eip().id;
        world.rerun_on(&other.name, &pod, "10.0.1.11");
        clock::sleep(Duration::from_millis(step * 150)).await;
        first.kill().await;
        clock::sleep(Duration::from_secs(1)).await;
        let _again = world.start("agent");
        world
            .until(LATER, |view| {
                let record = view.get("podeips", NS, "web-0").unwrap_or_default();
                is_bound(view, "web-0") && record["status"]["privateIPAddress"] == "10.0.1.11"
            })
            .await;
        assert_eq!(world.eip().id, eip, "{step}");
        assert!(is_in_use_at(&world.eip(), "10.0.1.11"), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ttl_that_has_passed_gives_the_eip_back_whoever_is_there() {
    let world = World::new();
    let other = world.add_node();
    let first = world.start("agent");
    let _there = world.start_on(&other, "other");
    kept(&world, "10m").await;
    // The node that had it goes, and its agent with it.
    first.kill().await;
    clock::sleep(Duration::from_mins(9)).await;
    assert!(is_blank(&world.api), "not before its time");
    world.until_clean(Duration::from_mins(15), "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_kept_record_deleted_by_hand_gives_its_eip_back_whoever_is_there() {
    let world = World::new();
    let other = world.add_node();
    let first = world.start("agent");
    let _there = world.start_on(&other, "other");
    kept(&world, "Never").await;
    first.kill().await;
    clock::sleep(Duration::from_hours(3)).await;
    assert!(is_blank(&world.api));
    world.api.delete("podeips", NS, "web-0").unwrap();
    world.until_clean(Duration::from_mins(10), "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn each_absence_has_the_whole_ttl() {
    let world = World::new();
    let _agent = world.start("agent");
    let pod = served(&world, "30s").await;
    let eip = world.eip().id;
    for _ in 0..20 {
        world.rerun_on(&world.node, &pod, "10.0.0.12");
        world.until(LATER, |view| is_bound(view, "web-0")).await;
        clock::sleep(Duration::from_mins(2)).await;
    }
    assert_eq!(world.eip().id, eip, "it was never away for 30 s");
}
