//! `ModifyEipAddressAttribute`.

use crate::test_world::TestWorld;

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
