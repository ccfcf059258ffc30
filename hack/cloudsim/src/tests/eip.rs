//! The life of an EIP.

use serde_json::json;

use crate::clock::sleep;
use crate::eip::Status;
use crate::settings::BusyCode;
use crate::test_world::TestWorld;

#[tokio::test(start_paused = true)]
async fn a_new_eip_is_available_at_once() {
    let world = TestWorld::new();
    let body = world
        .ok(
            "AllocateEipAddress",
            &[("Bandwidth", "10"), ("Name", "a b")],
        )
        .await;
    assert_eq!(body["EipAddress"], "203.0.113.1");
    let eip = world.look(body["AllocationId"].as_str().unwrap()).await;
    assert_eq!(eip["Status"], "Available");
    assert_eq!(eip["Bandwidth"], "10");
    assert_eq!(eip["Name"], "a b");
    assert_eq!(eip["InternetChargeType"], "PayByBandwidth");
    assert_eq!(eip["InstanceId"], "");
}

#[tokio::test(start_paused = true)]
async fn binding_passes_through_associating() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    assert_eq!(world.associate(&eip, &world.ip(1)).await.0, 200);
    assert_eq!(world.status(&eip).await, "Associating");
    sleep(1_999).await;
    assert_eq!(world.status(&eip).await, "Associating");
    sleep(1).await;
    let seen = world.look(&eip).await;
    assert_eq!(seen["Status"], "InUse");
    assert_eq!(seen["InstanceId"], json!(world.eni.id));
    assert_eq!(seen["InstanceType"], "NetworkInterface");
    assert_eq!(seen["PrivateIpAddress"], json!(world.ip(1)));
    assert_eq!(seen["Mode"], "NAT");
}

#[tokio::test(start_paused = true)]
async fn unbinding_passes_through_unassociating() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    assert_eq!(world.unassociate(&eip, &world.ip(1)).await.0, 200);
    let seen = world.look(&eip).await;
    assert_eq!(seen["Status"], "Unassociating");
    assert_eq!(seen["InstanceId"], json!(world.eni.id));
    sleep(2_000).await;
    let seen = world.look(&eip).await;
    assert_eq!(
        (&seen["Status"], &seen["InstanceId"]),
        (&json!("Available"), &json!(""))
    );
}

#[tokio::test(start_paused = true)]
async fn a_released_eip_disappears() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    world
        .ok("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(world.status(&eip).await, "Releasing");
    sleep(1_000).await;
    assert_eq!(world.status(&eip).await, "");
    let again = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(again, (404, "InvalidAllocationId.NotFound".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_bound_eip_cannot_be_released() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(refused, (400, "IncorrectEipStatus".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_history_tells_when_a_binding_began_and_ended() {
    let world = TestWorld::new();
    sleep(500).await;
    let eip = world.bound(2).await;
    let history = world.cloud.eip_history(&eip).unwrap();
    let steps: Vec<_> = history
        .iter()
        .map(|change| (change.ms, change.status))
        .collect();
    assert_eq!(
        steps,
        [
            (500, Status::Available),
            (500, Status::Associating),
            (2_500, Status::InUse)
        ]
    );
    assert_eq!(
        history[2].place.as_ref().unwrap().private_ip,
        Some(world.eni.ips[2].ip)
    );
}

#[tokio::test(start_paused = true)]
async fn one_change_at_a_time() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    world.associate(&eip, &world.ip(1)).await;
    for action in [
        "AssociateEipAddress",
        "UnassociateEipAddress",
        "ReleaseEipAddress",
    ] {
        let refused = world
            .refusal(action, &world.place(&eip, &world.ip(1)))
            .await;
        assert_eq!(refused, (400, "IncorrectEipStatus".to_owned()), "{action}");
    }
    world
        .cloud
        .change_settings(|settings| settings.open.busy_code = BusyCode::TaskConflict);
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(refused, (400, "TaskConflict".to_owned()));
}
