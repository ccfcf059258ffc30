//! What somebody does at the console, behind the agent's back.

use serde_json::json;

use crate::clock::sleep;
use crate::test_world::TestWorld;

#[tokio::test(start_paused = true)]
async fn console_moves_an_eip_elsewhere_at_once() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let order = json!({"do": "bind", "eni": world.eni.id, "private_ip": world.ip(3)});
    world.control("POST", &format!("/eips/{eip}"), order).await;
    assert_eq!(
        world.look(&eip).await["PrivateIpAddress"],
        json!(world.ip(3))
    );
    let other = world.allocate().await;
    assert_eq!(world.associate(&other, &world.ip(1)).await.0, 200);
    let taken = json!({"do": "bind", "eni": world.eni.id, "private_ip": world.ip(1)});
    let (status, _) = world
        .try_control("POST", &format!("/eips/{eip}"), taken)
        .await;
    assert_eq!(status, 409);
}

#[tokio::test(start_paused = true)]
async fn console_unbinds_at_once_or_slowly() {
    let world = TestWorld::new();
    let (a, b) = (world.bound(1).await, world.bound(2).await);
    world
        .control("POST", &format!("/eips/{a}"), json!({"do": "unbind"}))
        .await;
    assert_eq!(world.status(&a).await, "Available");
    let slow = json!({"do": "unbind", "settle_ms": 500});
    world.control("POST", &format!("/eips/{b}"), slow).await;
    assert_eq!(world.status(&b).await, "Unassociating");
    sleep(500).await;
    assert_eq!(world.status(&b).await, "Available");
}

#[tokio::test(start_paused = true)]
async fn console_releases_a_bound_eip() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    world
        .control("POST", &format!("/eips/{eip}"), json!({"do": "release"}))
        .await;
    assert_eq!(world.status(&eip).await, "");
    let gone = world
        .control("GET", &format!("/eips/{eip}"), json!(null))
        .await;
    assert_eq!(gone["status"], "Gone");
    assert_eq!(world.cloud.eips().len(), 0);
    assert_eq!(world.cloud.eips_even_gone().len(), 1);
    let other = world.allocate().await;
    assert_eq!(world.associate(&other, &world.ip(1)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn console_creates_an_eip_without_quota_of_calls() {
    let world = TestWorld::new();
    let args = json!({"args": {"Name": "by hand", "Bandwidth": "3"}});
    let made = world.control("POST", "/eips", args).await;
    let seen = world.look(made["id"].as_str().unwrap()).await;
    assert_eq!(seen["Name"], "by hand");
    assert_eq!(world.cloud.counts().get("AllocateEipAddress"), None);
}

#[tokio::test(start_paused = true)]
async fn console_creates_an_eip_of_a_given_id() {
    let world = TestWorld::new();
    let made = world
        .control("POST", "/eips", json!({"id": "eip-mine"}))
        .await;
    assert_eq!(made["id"], "eip-mine");
    let eip = world.look("eip-mine").await;
    assert_eq!(eip["AllocationId"], "eip-mine");
    assert_eq!(world.associate("eip-mine", &world.ip(1)).await.0, 200);
    assert_eq!(world.cloud.eips().len(), 1);
    assert!(
        world
            .cloud
            .create_eip_as("eip-mine", &[].into(), None)
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn console_retags_and_protects() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let path = format!("/eips/{eip}");
    world
        .control(
            "POST",
            &path,
            json!({"do": "tag", "tags": {"a": "1", "b": "2"}}),
        )
        .await;
    world
        .control("POST", &path, json!({"do": "untag", "keys": ["a"]}))
        .await;
    let tags = world.look(&eip).await["Tags"]["Tag"].clone();
    assert_eq!(tags, json!([{"Key": "b", "Value": "2"}]));
    world
        .control("POST", &path, json!({"do": "protect", "on": true}))
        .await;
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(
        refused,
        (400, "InvalidOperation.DeletionProtection".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn console_deletes_an_eni_and_its_eips_become_free() {
    let world = TestWorld::new();
    let (bound, on_the_way) = (world.bound(1).await, world.allocate().await);
    world.associate(&on_the_way, &world.ip(2)).await;
    world
        .control("DELETE", &format!("/enis/{}", world.eni.id), json!(null))
        .await;
    assert_eq!(world.status(&bound).await, "Unassociating");
    sleep(2_000).await;
    assert_eq!(world.status(&bound).await, "Available");
    assert_eq!(world.status(&on_the_way).await, "Available");
}

#[tokio::test(start_paused = true)]
async fn console_takes_a_private_ip_away_and_its_eip_becomes_free_as_set() {
    let world = TestWorld::new();
    let (a, b) = (world.bound(1).await, world.bound(2).await);
    let path = format!("/enis/{}/ips", world.eni.id);
    world.control("DELETE", &path, json!([world.ip(1)])).await;
    assert_eq!(world.status(&a).await, "Unassociating");
    world
        .cloud
        .change_settings(|settings| settings.open.unassign_ip_unbinds = false);
    world.control("DELETE", &path, json!([world.ip(2)])).await;
    assert_eq!(world.status(&b).await, "InUse");
    let (status, _) = world
        .try_control("DELETE", &path, json!([world.ip(2)]))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test(start_paused = true)]
async fn console_deletes_a_node_and_its_secondary_enis_stay() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    world.control("DELETE", "/instances/i-1", json!(null)).await;
    assert_eq!(world.cloud.eni(&world.eni.id).unwrap().status, "Available");
    assert_eq!(world.cloud.enis().len(), 1);
    assert_eq!(world.status(&eip).await, "InUse");
}
