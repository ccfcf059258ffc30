//! What one life of a name leaves behind for the next, or for nobody.

use super::*;
use testbed::apiserver::PodSpec;

const FIXED: (&str, &str) = ("k8s.aliyun.com/pod-eip-release-strategy", "Never");

/// The watch says that the pod is gone while a read of it is under way, which shows it once more.
#[tokio::test(start_paused = true)]
async fn a_kept_record_comes_to_rest_though_a_late_read_shows_its_pod() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run(
        &world.asking("web-0").annotation(FIXED.0, FIXED.1),
        "10.0.0.11",
    );
    world.until_bound("web-0").await;
    let reads = When::verb(Verb::Get).client("agent").resource("pods");
    let read = world.api.fault(reads, 1, Then::HoldAnswer);
    world.api.terminate_pod(NS, "web-0").unwrap();
    world.api.stop_containers(NS, "web-0").unwrap();
    world.until(SOON, |view| view.held(read) == 1).await;
    world.api.remove_pod(NS, "web-0").unwrap();
    clock::sleep(ms(500)).await;
    world.api.release(read);
    world
        .until(LATER, |_| {
            let record = world.record("web-0");
            record["metadata"]["labels"]["eipd.io/node"].is_null()
        })
        .await;
    assert!(world.eip().place.is_none());
}

/// The next pod is shown by the watch while a read is under way that still finds none.
#[tokio::test(start_paused = true)]
async fn a_next_pod_is_served_though_a_late_read_finds_none() {
    let world = World::new();
    let _agent = world.start("agent");
    let pod = world.asking("web-0").annotation(FIXED.0, FIXED.1);
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    world.delete_pod("web-0");
    let reads = When::verb(Verb::Get).client("agent").resource("pods");
    let read = world.api.fault(reads, 1, Then::HoldAnswer);
    world.until(SOON, |view| view.held(read) == 1).await;
    world.run(&pod, "10.0.0.12");
    clock::sleep(ms(500)).await;
    world.api.release(read);
    world.until(LATER, |view| is_bound(view, "web-0")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.12"));
}

/// An Associate lands after its pod and record would have gone.
#[tokio::test(start_paused = true)]
async fn a_named_eip_is_unbound_though_it_was_bound_late() {
    for late in [5_000, 20_000, 40_000] {
        let world = World::new();
        let eip = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
        let _agent = world.start("agent");
        world.order("AssociateEipAddress", FaultKind::Slow { ms: late });
        let pod = PodSpec::new(NS, "web", &world.node)
            .annotation("k8s.aliyun.com/pod-eip-instanceid", &eip);
        world.run(&pod, "10.0.0.11");
        world
            .until(SOON, |_| world.count("AssociateEipAddress") == 1)
            .await;
        world.delete_pod("web");
        clock::sleep(LATER).await;
        assert!(
            world.eip().place.is_none(),
            "{late} {}",
            world.cloud_picture()
        );
        assert!(world.record("web").is_null(), "{late}");
    }
}

/// The write that takes the address from a pod that asks no more is refused at first.
#[tokio::test(start_paused = true)]
async fn a_pod_that_asks_no_more_shows_no_address_in_the_end() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let writes = When::writes()
        .client("agent")
        .resource("pods")
        .body_has("allocated-eipAddress");
    world.api.fault(writes, 5, Then::status(500));
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/pod-with-eip"] = "false".into();
        })
        .unwrap();
    world.until_clean(LATER, "web").await;
    let pod = world.api.get("pods", NS, "web").unwrap();
    let shown = &pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"];
    assert!(shown.is_null(), "{pod}");
}

/// The metadata service lists a pod's address only after it was given up.
#[tokio::test(start_paused = true)]
async fn an_address_that_shows_late_gets_its_eip() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.99");
    clock::sleep(Duration::from_mins(2)).await;
    assert!(!is_bound(&world.api, "web"));
    let order = AssignIps {
        ips: vec!["10.0.0.99".to_owned()],
        ..AssignIps::default()
    };
    world.cloud.assign_ips(&world.eni.id, &order).unwrap();
    world
        .until(Duration::from_mins(15), |view| is_bound(view, "web"))
        .await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.99"));
}
