//! `ModifyEipAddressAttribute`.

use crate::clock::sleep;
use crate::test_world::TestWorld;
use crate::world::BandwidthPackage;

const MODIFY: &str = "ModifyEipAddressAttribute";

#[tokio::test(start_paused = true)]
async fn modify_changes_what_is_named() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let args = [
        ("AllocationId", eip.as_str()),
        ("Bandwidth", "50"),
        ("Name", "new"),
    ];
    world.ok("ModifyEipAddressAttribute", &args).await;
    world
        .ok(
            "ModifyEipAddressAttribute",
            &[args[0], ("Description", "d")],
        )
        .await;
    let seen = world.look(&eip).await;
    assert_eq!(seen["Bandwidth"], "50");
    assert_eq!(seen["Name"], "new");
    assert_eq!(seen["Description"], "d");
}

#[tokio::test(start_paused = true)]
async fn modify_refuses_what_allocate_would() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let id = ("AllocationId", eip.as_str());
    let cases = [
        (("Bandwidth", "501"), "InvalidComponent.EipBandwidthMax"),
        (("Bandwidth", "x"), "InvalidBandwidth.Malformed"),
        (("Name", "https://x"), "InvalidParameter"),
        (("RegionId", "mars"), "Forbidden.RegionNotFound"),
    ];
    for (arg, code) in cases {
        assert_eq!(
            world
                .refusal("ModifyEipAddressAttribute", &[id, arg])
                .await
                .1,
            code
        );
    }
    let unknown = world
        .refusal("ModifyEipAddressAttribute", &[("AllocationId", "e")])
        .await;
    assert_eq!(unknown, (404, "InvalidAllocationId.NotFound".to_owned()));
    world.associate(&eip, &world.ip(1)).await;
    let busy = world
        .refusal("ModifyEipAddressAttribute", &[id, ("Name", "n")])
        .await;
    assert_eq!(busy, (400, "IncorrectEipStatus".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn modify_shows_late_where_describe_lags() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    world
        .cloud
        .change_settings(|settings| settings.open.describe_state_lag_ms = 3_000);
    let args = [("AllocationId", eip.as_str()), ("Bandwidth", "50")];
    world.ok(MODIFY, &args).await;
    sleep(2_999).await;
    assert_eq!(world.look(&eip).await["EipBandwidth"], "5");
    sleep(1).await;
    assert_eq!(world.look(&eip).await["EipBandwidth"], "50");
}

#[tokio::test(start_paused = true)]
async fn modify_within_a_package_changes_the_eips_own_bandwidth_as_set() {
    let world = TestWorld::new();
    let package = BandwidthPackage {
        bandwidth: 1_000,
        ..BandwidthPackage::default()
    };
    let package = world.cloud.add_package(package).unwrap().id;
    let eip = world.allocate().await;
    let join = [
        ("BandwidthPackageId", package.as_str()),
        ("IpInstanceId", eip.as_str()),
    ];
    world.ok("AddCommonBandwidthPackageIp", &join).await;
    let args = [("AllocationId", eip.as_str()), ("Bandwidth", "50")];
    world.ok(MODIFY, &args).await;
    let seen = world.look(&eip).await;
    assert_eq!(seen["EipBandwidth"], "50");
    assert_eq!(seen["Bandwidth"], "1000");
    world
        .cloud
        .change_settings(|settings| settings.open.bandwidth_within_package = false);
    let refused = world.refusal(MODIFY, &args).await;
    assert_eq!(refused, (400, "IncorrectEipStatus".to_owned()));
    world.ok(MODIFY, &[args[0], ("Name", "n")]).await;
}
