//! What users and administrators do meanwhile: bad input, hands on records, CRDs and EIPs.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::PodSpec;

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

#[tokio::test(start_paused = true)]
async fn bad_input_is_an_event_and_no_cloud_call() {
    let cases = [
        ("pod-with-eip", "yes"),
        ("eip-bandwidth", "fast"),
        ("eip-bandwidth", "0"),
        ("eip-bandwidth", "201"),
        ("eip-instance-charge-type", "PrePaid"),
    ];
    for (key, value) in cases {
        let world = World::new();
        let _agent = world.start("agent");
        let pod = world
            .asking("web")
            .annotation(&format!("k8s.aliyun.com/{key}"), value);
        world.api.create_pod(&pod).unwrap();
        world.api.take_pod(NS, "web").unwrap();
        world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
        clock::sleep(Duration::from_mins(3)).await;
        let event = world
            .api
            .list("events")
            .into_iter()
            .find(|event| event["reason"] == "InvalidRequest")
            .unwrap_or_default();
        let note = event["note"].as_str().unwrap_or_default();
        assert!(
            note.contains(key) && note.contains(value),
            "{key}={value}: {note:?}"
        );
        assert_eq!(
            world
                .cloud
                .counts()
                .iter()
                .filter(|(action, _)| action.contains("Eip"))
                .count(),
            0,
            "{key}"
        );
        assert!(world.record("web").is_null(), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_on_the_hosts_network_is_refused() {
    let world = World::new();
    let _agent = world.start("agent");
    world
        .api
        .create_pod(&world.asking("web").host_network())
        .unwrap();
    world.api.take_pod(NS, "web").unwrap();
    clock::sleep(Duration::from_mins(3)).await;
    assert_eq!(world.events("web"), ["InvalidRequest"]);
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_asks_nothing_costs_nothing() {
    let world = World::new();
    let _agent = world.start("agent");
    world
        .api
        .create_pod(&PodSpec::new(NS, "web", &world.node))
        .unwrap();
    world.api.take_pod(NS, "web").unwrap();
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    clock::sleep(Duration::from_mins(3)).await;
    assert_eq!(
        world
            .cloud
            .counts()
            .iter()
            .filter(|(action, _)| action.contains("Eip"))
            .count(),
        0
    );
    assert_eq!(world.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_allocation_id_edited_by_hand_never_releases_the_strangers_eip() {
    let world = World::new();
    let stranger = world
        .cloud
        .create_eip(&std::collections::BTreeMap::new(), None)
        .unwrap()
        .id;
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world
        .api
        .edit("podeips", NS, "web", |record| {
            record["spec"]["allocationID"] = stranger.clone().into();
        })
        .unwrap();
    clock::sleep(Duration::from_mins(1)).await;
    world.delete_pod("web");
    world
        .until(LATER, |view| view.get("podeips", NS, "web").is_none())
        .await;
    clock::sleep(Duration::from_mins(1)).await;
    assert_eq!(
        world.eips(),
        [stranger],
        "its own is gone, the stranger's stays"
    );
}

#[tokio::test(start_paused = true)]
async fn a_crd_deleted_under_living_pods_gives_nothing_back() {
    let world = World::new();
    let _agent = world.start("agent");
    for (name, ip) in [("a", "10.0.0.11"), ("b", "10.0.0.12")] {
        world.run_pod(name, ip);
        world.until_bound(name).await;
    }
    world.api.delete_crd("podeips").unwrap();
    clock::sleep(Duration::from_hours(2)).await;
    assert_eq!(
        world.count("UnassociateEipAddress") + world.count("ReleaseEipAddress"),
        0
    );
    assert_eq!(world.eips().len(), 2);
    assert!(
        world.events("a").contains(&"CRDTerminating".to_owned()),
        "{:?}",
        world.events("a")
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_by_hand_is_honoured_and_the_pod_gets_another_later() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let first = world.eip().id;
    world.api.delete("podeips", NS, "web").unwrap();
    world
        .until(SOON, |view| view.get("podeips", NS, "web").is_none())
        .await;
    let gone = clock::now();
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(
        gone.elapsed() >= Duration::from_secs(30),
        "held off: {:?}",
        gone.elapsed()
    );
    assert_ne!(world.eip().id, first);
}

#[tokio::test(start_paused = true)]
async fn an_eip_moved_in_the_console_is_not_fought_over() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let eip = world.eip().id;
    let unbind =
        serde_json::from_value(serde_json::json!({"do": "unbind", "settle_ms": 0})).unwrap();
    world.cloud.change_eip(&eip, &unbind).unwrap();
    let bind = serde_json::json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.60", "settle_ms": 0});
    world
        .cloud
        .change_eip(&eip, &serde_json::from_value(bind).unwrap())
        .unwrap();
    world.delete_pod("web");
    world
        .until(LATER, |view| view.get("podeips", NS, "web").is_none())
        .await;
    clock::sleep(Duration::from_mins(2)).await;
    assert!(
        is_in_use_at(&world.eip(), "10.0.0.60"),
        "somebody put it there: it is neither unbound nor released"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_on_no_interface_is_told_and_not_looped_over() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "172.20.0.9");
    clock::sleep(Duration::from_mins(10)).await;
    assert!(
        world
            .events("web")
            .contains(&"InterfaceNotFound".to_owned()),
        "{:?}",
        world.events("web")
    );
    assert_eq!(world.count("AssociateEipAddress"), 0);
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}
