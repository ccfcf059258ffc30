//! `ClientToken`.

use crate::clock::sleep;
use crate::settings::Settings;
use crate::test_world::TestWorld;

const TOKEN: [(&str, &str); 1] = [("ClientToken", "t-1")];

#[tokio::test(start_paused = true)]
async fn token_and_arguments_again_give_the_same_eip() {
    let world = TestWorld::new();
    let first = world.ok("AllocateEipAddress", &TOKEN).await;
    let second = world.ok("AllocateEipAddress", &TOKEN).await;
    assert_eq!(first["AllocationId"], second["AllocationId"]);
    assert_ne!(first["RequestId"], second["RequestId"]);
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_with_other_arguments_is_refused() {
    let world = TestWorld::new();
    world.ok("AllocateEipAddress", &TOKEN).await;
    let other = [TOKEN[0], ("Bandwidth", "7")];
    let refused = world.refusal("AllocateEipAddress", &other).await;
    assert_eq!(refused, (400, "IdempotentParameterMismatch".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn token_lives_as_long_as_set() {
    let mut settings = Settings::default();
    settings.open.client_token_ms = 10_000;
    let world = TestWorld::with(settings);
    world.ok("AllocateEipAddress", &TOKEN).await;
    sleep(9_999).await;
    world.ok("AllocateEipAddress", &TOKEN).await;
    assert_eq!(world.cloud.eips().len(), 1);
    sleep(1).await;
    world.ok("AllocateEipAddress", &TOKEN).await;
    assert_eq!(world.cloud.eips().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_can_be_forgotten_early() {
    let world = TestWorld::new();
    world.ok("AllocateEipAddress", &TOKEN).await;
    world
        .control("POST", "/tokens/forget", serde_json::Value::Null)
        .await;
    world.ok("AllocateEipAddress", &TOKEN).await;
    assert_eq!(world.cloud.eips().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_of_another_action_is_another_token() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    world.ok("AllocateEipAddress", &TOKEN).await;
    let mut args = world.place(&eip, "").to_vec();
    args[3] = TOKEN[0];
    world.ok("AssociateEipAddress", &args).await;
}

#[tokio::test(start_paused = true)]
async fn token_makes_a_repeated_bind_no_second_bind() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let ip = world.ip(1);
    let mut args = world.place(&eip, &ip).to_vec();
    args.push(TOKEN[0]);
    world.ok("AssociateEipAddress", &args).await;
    sleep(2_000).await;
    world.ok("AssociateEipAddress", &args).await;
    assert_eq!(world.status(&eip).await, "InUse");
}

#[tokio::test(start_paused = true)]
async fn token_of_a_failed_call_may_be_used_again() {
    let world = TestWorld::new();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 0);
    world.refusal("AllocateEipAddress", &TOKEN).await;
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 1);
    world.ok("AllocateEipAddress", &TOKEN).await;
}

#[tokio::test(start_paused = true)]
async fn token_that_is_too_long_is_refused() {
    let world = TestWorld::new();
    let long = "x".repeat(65);
    let refused = world
        .refusal("AllocateEipAddress", &[("ClientToken", &long)])
        .await;
    assert_eq!(refused, (400, "InvalidParameter".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_every_call_makes_an_eip() {
    let world = TestWorld::new();
    assert_ne!(world.allocate().await, world.allocate().await);
}
