//! The control door.

use serde_json::{Value, json};

use crate::clock::sleep;
use crate::cloud::Cloud;
use crate::seed;
use crate::settings::Settings;
use crate::test_world::TestWorld;

#[tokio::test(start_paused = true)]
async fn control_lists_its_calls() {
    let world = TestWorld::new();
    let help = world.control("GET", "/", Value::Null).await;
    let lines = help["calls"].as_array().unwrap();
    assert!(lines.len() > 40);
    assert!(
        lines
            .iter()
            .all(|line| line.as_str().unwrap().contains(": "))
    );
}

#[tokio::test(start_paused = true)]
async fn control_refuses_with_a_reason() {
    let world = TestWorld::new();
    let cases = [
        ("GET", "/nowhere", json!(null), 404),
        (
            "POST",
            "/vswitches",
            json!({"vpc_id": "vpc-none", "cidr": "10.0.0.0/24"}),
            404,
        ),
        ("POST", "/vpcs", json!({"cidr": "ten"}), 400),
        ("POST", "/vpcs", json!({"color": "red"}), 400),
        (
            "POST",
            "/enis",
            json!({"vswitch_id": "vsw-1", "primary_ip": "10.9.9.9"}),
            400,
        ),
        (
            "POST",
            "/enis",
            json!({"vswitch_id": "vsw-1", "primary_ip": world.ip(0)}),
            409,
        ),
        (
            "POST",
            "/instances",
            json!({"id": "i-1", "vswitch_id": "vsw-1"}),
            409,
        ),
        (
            "PATCH",
            "/settings",
            json!({"settle": {"asociate_ms": 1}}),
            400,
        ),
        ("POST", "/holds/9", json!(null), 404),
        ("DELETE", "/faults/9", json!(null), 404),
        ("GET", "/eips/eip-none", json!(null), 404),
    ];
    for (method, path, body, expected) in cases {
        let (status, answer) = world.try_control(method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn control_changes_a_part_of_the_settings() {
    let world = TestWorld::new();
    let part = json!({"settle": {"associate_ms": 7}, "quotas": {"eips": 3}, "rates": {"X": 5}});
    let settings = world.control("PATCH", "/settings", part).await;
    assert_eq!(settings["settle"]["associate_ms"], 7);
    assert_eq!(settings["settle"]["release_ms"], 1_000);
    assert_eq!(settings["rates"]["X"], 5);
    assert_eq!(settings["rates"]["AllocateEipAddress"], 120);
    let settings = world
        .control("PATCH", "/settings", json!({"rates": {"X": null}}))
        .await;
    assert!(settings["rates"].get("X").is_none());
}

#[tokio::test(start_paused = true)]
async fn control_records_every_call_with_its_times_and_no_secret() {
    let mut settings = Settings::default();
    let latency = json!({"DescribeEipAddresses": {"before_ms": 30, "after_ms": 20}});
    settings.latency = serde_json::from_value(latency).unwrap();
    let world = TestWorld::with(settings);
    sleep(1_000).await;
    world
        .ok("DescribeEipAddresses", &[("Status", "InUse")])
        .await;
    let calls = world
        .control("GET", "/calls?action=DescribeEipAddresses", Value::Null)
        .await;
    let call = &calls[0];
    assert_eq!(call["received_ms"], 1_000);
    assert_eq!(call["worked_ms"], 1_030);
    assert_eq!(call["answered_ms"], 1_050);
    assert_eq!(
        (&call["status"], &call["outcome"]),
        (&json!(200), &json!("answered"))
    );
    assert_eq!(
        call["args"],
        json!({"RegionId": "cn-hangzhou", "Status": "InUse"})
    );
    assert_eq!(
        (&call["product"], &call["door"]),
        (&json!("vpc"), &json!("api"))
    );
    assert_eq!(call["access_key_id"], json!(world.key.0));
    assert!(!calls.to_string().contains(&world.key.1));
    let after = world.control("GET", "/calls?after=1", Value::Null).await;
    assert_eq!(after, json!([]));
}

#[tokio::test(start_paused = true)]
async fn control_counts_calls_by_action() {
    let world = TestWorld::new();
    world.allocate().await;
    world.allocate().await;
    world.page("/latest/meta-data/instance-id").await;
    let counts = world.control("GET", "/counts", Value::Null).await;
    assert_eq!(counts, json!({"AllocateEipAddress": 2, "metadata": 1}));
}

#[tokio::test(start_paused = true)]
async fn control_keeps_only_so_many_calls() {
    let world = TestWorld::with(Settings {
        calls_kept: 2,
        ..Settings::default()
    });
    for _ in 0..3 {
        world.ok("DescribeEipAddresses", &[]).await;
    }
    let calls = world.cloud.calls();
    assert_eq!(
        calls.iter().map(|call| call.sequence).collect::<Vec<_>>(),
        [2, 3]
    );
    assert!(calls.iter().all(|call| call.status == Some(200)));
    assert_eq!(world.cloud.counts()["DescribeEipAddresses"], 3);
}

#[tokio::test(start_paused = true)]
async fn control_empties_the_cloud() {
    let world = TestWorld::new();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 7);
    world.allocate().await;
    world.control("POST", "/reset", Value::Null).await;
    assert_eq!(world.cloud.eips().len(), 0);
    assert_eq!(world.cloud.enis().len(), 0);
    assert_eq!(world.cloud.settings().quotas.eips, 7);
    let (status, _) = world.call("DescribeEipAddresses", &[]).await;
    assert_eq!(status, 404);
}

#[tokio::test(start_paused = true)]
async fn control_changes_instances() {
    let world = TestWorld::new();
    let change = json!({"role": "", "http_tokens_required": true, "tags": {"a": "b"}});
    let changed = world.control("PATCH", "/instances/i-1", change).await;
    assert_eq!(changed["role"], Value::Null);
    assert_eq!(
        world
            .metadata("GET", "/latest/meta-data/instance-id", &[])
            .await
            .0,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn control_tells_the_time() {
    let world = TestWorld::new();
    sleep(1_234).await;
    assert_eq!(
        world.control("GET", "/time", Value::Null).await["ms"],
        1_234
    );
}

#[tokio::test(start_paused = true)]
async fn a_seed_is_planted_in_order() {
    let cloud = Cloud::new(Settings::default());
    let seed = json!([
        {"method": "POST", "path": "/vpcs", "body": {"id": "vpc-1"}},
        {"method": "POST", "path": "/vswitches", "body": {"id": "vsw-1", "vpc_id": "vpc-1", "cidr": "10.0.0.0/24"}},
        {"method": "POST", "path": "/instances", "body": {"id": "i-1", "vswitch_id": "vsw-1"}},
    ]);
    seed::plant(&cloud, &seed.to_string()).await.unwrap();
    assert_eq!(cloud.instances()[0].zone, "cn-hangzhou-a");
    let again = seed::plant(&cloud, &seed.to_string()).await;
    assert!(matches!(again, Err(seed::SeedError::Refused(0, _))));
    assert!(seed::plant(&cloud, "{}").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn two_clouds_share_nothing() {
    let (a, b) = (TestWorld::new(), TestWorld::new());
    a.allocate().await;
    assert_eq!((a.cloud.eips().len(), b.cloud.eips().len()), (1, 0));
}
