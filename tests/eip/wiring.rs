//! Every way in which Terway wires a pod, and addresses that are on no interface of this node.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind, NewFault};
use cloudsim::world::{EniType, NewEni};
use eipd::clock;
use serde_json::{Value, json};
use testbed::apiserver::When;

use crate::world::{LATER, NS, World, is_bound, is_in_use_at};

const ECS: &str = "DescribeNetworkInterfaces";

/// A further interface of the node, with one address.
fn attach(world: &World, kind: EniType, ip: &str) -> String {
    attach_to(world, &world.instance, kind, ip, 0)
}

fn attach_to(world: &World, instance: &str, kind: EniType, ip: &str, late: u64) -> String {
    let eni = NewEni {
        vswitch_id: world.eni.vswitch_id.clone(),
        kind,
        instance_id: Some(instance.to_owned()),
        primary_ip: Some(ip.to_owned()),
        metadata_late_ms: late,
        ..NewEni::default()
    };
    world.cloud.add_eni(eni).unwrap().id
}

/// A member of the node's trunk.
fn member(world: &World, ip: &str) -> String {
    attach(world, EniType::Trunk, "10.0.0.200");
    attach(world, EniType::Member, ip)
}

fn install_podenis(world: &World) {
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "podenis.network.alibabacloud.com"},
        "spec": {
            "group": "network.alibabacloud.com", "scope": "Namespaced",
            "names": {"plural": "podenis", "singular": "podeni", "kind": "PodENI", "listKind": "PodENIList"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true}],
        },
    });
    world.api.install(&crd).unwrap();
}

fn podeni(world: &World, name: &str, eni: &str, ip: &str, phase: &str) {
    world
        .api
        .create(&json!({
            "apiVersion": "network.alibabacloud.com/v1beta1", "kind": "PodENI",
            "metadata": {"namespace": NS, "name": name},
            "spec": {"allocations": [{"eni": {"id": eni}, "ipv4": ip}]},
            "status": {"phase": phase},
        }))
        .unwrap();
}

fn always(world: &World, action: &str, fault: FaultKind) -> u64 {
    world.cloud.add_fault(NewFault {
        action: action.to_owned(),
        args: BTreeMap::new(),
        count: None,
        skip: 0,
        fault,
    })
}

fn refusal(status: u16, code: &str) -> FaultKind {
    FaultKind::Refuse(Answer {
        status,
        code: code.to_owned(),
        ..Answer::default()
    })
}

fn is_refused(world: &World, name: &str) -> bool {
    let pod = world.api.get("pods", NS, name).unwrap_or_default();
    let conditions = pod["status"]["conditions"].as_array().cloned();
    let refused = |condition: &Value| condition["reason"] == "AddressNotInVPC";
    conditions.unwrap_or_default().iter().any(refused)
}

/// What the Events on a pod say.
fn notes(world: &World, name: &str) -> String {
    let about = |event: &Value| event["regarding"]["name"] == name;
    let events = world.api.list("events").into_iter().filter(about);
    let notes = events.map(|event| event["note"].as_str().unwrap_or_default().to_owned());
    notes.collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn on_a_shared_eni_the_metadata_service_tells_all() {
    let world = World::new();
    install_podenis(&world);
    let _agent = world.start("agent");
    for (name, ip) in [("a", "10.0.0.11"), ("b", "10.0.0.12"), ("c", "10.0.0.60")] {
        world.run_pod(name, ip);
        world.until_bound(name).await;
        world.delete_pod(name);
        world.until_clean(LATER, name).await;
    }
    assert_eq!(world.count(ECS), 0);
    assert_eq!(world.api.count(&When::any().resource("podenis")), 0);
}

#[tokio::test(start_paused = true)]
async fn on_an_exclusive_eni_the_primary_address_is_the_pods() {
    let world = World::new();
    let eni = attach(&world, EniType::Secondary, "10.0.0.100");
    let first = world.start("agent");
    world.run_pod("web", "10.0.0.100");
    world.until_bound("web").await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.100"));
    assert_eq!(world.record("web")["status"]["networkInterfaceID"], eni);
    first.kill().await;
    let _second = world.start("second");
    clock::sleep(Duration::from_hours(5)).await;
    assert!(is_bound(&world.api, "web"));
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
    assert_eq!(world.changes(), 4);
    assert_eq!(world.count(ECS), 0);
}

#[tokio::test(start_paused = true)]
async fn on_a_member_eni_terways_own_object_tells() {
    let world = World::new();
    install_podenis(&world);
    let eni = member(&world, "10.0.0.101");
    podeni(&world, "web", &eni, "10.0.0.101", "Bind");
    let first = world.start("agent");
    world.run_pod("web", "10.0.0.101");
    world.until_bound("web").await;
    assert_eq!(world.record("web")["status"]["networkInterfaceID"], eni);
    assert_eq!(world.count(ECS), 0);
    first.kill().await;
    let _second = world.start("second");
    clock::sleep(Duration::from_hours(5)).await;
    assert!(
        is_bound(&world.api, "web"),
        "the EIP is reported without an address: the member's own"
    );
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
    assert_eq!(world.changes(), 4);
    assert_eq!(world.count(ECS), 0);
}

#[tokio::test(start_paused = true)]
async fn without_terways_object_the_ecs_api_tells() {
    for phase in [None, Some("Deleting")] {
        let world = World::new();
        let eni = member(&world, "10.0.0.101");
        if let Some(phase) = phase {
            install_podenis(&world);
            podeni(&world, "web", &world.eni.id, "10.0.0.101", phase);
        }
        let _agent = world.start("agent");
        world.run_pod("web", "10.0.0.101");
        world.until(LATER, |view| is_bound(view, "web")).await;
        assert_eq!(world.record("web")["status"]["networkInterfaceID"], eni);
        assert!(!is_refused(&world, "web"));
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_refused_only_when_the_ecs_api_agrees() {
    let world = World::new();
    let fault = always(&world, ECS, refusal(503, "ServiceUnavailable"));
    let _agent = world.start("agent");
    world.run_pod("web", "172.20.3.4");
    clock::sleep(Duration::from_mins(30)).await;
    assert!(world.count(ECS) > 3);
    assert!(!is_refused(&world, "web"), "{}", notes(&world, "web"));
    world.cloud.remove_fault(fault);
    world.until(LATER, |_| is_refused(&world, "web")).await;
    assert_eq!(world.count("AssociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_named_and_keeps_nobody_else() {
    let world = World::new();
    always(&world, ECS, refusal(403, "Forbidden.RAM"));
    let _agent = world.start("agent");
    world.run_pod("member", "10.0.0.101");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world
        .until(LATER, |_| notes(&world, "member").contains("Forbidden.RAM"))
        .await;
    let told = notes(&world, "member");
    assert!(told.contains(ECS) && told.contains("RequestId"), "{told}");
    clock::sleep(Duration::from_mins(30)).await;
    assert!(!is_refused(&world, "member"));
    assert!(world.count(ECS) < 30, "{} calls", world.count(ECS));
}

#[tokio::test(start_paused = true)]
async fn an_address_of_another_instance_is_not_bound() {
    let world = World::new();
    let other = world.add_node();
    let eni = attach_to(&world, &other.instance, EniType::Secondary, "10.0.0.102", 0);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.102");
    world
        .until(LATER, |_| {
            let told = notes(&world, "web");
            told.contains(&eni) && told.contains(&other.instance) && told.contains(&world.instance)
        })
        .await;
    clock::sleep(Duration::from_mins(30)).await;
    assert_eq!(world.count("AssociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_eni_that_is_plugged_in_later_is_found() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("first", "10.0.0.11");
    world.until_bound("first").await;
    attach_to(
        &world,
        &world.instance,
        EniType::Secondary,
        "10.0.0.103",
        5_000,
    );
    world.run_pod("web", "10.0.0.103");
    world.until_bound("web").await;
    assert_eq!(world.count(ECS), 0, "late is not absent");
}

#[tokio::test(start_paused = true)]
async fn an_address_of_a_prefix_is_refused_with_the_remedy() {
    let world = World::new();
    let order = serde_json::from_value(json!({"prefixes": ["10.0.0.112/28"]})).unwrap();
    world.cloud.assign_ips(&world.eni.id, &order).unwrap();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.115");
    world.until(LATER, |_| is_refused(&world, "web")).await;
    let told = notes(&world, "web");
    assert!(
        told.contains("10.0.0.112/28") && told.contains("without IP prefixes"),
        "{told}"
    );
    assert_eq!(world.count("AssociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_metadata_service_configuration_and_ecs_are_enough() {
    let mut world = World::new();
    let region = "cn-hangzhou";
    world.config = format!(
        "{}regionID: {region}\nvpcID: {}\naccountID: '123'\n",
        world.config, world.eni.vpc_id
    );
    always(&world, "metadata", FaultKind::Drop);
    let provider = format!("{region}.{}", world.instance);
    world
        .api
        .edit("nodes", "", &world.node, |node| {
            node["spec"]["providerID"] = json!(provider);
        })
        .unwrap();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world
        .until(Duration::from_mins(10), |view| is_bound(view, "web"))
        .await;
    assert!(world.count(ECS) > 0);
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn another_nodes_configuration_ends_the_agent_and_names_both() {
    for (key, wrong, right) in [
        ("regionID", "cn-elsewhere", "cn-hangzhou"),
        ("vpcID", "vpc-elsewhere", "vpc-"),
    ] {
        let mut world = World::new();
        world.config = format!("{}{key}: {wrong}\n", world.config);
        let agent = world.start("agent");
        let ended = agent.task.await.unwrap().unwrap_err().to_string();
        assert!(
            ended.contains(key) && ended.contains(wrong) && ended.contains(right),
            "{ended}"
        );
    }
}
