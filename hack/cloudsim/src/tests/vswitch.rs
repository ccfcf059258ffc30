//! `DescribeVSwitches`.

use serde_json::json;

use crate::test_world::TestWorld;

#[tokio::test(start_paused = true)]
async fn vswitches_are_described_with_free_addresses() {
    let world = TestWorld::new();
    let body = world
        .ok("DescribeVSwitches", &[("VSwitchId", "vsw-1")])
        .await;
    let vswitch = &body["VSwitches"]["VSwitch"][0];
    assert_eq!(vswitch["ZoneId"], "cn-hangzhou-a");
    assert_eq!(vswitch["CidrBlock"], "10.0.1.0/24");
    // 252 usable ones, less 1 primary of the instance and 5 of the second ENI
    assert_eq!(vswitch["AvailableIpAddressCount"], 252 - 6);
    assert_eq!(vswitch["IsDefault"], false);
    assert!(vswitch["OwnerId"].is_u64());
    assert_eq!(vswitch["RouteTable"]["RouteTableType"], "System");
    assert_eq!(vswitch["Tags"], json!({"Tag": []}));
}

#[tokio::test(start_paused = true)]
async fn vswitches_are_filtered_and_unknown_ids_answered_as_set() {
    let world = TestWorld::new();
    let total = |args: Vec<(&'static str, &'static str)>| {
        let world = &world;
        async move { world.ok("DescribeVSwitches", &args).await["TotalCount"].clone() }
    };
    assert_eq!(total(vec![]).await, 1);
    assert_eq!(total(vec![("ZoneId", "cn-hangzhou-b")]).await, 0);
    assert_eq!(total(vec![("VSwitchId", "vsw-none,vsw-1")]).await, 1);
    assert_eq!(total(vec![("VSwitchId", "vsw-none")]).await, 0);
    assert_eq!(total(vec![("IsDefault", "True")]).await, 0);
    assert_eq!(
        world
            .refusal("DescribeVSwitches", &[("RegionId", "")])
            .await
            .1,
        "MissingParameter"
    );
    assert_eq!(
        world
            .refusal("DescribeVSwitches", &[("PageSize", "51")])
            .await
            .1,
        "InvalidParameter"
    );
    world
        .cloud
        .change_settings(|settings| settings.open.unknown_vswitch_is_error = true);
    let refused = world
        .refusal("DescribeVSwitches", &[("VSwitchId", "vsw-none")])
        .await;
    assert_eq!(refused, (404, "InvalidVSwitchId.NotFound".to_owned()));
}
