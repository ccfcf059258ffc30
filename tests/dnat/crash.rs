//! Killed at any step, and answers lost: all ports in the end, or none; nothing leaked or stuck.

use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind};
use eipd::clock;
use testbed::apiserver::{Then, When};

use crate::nat::{asking, is_ready, world};
use crate::world::{LATER, NS, SOON, World};

async fn ends_well(world: &World) {
    world.until_ready(LATER, "web").await;
    assert_eq!(world.entries().len(), 2, "{}", world.table());
    world.delete_pod("web");
    world.until_no_ports(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn every_lost_answer_of_the_cloud_ends_well() {
    for action in [
        "CreateForwardEntry",
        "DeleteForwardEntry",
        "DescribeForwardTableEntries",
        "DescribeNatGateways",
        "DescribeRouteTableList",
        "DescribeRouteEntryList",
    ] {
        let busy = Answer {
            status: 500,
            code: "InternalError".to_owned(),
            ..Answer::default()
        };
        for fault in [FaultKind::Lose, FaultKind::Drop, FaultKind::FailAfter(busy)] {
            let (world, _) = world();
            let _agent = world.start("agent");
            world.order(action, fault.clone());
            world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
            ends_well(&world).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_lost_answer_of_the_api_server_ends_well() {
    for resource in ["poddnats", "pods", "paces"] {
        for nth in 0..6 {
            for then in [Then::LoseAnswer, Then::LoseRequest] {
                let (world, _) = world();
                let _agent = world.start("agent");
                let pick = || When::writes().client("agent").resource(resource);
                for _ in 0..nth {
                    world.api.fault(pick(), 1, Then::Delay(Duration::ZERO));
                }
                world.api.fault(pick(), 1, then.clone());
                world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
                ends_well(&world).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_of_a_life_another_agent_goes_on() {
    // A whole life takes about ten seconds here.
    for tenth in (0..110).step_by(5) {
        let (world, _) = world();
        let first = world.start("first");
        world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
        clock::sleep(Duration::from_millis(tenth * 100)).await;
        first.kill().await;
        let _second = world.start("second");
        ends_well(&world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn killed_while_the_pod_goes_nothing_is_left() {
    for tenth in (0..60).step_by(5) {
        let (world, _) = world();
        let first = world.start("first");
        world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
        world.until_ready(SOON, "web").await;
        world.delete_pod("web");
        clock::sleep(Duration::from_millis(tenth * 100)).await;
        first.kill().await;
        let _second = world.start("second");
        world.until_no_ports(LATER, "web").await;
    }
}

/// The call was sent, the agent dies, the pod goes, and the call lands after all.
#[tokio::test(start_paused = true)]
async fn an_entry_that_lands_late_is_found_by_its_name() {
    for deleted in [false, true] {
        let (world, _) = world();
        let first = world.start("first");
        world.order("CreateForwardEntry", FaultKind::HoldBefore);
        world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
        world.until(SOON, |_| !world.cloud.holds().is_empty()).await;
        first.kill().await;
        if deleted {
            world.delete_pod("web");
        }
        let _second = world.start("second");
        clock::sleep(Duration::from_secs(20)).await;
        let hold = world.cloud.holds()[0].id;
        world
            .cloud
            .release_hold(hold, cloudsim::holds::Release::Deliver);
        match deleted {
            true => world.until_no_ports(LATER, "web").await,
            false => ends_well(&world).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn looks_that_lag_make_nothing_twice_and_leak_nothing() {
    let (world, _) = world();
    world
        .cloud
        .change_settings(|settings| settings.open.describe_entry_lag_ms = 8_000);
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,81"), "10.0.0.11");
    world.until_ready(LATER, "web").await;
    world.run(&asking(&world, "short", "80,81"), "10.0.0.12");
    world.until(LATER, |_| world.entries().len() == 3).await;
    world.delete_pod("short");
    world
        .until(LATER, |view| view.get("poddnats", NS, "short").is_none())
        .await;
    assert_eq!(world.entries().len(), 2, "{}", world.table());
    world.delete_pod("web");
    world.until_no_ports(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn every_way_to_say_that_the_table_is_busy_is_understood() {
    use cloudsim::settings::ForwardBusyCode;
    for code in [
        ForwardBusyCode::Entry,
        ForwardBusyCode::Gateway,
        ForwardBusyCode::TaskConflict,
        ForwardBusyCode::Operation,
    ] {
        let (world, _) = world();
        world.cloud.change_settings(|settings| {
            settings.open.forward_busy_code = code;
            settings.open.forward_create_waits_for_deletions = true;
            settings.open.forward_unknown_is_status = true;
        });
        let _agent = world.start("agent");
        for n in 0..4 {
            let name = format!("web-{n}");
            world.run(
                &asking(&world, &name, "80,81"),
                &format!("10.0.0.{}", 11 + n),
            );
        }
        for n in 0..4 {
            world.until_ready(LATER, &format!("web-{n}")).await;
        }
        for n in 0..4 {
            world.delete_pod(&format!("web-{n}"));
        }
        for n in 0..4 {
            world
                .until(LATER, |view| {
                    view.get("poddnats", NS, &format!("web-{n}")).is_none()
                })
                .await;
        }
        assert!(world.entries().is_empty(), "{}", world.table());
        assert!(!is_ready(&world.api, "web-0"));
    }
}
