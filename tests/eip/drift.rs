//! What somebody changes in the cloud's console: repaired where it is ours to repair, said where not, never fought over.

use std::time::Duration;

use eipd::clock;
use serde_json::{Value, json};

use crate::world::{LATER, NS, World, is_bound, is_in_use_at};

/// The next look at what stands has come by then: looks come at random, ten minutes apart in the mean, so that
/// one hour without any is one run in 400, and twelve are none in 10^31.
const AUDITED: Duration = Duration::from_hours(12);

fn console(world: &World, eip: &str, action: Value) {
    let action = serde_json::from_value(action).unwrap();
    world.cloud.change_eip(eip, &action).unwrap();
}

async fn bound() -> (World, String, crate::world::Agent) {
    let world = World::new();
    let agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let eip = world.eip().id;
    (world, eip, agent)
}

#[tokio::test(start_paused = true)]
async fn an_eip_unbound_by_hand_is_bound_again() {
    let (world, eip, _agent) = bound().await;
    console(&world, &eip, json!({"do": "unbind"}));
    world
        .until(AUDITED, |view| {
            is_bound(view, "web") && world.eip().place.is_some()
        })
        .await;
    assert_eq!(world.eip().id, eip);
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
}

#[tokio::test(start_paused = true)]
async fn an_eip_moved_by_hand_is_said_and_not_fought_over() {
    let (world, eip, _agent) = bound().await;
    console(&world, &eip, json!({"do": "unbind"}));
    console(
        &world,
        &eip,
        json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.40"}),
    );
    let told = |world: &World| world.events("web").contains(&"EIPElsewhere".to_owned());
    world.until(AUDITED, |_| told(&world)).await;
    assert!(
        world.record("web")["status"]["eipAddress"].is_null(),
        "its status must not lie"
    );
    let pod = world.api.get("pods", NS, "web").unwrap();
    assert!(pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"].is_null());
    clock::sleep(Duration::from_hours(5)).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.40"));
    assert_eq!(world.count("UnassociateEipAddress"), 0);
    console(&world, &eip, json!({"do": "unbind"}));
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
}

#[tokio::test(start_paused = true)]
async fn an_eip_released_by_hand_is_replaced() {
    let (world, eip, _agent) = bound().await;
    console(&world, &eip, json!({"do": "release"}));
    world
        .until(AUDITED, |view| {
            is_bound(view, "web")
                && view
                    .get("podeips", NS, "web")
                    .is_some_and(|record| record["spec"]["allocationID"] != eip)
        })
        .await;
    assert!(world.events("web").contains(&"EIPLost".to_owned()));
    assert_eq!(world.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_misses_an_eip_once_changes_nothing() {
    let (world, eip, _agent) = bound().await;
    let changes = world.changes();
    for _ in 0..5 {
        let fault = world.cloud.add_fault(cloudsim::faults::NewFault {
            action: "DescribeEipAddresses".to_owned(),
            args: std::collections::BTreeMap::new(),
            count: Some(1),
            skip: 0,
            fault: cloudsim::faults::FaultKind::Refuse(cloudsim::faults::Answer {
                status: 500,
                code: "InternalError".to_owned(),
                ..cloudsim::faults::Answer::default()
            }),
        });
        clock::sleep(Duration::from_mins(30)).await;
        world.cloud.remove_fault(fault);
    }
    assert_eq!(world.changes(), changes);
    assert!(is_bound(&world.api, "web"));
    assert_eq!(world.eip().id, eip);
}
