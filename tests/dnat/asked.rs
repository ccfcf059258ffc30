//! What pods ask, well and badly.

use std::time::Duration;

use eipd::clock;
use testbed::apiserver::PodSpec;

use crate::nat::{asking, is_ready, record, world};
use crate::world::{NS, SOON};

const PORT: &str = "k8s.aliyun.com/pod-dnat-expose-port";
const PROTOCOL: &str = "k8s.aliyun.com/pod-dnat-expose-protocol";

#[tokio::test(start_paused = true)]
async fn bad_input_is_an_event_and_no_call() {
    let cases = [
        ("k8s.aliyun.com/pod-dnat", "yes"),
        (PORT, ""),
        (PORT, "http"),
        (PORT, "80,80"),
        (PORT, "0"),
        (PORT, "65536"),
        (PORT, "80,,81"),
        (PROTOCOL, "sctp"),
        ("k8s.aliyun.com/pod-dnat-fixed", "perhaps"),
    ];
    for (key, value) in cases {
        let (world, _) = world();
        let _agent = world.start("agent");
        let pod = asking(&world, "web", "80").annotation(key, value);
        world.run(&pod, "10.0.0.11");
        clock::sleep(Duration::from_mins(3)).await;
        let events = world.api.list("events");
        let event = events.iter().find(|it| it["reason"] == "InvalidRequest");
        let note = event.unwrap_or_else(|| panic!("{key}={value}"))["note"].to_string();
        assert!(note.contains(key) && note.contains(value), "{note}");
        assert!(record(&world.api, "web").is_null(), "{key}={value}");
        let asked: Vec<_> = world.cloud.counts().into_keys().collect();
        assert!(asked.iter().all(|it| it == "metadata"), "{asked:?}");
        let pod = world.api.get("pods", NS, "web").unwrap();
        let condition = pod["status"]["conditions"].as_array().unwrap();
        let said = condition.iter().find(|it| it["type"] == "eipd.io/dnat");
        assert_eq!(said.unwrap()["reason"], "InvalidRequest");
    }
}

#[tokio::test(start_paused = true)]
async fn many_ports_of_one_pod_share_one_address() {
    let (world, _) = world();
    for _ in 0..3 {
        crate::nat::eip(&world, crate::nat::GATEWAY);
    }
    let _agent = world.start("agent");
    let ports: Vec<_> = (80..100).map(|port| port.to_string()).collect();
    let pod = asking(&world, "web", &ports.join(", ")).annotation(PROTOCOL, "UDP");
    world.run(&pod, "10.0.0.11");
    world.until_ready(Duration::from_mins(3), "web").await;
    let entries = world.entries();
    assert_eq!(entries.len(), 20);
    let ip = entries[0].external_ip;
    assert!(
        entries
            .iter()
            .all(|it| it.external_ip == ip && it.protocol == "udp")
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_goes_bad_takes_nothing_away() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.annotate("web", PORT, Some("eighty"));
    clock::sleep(Duration::from_mins(3)).await;
    assert!(is_ready(&world.api, "web"));
    assert!(world.events("web").contains(&"InvalidRequest".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_pod_on_the_hosts_network_and_one_that_asks_nothing_are_left_alone() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "host", "80").host_network(), "10.0.0.10");
    world.run(&PodSpec::new(NS, "other", &world.node), "10.0.0.12");
    let off = asking(&world, "off", "80").annotation("k8s.aliyun.com/pod-dnat", "false");
    world.run(&off, "10.0.0.13");
    clock::sleep(Duration::from_mins(3)).await;
    assert_eq!(world.events("host"), ["InvalidRequest"]);
    assert_eq!(world.events("other").len() + world.events("off").len(), 0);
    assert_eq!(world.changes_of_ports(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_record_is_worked_at_the_version_that_is_served() {
    for (served, version) in [
        (vec!["v1"], "v1"),
        (vec!["v1beta1"], "v1beta1"),
        (vec!["v1", "v1beta1"], "v1beta1"),
    ] {
        let (world, _) = world();
        let crd = testbed::apiserver::poddnat(&served);
        world.api.install(&crd).unwrap();
        let _agent = world.start("agent");
        world.run(&asking(&world, "web", "80"), "10.0.0.11");
        world.until_ready(SOON, "web").await;
        let worked = eipd_requests(&world);
        assert!(
            worked.iter().all(|it| it == version),
            "{served:?}: {worked:?}"
        );
        world.delete_pod("web");
        world.until_no_ports(SOON, "web").await;
    }
}

/// The versions at which records were asked for.
fn eipd_requests(world: &crate::world::World) -> Vec<String> {
    let all = world.api.log();
    let paths = all.iter().map(|request| request.call.path.clone());
    let records = paths.filter(|path| path.contains("/poddnats"));
    records
        .filter_map(|path| path.split('/').nth(3).map(str::to_owned))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_crd_that_comes_late_is_waited_for() {
    let (world, _) = world();
    let crd = world
        .api
        .get("customresourcedefinitions", "", "poddnats.alibabacloud.com")
        .unwrap();
    world
        .api
        .vanish("customresourcedefinitions", "", "poddnats.alibabacloud.com")
        .unwrap();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    clock::sleep(Duration::from_mins(2)).await;
    assert_eq!(world.changes_of_ports(), 0);
    let installed = serde_json::json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "poddnats.alibabacloud.com"}, "spec": crd["spec"],
    });
    world.api.install(&installed).unwrap();
    world.until_ready(Duration::from_mins(7), "web").await;
    world.delete_pod("web");
    world.until_no_ports(SOON, "web").await;
}
