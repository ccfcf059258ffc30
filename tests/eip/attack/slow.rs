//! Everything slow, for long, or many at once.

use super::*;

/// API server slow.
#[tokio::test(start_paused = true)]
async fn slow_api_server() {
    for slow in [1_000, 2_000, 2_600, 4_000] {
        let world = World::new();
        let _agent = world.start("agent");
        clock::sleep(Duration::from_secs(20)).await;
        world.api.set_latency(ms(slow));
        world.run_pod("web", "10.0.0.11");
        world.until(LATER, |view| is_bound(view, "web")).await;
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
    }
}

/// the cloud's looks take longer than they count.
#[tokio::test(start_paused = true)]
async fn slow_looks() {
    for slow in [2_500, 4_000] {
        let world = World::new();
        let _agent = world.start("agent");
        latency(&world, "DescribeEipAddresses", slow);
        world.run_pod("web", "10.0.0.11");
        world.until(LATER, |view| is_bound(view, "web")).await;
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
    }
}

/// looks that take longer than they count: told, not looped over, and over when the cloud is quick again.
#[tokio::test(start_paused = true)]
async fn looks_too_slow_to_count() {
    let world = World::new();
    let _agent = world.start("agent");
    latency(&world, "DescribeEipAddresses", 6_000);
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(20)).await;
    let asked = world.count("DescribeEipAddresses");
    assert!(asked <= 100, "{asked} in twenty minutes");
    let told = world.events("web");
    assert!(told.contains(&"LookFailed".to_owned()), "{told:?}");
    latency(&world, "DescribeEipAddresses", 0);
    world.until(LATER, |view| is_bound(view, "web")).await;
}

/// 50 pods, the cloud answers 503 / wrong credentials / throttles for an hour while they go or come.
#[tokio::test(start_paused = true)]
async fn an_hour_of_trouble() {
    for (status, code) in [
        (503, "ServiceUnavailable"),
        (403, "SignatureDoesNotMatch"),
        (400, "Throttling.User"),
        (403, "Forbidden.RAM"),
    ] {
        let world = World::new();
        world.cloud.change_settings(|settings| {
            settings.quotas.eips = 200;
            settings.rates.clear();
        });
        let _agent = world.start("agent");
        for n in 0..25 {
            world.run_pod(&format!("old-{n}"), &format!("10.0.0.{}", 11 + n));
        }
        world
            .until(LATER, |view| {
                (0..25).all(|n| is_bound(view, &format!("old-{n}")))
            })
            .await;
        let fault = always(&world, "*", refused(status, code));
        for n in 0..25 {
            world.delete_pod(&format!("old-{n}"));
            world.run_pod(&format!("new-{n}"), &format!("10.0.0.{}", 36 + n));
        }
        clock::sleep(Duration::from_mins(10)).await;
        let before = calls(&world);
        clock::sleep(Duration::from_mins(50)).await;
        let each_minute = (calls(&world) - before) / 50;
        assert!(each_minute <= 60, "{code}: {each_minute}");
        world.cloud.remove_fault(fault);
        world
            .until(Duration::from_mins(10), |view| {
                (0..25).all(|n| {
                    is_bound(view, &format!("new-{n}"))
                        && view.get("podeips", NS, &format!("old-{n}")).is_none()
                })
            })
            .await;
        clock::sleep(Duration::from_secs(10)).await;
        assert_eq!(world.eips().len(), 25);
    }
}

/// settle jitter.
#[tokio::test(start_paused = true)]
async fn settle_jitter() {
    let world = World::new();
    world.cloud.change_settings(|settings| {
        settings.settle.jitter_ms = 8_000;
        settings.settle.associate_ms = 100;
        settings.settle.unassociate_ms = 100;
    });
    let _agent = world.start("agent");
    for round in 0..30 {
        let name = format!("web-{round}");
        world.run_pod(&name, "10.0.0.11");
        world.until_bound(&name).await;
        world.delete_pod(&name);
        world.until_clean(LATER, &name).await;
    }
    let looks = world.count("DescribeEipAddresses");
    assert!(looks / 30 <= 12);
}

/// 250 pods.
#[tokio::test(start_paused = true)]
async fn two_hundred_and_fifty_pods() {
    let world = World::new();
    world.cloud.change_settings(|settings| {
        settings.quotas.eips = 300;
    });
    let more: Vec<_> = (61..=253).map(|n| format!("10.0.0.{n}")).collect();
    world
        .cloud
        .assign_ips(
            &world.eni.id,
            &AssignIps {
                ips: more,
                ..AssignIps::default()
            },
        )
        .unwrap();
    world.api.set_latency(ms(10));
    let _agent = world.start("agent");
    let names: Vec<_> = (0..243).map(|n| format!("web-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        world.run_pod(name, &format!("10.0.0.{}", 11 + n));
    }
    world
        .until(Duration::from_mins(30), |view| {
            names.iter().all(|name| is_bound(view, name))
        })
        .await;
    for name in &names {
        world.delete_pod(name);
    }
    world
        .until(Duration::from_mins(30), |view| {
            names
                .iter()
                .all(|name| view.get("podeips", NS, name).is_none())
        })
        .await;
    clock::sleep(Duration::from_secs(10)).await;
    assert!(world.eips().is_empty());
}

/// the metadata service is dark (no answer) while 30 pods wait for it; another pod goes.
#[tokio::test(start_paused = true)]
async fn metadata_dark() {
    for fault in [FaultKind::Drop, FaultKind::HoldBefore, refused(503, "x")] {
        let world = World::new();
        world.cloud.change_settings(|settings| {
            settings.quotas.eips = 100;
            settings.rates.clear();
        });
        let _agent = world.start("agent");
        world.run_pod("old", "10.0.0.11");
        world.until_bound("old").await;
        let order = always(&world, "metadata", fault.clone());
        clock::sleep(Duration::from_mins(3)).await;
        for n in 0..30 {
            world.run_pod(&format!("web-{n}"), &format!("10.0.0.{}", 12 + n));
        }
        clock::sleep(Duration::from_mins(10)).await;
        world.delete_pod("old");
        world
            .until(Duration::from_mins(1), |view| {
                view.get("podeips", NS, "old").is_none()
            })
            .await;
        let before = requests(&world);
        clock::sleep(Duration::from_hours(1)).await;
        let each_minute = (requests(&world) - before) / 60;
        assert!(each_minute <= 60, "{each_minute}");
        world.cloud.remove_fault(order);
        world
            .until(LATER, |view| {
                (0..30).all(|n| is_bound(view, &format!("web-{n}")))
            })
            .await;
    }
}
