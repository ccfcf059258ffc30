//! Where an EIP can be bound and what is refused.

use serde_json::json;

use crate::clock::sleep;
use crate::settings::Settings;
use crate::test_world::TestWorld;
use crate::world::{AssignIps, EniType, NewEni};

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn refused(world: &TestWorld, args: &[(&str, &str)]) -> (u16, String) {
    world.refusal("AssociateEipAddress", args).await
}

#[tokio::test(start_paused = true)]
async fn bind_at_the_primary_ip_is_reported_with_an_empty_private_ip() {
    let world = TestWorld::new();
    let eip = world.bound(0).await;
    let seen = world.look(&eip).await;
    assert_eq!(seen["Status"], "InUse");
    assert_eq!(seen["PrivateIpAddress"], "");
}

#[tokio::test(start_paused = true)]
async fn bind_without_a_private_ip_takes_the_first_free_one() {
    let world = TestWorld::new();
    world.bound(0).await;
    let eip = world.allocate().await;
    let place = world.place(&eip, "");
    world.ok("AssociateEipAddress", &place[..3]).await;
    assert_eq!(
        world.look(&eip).await["PrivateIpAddress"],
        json!(world.ip(1))
    );
}

#[tokio::test(start_paused = true)]
async fn bind_to_an_instance_uses_its_primary_eni() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    world
        .ok(
            "AssociateEipAddress",
            &[("AllocationId", &eip), ("InstanceId", "i-1")],
        )
        .await;
    sleep(2_000).await;
    let seen = world.look(&eip).await;
    assert_eq!(
        (&seen["InstanceId"], &seen["InstanceType"]),
        (&json!("i-1"), &json!("EcsInstance"))
    );
    assert_eq!(
        world.page("/latest/meta-data/eipv4").await,
        seen["IpAddress"].as_str().unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn bind_is_refused_where_an_eip_is_already() {
    let world = TestWorld::new();
    world.bound(1).await;
    let other = world.allocate().await;
    let again = refused(&world, &world.place(&other, &world.ip(1))).await;
    assert_eq!(again, code(400, "InvalidAssociation.Duplicated"));
}

#[tokio::test(start_paused = true)]
async fn bind_of_a_bound_eip_is_refused() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let again = refused(&world, &world.place(&eip, &world.ip(2))).await;
    assert_eq!(again, code(400, "IncorrectEipStatus"));
}

#[tokio::test(start_paused = true)]
async fn bind_refuses_more_eips_than_private_ips() {
    let world = TestWorld::new();
    for n in 0..5 {
        world.bound(n).await;
    }
    let sixth = world.allocate().await;
    let over = refused(&world, &world.place(&sixth, &world.ip(1))).await;
    assert_eq!(over, code(400, "InvalidEip.EipQuotaExceeded"));
}

#[tokio::test(start_paused = true)]
async fn bind_refuses_more_eips_than_the_quota_set() {
    let mut settings = Settings::default();
    settings.quotas.eips_per_eni = Some(1);
    let world = TestWorld::with(settings);
    world.bound(1).await;
    let second = world.allocate().await;
    let over = refused(&world, &world.place(&second, &world.ip(2))).await;
    assert_eq!(over, code(400, "InvalidEip.EipQuotaExceeded"));
}

#[tokio::test(start_paused = true)]
async fn bind_refuses_unknown_things() {
    let world = TestWorld::new();
    let (eip, eni) = (world.allocate().await, world.eni.id.clone());
    let unknown = refused(&world, &world.place("eip-none", &world.ip(1))).await;
    assert_eq!(unknown, code(404, "InvalidAllocationId.NotFound"));
    let on = |instance, kind| {
        [
            ("AllocationId", eip.as_str()),
            ("InstanceId", instance),
            ("InstanceType", kind),
        ]
    };
    let to = refused(&world, &on("eni-none", "NetworkInterface")).await;
    assert_eq!(to, code(404, "InvalidInstanId.NotFound"));
    let to = refused(&world, &on("i-none", "EcsInstance")).await;
    assert_eq!(to, code(404, "InvalidInstanId.NotFound"));
    let to = refused(&world, &on("ngw-none", "Nat")).await;
    assert_eq!(to, code(404, "InvalidInstanId.NotFound"));
    let to = refused(&world, &on(&eni, "Toaster")).await;
    assert_eq!(to, code(400, "InvalidInstanceType.ValueNotSupported"));
    let to = refused(&world, &world.place(&eip, "10.0.1.200")).await;
    assert_eq!(to, code(400, "InvalidParams.NotFound"));
    let to = refused(&world, &[("InstanceId", eni.as_str())]).await;
    assert_eq!(to, code(400, "MissingParameter"));
    let to = refused(&world, &[("AllocationId", eip.as_str())]).await;
    assert_eq!(to, code(400, "MissingParameter"));
}

#[tokio::test(start_paused = true)]
async fn bind_to_a_primary_eni_is_refused_unless_set() {
    let world = TestWorld::new();
    let primary = world
        .cloud
        .enis()
        .into_iter()
        .find(|eni| eni.kind == EniType::Primary);
    let primary = primary.unwrap().id;
    let eip = world.allocate().await;
    let args = [
        ("AllocationId", eip.as_str()),
        ("InstanceId", &primary),
        ("InstanceType", "NetworkInterface"),
    ];
    assert_eq!(
        refused(&world, &args).await,
        code(400, "InvalidParameter.EniInstanceId")
    );
    world
        .cloud
        .change_settings(|settings| settings.open.primary_eni_accepted = true);
    world.ok("AssociateEipAddress", &args).await;
}

#[tokio::test(start_paused = true)]
async fn bind_to_a_member_eni_is_accepted_unless_set() {
    let world = TestWorld::new();
    let add = |kind| {
        let instance_id = Some("i-1".to_owned());
        let new = NewEni {
            vswitch_id: "vsw-1".into(),
            kind,
            instance_id,
            ..NewEni::default()
        };
        world.cloud.add_eni(new).unwrap()
    };
    let trunk = add(EniType::Trunk);
    let member = add(EniType::Member);
    assert_eq!(member.trunk_eni_id, Some(trunk.id));
    let eip = world.allocate().await;
    let args = [
        ("AllocationId", eip.as_str()),
        ("InstanceId", &member.id),
        ("InstanceType", "NetworkInterface"),
    ];
    world
        .cloud
        .change_settings(|settings| settings.open.member_eni_accepted = false);
    assert_eq!(
        refused(&world, &args).await,
        code(400, "InvalidParameter.EniInstanceId")
    );
    world
        .cloud
        .change_settings(|settings| settings.open.member_eni_accepted = true);
    world.ok("AssociateEipAddress", &args).await;
}

#[tokio::test(start_paused = true)]
async fn bind_to_an_attaching_eni_is_refused() {
    let world = TestWorld::new();
    world
        .cloud
        .set_eni_status(&world.eni.id, "Attaching")
        .unwrap();
    let eip = world.allocate().await;
    let early = refused(&world, &world.place(&eip, &world.ip(1))).await;
    assert_eq!(early, code(400, "InvalidStatus.EniStatusNotSupport"));
}

#[tokio::test(start_paused = true)]
async fn bind_to_an_ip_of_a_prefix_is_refused() {
    let world = TestWorld::new();
    let order = AssignIps {
        prefixes: vec!["10.0.1.64/28".to_owned()],
        ..AssignIps::default()
    };
    world.cloud.assign_ips(&world.eni.id, &order).unwrap();
    let eip = world.allocate().await;
    let refusal = refused(&world, &world.place(&eip, "10.0.1.70")).await;
    assert_eq!(refusal, code(400, "UnsupportedFeature.EipBindPrefixIp"));
}

#[tokio::test(start_paused = true)]
async fn bind_modes_other_than_nat_have_their_own_refusals() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let with = |mode| {
        let mut args = world.place(&eip, &world.eni.id).to_vec();
        args[3] = ("Mode", mode);
        args
    };
    assert_eq!(
        refused(&world, &with("BINDED")).await,
        code(400, "Eni.Attached")
    );
    assert_eq!(
        refused(&world, &with("MULTI_BINDED")).await,
        code(400, "Mode.NotSupport")
    );
    assert_eq!(
        refused(&world, &with("nat")).await,
        code(400, "IllegalParam.Mode")
    );
    world.cloud.detach_eni(&world.eni.id).unwrap();
    assert_eq!(
        refused(&world, &with("BINDED")).await,
        code(400, "Eni.HasSubIp")
    );
}

#[tokio::test(start_paused = true)]
async fn bind_modes_do_not_mix_on_one_eni() {
    let world = TestWorld::new();
    let new = NewEni {
        vswitch_id: "vsw-1".into(),
        ..NewEni::default()
    };
    let free = world.cloud.add_eni(new).unwrap();
    let (first, second) = (world.allocate().await, world.allocate().await);
    let with = |eip: &str, mode: &str| {
        let args = [
            ("AllocationId", eip),
            ("InstanceId", &free.id),
            ("InstanceType", "NetworkInterface"),
            ("Mode", mode),
        ];
        args.map(|(k, v)| (k.to_owned(), v.to_owned()))
    };
    let args = with(&first, "BINDED");
    let args: Vec<_> = args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    world.ok("AssociateEipAddress", &args).await;
    let args = with(&second, "NAT");
    let args: Vec<_> = args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mixed = refused(&world, &args).await;
    assert_eq!(mixed, code(400, "OperationFailed.EipBindModeConflict"));
}

#[tokio::test(start_paused = true)]
async fn bind_tasks_on_one_eni_conflict_only_if_set() {
    let world = TestWorld::new();
    let (first, second) = (world.allocate().await, world.allocate().await);
    world.associate(&first, &world.ip(1)).await;
    world
        .cloud
        .change_settings(|settings| settings.open.one_task_per_eni = true);
    let busy = refused(&world, &world.place(&second, &world.ip(2))).await;
    assert_eq!(busy, code(400, "TaskConflict"));
    world
        .cloud
        .change_settings(|settings| settings.open.one_task_per_eni = false);
    assert_eq!(world.associate(&second, &world.ip(2)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn bind_across_regions_is_refused() {
    let mut settings = Settings::default();
    settings.regions.push("cn-beijing".to_owned());
    let world = TestWorld::with(settings);
    let body = world
        .ok("AllocateEipAddress", &[("RegionId", "cn-beijing")])
        .await;
    let eip = body["AllocationId"].as_str().unwrap();
    let mut args = world.place(eip, &world.eni.id).to_vec();
    args[3] = ("RegionId", "cn-beijing");
    assert_eq!(
        refused(&world, &args).await,
        code(400, "InvalidParameter.Mismatch")
    );
    args[3] = ("RegionId", "cn-hangzhou");
    assert_eq!(
        refused(&world, &args).await,
        code(404, "InvalidAllocationId.NotFound")
    );
    args[3] = ("RegionId", "mars");
    assert_eq!(
        refused(&world, &args).await,
        code(404, "Forbidden.RegionNotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn unbind_of_a_free_eip_is_refused() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let free = world
        .refusal("UnassociateEipAddress", &[("AllocationId", &eip)])
        .await;
    assert_eq!(free, code(400, "IncorrectEipStatus"));
}

#[tokio::test(start_paused = true)]
async fn unbind_compares_the_place_as_set() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let other_ip = world.ip(2);
    let other = world.place(&eip, &other_ip);
    let wrong = [("AllocationId", eip.as_str()), ("InstanceId", "eni-other")];
    for args in [&other[..], &wrong[..]] {
        let refused = world.refusal("UnassociateEipAddress", args).await;
        assert_eq!(refused, code(404, "InvalidBindInstance.NotFound"));
    }
    world
        .cloud
        .change_settings(|settings| settings.open.unassociate_compares = false);
    world.ok("UnassociateEipAddress", &wrong).await;
}

#[tokio::test(start_paused = true)]
async fn unbind_at_the_primary_ip_may_name_it() {
    let world = TestWorld::new();
    let eip = world.bound(0).await;
    assert_eq!(world.unassociate(&eip, &world.ip(0)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn unbind_with_the_eip_alone_is_enough() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    world
        .ok("UnassociateEipAddress", &[("AllocationId", &eip)])
        .await;
}

#[tokio::test(start_paused = true)]
async fn bind_of_a_locked_eip_is_refused() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    for (reason, expected) in [
        ("financial", "Forbidden.FinancialLocked"),
        ("security", "InvalidEIPStatus.BizDisabled"),
    ] {
        let lock = json!({"do": "lock", "reason": reason});
        world.control("POST", &format!("/eips/{eip}"), lock).await;
        let locked = refused(&world, &world.place(&eip, &world.ip(1))).await;
        assert_eq!(locked, code(400, expected));
        world
            .control("POST", &format!("/eips/{eip}"), json!({"do": "unlock"}))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn bind_again_after_an_unbind_works_at_once() {
    let world = TestWorld::new();
    let (first, second) = (world.bound(1).await, world.allocate().await);
    world.unassociate(&first, &world.ip(1)).await;
    let busy = refused(&world, &world.place(&second, &world.ip(1))).await;
    assert_eq!(busy, code(400, "InvalidAssociation.Duplicated"));
    sleep(2_000).await;
    assert_eq!(world.associate(&second, &world.ip(1)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn settle_times_can_be_set_and_jittered() {
    let mut settings = Settings::default();
    settings.settle.associate_ms = 10_000;
    settings.settle.jitter_ms = 500;
    let world = TestWorld::with(settings);
    let eip = world.allocate().await;
    world.associate(&eip, &world.ip(1)).await;
    sleep(20_000).await;
    world.status(&eip).await;
    let history = world.cloud.eip_history(&eip).unwrap();
    let took = history[2].ms - history[1].ms;
    assert!((10_000..=10_500).contains(&took), "{took}");
}
