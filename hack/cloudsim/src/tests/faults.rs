//! Faults, latencies and holds at the API door.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::sleep;
use crate::cloud::Lost;
use crate::test_world::TestWorld;

async fn order(world: &TestWorld, action: &str, fault: Value) {
    world
        .control("POST", "/faults", json!({"action": action, "fault": fault}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn fault_refuse_comes_before_the_work() {
    let world = TestWorld::new();
    let fault = json!({"kind": "refuse", "status": 503, "code": "ServiceUnavailable", "headers": {"x-acs-retry-after": "700"}});
    order(&world, "AllocateEipAddress", fault).await;
    let response = world
        .cloud
        .api(world.signed("AllocateEipAddress", &[]))
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["x-acs-retry-after"], "700");
    assert_eq!(world.cloud.eips().len(), 0);
    assert_eq!(
        world.cloud.calls()[0].code.as_deref(),
        Some("ServiceUnavailable")
    );
    world.allocate().await;
}

#[tokio::test(start_paused = true)]
async fn fault_fail_after_comes_after_the_work() {
    let world = TestWorld::new();
    let fault = json!({"kind": "fail_after", "status": 500, "code": "InternalError"});
    order(&world, "AllocateEipAddress", fault).await;
    let refused = world.refusal("AllocateEipAddress", &[]).await;
    assert_eq!(refused, (500, "InternalError".to_owned()));
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_raw_body_is_not_json() {
    let world = TestWorld::new();
    let fault = json!({"kind": "refuse", "status": 502, "raw_body": "<html>bad gateway</html>"});
    order(&world, "*", fault).await;
    let (status, body) = world.call("DescribeEipAddresses", &[]).await;
    assert_eq!((status, body), (502, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn fault_drop_does_nothing_and_lose_does_it() {
    let world = TestWorld::new();
    order(&world, "AllocateEipAddress", json!({"kind": "drop"})).await;
    assert_eq!(world.try_call("AllocateEipAddress", &[]).await, Err(Lost));
    assert_eq!(world.cloud.eips().len(), 0);
    order(&world, "AllocateEipAddress", json!({"kind": "lose"})).await;
    assert_eq!(world.try_call("AllocateEipAddress", &[]).await, Err(Lost));
    assert_eq!(world.cloud.eips().len(), 1);
    let outcomes: Vec<_> = world
        .cloud
        .calls()
        .iter()
        .map(|call| call.outcome)
        .collect();
    assert_eq!(outcomes, ["dropped", "lost"]);
    assert_eq!(world.cloud.calls()[1].answered_ms, None);
}

#[tokio::test(start_paused = true)]
async fn fault_slow_waits_before_the_work() {
    let world = TestWorld::new();
    order(
        &world,
        "AllocateEipAddress",
        json!({"kind": "slow", "ms": 9_000}),
    )
    .await;
    world.allocate().await;
    assert_eq!(world.cloud.clock().now(), 9_000);
    assert_eq!(world.cloud.eips()[0].allocated_ms, 9_000);
}

#[tokio::test(start_paused = true)]
async fn fault_settle_makes_one_binding_slow() {
    let world = TestWorld::new();
    let (a, b) = (world.allocate().await, world.allocate().await);
    order(
        &world,
        "AssociateEipAddress",
        json!({"kind": "settle", "ms": 60_000}),
    )
    .await;
    world.associate(&a, &world.ip(1)).await;
    world.associate(&b, &world.ip(2)).await;
    sleep(2_000).await;
    assert_eq!(world.status(&a).await, "Associating");
    assert_eq!(world.status(&b).await, "InUse");
    sleep(58_000).await;
    assert_eq!(world.status(&a).await, "InUse");
}

#[tokio::test(start_paused = true)]
async fn hold_does_the_work_and_keeps_the_answer() {
    let world = TestWorld::new();
    order(&world, "AllocateEipAddress", json!({"kind": "hold"})).await;
    let cloud = world.cloud.clone();
    let waiting = tokio::spawn(cloud_call(cloud, world.signed("AllocateEipAddress", &[])));
    sleep(5_000).await;
    assert_eq!(world.cloud.eips().len(), 1);
    let holds = world.control("GET", "/holds", Value::Null).await;
    assert_eq!(
        (&holds[0]["worked"], &holds[0]["action"]),
        (&json!(true), &json!("AllocateEipAddress"))
    );
    assert!(!waiting.is_finished());
    world.control("POST", "/holds/1", Value::Null).await;
    assert_eq!(waiting.await.unwrap(), Ok(200));
    assert_eq!(world.cloud.holds().len(), 0);
}

async fn cloud_call(
    cloud: crate::Cloud,
    request: http::Request<bytes::Bytes>,
) -> Result<u16, Lost> {
    Ok(cloud.api(request).await?.status().as_u16())
}

#[tokio::test(start_paused = true)]
async fn hold_can_end_as_a_lost_answer() {
    let world = TestWorld::new();
    order(&world, "AllocateEipAddress", json!({"kind": "hold"})).await;
    let cloud = world.cloud.clone();
    let waiting = tokio::spawn(cloud_call(cloud, world.signed("AllocateEipAddress", &[])));
    sleep(1).await;
    world
        .control("POST", "/holds/1", json!({"release": "lose"}))
        .await;
    assert_eq!(waiting.await.unwrap(), Err(Lost));
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn hold_before_lets_a_call_land_late() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    order(
        &world,
        "UnassociateEipAddress",
        json!({"kind": "hold_before"}),
    )
    .await;
    let request = world.signed("UnassociateEipAddress", &[("AllocationId", &eip)]);
    let waiting = tokio::spawn(cloud_call(world.cloud.clone(), request));
    sleep(30_000).await;
    assert_eq!(world.status(&eip).await, "InUse");
    world.control("POST", "/holds/1", Value::Null).await;
    assert_eq!(waiting.await.unwrap(), Ok(200));
    assert_eq!(world.status(&eip).await, "Unassociating");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_worked_though_the_caller_has_left() {
    let world = TestWorld::new();
    order(
        &world,
        "AllocateEipAddress",
        json!({"kind": "slow", "ms": 5_000}),
    )
    .await;
    let call = world.try_call("AllocateEipAddress", &[]);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err()
    );
    assert_eq!(world.cloud.eips().len(), 0);
    sleep(5_000).await;
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_can_choose_by_argument_and_count() {
    let world = TestWorld::new();
    let (a, b) = (world.allocate().await, world.allocate().await);
    let fault = json!({
        "action": "ReleaseEipAddress", "args": {"AllocationId": b}, "count": null,
        "fault": {"kind": "refuse", "code": "TaskConflict"},
    });
    let id = world.control("POST", "/faults", fault).await["id"].clone();
    for _ in 0..3 {
        let refused = world
            .refusal("ReleaseEipAddress", &[("AllocationId", &b)])
            .await;
        assert_eq!(refused, (400, "TaskConflict".to_owned()));
    }
    world.ok("ReleaseEipAddress", &[("AllocationId", &a)]).await;
    assert_eq!(
        world.control("GET", "/faults", Value::Null).await[0]["hits"],
        3
    );
    world
        .control("DELETE", &format!("/faults/{id}"), Value::Null)
        .await;
    world.ok("ReleaseEipAddress", &[("AllocationId", &b)]).await;
}

#[tokio::test(start_paused = true)]
async fn fault_reset_loses_what_is_held() {
    let world = TestWorld::new();
    order(&world, "AllocateEipAddress", json!({"kind": "hold"})).await;
    let request = world.signed("AllocateEipAddress", &[]);
    let waiting = tokio::spawn(cloud_call(world.cloud.clone(), request));
    sleep(1).await;
    world.control("POST", "/reset", Value::Null).await;
    assert_eq!(waiting.await.unwrap(), Err(Lost));
}
