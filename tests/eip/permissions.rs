//! `docs/permissions.md`: each policy there is enough for what it says, and none of the smallest one's actions is spare.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudsim::identity::NewAccessKey;
use cloudsim::world::{BandwidthPackage, EniType, NewEni};
use eipd::clock;
use eipd::doctor::Verdict;
use serde_json::Value;

use crate::changeover::{SILENT, TAKEN, install, is_tagged, served_by_the_other};
use crate::world::{LATER, NS, World, is_bound};

const PAGE: &str = include_str!("../../docs/permissions.md");
const PACKAGE: &str = "k8s.aliyun.com/eip-common-bandwidth-package-id";

/// The actions of the page's policies, in their order.
fn policies() -> Vec<Vec<String>> {
    let blocks = PAGE.split("```json\n").skip(1);
    let policy = |block: &str| {
        let json: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
        let statement = json.get("Statement").map_or(&json, |all| &all[0]);
        let actions = statement["Action"].as_array().unwrap().iter();
        actions
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    };
    blocks.map(policy).collect()
}

/// A world whose agents may do just that.
fn world(allowed: &[String]) -> World {
    let mut world = World::new();
    let key = world.cloud.add_access_key(NewAccessKey {
        allowed: Some(allowed.to_vec()),
        ..NewAccessKey::default()
    });
    world.config = format!(
        "listen: 127.0.0.1:0\ncredential: {{accessKey: {}, accessSecret: {}}}\n",
        key.id, key.secret
    );
    world
}

/// Whether it comes about.
async fn comes(world: &World, within: Duration, holds: impl Fn(&World) -> bool) -> bool {
    let end = clock::now() + within;
    while clock::now() < end {
        if holds(world) {
            return true;
        }
        clock::sleep(Duration::from_secs(1)).await;
    }
    false
}

async fn is_given_back(world: &World) -> bool {
    world.delete_pod("web");
    comes(world, LATER, |world| world.eips().is_empty()).await
}

/// An EIP of the pod's own, from first to last.
async fn a_life(allowed: &[String]) -> bool {
    let world = world(allowed);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    comes(&world, LATER, |world| is_bound(&world.api, "web")).await && is_given_back(&world).await
}

async fn in_a_package(allowed: &[String]) -> bool {
    let world = world(allowed);
    let package = BandwidthPackage {
        id: "cbwp-1".to_owned(),
        bandwidth: 1_000,
        isp: "BGP".to_owned(),
        ..BandwidthPackage::default()
    };
    world.cloud.add_package(package).unwrap();
    world
        .cloud
        .change_settings(|settings| settings.open.release_from_package = false);
    let _agent = world.start("agent");
    world.run(
        &world.asking("web").annotation(PACKAGE, "cbwp-1"),
        "10.0.0.11",
    );
    comes(&world, LATER, |world| is_bound(&world.api, "web")).await && is_given_back(&world).await
}

/// Another controller's record, taken over and marked as ours.
async fn taken_over(allowed: &[String]) -> bool {
    let world = world(allowed);
    let pod = world.asking("web");
    let eip = served_by_the_other(&world, &pod, "10.0.0.11", |record| record);
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    comes(&world, TAKEN, |world| is_tagged(world, &eip)).await
}

/// On a trunk's member, of which Terway says nothing.
async fn on_a_member(allowed: &[String]) -> bool {
    let world = world(allowed);
    for (kind, ip) in [
        (EniType::Trunk, "10.0.0.200"),
        (EniType::Member, "10.0.0.101"),
    ] {
        let eni = NewEni {
            vswitch_id: world.eni.vswitch_id.clone(),
            kind,
            instance_id: Some(world.instance.clone()),
            primary_ip: Some(ip.to_owned()),
            ..NewEni::default()
        };
        world.cloud.add_eni(eni).unwrap();
    }
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.101");
    comes(&world, LATER, |world| is_bound(&world.api, "web")).await
}

/// A user's EIP, bound and unbound.
async fn named(allowed: &[String]) -> bool {
    let world = world(allowed);
    let eip = world.cloud.create_eip(&BTreeMap::default(), None).unwrap();
    let _agent = world.start("agent");
    let pod = world
        .asking("web")
        .annotation("k8s.aliyun.com/pod-eip-instanceid", &eip.id);
    world.run(&pod, "10.0.0.11");
    let bound = comes(&world, LATER, |world| is_bound(&world.api, "web")).await;
    world.delete_pod("web");
    let gone = |world: &World| world.api.get("podeips", NS, "web").is_none();
    bound && comes(&world, LATER, gone).await
}

async fn everything(allowed: &[String]) -> bool {
    a_life(allowed).await
        && in_a_package(allowed).await
        && taken_over(allowed).await
        && on_a_member(allowed).await
        && named(allowed).await
}

/// What fails without the action.
async fn fails_without(action: &str, rest: &[String]) -> bool {
    !match action {
        "vpc:AddCommonBandwidthPackageIp" | "vpc:RemoveCommonBandwidthPackageIp" => {
            in_a_package(rest).await
        }
        "vpc:TagResources" => taken_over(rest).await,
        "ecs:DescribeNetworkInterfaces" => on_a_member(rest).await,
        _ => a_life(rest).await,
    }
}

#[tokio::test(start_paused = true)]
async fn each_policy_of_the_page_is_enough_for_everything_that_is_on() {
    for policy in policies().into_iter().filter(|policy| !is_dnat(policy)) {
        assert!(everything(&policy).await, "{policy:?}");
    }
}

fn is_dnat(policy: &[String]) -> bool {
    policy.contains(&"vpc:CreateForwardEntry".to_owned())
}

/// What `eipd doctor` says of the actions for DNAT, and of what it finds by them, where not all is well.
async fn amiss(allowed: &[String]) -> Vec<String> {
    let world = world(allowed);
    crate::doctor::give_a_gateway(&world);
    let report = crate::doctor::report(&world).await;
    let dnat = report.into_iter().filter(|check| {
        ["NAT gateways", "routes"].contains(&&*check.about)
            || policies()[1].contains(&check.about.replace("RAM ", "vpc:"))
    });
    let amiss = dnat.filter(|check| check.verdict != Verdict::Ok);
    amiss.map(|check| check.about).collect()
}

#[tokio::test(start_paused = true)]
async fn each_policy_for_dnat_is_enough_and_none_of_the_smallest_ones_actions_is_spare() {
    let all = policies();
    let (smallest, given) = (&all[1], &all[3]);
    assert!(is_dnat(smallest) && is_dnat(given));
    for policy in [smallest, given] {
        assert_eq!(amiss(policy).await, Vec::<String>::new());
    }
    for action in smallest {
        let rest: Vec<_> = smallest
            .iter()
            .filter(|it| *it != action)
            .cloned()
            .collect();
        let amiss = amiss(&rest).await;
        assert!(
            amiss.contains(&action.replace("vpc:", "RAM ")),
            "{action}: {amiss:?}"
        );
        assert!(
            PAGE.contains(&format!("| `{action}` |")),
            "{action} has no row"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_action_of_the_smallest_policy_can_be_spared() {
    let smallest = policies().remove(0);
    for action in &smallest {
        let rest: Vec<_> = smallest
            .iter()
            .filter(|it| *it != action)
            .cloned()
            .collect();
        assert!(fails_without(action, &rest).await, "{action} is not needed");
        assert!(
            PAGE.contains(&format!("| `{action}` |")),
            "{action} has no row"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn live_bandwidth_needs_the_one_action_more() {
    let mut allowed = policies().remove(0);
    for (granted, expected) in [(false, 5), (true, 50)] {
        if granted {
            allowed.push("vpc:ModifyEipAddressAttribute".to_owned());
        }
        let mut world = world(&allowed);
        world.config.push_str("eip: {liveBandwidth: true}\n");
        let _agent = world.start("agent");
        world.run_pod("web", "10.0.0.11");
        world.until_bound("web").await;
        let change = |pod: &mut Value| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/eip-bandwidth"] = "50".into();
        };
        world.api.edit("pods", NS, "web", change).unwrap();
        clock::sleep(LATER).await;
        assert_eq!(*world.eip().bandwidth.now(), expected);
        assert!(is_bound(&world.api, "web"));
    }
}
