//! Pods that move, and nodes that die, go silent or come back late: each address has one owner or none, and none is lost.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::{ApiServer, Logged, PodSpec, When};

use crate::world::{Agent, LATER, NS, Node, World, is_bound, is_in_use_at};

/// Sweeps come at random, a minute apart in the mean at most: enough for dozens of them.
const SWEPT: Duration = Duration::from_hours(2);

const STRATEGY: &str = "k8s.aliyun.com/pod-eip-release-strategy";

/// Two nodes with an agent each, and a pod that has its EIP on the first.
struct Scene {
    world: World,
    a: Agent,
    other: Node,
    b: Agent,
    pod: PodSpec,
}

async fn scene(strategy: &str) -> Scene {
    let world = World::new();
    let other = world.add_node();
    let (a, b) = (world.start("a"), world.start_on(&other, "b"));
    let pod = world.asking("web-0").annotation(STRATEGY, strategy);
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    Scene {
        world,
        a,
        other,
        b,
        pod,
    }
}

/// The node is deleted, and with it, by Kubernetes, its pods.
fn lose_node(world: &World, pods: &[&str]) {
    world.api.delete("nodes", "", &world.node).unwrap();
    for pod in pods {
        world.api.remove_pod(NS, pod).unwrap();
    }
}

fn is_at(view: &ApiServer, ip: &str) -> bool {
    let record = view.get("podeips", NS, "web-0").unwrap_or_default();
    is_bound(view, "web-0") && record["status"]["privateIPAddress"] == ip
}

fn is_blank(view: &ApiServer) -> bool {
    let record = view.get("podeips", NS, "web-0").unwrap_or_default();
    record["metadata"]["labels"].is_object()
        && record["metadata"]["labels"]["eipd.io/node"].is_null()
}

#[tokio::test(start_paused = true)]
async fn a_fixed_pod_of_a_killed_node_has_its_eip_on_the_next_one() {
    let Scene {
        world,
        a,
        other,
        b: _b,
        pod,
    } = scene("Never").await;
    let eip = world.eip().id;
    a.kill().await;
    world.api.set_node(&world.node, false).unwrap();
    // As a user, or the out-of-service taint, does it.
    world.api.remove_pod(NS, "web-0").unwrap();
    world.run(&pod.on(&other.name), &other.ip(11));
    let began = clock::now();
    world.until(LATER, |view| is_at(view, &other.ip(11))).await;
    let took = clock::now() - began;
    assert!(
        took >= Duration::from_mins(1),
        "what the dead node was about may land for a minute: {took:?}"
    );
    assert_eq!(world.eip().id, eip);
    let record = world.record("web-0");
    assert!(record["metadata"]["annotations"]["eipd.io/taken-from"].is_null());
    assert_eq!(record["metadata"]["labels"]["eipd.io/node"], *other.name);
    assert_eq!(world.count("AllocateEipAddress"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gone_nodes_kept_record_is_unbound_and_rests_without_a_next_pod() {
    let Scene {
        world, a, b: _b, ..
    } = scene("Never").await;
    let eip = world.eip().id;
    a.kill().await;
    lose_node(&world, &["web-0"]);
    world
        .until(SWEPT, |view| is_blank(view) && world.eip().place.is_none())
        .await;
    assert_eq!(world.eip().id, eip);
    assert!(world.record("web-0")["status"]["eipAddress"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_time_to_live_ends_though_the_node_is_gone() {
    let Scene {
        world, a, b: _b, ..
    } = scene("10m").await;
    a.kill().await;
    lose_node(&world, &["web-0"]);
    world.until_clean(SWEPT, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_gone_nodes_pods_give_their_eips_back() {
    let Scene {
        world, a, b: _b, ..
    } = scene("Follow").await;
    a.kill().await;
    lose_node(&world, &["web-0"]);
    world.until_clean(SWEPT, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_by_hand_is_given_back_though_its_node_is_gone() {
    for strategy in ["Never", "Follow"] {
        let Scene {
            world, a, b: _b, ..
        } = scene(strategy).await;
        a.kill().await;
        world.api.delete("nodes", "", &world.node).unwrap();
        world.api.delete("podeips", NS, "web-0").unwrap();
        world.until_clean(SWEPT, "web-0").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_eip_of_a_gone_node_is_unbound_and_stays_the_users() {
    let world = World::new();
    let other = world.add_node();
    let (a, _b) = (world.start("a"), world.start_on(&other, "b"));
    let eip = world
        .cloud
        .create_eip(&std::collections::BTreeMap::new(), None)
        .unwrap();
    let pod = PodSpec::new(NS, "web-0", &world.node)
        .annotation("k8s.aliyun.com/pod-eip-instanceid", &eip.id);
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    a.kill().await;
    lose_node(&world, &["web-0"]);
    world
        .until(SWEPT, |view| {
            view.get("podeips", NS, "web-0").is_none() && world.eip().place.is_none()
        })
        .await;
    assert_eq!(world.eip().id, eip.id);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_dead_and_not_deleted_keeps_its_pods_eips() {
    for strategy in ["Never", "Follow", "1m"] {
        let Scene {
            world, a, b: _b, ..
        } = scene(strategy).await;
        a.kill().await;
        world.api.set_node(&world.node, false).unwrap();
        // Kubernetes wants it away; nobody can say that it is.
        world.api.terminate_pod(NS, "web-0").unwrap();
        let (writes, changes) = (world.writes(), world.changes());
        clock::sleep(SWEPT).await;
        assert_eq!((world.writes(), world.changes()), (writes, changes));
        assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
        assert!(is_bound(&world.api, "web-0"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_partitioned_node_comes_back_late_and_undoes_nothing() {
    let Scene {
        world,
        a: _a,
        other,
        b: _b,
        pod,
    } = scene("Never").await;
    let dark = world.api.go_dark(When::any().client("a"));
    world.api.set_node(&world.node, false).unwrap();
    world.api.remove_pod(NS, "web-0").unwrap();
    world.run(&pod.on(&other.name), &other.ip(11));
    world.until(LATER, |view| is_at(view, &other.ip(11))).await;
    clock::sleep(Duration::from_secs(1)).await;
    world.api.lift(dark);
    world.api.set_node(&world.node, true).unwrap();
    // What it tries by its old view is refused, for the record has moved on.
    let done = |world: &World| {
        let writes = world.api.requests(&When::writes());
        let kept = |kind: &str| kind.starts_with("podeips") || kind.starts_with("pods");
        let done = |it: &&Logged| it.answer == Some(200) && kept(&it.call.resource);
        writes.iter().filter(done).count()
    };
    let (writes, changes) = (done(&world), world.changes());
    clock::sleep(SWEPT).await;
    assert_eq!((done(&world), world.changes()), (writes, changes));
    assert!(is_in_use_at(&world.eip(), &other.ip(11)));
    assert!(is_at(&world.api, &other.ip(11)));
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_that_dies_on_the_way_is_followed_by_another() {
    let Scene { world, a, b, .. } = scene("Never").await;
    let third = world.add_node();
    a.kill().await;
    lose_node(&world, &["web-0"]);
    let taken = |view: &ApiServer| {
        let record = view.get("podeips", NS, "web-0").unwrap_or_default();
        record["metadata"]["annotations"]["eipd.io/taken-from"] == *world.node
    };
    world.until(SWEPT, taken).await;
    b.kill().await;
    let sweeper = world.record("web-0")["metadata"]["labels"]["eipd.io/node"].clone();
    world
        .api
        .delete("nodes", "", sweeper.as_str().unwrap())
        .unwrap();
    let _c = world.start_on(&third, "c");
    world
        .until(SWEPT, |view| is_blank(view) && world.eip().place.is_none())
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_that_starts_again_waits_its_minute_anew() {
    let Scene {
        world, a, other, b, ..
    } = scene("Never").await;
    a.kill().await;
    lose_node(&world, &["web-0"]);
    let taken = |view: &ApiServer| {
        let record = view.get("podeips", NS, "web-0").unwrap_or_default();
        record["metadata"]["annotations"]["eipd.io/taken-from"] == *world.node
    };
    world.until(SWEPT, taken).await;
    b.kill().await;
    let _b = world.start_on(&other, "b2");
    clock::sleep(Duration::from_secs(55)).await;
    assert_eq!(world.count("UnassociateEipAddress"), 0);
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    world.until(LATER, is_blank).await;
    assert!(world.eip().place.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_that_a_living_node_leaves_lying_is_finished() {
    let Scene {
        world, a, b: _b, ..
    } = scene("Follow").await;
    // Its node is Ready; nothing works there.
    a.kill().await;
    world.delete_pod("web-0");
    clock::sleep(Duration::from_mins(4)).await;
    assert_eq!(world.changes(), 2, "it may come back");
    world.until_clean(SWEPT, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn addresses_that_were_shuffled_while_the_agent_was_away_are_followed() {
    let world = World::new();
    let a = world.start("a");
    world.run_pod("one", "10.0.0.11");
    world.run_pod("two", "10.0.0.12");
    world.until_bound("one").await;
    world.until_bound("two").await;
    let eip_of = |name: &str| world.record(name)["spec"]["allocationID"].clone();
    let (one, two) = (eip_of("one"), eip_of("two"));
    a.kill().await;
    world.api.set_pod_ip(NS, "one", "10.0.0.12").unwrap();
    world.api.set_pod_ip(NS, "two", "10.0.0.11").unwrap();
    let _a = world.start("a2");
    world
        .until(LATER, |view| {
            let at = |name, ip| {
                let record = view.get("podeips", NS, name).unwrap_or_default();
                is_bound(view, name) && record["status"]["privateIPAddress"] == ip
            };
            at("one", "10.0.0.12") && at("two", "10.0.0.11")
        })
        .await;
    assert_eq!((eip_of("one"), eip_of("two")), (one, two));
    assert_eq!(world.count("AllocateEipAddress"), 2);
}
