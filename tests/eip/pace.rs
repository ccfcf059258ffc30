//! The account's quota and rates, shared by all agents: the breaker, and numbers while the cloud throttles.

use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind, NewFault};
use eipd::clock;
use serde_json::{Value, json};
use testbed::apiserver::PodSpec;

use crate::world::{Agent, LATER, NS, Node, World, is_bound};

/// A world with the definition of the pace, as it is installed.
fn world() -> World {
    let world = World::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/daemonset/crds/paces.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let crd: Value = serde_saphyr::from_str(&text).unwrap();
    world.api.create(&crd).unwrap();
    world
}

fn breaker(world: &World) -> Value {
    let object = world.api.get("paces", "", "allocate").unwrap_or_default();
    object["spec"]["breaker"].clone()
}

fn refused(world: &World, action: &str) -> u64 {
    let calls = world.cloud.calls();
    let refused = calls
        .iter()
        .filter(|call| call.action == action && call.code.is_some());
    refused.count().try_into().unwrap()
}

fn always(world: &World, action: &str, code: &str) -> u64 {
    world.cloud.add_fault(NewFault {
        action: action.to_owned(),
        args: std::collections::BTreeMap::new(),
        count: None,
        skip: 0,
        fault: FaultKind::Refuse(Answer {
            status: 400,
            code: code.to_owned(),
            ..Answer::default()
        }),
    })
}

fn many_agents(world: &World, nodes: usize) -> Vec<(Node, Agent)> {
    (0..nodes)
        .map(|n| {
            let node = world.add_node();
            let agent = world.start_on(&node, &format!("agent-{n}"));
            (node, agent)
        })
        .collect()
}

fn asking(node: &Node, name: &str) -> PodSpec {
    PodSpec::new(NS, name, &node.name).annotation("k8s.aliyun.com/pod-with-eip", "true")
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_is_found_out_once_and_ends_by_itself() {
    let world = world();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 2);
    let agents = many_agents(&world, 10);
    for (n, (node, _)) in agents.iter().enumerate() {
        world.run(&asking(node, &format!("web-{n}")), &node.ip(11));
        clock::sleep(Duration::from_secs(6)).await;
    }
    clock::sleep(Duration::from_mins(10)).await;
    let bound = |world: &World| {
        (0..10)
            .filter(|n| is_bound(&world.api, &format!("web-{n}")))
            .count()
    };
    assert_eq!(bound(&world), 2);
    assert_eq!(breaker(&world)["reason"], "Quota", "{}", breaker(&world));
    let asked = refused(&world, "AllocateEipAddress");
    assert!(
        asked <= 12,
        "eight pods of eight agents asked {asked} times in eleven minutes"
    );
    let told = (0..10).filter(|n| {
        world
            .events(&format!("web-{n}"))
            .contains(&"WaitingForQuota".to_owned())
    });
    assert_eq!(told.count(), 8, "who finds it out waits like the others");
    // Somebody raises the quota: nobody has to do anything.
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 20);
    world
        .until(Duration::from_mins(12), |_| bound(&world) == 10)
        .await;
    clock::sleep(LATER).await;
    assert!(breaker(&world).is_null(), "{}", breaker(&world));
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_is_released_is_given_to_one_that_waits() {
    let world = world();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 1);
    let agents = many_agents(&world, 2);
    world.run(&asking(&agents[0].0, "old"), &agents[0].0.ip(11));
    world.until_bound("old").await;
    world.run(&asking(&agents[1].0, "new"), &agents[1].0.ip(11));
    clock::sleep(Duration::from_hours(1)).await;
    assert!(!is_bound(&world.api, "new"));
    world.delete_pod("old");
    // A rolling update within its quota goes on at once, however long it has waited.
    world
        .until(Duration::from_secs(50), |view| is_bound(view, "new"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn frequent_purchase_stops_the_whole_fleet_and_is_probed_rarely() {
    let world = world();
    let fault = always(&world, "AllocateEipAddress", "FrequentPurchase.EIP");
    let agents = many_agents(&world, 8);
    for (n, (node, _)) in agents.iter().enumerate() {
        world.run(&asking(node, &format!("web-{n}")), &node.ip(11));
        clock::sleep(Duration::from_secs(6)).await;
    }
    clock::sleep(Duration::from_hours(6)).await;
    let asked = world.count("AllocateEipAddress");
    assert!(asked <= 12, "{asked} in six hours");
    assert_eq!(breaker(&world)["reason"], "FrequentPurchase");
    world.cloud.remove_fault(fault);
    let all =
        |view: &testbed::apiserver::ApiServer| (0..8).all(|n| is_bound(view, &format!("web-{n}")));
    world.until(Duration::from_hours(2), all).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_cloud_throttles_agents_take_numbers() {
    let world = world();
    world.cloud.change_settings(|settings| {
        settings.quotas.eips = 1_000;
        for action in [
            "AllocateEipAddress",
            "AssociateEipAddress",
            "UnassociateEipAddress",
        ] {
            settings.rates.insert(action.to_owned(), 120);
        }
    });
    let agents = many_agents(&world, 40);
    let pods = 10;
    let began = clock::now();
    for (n, (node, _)) in agents.iter().enumerate() {
        for pod in 0..pods {
            world.run(&asking(node, &format!("web-{n}-{pod}")), &node.ip(11 + pod));
        }
    }
    let all = |view: &testbed::apiserver::ApiServer| {
        (0..40).all(|n| (0..pods).all(|pod| is_bound(view, &format!("web-{n}-{pod}"))))
    };
    world.until(Duration::from_mins(20), all).await;
    let minutes = (clock::now() - began).as_secs_f64() / 60.0;
    let refused = refused(&world, "AllocateEipAddress") + refused(&world, "AssociateEipAddress");
    // 400 of each at 120 a minute take 3 min 20 s at the least.
    assert!(minutes < 4.5, "{minutes:.1} minutes, {refused} refused");
    assert!(
        refused < 400,
        "{refused} refused of 800 calls in {minutes:.1} minutes"
    );
    println!("400 EIPs in {minutes:.2} minutes, {refused} of 800 calls refused");
}

#[tokio::test(start_paused = true)]
async fn a_thiefs_nonsense_in_the_pace_stops_nobody() {
    let world = world();
    world
        .api
        .create(&json!({
            "apiVersion": "eipd.io/v1", "kind": "Pace", "metadata": {"name": "allocate"},
            "spec": {
                "rate": 1, "epoch": "2100-01-01T00:00:00Z", "epochNumber": -5,
                "breaker": {"until": "2100-01-01T00:00:00Z", "reason": "Quota", "message": "", "probes": 0},
            },
        }))
        .unwrap();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
}

#[tokio::test(start_paused = true)]
async fn without_the_definition_of_the_pace_everything_is_served() {
    let world = World::new();
    let throttle = FaultKind::Refuse(Answer {
        status: 400,
        code: "Throttling.User".to_owned(),
        ..Answer::default()
    });
    for action in ["AllocateEipAddress", "AssociateEipAddress"] {
        world.order(action, throttle.clone());
    }
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until(LATER, |view| is_bound(view, "web")).await;
}
