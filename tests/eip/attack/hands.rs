//! CRDs, webhooks and other controllers that work against the agent.

use super::*;

/// the CRD is away while the agent runs, and a pod asks.
#[tokio::test(start_paused = true)]
async fn crd_gone_while_running() {
    let world = World::new();
    world.api.set_latency(ms(10));
    let _agent = world.start("agent");
    clock::sleep(Duration::from_secs(10)).await;
    world.api.delete_crd("podeips").unwrap();
    clock::sleep(Duration::from_secs(30)).await;
    let before = requests(&world);
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(1)).await;
    let n = requests(&world) - before;
    assert!(n < 60, "hot loop: {n}");
}

/// CRD not installed at the start, installed later.
#[tokio::test(start_paused = true)]
async fn crd_not_there_at_the_start() {
    let world = World::new();
    world.api.set_latency(ms(10));
    world.api.delete_crd("podeips").unwrap();
    clock::sleep(Duration::from_secs(5)).await;
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(10)).await;
    let n = requests(&world);
    assert!(n < 300, "{n}");
    world
        .api
        .install(&testbed::apiserver::podeip(true))
        .unwrap();
    world.until(LATER, |view| is_bound(view, "web")).await;
}

/// a webhook takes the annotation away in silence.
#[tokio::test(start_paused = true)]
async fn annotation_stripped_in_silence() {
    let world = World::new();
    world.api.set_latency(ms(10));
    let _agent = world.start("agent");
    world.api.on_change(|api, _| {
        let stripped = api.get("pods", NS, "web").is_some_and(|pod| {
            !pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"].is_null()
        });
        if stripped {
            let _ = api.edit("pods", NS, "web", |pod| {
                if let Some(all) = pod["metadata"]["annotations"].as_object_mut() {
                    all.remove("k8s.aliyun.com/allocated-eipAddress");
                }
            });
        }
    });
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_secs(20)).await;
    let before = world.writes();
    clock::sleep(Duration::from_mins(1)).await;
    let n = world.writes() - before;
    assert!(n <= 60, "{n}");
}

/// another controller takes the status away (ENC still runs), or the CRD prunes it.
#[tokio::test(start_paused = true)]
async fn status_taken_away() {
    let world = World::new();
    world.api.set_latency(ms(10));
    let _agent = world.start("agent");
    world.api.on_change(|api, _| {
        let shown = api
            .get("podeips", NS, "web")
            .is_some_and(|record| !record["status"]["privateIPAddress"].is_null());
        if shown {
            let _ = api.edit("podeips", NS, "web", |record| {
                if let Some(all) = record["status"].as_object_mut() {
                    all.remove("privateIPAddress");
                }
            });
        }
    });
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_secs(20)).await;
    let (before, looks) = (world.writes(), calls(&world));
    clock::sleep(Duration::from_mins(1)).await;
    let (n, looks) = (world.writes() - before, calls(&world) - looks);
    assert!(n <= 60 && looks <= 60, "{n} {looks}");
}

/// a CRD without status subresource, as an old chart may have it.
#[tokio::test(start_paused = true)]
async fn no_status_subresource() {
    let world = World::new();
    world.api.set_latency(ms(10));
    let mut crd = testbed::apiserver::podeip(true);
    crd["spec"]["versions"][0]
        .as_object_mut()
        .unwrap()
        .remove("subresources");
    world.api.install(&crd).unwrap();
    let fault = world.api.fault(
        When::writes()
            .client("agent")
            .resource("podeips")
            .subresource("status"),
        usize::MAX,
        Then::status(404),
    );
    let _ = fault;
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_secs(20)).await;
    let (before, looks) = (requests(&world), calls(&world));
    clock::sleep(Duration::from_mins(1)).await;
    let (n, looks) = (requests(&world) - before, calls(&world) - looks);
    assert!(n <= 60 && looks <= 60, "{n} {looks}");
}

/// many pods, CRD deleted: reads of the CRD.
#[tokio::test(start_paused = true)]
async fn crd_terminating_reads() {
    let world = World::new();
    world.api.set_latency(ms(10));
    world.cloud.change_settings(|settings| {
        settings.quotas.eips = 100;
        settings.rates.clear();
    });
    let _agent = world.start("agent");
    for n in 0..50 {
        world.run_pod(&format!("web-{n}"), &format!("10.0.0.{}", 11 + n));
    }
    world
        .until(LATER, |view| {
            (0..50).all(|n| is_bound(view, &format!("web-{n}")))
        })
        .await;
    world.api.delete_crd("podeips").unwrap();
    clock::sleep(Duration::from_secs(30)).await;
    let before = requests(&world);
    clock::sleep(Duration::from_mins(1)).await;
    let n = requests(&world) - before;
    assert!(n <= 100, "{n}");
}

/// deletion protection and locks.
#[tokio::test(start_paused = true)]
async fn protected_or_locked() {
    for action in [
        json!({"do": "protect", "on": true}),
        json!({"do": "lock", "reason": "financial"}),
    ] {
        let world = World::new();
        let _agent = world.start("agent");
        world.run_pod("web", "10.0.0.11");
        world.until_bound("web").await;
        let eip = world.eip().id;
        console(&world, &eip, action.clone());
        world.delete_pod("web");
        clock::sleep(Duration::from_mins(10)).await;
        let c = calls(&world);
        clock::sleep(Duration::from_mins(30)).await;
        assert!(calls(&world) - c < 200);
        if action["do"] == "protect" {
            console(&world, &eip, json!({"do": "protect", "on": false}));
        } else {
            console(&world, &eip, json!({"do": "unlock"}));
        }
        world.until_clean(Duration::from_mins(10), "web").await;
    }
}

/// quota on records, admission on pods, terminating namespace.
#[tokio::test(start_paused = true)]
async fn refusals_of_the_api_server() {
    let world = World::new();
    let _agent = world.start("agent");
    let quota = world.api.fault(
        When::verb(Verb::Create).client("agent").resource("podeips"),
        usize::MAX,
        Then::quota_exceeded("podeips.alibabacloud.com"),
    );
    for n in 0..20 {
        world.run_pod(&format!("web-{n}"), &format!("10.0.0.{}", 11 + n));
    }
    clock::sleep(Duration::from_mins(30)).await;
    let creates = || {
        world
            .api
            .count(&When::verb(Verb::Create).client("agent").resource("podeips"))
    };
    let before = creates();
    clock::sleep(Duration::from_mins(10)).await;
    let asked = creates() - before;
    assert!(asked <= 100, "{asked} in ten minutes for 20 pods");
    world.api.lift(quota);
    world.api.fault(
        When::writes().client("agent").resource("pods"),
        usize::MAX,
        Then::status(403),
    );
    clock::sleep(Duration::from_mins(10)).await;
    let r = requests(&world);
    clock::sleep(Duration::from_mins(10)).await;
    assert!((requests(&world) - r) / 10 < 60);
    for n in 0..20 {
        world.delete_pod(&format!("web-{n}"));
    }
    for n in 0..20 {
        world.until_clean(LATER, &format!("web-{n}")).await;
    }
}

/// a webhook that answers 500 for ever is told.
#[tokio::test(start_paused = true)]
async fn a_webhook_down_is_told() {
    let world = World::new();
    let _agent = world.start("agent");
    world.api.fault(
        When::writes().client("agent").resource("pods"),
        usize::MAX,
        Then::status(500),
    );
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(20)).await;
    assert!(world.events("web").contains(&"WriteFailed".to_owned()));
}
