//! Quotas, rates and what Allocate refuses.

use crate::clock::sleep;
use crate::settings::Settings;
use crate::test_world::TestWorld;
use crate::world::AddressPool;

type Args<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(start_paused = true)]
async fn quota_of_eips_per_account_is_twenty() {
    let world = TestWorld::new();
    let mut last = String::new();
    for _ in 0..20 {
        last = world.allocate().await;
    }
    let over = world.refusal("AllocateEipAddress", &[]).await;
    assert_eq!(over, (400, "QuotaExceeded.Eip".to_owned()));
    world
        .ok("ReleaseEipAddress", &[("AllocationId", &last)])
        .await;
    sleep(1_000).await;
    world.allocate().await;
}

#[tokio::test(start_paused = true)]
async fn quota_counts_each_account_for_itself() {
    let mut settings = Settings::default();
    settings.quotas.eips = 1;
    let world = TestWorld::with(settings);
    world.cloud.create_eip(&[].into(), Some("999")).unwrap();
    world.allocate().await;
    assert_eq!(
        world.refusal("AllocateEipAddress", &[]).await.1,
        "QuotaExceeded.Eip"
    );
}

#[tokio::test(start_paused = true)]
async fn rate_of_each_changing_action_is_120_a_minute() {
    let world = TestWorld::new();
    for action in [
        "AllocateEipAddress",
        "AssociateEipAddress",
        "UnassociateEipAddress",
    ] {
        for _ in 0..120 {
            let (_, body) = world.call(action, &[("RegionId", "mars")]).await;
            assert_ne!(body["Code"], "Throttling.User");
        }
        let over = world.refusal(action, &[]).await;
        assert_eq!(over, (400, "Throttling.User".to_owned()), "{action}");
    }
    assert_eq!(world.call("DescribeEipAddresses", &[]).await.0, 200);
    sleep(60_000).await;
    world.allocate().await;
}

#[tokio::test(start_paused = true)]
async fn rate_answers_carry_a_retry_hint_if_set() {
    let mut settings = Settings::default();
    settings.rates.insert("AllocateEipAddress".to_owned(), 0);
    settings.throttle_retry_after = true;
    let world = TestWorld::with(settings);
    let response = world
        .cloud
        .api(world.signed("AllocateEipAddress", &[]))
        .await
        .unwrap();
    assert_eq!(response.headers()["x-acs-retry-after"], "1000");
}

#[tokio::test(start_paused = true)]
async fn allocate_refuses_what_the_documents_refuse() {
    let world = TestWorld::new();
    world.cloud.add_resource_group("rg-known");
    let long = "x".repeat(129);
    let cases: &[(Args<'_>, u16, &str)] = &[
        (
            &[("Bandwidth", "501")],
            400,
            "InvalidComponent.EipBandwidthMax",
        ),
        (
            &[("Bandwidth", "201"), ("InternetChargeType", "PayByTraffic")],
            400,
            "InvalidComponent.EipBandwidthMax",
        ),
        (&[("Bandwidth", "0")], 400, "InvalidBandwidth.Malformed"),
        (&[("Bandwidth", "fast")], 400, "InvalidBandwidth.Malformed"),
        (&[("InternetChargeType", "Free")], 400, "InvalidParameter"),
        (&[("InstanceChargeType", "Free")], 400, "InvalidParameter"),
        (
            &[
                ("InstanceChargeType", "PrePaid"),
                ("InternetChargeType", "PayByTraffic"),
            ],
            400,
            "InvalidParameter",
        ),
        (&[("ISP", "Pigeon")], 400, "IllegalParam.Isp"),
        (&[("Netmode", "private")], 400, "InvalidParameter"),
        (&[("Name", &long)], 400, "InvalidParameter"),
        (&[("Name", "http://x")], 400, "InvalidParameter"),
        (
            &[("ResourceGroupId", "rg-unknown")],
            400,
            "InvalidResourceGroupId",
        ),
        (
            &[("PublicIpAddressPoolId", "none")],
            400,
            "ResourceNotFound.PublicIpAddressPool",
        ),
        (
            &[("PublicIpAddressPoolId", "p"), ("Zone", "z")],
            400,
            "ExclusiveParam.ZoneAndPublicIpAddressPoolId",
        ),
        (
            &[("SecurityProtectionTypes.1", "Shield")],
            400,
            "InvalidParameter",
        ),
        (&[("Tag.1.Key", "acs:x")], 400, "InvalidTagKey"),
        (&[("RegionId", "mars")], 404, "InvalidRegionId.NotFound"),
        (&[("RegionId", "")], 400, "MissingParameter"),
    ];
    for (args, status, code) in cases {
        let refused = world.refusal("AllocateEipAddress", args).await;
        assert_eq!(refused, (*status, (*code).to_owned()), "{args:?}");
    }
    assert_eq!(world.cloud.eips().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn allocate_keeps_every_argument() {
    let world = TestWorld::new();
    let args = [
        ("Bandwidth", "20"),
        ("InternetChargeType", "PayByTraffic"),
        ("ISP", "BGP_PRO"),
        ("Name", "ns/pod"),
        ("Description", "x"),
        ("ResourceGroupId", "rg-1"),
        ("SecurityProtectionTypes.1", "AntiDDoS_Enhanced"),
        ("Tag.1.Key", "k"),
        ("Tag.1.Value", "v"),
    ];
    let body = world.ok("AllocateEipAddress", &args).await;
    assert_eq!(body["ResourceGroupId"], "rg-1");
    let eip = world.look(body["AllocationId"].as_str().unwrap()).await;
    for name in [
        "Bandwidth",
        "InternetChargeType",
        "ISP",
        "Name",
        "Description",
    ] {
        let sent = args.iter().find(|(key, _)| *key == name).unwrap().1;
        assert_eq!(eip[name], sent);
    }
    assert_eq!(
        eip["SecurityProtectionTypes"]["SecurityProtectionType"][0],
        "AntiDDoS_Enhanced"
    );
    assert_eq!(eip["Tags"]["Tag"][0]["Key"], "k");
}

#[tokio::test(start_paused = true)]
async fn allocate_prepaid_answers_an_order() {
    let world = TestWorld::new();
    let body = world
        .ok("AllocateEipAddress", &[("InstanceChargeType", "PrePaid")])
        .await;
    assert!(body["OrderId"].is_u64());
    assert!(body.get("EipAddress").is_none());
    let id = body["AllocationId"].as_str().unwrap();
    let refused = world
        .refusal("ReleaseEipAddress", &[("AllocationId", id)])
        .await;
    assert_eq!(refused, (400, "Forbidden.ChargeTypeIsPrepaid".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn quota_of_an_address_pool_holds() {
    let world = TestWorld::new();
    let pool = AddressPool {
        id: "pool-1".into(),
        size: Some(1),
        isp: String::new(),
    };
    world.cloud.add_pool(pool).unwrap();
    let args = [("PublicIpAddressPoolId", "pool-1")];
    world.ok("AllocateEipAddress", &args).await;
    let refused = world.refusal("AllocateEipAddress", &args).await;
    assert_eq!(
        refused,
        (400, "ResourceNotEnough.PublicIpAddressPool".to_owned())
    );
}
