//! Killed at any step: one EIP in the end, or none; nothing bound, leaked or stuck.

use std::time::Duration;

use cloudsim::faults::FaultKind;
use eipd::clock;

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

#[tokio::test(start_paused = true)]
async fn killed_after_allocate_and_before_the_id_is_written() {
    let world = World::new();
    let agent = world.start("first");
    world.order("AllocateEipAddress", FaultKind::Hold);
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AllocateEipAddress") == 1)
        .await;
    agent.kill().await;
    let _second = world.start("second");
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_allocate_with_the_pod_deleted_meanwhile() {
    let world = World::new();
    let agent = world.start("first");
    world.order("AllocateEipAddress", FaultKind::Hold);
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AllocateEipAddress") == 1)
        .await;
    agent.kill().await;
    world.delete_pod("web");
    let _second = world.start("second");
    world.until_clean(LATER, "web").await;
}

/// An EIP that the look by tag can't show yet must not be forgotten with its record.
#[tokio::test(start_paused = true)]
async fn killed_after_allocate_where_tags_show_late() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.open.tag_lag_ms = 30_000);
    let agent = world.start("first");
    world.order("AllocateEipAddress", FaultKind::Hold);
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AllocateEipAddress") == 1)
        .await;
    agent.kill().await;
    world.delete_pod("web");
    let _second = world.start("second");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_associate_with_the_pod_deleted_meanwhile() {
    let world = World::new();
    let agent = world.start("first");
    world.order("AssociateEipAddress", FaultKind::Hold);
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AssociateEipAddress") == 1)
        .await;
    agent.kill().await;
    world.delete_pod("web");
    clock::sleep(Duration::from_secs(3)).await;
    assert!(
        is_in_use_at(&world.eip(), "10.0.0.11"),
        "the case: bound, and nobody there"
    );
    let _second = world.start("second");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_associate_the_binding_is_adopted() {
    let world = World::new();
    let agent = world.start("first");
    world.order("AssociateEipAddress", FaultKind::Hold);
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AssociateEipAddress") == 1)
        .await;
    agent.kill().await;
    let _second = world.start("second");
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert_eq!(world.count("AssociateEipAddress"), 1);
    assert_eq!(world.count("AllocateEipAddress"), 1);
}

#[tokio::test(start_paused = true)]
async fn killed_after_unassociate_and_after_release() {
    for action in ["UnassociateEipAddress", "ReleaseEipAddress"] {
        let world = World::new();
        let agent = world.start("first");
        world.run_pod("web", "10.0.0.11");
        world.until_bound("web").await;
        world.order(action, FaultKind::Hold);
        world.delete_pod("web");
        world.until(LATER, |_| world.count(action) == 1).await;
        agent.kill().await;
        let _second = world.start("second");
        world.until_clean(LATER, "web").await;
    }
}

/// Killed at every point of time in a pod's life, and started again: the sum is always the same.
#[tokio::test(start_paused = true)]
async fn killed_at_any_moment() {
    for moment in (0..140).map(|n| Duration::from_millis(n * 50)) {
        let world = World::new();
        world.cloud.change_settings(|settings| {
            for action in [
                "AllocateEipAddress",
                "AssociateEipAddress",
                "UnassociateEipAddress",
                "ReleaseEipAddress",
            ] {
                settings
                    .latency
                    .entry(action.to_owned())
                    .or_default()
                    .after_ms = 120;
            }
        });
        world.api.set_latency(Duration::from_millis(30));
        let agent = world.start("first");
        world.run_pod("web", "10.0.0.11");
        let deletion = async {
            clock::sleep(Duration::from_millis(3_500)).await;
            world.delete_pod("web");
        };
        let killing = async {
            clock::sleep(moment).await;
            agent.kill().await;
            world.start("second")
        };
        let ((), _second) = tokio::join!(deletion, killing);
        world.until_clean(LATER, "web").await;
        assert!(world.count("AllocateEipAddress") <= 2, "{moment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_agent_of_the_node_says_so_and_leaves() {
    let world = World::new();
    let first = world.start("first");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let error = world
        .start("second")
        .task
        .await
        .unwrap()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("another eipd agent") && error.contains(&world.node),
        "{error}"
    );
    first.kill().await;
    let third = world.start("third");
    clock::sleep(Duration::from_secs(5)).await;
    assert!(!third.task.is_finished(), "the lock dies with its holder");
}

#[tokio::test(start_paused = true)]
async fn sigterm_lets_the_step_in_flight_end_and_leaves_the_binding() {
    let world = World::new();
    let agent = world.start("first");
    world.cloud.change_settings(|settings| {
        settings
            .latency
            .entry("AllocateEipAddress".to_owned())
            .or_default()
            .after_ms = 3_000;
    });
    world.run_pod("web", "10.0.0.11");
    world
        .until(SOON, |_| world.count("AllocateEipAddress") == 1)
        .await;
    agent.stop.request();
    agent.task.await.unwrap().unwrap();
    let _second = world.start("second");
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert_eq!(world.eips().len(), 1);
    let record = world.api.get("podeips", NS, "web").unwrap();
    assert_eq!(record["spec"]["allocationID"], world.eip().id);
}
