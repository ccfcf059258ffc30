//! `eipd doctor` in a world that is well, and in worlds of which one thing is not.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudsim::identity::NewAccessKey;
use cloudsim::nat::NewNatGateway;
use cloudsim::world::routes::Route;
use eipd::clock::{self, Clock};
use eipd::config::Config;
use eipd::doctor::{self, Check, Verdict};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{LATER, NS, World};

const CRDS: [&str; 2] = ["poddnats.yaml", "paces.yaml"];

/// An Internet NAT gateway that the node's vSwitch leads to.
pub fn give_a_gateway(world: &World) {
    let gateway = NewNatGateway {
        id: Some("ngw-1".to_owned()),
        vswitch_id: world.eni.vswitch_id.clone(),
        ..NewNatGateway::default()
    };
    world.cloud.add_nat_gateway(gateway).unwrap();
    let route = Route {
        vpc_id: world.eni.vpc_id.clone(),
        next_hop_type: "NatGateway".to_owned(),
        next_hop_id: "ngw-1".to_owned(),
        ..Route::default()
    };
    world.cloud.add_route(route).unwrap();
}

/// A world in which everything of `daemonset/` that a check looks for is installed.
fn world() -> World {
    let world = World::new();
    for file in CRDS {
        let path = format!("{}/daemonset/crds/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let crd: Value = serde_saphyr::from_str(&text).unwrap();
        world.api.create(&crd).unwrap();
    }
    world
}

pub async fn report(world: &World) -> Vec<Check> {
    let env = BTreeMap::from([("NODE_NAME".to_owned(), world.node.clone())]);
    let config = Config::parse("config.yaml", &world.config, &env).unwrap();
    let doors = doctor::Doors {
        kube: Ok(world.api.client("doctor")),
        exchange: world.exchange(&world.instance),
        kernel: world.kernel.clone(),
        clock: Clock::starting_at(world.api.now()),
    };
    doctor::examine(&config, &doors).await.unwrap()
}

fn about<'a>(report: &'a [Check], about: &str) -> &'a Check {
    let found = report.iter().find(|check| check.about == about);
    found.unwrap_or_else(|| panic!("no {about} in {report:#?}"))
}

/// What is bad, by name.
fn bad(report: &[Check]) -> Vec<&str> {
    let bad = report.iter().filter(|it| it.verdict == Verdict::Bad);
    bad.map(|it| it.about.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn where_all_is_well_nothing_is_bad_and_nothing_changes() {
    let world = world();
    give_a_gateway(&world);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let (writes, eip) = (world.writes(), world.eip());
    let report = report(&world).await;
    assert!(doctor::is_well(&report), "{report:#?}");
    let unknown = report.iter().filter(|it| it.verdict == Verdict::Unknown);
    let unknown: Vec<_> = unknown.map(|it| it.about.as_str()).collect();
    assert_eq!(unknown, ["RAM AllocateEipAddress"]);
    for (name, part) in [
        ("metadata service", "hardened mode"),
        ("place", "account"),
        ("API server", "v1."),
        ("CRD podeips", "v1beta1 is served"),
        ("RBAC", "all "),
        ("other EIP controllers", "none"),
        ("credentials", "the configuration"),
        ("account", "acs:ram::"),
        ("clock", "0 s"),
        ("RAM ReleaseEipAddress", "allowed"),
        ("EIPs", "1 of them this cluster's"),
        ("RAM CreateForwardEntry", "allowed"),
        ("NAT gateways", "ngw-1 (cn-hangzhou-a, Available, 0 EIPs)"),
        ("routes", "to ngw-1"),
        ("ENI mode", "pods: 1 on a shared ENI"),
    ] {
        let check = about(&report, name);
        assert!(check.found.contains(part), "{check:?}");
    }
    clock::sleep(LATER).await;
    assert_eq!((world.writes(), world.eip().id), (writes, eip.id));
}

#[tokio::test(start_paused = true)]
async fn each_action_that_the_policy_lacks_is_named() {
    let all = [
        "vpc:DescribeEipAddresses",
        "vpc:AssociateEipAddress",
        "vpc:UnassociateEipAddress",
        "vpc:ReleaseEipAddress",
        "vpc:TagResources",
    ];
    for lacking in all {
        let mut world = world();
        let allowed = all.iter().filter(|it| **it != lacking);
        let key = world.cloud.add_access_key(NewAccessKey {
            allowed: Some(allowed.map(|&it| it.to_owned()).collect()),
            ..NewAccessKey::default()
        });
        world.config = format!(
            "credential: {{accessKey: {}, accessSecret: {}}}\n",
            key.id, key.secret
        );
        let report = report(&world).await;
        let name = lacking.replace("vpc:", "RAM ");
        let check = about(&report, &name);
        assert_eq!(check.verdict, Verdict::Bad, "{check:?}");
        assert!(check.found.contains("Forbidden.RAM") && check.found.contains("RequestId"));
        assert_eq!(bad(&report), [name.as_str()]);
        let package = about(&report, "RAM AddCommonBandwidthPackageIp");
        assert_eq!(package.verdict, Verdict::Note, "{package:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_api_server_lacks_is_named() {
    let world = World::new();
    world.api.deny("patch", "pods/status");
    let report = report(&world).await;
    assert_eq!(
        bad(&report),
        ["CRD poddnats", "CRD poddnats", "CRD paces", "RBAC"]
    );
    let rights = about(&report, "RBAC");
    assert_eq!(rights.found, "not allowed: patch pods/status");
    assert!(rights.remedy.contains("kubectl apply"));
}

#[tokio::test(start_paused = true)]
async fn a_vpc_without_a_gateway_is_a_note_and_a_pool_that_names_one_is_bad() {
    let mut world = world();
    let report_now = report(&world).await;
    let gateways = about(&report_now, "NAT gateways");
    assert_eq!(gateways.verdict, Verdict::Note, "{gateways:?}");
    assert_eq!(about(&report_now, "routes").verdict, Verdict::Note);
    assert!(doctor::is_well(&report_now));
    world.config += "networkController: {natGwPool: [{natgwId: ngw-other}]}\n";
    let report = report(&world).await;
    assert_eq!(bad(&report), ["NAT gateways"]);
    assert!(about(&report, "NAT gateways").found.contains("ngw-other"));
}

#[tokio::test(start_paused = true)]
async fn another_controller_and_a_wrong_clock_are_bad() {
    let world = world();
    let terway = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "eni-config", "namespace": "kube-system"},
        "data": {"eni_conf": "{\"enable_eip_pool\": \"true\"}"},
    });
    world.api.create(&terway).unwrap();
    // The API server's clock is the one that signs.
    world.api.set_clock_off_by(SignedDuration::ZERO);
    let right = Clock::new().wall().duration_since(world.api.now());
    world
        .api
        .set_clock_off_by(right + SignedDuration::from_mins(3));
    let report = report(&world).await;
    assert_eq!(bad(&report), ["other EIP controllers", "clock"]);
    assert!(
        about(&report, "clock")
            .found
            .contains("ahead of the cloud's")
    );
}

#[tokio::test(start_paused = true)]
async fn an_overlay_pod_is_a_note_and_a_silent_node_is_bad() {
    let world = world();
    world.run_pod("web", "172.20.0.5");
    let mode = about(&report(&world).await, "ENI mode").clone();
    assert_eq!(mode.verdict, Verdict::Note, "{mode:?}");
    assert!(mode.found.contains("1 on no ENI"), "{mode:?}");
    world.api.terminate_pod(NS, "web").unwrap();
    world.cloud.add_fault(cloudsim::faults::NewFault {
        action: "metadata".to_owned(),
        args: BTreeMap::new(),
        count: None,
        skip: 0,
        fault: cloudsim::faults::FaultKind::Drop,
    });
    let began = clock::now();
    let report = report(&world).await;
    assert!(clock::now() - began < Duration::from_mins(1));
    assert_eq!(bad(&report), ["metadata service", "place"]);
    assert!(
        about(&report, "metadata service")
            .remedy
            .contains("hostNetwork")
    );
}
