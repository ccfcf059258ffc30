//! EIPs that users name: bound and unbound, nothing else; one pod at a time has one.

use std::collections::BTreeMap;
use std::time::Duration;

use eipd::clock;
use testbed::apiserver::PodSpec;

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

const NAME: &str = "k8s.aliyun.com/pod-eip-instanceid";

fn naming(world: &World, pod: &str, eip: &str) -> PodSpec {
    PodSpec::new(NS, pod, &world.node).annotation(NAME, eip)
}

fn own_eip(world: &World) -> String {
    world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id
}

fn untouched(world: &World, eip: &str) {
    let eip = world.cloud.eip(eip).unwrap();
    assert!(
        eip.tags.now().keys().all(|key| !key.starts_with("eipd")),
        "{eip:?}"
    );
    for action in [
        "AllocateEipAddress",
        "ReleaseEipAddress",
        "TagResources",
        "ModifyEipAddressAttribute",
        "AddCommonBandwidthPackageIp",
    ] {
        assert_eq!(world.count(action), 0, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_eip_is_bound_and_unbound_and_stays() {
    let world = World::new();
    let eip = own_eip(&world);
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", &eip), "10.0.0.11");
    world.until_bound("web").await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    let record = world.record("web");
    assert_eq!(record["spec"]["allocationType"]["type"], "Static");
    assert_eq!(record["spec"]["allocationID"], eip);
    world.delete_pod("web");
    world
        .until(LATER, |view| view.get("podeips", NS, "web").is_none())
        .await;
    assert!(
        world.eip().place.is_none(),
        "the record goes when it is unbound, and not before"
    );
    untouched(&world, &eip);
}

#[tokio::test(start_paused = true)]
async fn the_second_pod_that_names_an_eip_gets_it_when_the_first_lets_go() {
    let world = World::new();
    let eip = own_eip(&world);
    let _agent = world.start("agent");
    world.run(&naming(&world, "one", &eip), "10.0.0.11");
    world.until_bound("one").await;
    world.run(&naming(&world, "two", &eip), "10.0.0.12");
    clock::sleep(Duration::from_mins(10)).await;
    assert!(is_bound(&world.api, "one") && !is_bound(&world.api, "two"));
    assert!(
        world.events("two").contains(&"EIPHeld".to_owned()),
        "{:?}",
        world.events("two")
    );
    world.delete_pod("one");
    world.until(LATER, |view| is_bound(view, "two")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.12"));
    untouched(&world, &eip);
}

/// The first pod's clean-up must not unbind what the second has by then, though it is the same EIP at the same address.
#[tokio::test(start_paused = true)]
async fn a_second_pod_at_the_address_of_the_first_keeps_its_binding() {
    for delay in 0..20_u64 {
        let world = World::new();
        let eip = own_eip(&world);
        let _agent = world.start("agent");
        world.run(&naming(&world, "one", &eip), "10.0.0.11");
        world.until_bound("one").await;
        world.api.create_pod(&naming(&world, "two", &eip)).unwrap();
        world.api.take_pod(NS, "two").unwrap();
        world.delete_pod("one");
        clock::sleep(Duration::from_millis(delay * 200)).await;
        world.api.set_pod_ip(NS, "two", "10.0.0.11").unwrap();
        world.until(LATER, |view| is_bound(view, "two")).await;
        clock::sleep(SOON).await;
        assert!(is_in_use_at(&world.eip(), "10.0.0.11"), "{delay}");
        assert!(is_bound(&world.api, "two"), "{delay}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_eip_is_an_event_and_served_once_it_exists() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", "eip-unknown"), "10.0.0.11");
    world
        .until(LATER, |_| {
            world.events("web").contains(&"NoSuchEIP".to_owned())
        })
        .await;
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_eip_in_use_elsewhere_is_an_event_and_left_alone() {
    let world = World::new();
    let eip = own_eip(&world);
    let bind = serde_json::json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.40"});
    let done = world
        .cloud
        .change_eip(&eip, &serde_json::from_value(bind).unwrap());
    assert!(done.is_ok(), "{done:?}");
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", &eip), "10.0.0.11");
    clock::sleep(Duration::from_mins(10)).await;
    assert!(
        world.events("web").contains(&"EIPElsewhere".to_owned()),
        "{:?}",
        world.events("web")
    );
    assert!(is_in_use_at(&world.eip(), "10.0.0.40"));
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn somebodys_kept_address_cannot_be_named() {
    let world = World::new();
    let _agent = world.start("agent");
    let keeper = world
        .asking("keeper")
        .annotation("k8s.aliyun.com/pod-eip-release-strategy", "Never");
    world.run(&keeper, "10.0.0.11");
    world.until_bound("keeper").await;
    let eip = world.eip().id;
    world.delete_pod("keeper");
    world.until(LATER, |_| world.eip().place.is_none()).await;
    clock::sleep(SOON).await;
    world.run(&naming(&world, "thief", &eip), "10.0.0.12");
    clock::sleep(Duration::from_mins(10)).await;
    let events = world.events("thief");
    assert!(
        events.contains(&"EIPNotNameable".to_owned()) || events.contains(&"EIPHeld".to_owned()),
        "{events:?}"
    );
    assert!(world.eip().place.is_none());
}

/// No record of this cluster names it: its tag alone says that it is somebody's.
#[tokio::test(start_paused = true)]
async fn an_address_that_another_cluster_keeps_cannot_be_named() {
    let world = World::new();
    let tags = [
        ("Tag.1.Key", "eipd-cluster"),
        ("Tag.1.Value", "another"),
        ("Tag.2.Key", "eipd-record"),
        ("Tag.2.Value", "r-0"),
    ];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let eip = world.cloud.create_eip(&tags.into(), None).unwrap().id;
    let _agent = world.start("agent");
    world.run(&naming(&world, "thief", &eip), "10.0.0.12");
    world
        .until(LATER, |_| {
            world.events("thief").contains(&"EIPNotNameable".to_owned())
        })
        .await;
    clock::sleep(Duration::from_mins(10)).await;
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn from_own_to_named_and_back_takes_another_record_each_time() {
    let world = World::new();
    let eip = own_eip(&world);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let own = world.record("web")["spec"]["allocationID"].clone();
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"][NAME] = eip.as_str().into();
        })
        .unwrap();
    world
        .until(LATER, |view| {
            let record = view.get("podeips", NS, "web").unwrap_or_default();
            is_bound(view, "web") && record["spec"]["allocationID"] == eip
        })
        .await;
    assert_ne!(own, eip);
    assert_eq!(world.eip().id, eip, "the pod's own one is given back");
    world
        .api
        .edit("pods", NS, "web", |pod| {
            if let Some(all) = pod["metadata"]["annotations"].as_object_mut() {
                all.remove(NAME);
            }
        })
        .unwrap();
    world
        .until(LATER, |view| {
            let record = view.get("podeips", NS, "web").unwrap_or_default();
            is_bound(view, "web") && record["spec"]["allocationType"]["type"] == "Auto"
        })
        .await;
    assert_eq!(world.eips().len(), 2);
    assert!(world.cloud.eip(&eip).unwrap().place.is_none());
}
