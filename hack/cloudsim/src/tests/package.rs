//! Shared bandwidth packages.

use serde_json::json;

use crate::clock::sleep;
use crate::settings::{PackageBusyCode, Settings};
use crate::test_world::TestWorld;
use crate::world::BandwidthPackage;

fn add_package(world: &TestWorld, id: &str, isp: &str) {
    let package = BandwidthPackage {
        id: id.to_owned(),
        bandwidth: 1_000,
        isp: isp.to_owned(),
        ..BandwidthPackage::default()
    };
    world.cloud.add_package(package).unwrap();
}

fn args<'a>(package: &'a str, eip: &'a str) -> [(&'a str, &'a str); 2] {
    [("BandwidthPackageId", package), ("IpInstanceId", eip)]
}

const ADD: &str = "AddCommonBandwidthPackageIp";
const REMOVE: &str = "RemoveCommonBandwidthPackageIp";

#[tokio::test(start_paused = true)]
async fn package_gives_its_bandwidth_and_takes_it_back() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    let seen = world.look(&eip).await;
    assert_eq!(seen["BandwidthPackageId"], "cbwp-1");
    assert_eq!(seen["BandwidthPackageType"], "CommonBandwidthPackage");
    assert_eq!(
        (&seen["Bandwidth"], &seen["EipBandwidth"]),
        (&json!("1000"), &json!("5"))
    );
    sleep(1_000).await;
    world.ok(REMOVE, &args("cbwp-1", &eip)).await;
    let seen = world.look(&eip).await;
    assert_eq!(
        (&seen["BandwidthPackageId"], &seen["Bandwidth"]),
        (&json!(""), &json!("5"))
    );
}

#[tokio::test(start_paused = true)]
async fn package_codes_for_being_in_or_out_already() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    let out = world.refusal(REMOVE, &args("cbwp-1", &eip)).await;
    assert_eq!(out, (400, "OperationUnsupported.IpNotInCbwp".to_owned()));
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    let inside = world.refusal(ADD, &args("cbwp-1", &eip)).await;
    assert_eq!(
        inside,
        (400, "IpInstanceId.AlreadyInBandwidthPackage".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn package_takes_one_change_at_a_time_as_set() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let (a, b) = (world.allocate().await, world.allocate().await);
    world.ok(ADD, &args("cbwp-1", &a)).await;
    let busy = world.refusal(ADD, &args("cbwp-1", &b)).await;
    assert_eq!(busy.1, "BandwidthPackageOperation.conflict");
    world
        .cloud
        .change_settings(|settings| settings.open.one_task_per_package = false);
    world.ok(ADD, &args("cbwp-1", &b)).await;
}

#[tokio::test(start_paused = true)]
async fn package_refuses_what_does_not_fit() {
    let mut settings = Settings::default();
    settings.quotas.eips_per_package = 0;
    let world = TestWorld::with(settings);
    add_package(&world, "cbwp-1", "BGP");
    add_package(&world, "cbwp-pro", "BGP_PRO");
    let eip = world.allocate().await;
    let prepaid = [("InstanceChargeType", "PrePaid")];
    let prepaid = world.ok("AllocateEipAddress", &prepaid).await["AllocationId"].clone();
    let prepaid = prepaid.as_str().unwrap();
    let cases = [
        (
            args("cbwp-none", &eip),
            404,
            "InvalidBandwidthPackageId.NotFound",
        ),
        (
            args("cbwp-1", "eip-none"),
            404,
            "InvalidIpInstanceId.NotFound",
        ),
        (
            args("cbwp-pro", &eip),
            404,
            "BandwidthPackageId.InvalidBandwidth",
        ),
        (
            args("cbwp-1", prepaid),
            400,
            "IpInstanceId.ChargeType.NotSupport",
        ),
        (args("cbwp-1", &eip), 400, "IpInstanceId.QuotaExceeded"),
    ];
    for (args, status, code) in cases {
        assert_eq!(world.refusal(ADD, &args).await, (status, code.to_owned()));
    }
    let mut kind = args("cbwp-1", &eip).to_vec();
    kind.push(("IpType", "IPv6"));
    assert_eq!(
        world.refusal(ADD, &kind).await.1,
        "OperationUnsupported.IpType"
    );
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips_per_package = 9);
    kind[2] = ("DryRun", "true");
    assert_eq!(world.refusal(ADD, &kind).await.1, "DryRunOperation");
    world.associate(&eip, &world.ip(1)).await;
    assert_eq!(
        world.refusal(ADD, &args("cbwp-1", &eip)).await.1,
        "IncorrectStatus.Eip"
    );
}

#[tokio::test(start_paused = true)]
async fn package_member_can_be_released_as_set() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    world
        .cloud
        .change_settings(|settings| settings.open.release_from_package = false);
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(refused.1, "IncorrectEipStatus");
    world
        .cloud
        .change_settings(|settings| settings.open.release_from_package = true);
    world
        .ok("ReleaseEipAddress", &[("AllocationId", &eip)])
        .await;
}

#[tokio::test(start_paused = true)]
async fn package_refuses_with_the_code_that_is_set() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let (a, b) = (world.allocate().await, world.allocate().await);
    world.ok(ADD, &args("cbwp-1", &a)).await;
    let codes = [
        (PackageBusyCode::Lock, "OperationFailed.DistibuteLock"),
        (PackageBusyCode::TaskConflict, "TaskConflict"),
        (PackageBusyCode::TooFrequently, "EipOperation.TooFrequently"),
    ];
    for (set, code) in codes {
        world
            .cloud
            .change_settings(|settings| settings.open.package_busy_code = set);
        for (action, eip) in [(ADD, &b), (REMOVE, &a)] {
            let refused = world.refusal(action, &args("cbwp-1", eip)).await;
            assert_eq!(refused, (400, code.to_owned()), "{action}");
        }
    }
    let by_name = json!({"open": {"package_busy_code": "OperationFailed.DistibuteLock"}});
    world.control("PATCH", "/settings", by_name).await;
    assert_eq!(
        world.refusal(ADD, &args("cbwp-1", &b)).await.1,
        "OperationFailed.DistibuteLock"
    );
    sleep(1_000).await;
    world.ok(ADD, &args("cbwp-1", &b)).await;
}

#[tokio::test(start_paused = true)]
async fn package_keeps_a_locked_eip() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    sleep(1_000).await;
    let path = format!("/eips/{eip}");
    for (reason, code) in [
        ("financial", "Forbidden.FinancialLocked"),
        ("security", "InvalidEIPStatus.BizDisabled"),
    ] {
        let lock = json!({"do": "lock", "reason": reason});
        world.control("POST", &path, lock).await;
        let refused = world.refusal(REMOVE, &args("cbwp-1", &eip)).await;
        assert_eq!(refused, (400, code.to_owned()));
        world.control("POST", &path, json!({"do": "unlock"})).await;
    }
    world.ok(REMOVE, &args("cbwp-1", &eip)).await;
}

async fn package_of(world: &TestWorld, eip: &str) -> String {
    let seen = world.look(eip).await;
    seen["BandwidthPackageId"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn package_members_show_late_where_describe_lags() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    world
        .cloud
        .change_settings(|settings| settings.open.describe_state_lag_ms = 3_000);
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    sleep(2_999).await;
    assert_eq!(package_of(&world, &eip).await, "");
    sleep(1).await;
    assert_eq!(package_of(&world, &eip).await, "cbwp-1");
    world.ok(REMOVE, &args("cbwp-1", &eip)).await;
    sleep(2_999).await;
    assert_eq!(package_of(&world, &eip).await, "cbwp-1");
    assert_eq!(world.look(&eip).await["Bandwidth"], "1000");
    sleep(1).await;
    assert_eq!(package_of(&world, &eip).await, "");
    assert_eq!(world.look(&eip).await["Bandwidth"], "5");
}

#[tokio::test(start_paused = true)]
async fn package_members_come_and_go_slowly_as_set() {
    let world = TestWorld::new();
    add_package(&world, "cbwp-1", "BGP");
    let eip = world.allocate().await;
    world.cloud.change_settings(|settings| {
        settings.open.package_shows_at_once = false;
        settings.open.package_leave_is_slow = true;
    });
    world.ok(ADD, &args("cbwp-1", &eip)).await;
    assert_eq!(package_of(&world, &eip).await, "");
    // In it all the same: what Describe does not show yet is refused.
    let again = world.refusal(ADD, &args("cbwp-1", &eip)).await;
    assert_eq!(again.1, "IpInstanceId.AlreadyInBandwidthPackage");
    sleep(1_000).await;
    assert_eq!(package_of(&world, &eip).await, "cbwp-1");
    world.ok(REMOVE, &args("cbwp-1", &eip)).await;
    assert_eq!(package_of(&world, &eip).await, "cbwp-1");
    let busy = world.refusal(ADD, &args("cbwp-1", &eip)).await;
    assert_eq!(busy.1, "BandwidthPackageOperation.conflict");
    sleep(1_000).await;
    assert_eq!(package_of(&world, &eip).await, "");
}
