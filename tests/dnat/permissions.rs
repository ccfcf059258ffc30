//! `docs/permissions.md`, as far as ports go: each policy there is enough, and none of the smallest one's actions is spare.

use std::time::Duration;

use cloudsim::identity::NewAccessKey;
use eipd::clock;
use serde_json::Value;
use testbed::apiserver::PodSpec;

use crate::nat::{asking, is_ready, world};
use crate::world::{NS, World};

const PAGE: &str = include_str!("../../docs/permissions.md");

/// The actions of the page's policies that are about forward entries: the smallest one, and the one of the seeds.
fn policies() -> Vec<Vec<String>> {
    let blocks = PAGE.split("```json\n").skip(1);
    let policy = |block: &str| {
        let json: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
        let statement = json.get("Statement").map_or(&json, |all| &all[0]);
        let actions = statement["Action"].as_array().unwrap().iter();
        let actions = actions.map(|action| action.as_str().unwrap().to_owned());
        actions.collect::<Vec<_>>()
    };
    let ports = |all: &Vec<String>| all.contains(&"vpc:CreateForwardEntry".to_owned());
    blocks.map(policy).filter(ports).collect()
}

/// A pod on an interface that only the ECS API knows, for that takes every action.
async fn works(allowed: &[String]) -> bool {
    let (mut world, _) = world();
    let key = world.cloud.add_access_key(NewAccessKey {
        allowed: Some(allowed.to_vec()),
        ..NewAccessKey::default()
    });
    world.config = format!(
        "listen: 127.0.0.1:0\ncredential: {{accessKey: {}, accessSecret: {}}}\n",
        key.id, key.secret
    );
    let _agent = world.start("agent");
    let ip = member(&world);
    world.run(&asking(&world, "web", "80"), &ip);
    if !comes(&world, |world| is_ready(&world.api, "web")).await {
        return false;
    }
    world.delete_pod("web");
    comes(&world, |world| world.entries().is_empty()).await
}

/// A trunk's member: no metadata service lists it.
fn member(world: &World) -> String {
    use cloudsim::world::{EniType, NewEni};
    for (kind, ip) in [
        (EniType::Trunk, "10.0.0.200"),
        (EniType::Member, "10.0.0.99"),
    ] {
        let eni = NewEni {
            vswitch_id: world.eni.vswitch_id.clone(),
            instance_id: Some(world.instance.clone()),
            kind,
            primary_ip: Some(ip.to_owned()),
            ..NewEni::default()
        };
        world.cloud.add_eni(eni).unwrap();
    }
    "10.0.0.99".to_owned()
}

async fn comes(world: &World, holds: impl Fn(&World) -> bool) -> bool {
    for _ in 0..300 {
        if holds(world) {
            return true;
        }
        clock::sleep(Duration::from_secs(1)).await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn each_policy_is_enough() {
    let all = policies();
    assert_eq!(all.len(), 2);
    for mut policy in all {
        // It stands in the policy for EIPs, beside which the smallest one is.
        policy.push("ecs:DescribeNetworkInterfaces".to_owned());
        assert!(works(&policy).await, "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_action_of_the_smallest_something_fails() {
    let smallest = policies().remove(0);
    let interfaces = "ecs:DescribeNetworkInterfaces".to_owned();
    for action in smallest.iter().chain([&interfaces]) {
        let all = smallest.iter().chain([&interfaces]);
        let rest: Vec<_> = all.filter(|it| *it != action).cloned().collect();
        assert!(!works(&rest).await, "{action} is spare");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_allowed_is_told_with_the_action() {
    let (mut world, _) = world();
    let key = world.cloud.add_access_key(NewAccessKey {
        allowed: Some(vec!["vpc:DescribeNatGateways".to_owned()]),
        ..NewAccessKey::default()
    });
    world.config = format!(
        "listen: 127.0.0.1:0\ncredential: {{accessKey: {}, accessSecret: {}}}\n",
        key.id, key.secret
    );
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.run(&PodSpec::new(NS, "other", &world.node), "10.0.0.12");
    clock::sleep(Duration::from_mins(1)).await;
    let events = world.api.list("events");
    let told = events.iter().find(|it| it["reason"] == "NoPorts").unwrap();
    assert!(
        told["note"].to_string().contains("DescribeRouteTableList"),
        "{told}"
    );
}
