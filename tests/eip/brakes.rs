//! What an agent does not do at once although it could: EIPs for pods without a network, and many deletions at once.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::WorkloadKind;

use crate::world::{LATER, NS, SOON, World, is_bound};

fn has_eip(world: &World, name: &str) -> bool {
    let id = world.record(name)["spec"]["allocationID"].clone();
    id.as_str().is_some_and(|id| !id.is_empty())
}

/// Created and taken by its kubelet, without an address.
fn waiting(world: &World, name: &str) {
    world.api.create_pod(&world.asking(name)).unwrap();
    world.api.take_pod(NS, name).unwrap();
}

#[tokio::test(start_paused = true)]
async fn three_eips_that_wait_for_addresses_make_a_fourth_pod_wait_for_its_own() {
    let world = World::new();
    let _agent = world.start("agent");
    for n in 0..3 {
        waiting(&world, &format!("stuck-{n}"));
    }
    clock::sleep(Duration::from_secs(15)).await;
    waiting(&world, "fourth");
    world.run_pod("fifth", "10.0.0.15");
    world.until_bound("fifth").await;
    clock::sleep(SOON).await;
    assert!(!has_eip(&world, "fourth"));
    assert!(
        world
            .events("fourth")
            .contains(&"WaitingForAddress".to_owned())
    );
    world.api.set_pod_ip(NS, "fourth", "10.0.0.14").unwrap();
    world.until_bound("fourth").await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_without_an_address_for_five_minutes_gives_its_eip_back_and_gets_one_with_its_address()
 {
    let world = World::new();
    let _agent = world.start("agent");
    waiting(&world, "web");
    world.until(SOON, |_| has_eip(&world, "web")).await;
    clock::sleep(Duration::from_mins(4)).await;
    assert!(has_eip(&world, "web"));
    world.until_clean(Duration::from_mins(3), "web").await;
    clock::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.count("AllocateEipAddress"), 1);
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    world.until_bound("web").await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_whose_pods_get_no_address_is_slowed_down() {
    let world = World::new();
    let _agent = world.start("agent");
    let owner = world.workload(WorkloadKind::ReplicaSet, "burner");
    for n in 0..40 {
        let name = format!("burner-{n}");
        world
            .api
            .create_pod(&world.asking(&name).owned_by(&owner))
            .unwrap();
        world.api.take_pod(NS, &name).unwrap();
        clock::sleep(Duration::from_secs(5)).await;
        world
            .api
            .refuse_pod(NS, &name, "UnexpectedAdmissionError")
            .unwrap();
        world.api.remove_pod(NS, &name).unwrap();
    }
    // 40 pods in 200 s: five at once, then one a minute.
    let burnt = world.count("AllocateEipAddress");
    assert!((5..=10).contains(&burnt), "{burnt}");
    clock::sleep(LATER).await;
    assert!(world.eips().is_empty(), "{}", world.cloud_picture());
}

/// As many pods, bound.
async fn eight(world: &World) -> Vec<String> {
    let names: Vec<String> = (0..8).map(|n| format!("web-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        world.run_pod(name, &format!("10.0.0.{}", 11 + n));
    }
    world
        .until(LATER, |view| names.iter().all(|name| is_bound(view, name)))
        .await;
    names
}

#[tokio::test(start_paused = true)]
async fn all_records_deleted_at_once_give_nothing_back_for_ten_minutes() {
    let world = World::new();
    let _agent = world.start("agent");
    let names = eight(&world).await;
    for name in &names {
        world.api.delete("podeips", NS, name).unwrap();
    }
    clock::sleep(Duration::from_mins(9)).await;
    assert_eq!(world.count("UnassociateEipAddress"), 0);
    assert_eq!(world.eips().len(), 8);
    assert!(
        world
            .events("web-0")
            .contains(&"ManyRecordsDeleted".to_owned()),
        "{:?}",
        world.events("web-0")
    );
    // It was meant: then so be it, and each living pod gets another one.
    world
        .until(Duration::from_mins(20), |view| {
            world.count("ReleaseEipAddress") == 8 && names.iter().all(|name| is_bound(view, name))
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_record_deleted_among_many_is_given_back_soon() {
    let world = World::new();
    let _agent = world.start("agent");
    eight(&world).await;
    world.api.delete("podeips", NS, "web-3").unwrap();
    world
        .until(Duration::from_mins(1), |_| {
            world.count("ReleaseEipAddress") == 1
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn annotations_taken_from_many_pods_at_once_are_no_storm() {
    let world = World::new();
    let _agent = world.start("agent");
    let names = eight(&world).await;
    for name in &names {
        world
            .api
            .edit("pods", NS, name, |pod| {
                pod["metadata"]["annotations"]["k8s.aliyun.com/pod-with-eip"] = "false".into();
            })
            .unwrap();
    }
    world
        .until(Duration::from_mins(1), |_| {
            world.count("ReleaseEipAddress") == 8
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_is_not_held_up() {
    let world = World::new();
    let _agent = world.start("agent");
    let names = eight(&world).await;
    for name in &names {
        world.api.delete("podeips", NS, name).unwrap();
        world.api.terminate_pod(NS, name).unwrap();
    }
    clock::sleep(SOON).await;
    for name in &names {
        world.api.stop_containers(NS, name).unwrap();
        world.api.remove_pod(NS, name).unwrap();
    }
    world
        .until(Duration::from_mins(2), |view| {
            names
                .iter()
                .all(|name| view.get("podeips", NS, name).is_none())
        })
        .await;
    clock::sleep(SOON).await;
    assert!(world.eips().is_empty());
}
