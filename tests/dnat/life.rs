//! A pod's ports, from the annotation to nothing left.

use std::time::Duration;

use eipd::clock;
use serde_json::json;
use testbed::apiserver::When;

use crate::nat::{asking, is_ready, record, world};
use crate::world::{LATER, NS, SOON};

#[tokio::test(start_paused = true)]
async fn ports_are_made_shown_and_taken_back() {
    let (world, ip) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,443"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let record = record(&world.api, "web");
    assert_eq!(record["apiVersion"], "alibabacloud.com/v1beta1");
    assert_eq!(
        record["metadata"]["finalizers"],
        json!(["natgw-controller"])
    );
    let spec = &record["spec"];
    assert_eq!(spec["externalIP"], ip.to_string());
    assert_eq!(spec["internalIP"], "10.0.0.11");
    assert_eq!(
        (&spec["protocol"], &spec["tableId"]),
        (&json!("tcp"), &json!("ngw-1"))
    );
    assert_eq!(spec["eni"], world.eni.id);
    assert_eq!(spec["vswitch"], world.eni.vswitch_id);
    assert_eq!(spec["zoneID"], "cn-hangzhou-a");
    let mapping = spec["portMapping"].as_array().unwrap();
    let inside: Vec<_> = mapping
        .iter()
        .map(|it| it["internalPort"].clone())
        .collect();
    assert_eq!(inside, ["80", "443"]);
    for port in mapping {
        let outside: u16 = port["externalPort"].as_str().unwrap().parse().unwrap();
        assert!((512..=1024).contains(&outside));
    }
    let names: Vec<_> = world.entries().into_iter().map(|it| it.name).collect();
    let uid = record["metadata"]["uid"].as_str().unwrap();
    assert!(
        names
            .iter()
            .all(|it| it.starts_with("eipd-") && it.contains(uid)),
        "{names:?}"
    );
    assert!(world.events("web").contains(&"DNATReady".to_owned()));
    world.delete_pod("web");
    world.until_no_ports(SOON, "web").await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_takes_one_change_and_a_pod_few_calls() {
    let (world, _) = world();
    let _agent = world.start("agent");
    for round in 0..4 {
        let name = format!("learn-{round}");
        world.run(&asking(&world, &name, "80"), "10.0.0.20");
        world.until_ready(SOON, &name).await;
        world.delete_pod(&name);
        world.until_no_ports(SOON, &name).await;
    }
    let (changes, looks) = (
        world.changes_of_ports(),
        world.count("DescribeForwardTableEntries"),
    );
    let writes = When::writes().resource("poddnats");
    let before = world.api.count(&writes);
    world.run(&asking(&world, "web", "80,81,82"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    assert_eq!(world.changes_of_ports() - changes, 3);
    let looked = world.count("DescribeForwardTableEntries") - looks;
    assert!(looked <= 6, "{looked}");
    assert_eq!(
        world.api.count(&writes) - before,
        2,
        "the choice, and the status"
    );
    let at_rest = (
        world.changes_of_ports(),
        world.count("DescribeForwardTableEntries"),
    );
    clock::sleep(LATER).await;
    let audits = world.count("DescribeForwardTableEntries") - at_rest.1;
    assert!(audits <= 8, "{audits}");
    assert_eq!(world.changes_of_ports(), at_rest.0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_asks_no_more_loses_its_ports_and_what_it_says_of_them() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.annotate("web", "k8s.aliyun.com/pod-dnat", None);
    world.until_no_ports(SOON, "web").await;
    let pod = world.api.get("pods", NS, "web").unwrap();
    assert_eq!(pod["metadata"]["annotations"]["eipd.io/dnat"], json!(null));
    world.annotate("web", "k8s.aliyun.com/pod-dnat", Some("true"));
    world.until_ready(SOON, "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_finished_pod_gives_its_ports_back() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "job", "80"), "10.0.0.11");
    world.until_ready(SOON, "job").await;
    world.api.finish_pod(NS, "job", "Succeeded").unwrap();
    world.until_no_ports(SOON, "job").await;
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_by_hand_gives_back_and_a_living_pod_gets_other_ports_later() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let uid = record(&world.api, "web")["metadata"]["uid"].clone();
    world.api.delete("poddnats", NS, "web").unwrap();
    world.until_no_ports(SOON, "web").await;
    assert!(!is_ready(&world.api, "web"));
    world.until_ready(LATER, "web").await;
    assert_ne!(record(&world.api, "web")["metadata"]["uid"], uid);
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_address_changes_has_the_same_ports_there() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,443"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let before = record(&world.api, "web")["spec"]["portMapping"].clone();
    world.api.set_pod_ip(NS, "web", "10.0.0.12").unwrap();
    let moved = |view: &testbed::apiserver::ApiServer| {
        is_ready(view, "web") && record(view, "web")["spec"]["internalIP"] == "10.0.0.12"
    };
    world.until(SOON, moved).await;
    world.all_true("web");
    assert_eq!(record(&world.api, "web")["spec"]["portMapping"], before);
    assert_eq!(world.entries().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn other_ports_are_another_record() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.annotate("web", "k8s.aliyun.com/pod-dnat-expose-port", Some("80,443"));
    world.annotate(
        "web",
        "k8s.aliyun.com/pod-dnat-expose-protocol",
        Some("UDP"),
    );
    let changed = |view: &testbed::apiserver::ApiServer| {
        is_ready(view, "web") && record(view, "web")["spec"]["protocol"] == "udp"
    };
    world.until(SOON, changed).await;
    world.all_true("web");
    assert_eq!(world.entries().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_handed_on_has_nothing_of_its_earlier_pod() {
    let (world, _) = world();
    let _agent = world.start("agent");
    for round in 0..5 {
        let name = format!("web-{round}");
        world.run(&asking(&world, &name, "80"), "10.0.0.11");
        world.until_ready(Duration::from_mins(1), &name).await;
        world.delete_pod(&name);
    }
    world.until_no_ports(SOON, "web-4").await;
}
