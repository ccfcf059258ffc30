//! What arrives late or out of order.

use super::*;

/// the tombstone arrives while Allocate is under way: the id is in memory only.
#[tokio::test(start_paused = true)]
async fn tombstone_while_allocate_is_under_way() {
    for api in [0, 20] {
        for finish in [false, true] {
            let world = World::new();
            world.api.set_latency(ms(api));
            latency(&world, "AllocateEipAddress", 1_000);
            let _agent = world.start("agent");
            world.api.create_pod(&world.asking("web")).unwrap();
            world.api.take_pod(NS, "web").unwrap();
            world
                .until(SOON, |_| world.count("AllocateEipAddress") == 1)
                .await;
            if finish {
                world.api.finish_pod(NS, "web", "Failed").unwrap();
            } else {
                world.delete_pod("web");
            }
            clock::sleep(Duration::from_mins(5)).await;
            assert!(world.record("web").is_null());
            assert_eq!(
                world.eips(),
                Vec::<String>::new(),
                "leaked, api {api} finish {finish} {}",
                world.api.picture()
            );
        }
    }
}

/// Allocate did its work and answered HTTP 500; the pod goes.
#[tokio::test(start_paused = true)]
async fn allocate_fails_after_the_work_and_the_pod_goes() {
    let world = World::new();
    let _agent = world.start("agent");
    world.order(
        "AllocateEipAddress",
        FaultKind::FailAfter(Answer {
            status: 500,
            code: "InternalError".to_owned(),
            ..Answer::default()
        }),
    );
    world.api.create_pod(&world.asking("web")).unwrap();
    world.api.take_pod(NS, "web").unwrap();
    world
        .until(SOON, |_| world.count("AllocateEipAddress") == 1)
        .await;
    world.delete_pod("web");
    clock::sleep(Duration::from_mins(5)).await;
    assert!(world.record("web").is_null());
    assert_eq!(world.eips(), Vec::<String>::new(), "leaked");
}

/// tags show late.
#[tokio::test(start_paused = true)]
async fn tag_lag() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.open.tag_lag_ms = 30_000);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

/// a new EIP shows late in Describe.
#[tokio::test(start_paused = true)]
async fn describe_lag_after_allocate() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.open.describe_after_allocate_ms = 5_000);
    let _agent = world.start("agent");
    let at = clock::now();
    world.run_pod("web", "10.0.0.11");
    world.until(LATER, |view| is_bound(view, "web")).await;
    let bound = at.elapsed();
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
    assert!(bound < SOON, "{bound:?}");
}

/// Describe shows states late.
#[tokio::test(start_paused = true)]
async fn describe_state_lag() {
    for lag in [500, 1_500, 4_000, 10_000] {
        for compares in [true, false] {
            let world = World::new();
            world.cloud.change_settings(|settings| {
                settings.open.describe_state_lag_ms = lag;
                settings.open.unassociate_compares = compares;
            });
            let _agent = world.start("agent");
            world.run_pod("web", "10.0.0.11");
            world.until(LATER, |view| is_bound(view, "web")).await;
            assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
            world.delete_pod("web");
            world.until_clean(LATER, "web").await;
            assert!(world.changes() <= 20);
        }
    }
}

/// a conflict on the status write (somebody annotates the record in between) delays by how much?
#[tokio::test(start_paused = true)]
async fn conflicts_on_record_writes() {
    for nth in 0..4 {
        let world = World::new();
        let _agent = world.start("agent");
        let pick = || When::verb(Verb::Patch).client("agent").resource("podeips");
        for _ in 0..nth {
            world.api.fault(pick(), 1, Then::Delay(Duration::ZERO));
        }
        world.api.fault(pick(), 1, Then::status(409));
        let at = clock::now();
        world.run_pod("web", "10.0.0.11");
        world.until(LATER, |view| is_bound(view, "web")).await;
        let took = at.elapsed();
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
        assert!(took < SOON, "conflict on patch {nth}: {took:?}");
    }
}

/// a second agent's worth of chaos: watch errors all the time.
#[tokio::test(start_paused = true)]
async fn watch_chaos() {
    let world = World::new();
    world.api.set_latency(ms(5));
    let _agent = world.start("agent");
    for round in 0..40 {
        let name = format!("web-{}", round % 3);
        world.run_pod(&name, "10.0.0.11");
        for n in 0..10 {
            match n % 4 {
                0 => world.api.cut_watches(&When::any()),
                1 => world.api.close_watches(&When::any()),
                2 => world.api.expire_watches(&When::any()),
                _ => 0,
            };
            clock::sleep(ms(330)).await;
        }
        world.until(LATER, |view| is_bound(view, &name)).await;
        world.delete_pod(&name);
        world.until_clean(LATER, &name).await;
    }
    assert_eq!(world.count("AllocateEipAddress"), 40);
}

/// silent watches.
#[tokio::test(start_paused = true)]
async fn stale_views_and_same_names() {
    let world = World::new();
    let _agent = world.start("agent");
    for (round, resource) in ["pods", "podeips", "pods", "podeips"].iter().enumerate() {
        world.run_pod("web-0", "10.0.0.11");
        clock::sleep(ms(700 * round as u64)).await;
        let stale = world
            .api
            .freeze(When::any().client("agent").resource(resource));
        clock::sleep(Duration::from_secs(20)).await;
        world.delete_pod("web-0");
        clock::sleep(Duration::from_secs(3)).await;
        world.run_pod("web-0", "10.0.0.11");
        clock::sleep(Duration::from_secs(30)).await;
        world.api.thaw(stale);
        world.until(LATER, |view| is_bound(view, "web-0")).await;
        assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
        world.delete_pod("web-0");
        world.until_clean(LATER, "web-0").await;
    }
}

/// the answer to a write comes after the watch has shown the tombstone.
#[tokio::test(start_paused = true)]
async fn tombstone_outruns_the_answer_of_a_write() {
    for body in ["eipd.io/target", "eipAddress"] {
        let world = World::new();
        world.api.set_latency(ms(10));
        let _agent = world.start("agent");
        let held = world.api.fault(
            When::verb(Verb::Patch)
                .client("agent")
                .resource("podeips")
                .body_has(body),
            1,
            Then::HoldAnswer,
        );
        world.run_pod("web", "10.0.0.11");
        world.until(SOON, |api| api.held(held) == 1).await;
        world.delete_pod("web");
        clock::sleep(Duration::from_secs(2)).await;
        world.api.release(held);
        let before = requests(&world);
        clock::sleep(Duration::from_mins(2)).await;
        let n = requests(&world) - before;
        assert!(n < 60, "hot loop: {n}");
        world.until_clean(LATER, "web").await;
    }
}
