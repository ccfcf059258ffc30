//! Places, labels and EIPs that others move or forge.

use super::*;

/// the first pod patch is answered 409; the pod's name must not be forgotten.
#[tokio::test(start_paused = true)]
async fn conflict_on_the_first_pod_patch() {
    let world = World::new();
    let pod = world
        .asking("web")
        .annotation("k8s.aliyun.com/allocated-eipAddress", "203.0.113.99");
    world.api.create_pod(&pod).unwrap();
    world.api.take_pod(NS, "web").unwrap();
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    world.api.fault(
        When::writes().client("agent").resource("pods"),
        1,
        Then::status(409),
    );
    let _agent = world.start("agent");
    world
        .until(Duration::from_mins(30), |view| is_bound(view, "web"))
        .await;
}

/// 409 on pod patches, for a minute.
#[tokio::test(start_paused = true)]
async fn conflicts_on_pod_patches_are_no_hot_loop() {
    let world = World::new();
    world.api.set_latency(ms(10));
    let _agent = world.start("agent");
    let fault = world.api.fault(
        When::writes().client("agent").resource("pods"),
        usize::MAX,
        Then::status(409),
    );
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_secs(10)).await;
    let before = requests(&world);
    clock::sleep(Duration::from_mins(1)).await;
    let n = requests(&world) - before;
    world.api.lift(fault);
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(n < 120, "hot loop: {n}");
}

/// a pod whose address is listed on another ENI by now: what was read is two minutes old at most.
#[tokio::test(start_paused = true)]
async fn address_moved_to_another_eni() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("first", "10.0.0.11");
    world.until_bound("first").await;
    // The node's second ENI takes over one of the addresses.
    world
        .cloud
        .unassign_ips(&world.eni.id, &["10.0.0.12".parse().unwrap()])
        .unwrap();
    let second = world
        .cloud
        .add_eni(NewEni {
            vswitch_id: world.eni.vswitch_id.clone(),
            instance_id: Some(world.instance.clone()),
            primary_ip: Some("10.0.0.70".to_owned()),
            ..NewEni::default()
        })
        .unwrap();
    world
        .cloud
        .assign_ips(
            &second.id,
            &AssignIps {
                ips: vec!["10.0.0.12".to_owned()],
                ..AssignIps::default()
            },
        )
        .unwrap();
    world.run_pod("web", "10.0.0.12");
    world
        .until(Duration::from_mins(30), |view| is_bound(view, "web"))
        .await;
}

/// somebody moves the EIP to the ENI's primary address, which the cloud reports without an address.
#[tokio::test(start_paused = true)]
async fn moved_to_the_primary_address_is_not_ours() {
    for compares in [true, false] {
        let world = World::new();
        world.cloud.change_settings(|settings| {
            settings.open.unassociate_compares = compares;
            settings.open.primary_eni_accepted = true;
        });
        let _agent = world.start("agent");
        world.run_pod("web", "10.0.0.11");
        world.until_bound("web").await;
        clock::sleep(Duration::from_secs(10)).await; // or a look of before may count
        let eip = world.eip().id;
        console(&world, &eip, json!({"do": "unbind", "settle_ms": 0}));
        console(
            &world,
            &eip,
            json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.10", "settle_ms": 0}),
        );
        world.delete_pod("web");
        clock::sleep(Duration::from_mins(10)).await;
        assert!(
            world.eips().len() == 1 && is_in_use_at(&world.eip(), "10.0.0.10"),
            "compares {compares}"
        );
        assert!(world.record("web").is_null(), "stuck, compares {compares}");
    }
}

/// another EIP stands on the pod's address.
#[tokio::test(start_paused = true)]
async fn address_has_another_eip() {
    let world = World::new();
    let other = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
    console(
        &world,
        &other,
        json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.11", "settle_ms": 0}),
    );
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(10)).await;
    let before = calls(&world);
    clock::sleep(Duration::from_mins(10)).await;
    let asked = calls(&world) - before;
    assert!(asked <= 240, "{asked} in ten minutes");
    console(&world, &other, json!({"do": "unbind", "settle_ms": 0}));
    world.until(LATER, |view| is_bound(view, "web")).await;
}

/// records without our label, or with another's, some of them tombstones.
#[tokio::test(start_paused = true)]
async fn records_of_others() {
    for (label, tombstone) in [
        (None, false),
        (Some("other"), false),
        (Some("other"), true),
        (None, true),
    ] {
        let world = World::new();
        world.api.create(&other_record(label)).unwrap();
        if tombstone {
            world.api.delete("podeips", NS, "web").unwrap();
        }
        let _agent = world.start("agent");
        world.run_pod("web", "10.0.0.11");
        clock::sleep(Duration::from_mins(5)).await;
        let r = requests(&world);
        clock::sleep(Duration::from_mins(10)).await;
        assert_eq!(world.changes(), 0);
        let a_minute = (requests(&world) - r) / 10;
        // The sweeps' own among them: three a minute, of five requests each.
        assert!(a_minute <= 41, "{a_minute}");
        world.api.vanish("podeips", NS, "web").unwrap();
        world.until(LATER, |view| is_bound(view, "web")).await;
    }
}

/// a forged record with our label that names a stranger's EIP.
#[tokio::test(start_paused = true)]
async fn forged_label() {
    let world = World::new();
    let stranger = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
    let _agent = world.start("agent");
    world.api.create_pod(&world.asking("web")).unwrap();
    world.api.take_pod(NS, "web").unwrap();
    world
        .until(SOON, |view| {
            view.get("podeips", NS, "web")
                .is_some_and(|r| r["spec"]["allocationID"] != "")
        })
        .await;
    world
        .api
        .edit("podeips", NS, "web", |r| {
            r["metadata"]["labels"]["eipd.io/eip"] = stranger.clone().into();
            r["spec"]["allocationID"] = stranger.clone().into();
        })
        .unwrap();
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    clock::sleep(Duration::from_mins(5)).await;
    let eip = world.cloud.eip(&stranger).unwrap();
    assert!(
        !is_in_use_at(&eip, "10.0.0.11"),
        "the stranger's EIP was bound"
    );
}

/// the ENI is detached under a pod.
#[tokio::test(start_paused = true)]
async fn eni_detached() {
    for before in [true, false] {
        let world = World::new();
        let _agent = world.start("agent");
        if before {
            world.run_pod("warm", "10.0.0.20");
            world.until_bound("warm").await;
            world.cloud.detach_eni(&world.eni.id).unwrap();
            world.run_pod("web", "10.0.0.11");
        } else {
            world.run_pod("web", "10.0.0.11");
            world.until_bound("web").await;
            world.cloud.detach_eni(&world.eni.id).unwrap();
        }
        clock::sleep(Duration::from_mins(10)).await;
        let quiet = calls(&world);
        clock::sleep(Duration::from_mins(10)).await;
        let asked = calls(&world) - quiet;
        assert!(asked <= 240, "{asked} in ten minutes");
        world.delete_pod("web");
        if before {
            world.delete_pod("warm");
            world
                .until(LATER, |view| view.get("podeips", NS, "warm").is_none())
                .await;
        }
        world.until_clean(LATER, "web").await;
    }
}

/// the EIP's record is deleted and its finalizer torn off; the pod lives on.
#[tokio::test(start_paused = true)]
async fn record_vanishes() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world.api.vanish("podeips", NS, "web").unwrap();
    clock::sleep(Duration::from_mins(30)).await;
    let before = calls(&world);
    clock::sleep(Duration::from_mins(10)).await;
    let asked = calls(&world) - before;
    assert!(asked <= 240, "{asked} in ten minutes");
}
