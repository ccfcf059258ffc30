//! A pod's life, from the annotation to nothing left.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::{Gc, When};

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

#[tokio::test(start_paused = true)]
async fn binds_shows_and_gives_back() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    let record = world.record("web");
    assert_eq!(record["spec"]["allocationID"], world.eip().id);
    assert_eq!(record["spec"]["allocationType"]["type"], "Auto");
    assert_eq!(
        record["spec"]["allocationType"]["releaseStrategy"],
        "Follow"
    );
    assert_eq!(record["status"]["status"], "InUse");
    assert_eq!(record["status"]["networkInterfaceID"], world.eni.id);
    assert_eq!(record["status"]["internetChargeType"], "PayByTraffic");
    assert_eq!(record["metadata"]["ownerReferences"][0]["kind"], "Pod");
    assert_eq!(
        record["metadata"]["annotations"]["k8s.aliyun.com/eip-controller"],
        "eipd"
    );
    world.delete_pod("web");
    world.until_clean(SOON, "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_life_takes_four_changes_three_looks_and_eight_writes() {
    let world = World::new();
    let _agent = world.start("agent");
    // Let it learn how long this cloud takes.
    for round in 0..6 {
        let name = format!("learn-{round}");
        world.run_pod(&name, "10.0.0.20");
        world.until_bound(&name).await;
        world.delete_pod(&name);
        world.until_clean(SOON, &name).await;
    }
    let (changes, looks, writes) = (
        world.changes(),
        world.count("DescribeEipAddresses"),
        world.writes(),
    );
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    clock::sleep(Duration::from_secs(5)).await;
    world.api.terminate_pod(NS, "web").unwrap();
    world.api.stop_containers(NS, "web").unwrap();
    clock::sleep(Duration::from_millis(300)).await;
    world.api.remove_pod(NS, "web").unwrap();
    world.until_clean(SOON, "web").await;
    assert_eq!(world.changes() - changes, 4);
    assert!(
        world.count("DescribeEipAddresses") - looks <= 3,
        "{}",
        world.cloud_picture()
    );
    // The writes of user and kubelet are not requests here.
    assert!(
        world.writes() - writes <= 8,
        "{} {}",
        world.writes() - writes,
        world.api.picture()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_at_rest_and_little_is_asked() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    clock::sleep(Duration::from_secs(5)).await;
    let (looks, writes) = (
        world.count("DescribeEipAddresses"),
        world.api.count(&When::writes()),
    );
    clock::sleep(Duration::from_hours(24)).await;
    // Every ten minutes or so, whether somebody changed something in the console.
    let asked = world.count("DescribeEipAddresses") - looks;
    assert!((70..300).contains(&asked), "{asked}");
    assert_eq!(world.api.count(&When::writes()), writes);
}

#[tokio::test(start_paused = true)]
async fn a_pod_deleted_before_it_has_an_address_leaves_nothing() {
    let world = World::new();
    let _agent = world.start("agent");
    world.api.create_pod(&world.asking("web")).unwrap();
    world.api.take_pod(NS, "web").unwrap();
    world
        .until(SOON, |view| {
            view.get("podeips", NS, "web")
                .is_some_and(|record| record["spec"]["allocationID"] != "")
        })
        .await;
    world.api.remove_pod(NS, "web").unwrap();
    world.until_clean(LATER, "web").await;
    assert_eq!(world.count("AssociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_the_kubelet_refuses_costs_no_allocate() {
    let world = World::new();
    let _agent = world.start("agent");
    world.api.create_pod(&world.asking("web")).unwrap();
    world
        .until(SOON, |view| view.get("podeips", NS, "web").is_some())
        .await;
    world.api.refuse_pod(NS, "web", "OutOfcpu").unwrap();
    world.until_clean(LATER, "web").await;
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_comes_back_at_once_gets_its_own_eip() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web-0", "10.0.0.11");
    world.until_bound("web-0").await;
    let first = (
        world.record("web-0")["metadata"]["uid"].clone(),
        world.eip().id,
    );
    world.delete_pod("web-0");
    world.run_pod("web-0", "10.0.0.11");
    world
        .until(LATER, |view| {
            is_bound(view, "web-0")
                && view
                    .get("podeips", NS, "web-0")
                    .is_some_and(|record| record["metadata"]["uid"] != first.0)
        })
        .await;
    assert_ne!(world.eip().id, first.1);
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
}

#[tokio::test(start_paused = true)]
async fn a_finished_pod_gives_up_its_eip_while_its_object_stays() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("job", "10.0.0.11");
    world.until_bound("job").await;
    world.api.finish_pod(NS, "job", "Succeeded").unwrap();
    world.until_clean(LATER, "job").await;
    clock::sleep(Duration::from_mins(30)).await;
    assert_eq!(
        world.count("AllocateEipAddress"),
        1,
        "it gets no second one"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_changes_takes_the_same_eip_along() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let before = world.eip().id;
    world.api.set_pod_ip(NS, "web", "10.0.0.12").unwrap();
    world
        .until(LATER, |view| {
            is_bound(view, "web")
                && view
                    .get("podeips", NS, "web")
                    .is_some_and(|record| record["status"]["privateIPAddress"] == "10.0.0.12")
        })
        .await;
    assert_eq!(world.eip().id, before);
    assert!(is_in_use_at(&world.eip(), "10.0.0.12"));
}

#[tokio::test(start_paused = true)]
async fn two_pods_that_swap_addresses_end_bound() {
    let world = World::new();
    let _agent = world.start("agent");
    for (name, ip) in [("a", "10.0.0.11"), ("b", "10.0.0.12")] {
        world.run_pod(name, ip);
        world.until_bound(name).await;
    }
    for (name, ip) in [("a", "10.0.0.12"), ("b", "10.0.0.11")] {
        world.api.set_pod_ip(NS, name, ip).unwrap();
    }
    let shows = |view: &testbed::apiserver::ApiServer, name: &str, ip: &str| {
        is_bound(view, name)
            && view
                .get("podeips", NS, name)
                .is_some_and(|record| record["status"]["privateIPAddress"] == ip)
    };
    world
        .until(LATER, |view| {
            shows(view, "a", "10.0.0.12") && shows(view, "b", "10.0.0.11")
        })
        .await;
    assert_eq!(world.count("AllocateEipAddress"), 2);
}

#[tokio::test(start_paused = true)]
async fn an_annotation_that_goes_takes_the_eip_with_it() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world
        .api
        .edit("pods", "default", "web", |pod| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/pod-with-eip"] = "false".into();
        })
        .unwrap();
    world.until_clean(LATER, "web").await;
    let pod = world.api.get("pods", NS, "web").unwrap();
    assert!(
        pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"].is_null(),
        "{pod}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_garbage_collector_the_agent_finishes_by_itself() {
    let world = World::new();
    world.api.set_gc(Gc::Stopped);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn fifty_pods_at_once_share_their_looks() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 100);
    let _agent = world.start("agent");
    let names: Vec<_> = (0..50).map(|n| format!("web-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        world.run_pod(name, &format!("10.0.0.{}", 11 + n));
    }
    world
        .until(LATER, |view| names.iter().all(|name| is_bound(view, name)))
        .await;
    for name in &names {
        world.delete_pod(name);
    }
    for name in &names {
        world
            .until(LATER, |view| view.get("podeips", NS, name).is_none())
            .await;
    }
    assert_eq!(world.changes(), 200);
    assert!(
        world.count("DescribeEipAddresses") <= 25,
        "{}",
        world.count("DescribeEipAddresses")
    );
}
