//! Ports that outlive their pod.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::{PodSpec, Workload, WorkloadKind};

use crate::nat::{asking, is_ready, record, world};
use crate::world::{LATER, NS, SOON, World};

fn fixed(world: &World, name: &str, of: &Workload) -> PodSpec {
    asking(world, name, "80,443")
        .annotation("k8s.aliyun.com/pod-dnat-fixed", "")
        .owned_by(of)
}

fn set(world: &World) -> Workload {
    let set = world.workload(WorkloadKind::StatefulSet, "web");
    scale(world, 3);
    set
}

fn scale(world: &World, replicas: u64) {
    let change = |set: &mut serde_json::Value| set["spec"]["replicas"] = replicas.into();
    world.api.edit("statefulsets", NS, "web", change).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_comes_back_has_the_same_ports_on_any_node() {
    let (world, _) = world();
    let other = world.add_node();
    let _agent = world.start("agent");
    let _other = world.start_on(&other, "other");
    let pod = fixed(&world, "web-0", &set(&world));
    world.run(&pod, "10.0.0.11");
    world.until_ready(SOON, "web-0").await;
    let before = record(&world.api, "web-0");
    assert_eq!(
        before["metadata"]["ownerReferences"][0]["kind"],
        "StatefulSet"
    );
    world.delete_pod("web-0");
    world.until(SOON, |_| world.entries().is_empty()).await;
    clock::sleep(Duration::from_mins(20)).await;
    let resting = record(&world.api, "web-0");
    assert_eq!(resting["status"]["entries"], serde_json::json!([]));
    assert!(resting["metadata"]["labels"]["eipd.io/node"].is_null());
    assert_eq!(
        resting["spec"]["portMapping"],
        before["spec"]["portMapping"]
    );
    world.run(&pod.clone().on(&other.name), &other.ip(12));
    world.until_ready(LATER, "web-0").await;
    let after = record(&world.api, "web-0");
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["spec"]["portMapping"], before["spec"]["portMapping"]);
    assert_eq!(after["spec"]["externalIP"], before["spec"]["externalIP"]);
    assert_eq!(after["spec"]["internalIP"], other.ip(12));
}

#[tokio::test(start_paused = true)]
async fn reserved_ports_are_nobody_elses() {
    let (mut world, _) = world();
    world.config += "networkController: {natGwPool: [{natgwId: ngw-1, portRangeStart: 600, portRangeEnd: 601}]}\n";
    let _agent = world.start("agent");
    world.run(&fixed(&world, "web-0", &set(&world)), "10.0.0.11");
    world.until_ready(SOON, "web-0").await;
    world.delete_pod("web-0");
    world.until(SOON, |_| world.entries().is_empty()).await;
    world.run(&asking(&world, "other", "80"), "10.0.0.12");
    clock::sleep(Duration::from_mins(3)).await;
    assert!(record(&world.api, "other").is_null());
    world.run(&fixed(&world, "web-0", &set_again(&world)), "10.0.0.13");
    world.until_ready(LATER, "web-0").await;
}

/// The one that is there.
fn set_again(world: &World) -> Workload {
    let set = world.api.get("statefulsets", NS, "web").unwrap();
    Workload {
        kind: WorkloadKind::StatefulSet,
        name: "web".to_owned(),
        uid: set["metadata"]["uid"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn scaled_below_its_ordinal_or_deleted_the_ports_go() {
    for by_scale in [true, false] {
        for later in [true, false] {
            let (world, _) = world();
            let _agent = world.start("agent");
            world.run(&fixed(&world, "web-2", &set(&world)), "10.0.0.11");
            world.until_ready(SOON, "web-2").await;
            let over = || match by_scale {
                true => scale(&world, 2),
                false => world.api.delete("statefulsets", NS, "web").unwrap(),
            };
            if !later {
                over();
            }
            // The garbage collector takes the pod of a set that is gone.
            if by_scale || later {
                world.delete_pod("web-2");
            } else {
                clock::sleep(Duration::from_secs(1)).await;
                let _ = world.api.stop_containers(NS, "web-2");
                let _ = world.api.remove_pod(NS, "web-2");
            }
            if later {
                clock::sleep(Duration::from_mins(10)).await;
                assert!(!record(&world.api, "web-2").is_null(), "kept until then");
                over();
            }
            let within = Duration::from_hours(1);
            world.until_no_ports(within, "web-2").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_pods_ports_are_kept_until_the_record_is_deleted() {
    let (world, _) = world();
    let _agent = world.start("agent");
    let pod = asking(&world, "game", "80").annotation("k8s.aliyun.com/pod-dnat-fixed", "true");
    world.run(&pod, "10.0.0.11");
    world.until_ready(SOON, "game").await;
    let before = record(&world.api, "game")["spec"]["portMapping"].clone();
    world.delete_pod("game");
    clock::sleep(Duration::from_hours(5)).await;
    assert!(world.entries().is_empty());
    world.run(&pod, "10.0.0.12");
    world.until_ready(SOON, "game").await;
    assert_eq!(record(&world.api, "game")["spec"]["portMapping"], before);
    world.delete_pod("game");
    clock::sleep(SOON).await;
    world.api.delete("poddnats", NS, "game").unwrap();
    // Nobody's watch shows it: a sweep finds it.
    world.until_no_ports(Duration::from_mins(30), "game").await;
}

#[tokio::test(start_paused = true)]
async fn on_a_pod_that_is_not_stateful_it_is_ignored_with_an_event() {
    let (world, _) = world();
    let _agent = world.start("agent");
    let of = world.workload(WorkloadKind::ReplicaSet, "web");
    world.run(&fixed(&world, "web-0", &of), "10.0.0.11");
    world.until_ready(SOON, "web-0").await;
    assert!(world.events("web-0").contains(&"CheckRequest".to_owned()));
    world.delete_pod("web-0");
    world.until_no_ports(SOON, "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_mind_is_taken_over_on_the_living_pod() {
    let (world, _) = world();
    let _agent = world.start("agent");
    let pod = asking(&world, "web-0", "80,443").owned_by(&set(&world));
    world.run(&pod, "10.0.0.11");
    world.until_ready(SOON, "web-0").await;
    let before = record(&world.api, "web-0")["metadata"]["uid"].clone();
    let made = world.changes_of_ports();
    world.annotate("web-0", "k8s.aliyun.com/pod-dnat-fixed", Some(""));
    let owner = |view: &testbed::apiserver::ApiServer| {
        record(view, "web-0")["metadata"]["ownerReferences"][0]["kind"].clone()
    };
    world.until(SOON, |view| owner(view) == "StatefulSet").await;
    assert!(is_ready(&world.api, "web-0"));
    world.annotate("web-0", "k8s.aliyun.com/pod-dnat-fixed", None);
    world.until(SOON, |view| owner(view) == "Pod").await;
    assert_eq!(record(&world.api, "web-0")["metadata"]["uid"], before);
    assert_eq!(world.changes_of_ports(), made);
    world.delete_pod("web-0");
    world.until_no_ports(SOON, "web-0").await;
}
