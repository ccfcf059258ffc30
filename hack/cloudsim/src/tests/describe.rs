//! `DescribeEipAddresses`: filters, pages, and lagging views.

use serde_json::{Value, json};

use crate::clock::sleep;
use crate::settings::Settings;
use crate::test_world::TestWorld;

fn ids(body: &Value) -> Vec<String> {
    let list = body["EipAddresses"]["EipAddress"].as_array().unwrap();
    list.iter()
        .map(|eip| eip["AllocationId"].as_str().unwrap().to_owned())
        .collect()
}

async fn found(world: &TestWorld, args: &[(&str, &str)]) -> Vec<String> {
    ids(&world.ok("DescribeEipAddresses", args).await)
}

#[tokio::test(start_paused = true)]
async fn describe_gives_an_empty_list_for_unknown_ids() {
    let world = TestWorld::new();
    world.allocate().await;
    let body = world
        .ok("DescribeEipAddresses", &[("AllocationId", "eip-none")])
        .await;
    assert_eq!(body["TotalCount"], 0);
    assert_eq!(body["EipAddresses"], json!({"EipAddress": []}));
}

#[tokio::test(start_paused = true)]
async fn describe_takes_comma_lists_of_ids_and_addresses() {
    let world = TestWorld::new();
    let (a, b, c) = (
        world.allocate().await,
        world.allocate().await,
        world.allocate().await,
    );
    let mut two = found(&world, &[("AllocationId", &format!("{a}, {c},{a}"))]).await;
    two.sort();
    let mut expected = vec![a, c];
    expected.sort();
    assert_eq!(two, expected);
    assert_eq!(found(&world, &[("EipAddress", "203.0.113.2")]).await, [b]);
}

#[tokio::test(start_paused = true)]
async fn describe_refuses_more_than_fifty_ids() {
    let world = TestWorld::new();
    let list = vec!["eip-1"; 51].join(",");
    let refused = world
        .refusal("DescribeEipAddresses", &[("AllocationId", &list)])
        .await;
    assert_eq!(refused, (400, "InstanceIdLength.Exceed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn describe_filters_by_place_and_status() {
    let world = TestWorld::new();
    let (bound, free) = (world.bound(1).await, world.allocate().await);
    let place = [
        ("AssociatedInstanceType", "NetworkInterface"),
        ("AssociatedInstanceId", world.eni.id.as_str()),
    ];
    assert_eq!(found(&world, &place).await, std::slice::from_ref(&bound));
    assert_eq!(found(&world, &[("Status", "Available")]).await, [free]);
    assert_eq!(found(&world, &[("Status", "InUse")]).await, [bound]);
    assert_eq!(
        found(&world, &[("Status", "Associating")]).await,
        [] as [String; 0]
    );
}

#[tokio::test(start_paused = true)]
async fn describe_filters_by_attributes() {
    let world = TestWorld::new();
    let args = [
        ("Name", "game one"),
        ("ISP", "BGP_PRO"),
        ("ResourceGroupId", "rg-1"),
    ];
    let body = world.ok("AllocateEipAddress", &args).await;
    let special = [body["AllocationId"].as_str().unwrap().to_owned()];
    world.allocate().await;
    assert_eq!(found(&world, &[("EipName", "game one")]).await, special);
    assert_eq!(found(&world, &[("ISP", "BGP_PRO")]).await, special);
    assert_eq!(found(&world, &[("ResourceGroupId", "rg-1")]).await, special);
    assert_eq!(found(&world, &[("ChargeType", "PrePaid")]).await.len(), 0);
    assert_eq!(
        found(&world, &[("SecurityProtectionEnabled", "False")])
            .await
            .len(),
        2
    );
    assert_eq!(found(&world, &[("ServiceManaged", "true")]).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn describe_filters_by_tags_all_of_them() {
    let world = TestWorld::new();
    let tags = [
        ("Tag.1.Key", "a"),
        ("Tag.1.Value", "1"),
        ("Tag.2.Key", "b"),
        ("Tag.2.Value", "2"),
    ];
    world.ok("AllocateEipAddress", &tags).await;
    world.ok("AllocateEipAddress", &tags[..2]).await;
    assert_eq!(found(&world, &tags).await.len(), 1);
    assert_eq!(found(&world, &tags[..2]).await.len(), 2);
    assert_eq!(found(&world, &[("Tag.1.Key", "b")]).await.len(), 1);
    assert_eq!(
        found(&world, &[("Tag.1.Key", "a"), ("Tag.1.Value", "2")])
            .await
            .len(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn describe_filters_by_creation_time() {
    let start_wall = Some("2026-01-01T00:00:00Z".parse().unwrap());
    let settings = Settings {
        start_wall,
        ..Settings::default()
    };
    let world = TestWorld::with(settings);
    world.allocate().await;
    sleep(120_000).await;
    let late = world.allocate().await;
    let since = [
        ("Filter.1.Key", "CreationStartTime"),
        ("Filter.1.Value", "2026-01-01T00:01Z"),
    ];
    assert_eq!(found(&world, &since).await, [late]);
    let until = [
        ("Filter.1.Key", "CreationEndTime"),
        ("Filter.1.Value", "2026-01-01T00:01Z"),
    ];
    assert_eq!(found(&world, &until).await.len(), 1);
    let bad = [
        ("Filter.1.Key", "Size"),
        ("Filter.1.Value", "2026-01-01T00:01Z"),
    ];
    let refused = world.refusal("DescribeEipAddresses", &bad).await;
    assert_eq!(refused, (404, "InvalidFilterKey.NotFound".to_owned()));
    let bad = [
        ("Filter.1.Key", "CreationEndTime"),
        ("Filter.1.Value", "yesterday"),
    ];
    let refused = world.refusal("DescribeEipAddresses", &bad).await;
    assert_eq!(refused, (404, "InvalidFilterValue".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn describe_refuses_bad_filters_with_the_documented_spelling() {
    let world = TestWorld::new();
    let cases = [
        (
            "AssociatedInstanceType",
            "Toaster",
            400,
            "InvalidIAssociatedInstanceType.ValueNotSupported",
        ),
        ("AssociatedInstanceId", "eni-1", 400, "InstanceType.Invalid"),
        (
            "ChargeType",
            "Gift",
            400,
            "InvalidChargeType.ValueNotSupported",
        ),
        ("LockReason", "bored", 404, "InvalidLockReason.NotFound"),
        ("RegionId", "mars", 404, "Forbidden.RegionNotFound"),
        ("PageSize", "101", 400, "InvalidParameter"),
        ("PageNumber", "0", 400, "InvalidParameter"),
        ("PageSize", "ten", 400, "InvalidParameter"),
        ("DryRun", "true", 400, "DryRunOperation"),
        ("ServiceManaged", "perhaps", 400, "InvalidParameter"),
    ];
    for (name, value, status, code) in cases {
        let refused = world
            .refusal("DescribeEipAddresses", &[(name, value)])
            .await;
        assert_eq!(refused, (status, code.to_owned()), "{name}={value}");
    }
}

#[tokio::test(start_paused = true)]
async fn describe_pages_hold_ten_unless_asked() {
    let world = TestWorld::new();
    let mut all = Vec::new();
    for _ in 0..12 {
        all.push(world.allocate().await);
    }
    let body = world.ok("DescribeEipAddresses", &[]).await;
    assert_eq!(
        (&body["TotalCount"], &body["PageSize"]),
        (&json!(12), &json!(10))
    );
    assert_eq!(ids(&body).len(), 10);
    let mut seen = ids(&body);
    seen.extend(found(&world, &[("PageNumber", "2")]).await);
    seen.sort();
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(found(&world, &[("PageNumber", "3")]).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn describe_shows_a_new_eip_late_if_set() {
    let mut settings = Settings::default();
    settings.open.describe_after_allocate_ms = 5_000;
    let world = TestWorld::with(settings);
    let eip = world.allocate().await;
    assert_eq!(world.status(&eip).await, "");
    sleep(5_000).await;
    assert_eq!(world.status(&eip).await, "Available");
}

#[tokio::test(start_paused = true)]
async fn describe_shows_old_states_if_set() {
    let mut settings = Settings::default();
    settings.open.describe_state_lag_ms = 3_000;
    let world = TestWorld::with(settings);
    let eip = world.allocate().await;
    world.associate(&eip, &world.ip(1)).await;
    sleep(2_500).await;
    let seen = world.look(&eip).await;
    assert_eq!(
        (&seen["Status"], &seen["InstanceId"]),
        (&json!("Available"), &json!(""))
    );
    sleep(2_500).await;
    assert_eq!(world.status(&eip).await, "InUse");
}

#[tokio::test(start_paused = true)]
async fn describe_shows_a_released_eip_a_while_longer_if_set() {
    let mut settings = Settings::default();
    settings.open.describe_state_lag_ms = 3_000;
    let world = TestWorld::with(settings);
    let eip = world.allocate().await;
    sleep(10_000).await;
    world
        .ok("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    sleep(3_500).await;
    assert_eq!(world.status(&eip).await, "Releasing");
    sleep(1_000).await;
    assert_eq!(world.status(&eip).await, "");
}

#[tokio::test(start_paused = true)]
async fn describe_shows_only_the_own_account() {
    let world = TestWorld::new();
    let foreign = world.cloud.create_eip(&[].into(), Some("999")).unwrap();
    assert_eq!(world.status(&foreign.id).await, "");
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &foreign.id)])
        .await;
    assert_eq!(refused, (404, "InvalidAllocationId.NotFound".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn describe_types_are_those_of_the_sdk_models() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let seen = world.look(&eip).await;
    for (name, value) in seen.as_object().unwrap() {
        let right = match name.as_str() {
            "DeletionProtection" | "SecondLimited" => value.is_boolean(),
            "ServiceManaged" | "ServiceID" => value.is_u64(),
            "Tags" => value["Tag"].is_array(),
            "OperationLocks" => value["LockReason"].is_array(),
            "SecurityProtectionTypes" => value["SecurityProtectionType"].is_array(),
            _ => value.is_string(),
        };
        assert!(right, "{name}: {value}");
    }
    assert_eq!(
        seen["AllocationTime"].as_str().unwrap().len(),
        "2026-11-23T01:02:03Z".len()
    );
    assert!(seen.get("BindTime").is_none());
}
