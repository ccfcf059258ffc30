//! From ack-extend-network-controller or Terway to eipd, without a touch on anybody's traffic.

use std::collections::BTreeMap;
use std::time::Duration;

use eipd::clock;
use serde_json::{Value, json};
use testbed::apiserver::{EncRecord, PodSpec};

use crate::world::{LATER, NS, World, is_bound, is_in_use_at};

const ENI_CONFIG: &str = "eni-config";
/// A stamp of the other controller is no sign of life any more.
pub const SILENT: Duration = Duration::from_mins(11);
/// Every take-over has begun by then.
pub const TAKEN: Duration = Duration::from_mins(50);

/// What the other controller leaves: pod, record and EIP, the EIP bound at that address.
pub fn served_by_the_other(
    world: &World,
    pod: &PodSpec,
    ip: &str,
    record: impl FnOnce(EncRecord) -> EncRecord,
) -> String {
    let eip = world.cloud.create_eip(&BTreeMap::new(), None).unwrap();
    let bind = json!({"do": "bind", "eni": world.eni.id, "private_ip": ip});
    world
        .cloud
        .change_eip(&eip.id, &serde_json::from_value(bind).unwrap())
        .unwrap();
    world.run(pod, ip);
    let address = eip.ip.to_string();
    let made = EncRecord::new(NS, pod.name(), &eip.id).bound(&address, &world.eni.id, ip);
    world.api.create_enc_record(&record(made)).unwrap();
    world.api.stamp_enc_records();
    world
        .api
        .edit("pods", NS, pod.name(), |pod| {
            for key in [
                "k8s.aliyun.com/allocated-eipAddress",
                "network.alibabacloud.com/allocated-eipAddress",
            ] {
                pod["metadata"]["annotations"][key] = address.as_str().into();
            }
            pod["status"]["conditions"] = json!([{
                "type": "k8s.aliyun.com/eip", "status": "True", "reason": "Associate eip succeed",
            }]);
        })
        .unwrap();
    eip.id
}

/// A name, and what makes a record none to take over.
type Spoil = (&'static str, fn(&World, &str));

pub fn install(world: &World) {
    world
        .api
        .create(&json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"namespace": "eipd", "name": "eipd"},
        }))
        .unwrap();
}

fn is_ours(record: &Value) -> bool {
    let metadata = &record["metadata"];
    metadata["labels"]["eipd.io/eip"] == record["spec"]["allocationID"]
        && metadata["annotations"]["k8s.aliyun.com/eip-controller"] == "eipd"
}

pub fn is_tagged(world: &World, eip: &str) -> bool {
    let eip = world.cloud.eip(eip).unwrap();
    let tags = eip.tags.now();
    tags.contains_key("eipd-cluster") && tags.contains_key("eipd-record")
}

fn traffic_flowed(world: &World) {
    for action in [
        "AllocateEipAddress",
        "AssociateEipAddress",
        "UnassociateEipAddress",
        "ReleaseEipAddress",
    ] {
        assert_eq!(world.count(action), 0, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_living_pods_record_is_taken_over_with_its_eip_bound() {
    for marked in [false, true] {
        let world = World::new();
        let mark = |record: EncRecord| if marked { record.marked() } else { record };
        let eip = served_by_the_other(&world, &world.asking("web"), "10.0.0.11", mark);
        clock::sleep(SILENT).await;
        install(&world);
        let _agent = world.start("agent");
        clock::sleep(TAKEN).await;
        let record = world.record("web");
        assert!(is_ours(&record), "{record}");
        assert_eq!(
            record["metadata"]["labels"]["eipd.io/node"],
            world.node.as_str()
        );
        assert_eq!(
            record["metadata"]["annotations"]["eipd.io/target"],
            format!("{}/10.0.0.11", world.eni.id)
        );
        assert_eq!(record["metadata"]["ownerReferences"][0]["kind"], "Pod");
        assert!(is_tagged(&world, &eip));
        assert!(is_in_use_at(&world.eip(), "10.0.0.11") && is_bound(&world.api, "web"));
        traffic_flowed(&world);
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
    }
}

/// Without a readiness gate the other controller may have written no condition: the addresses on the pod say enough.
fn forget_condition(world: &World, name: &str) {
    let edit = |pod: &mut Value| {
        pod["status"]["conditions"] = json!([]);
    };
    world.api.edit("pods", NS, name, edit).unwrap();
}

fn unbind(world: &World, eip: &str) {
    let unbind = serde_json::from_value(json!({"do": "unbind"})).unwrap();
    world.cloud.change_eip(eip, &unbind).unwrap();
}

#[tokio::test(start_paused = true)]
async fn pods_without_a_readiness_gate_are_taken_over_in_no_more_haste() {
    let world = World::new();
    let names: Vec<String> = (0..20).map(|n| format!("web-{n}")).collect();
    for (name, last) in names.iter().zip(11..) {
        let ip = format!("10.0.0.{last}");
        served_by_the_other(&world, &world.asking(name), &ip, |record| record);
        forget_condition(&world, name);
    }
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    let taken = || names.iter().filter(|name| is_ours(&world.record(name)));
    let mut most = 0;
    for minute in 0..50 {
        let before = taken().count();
        clock::sleep(Duration::from_mins(1)).await;
        most = most.max(taken().count() - before);
        let told = |name: &String| {
            let pod = world.api.get("pods", NS, name).unwrap_or_default();
            pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"].is_string()
        };
        assert!(names.iter().all(told), "in minute {minute}");
    }
    assert!(most < 10, "{most} of {} in one minute", names.len());
    assert_eq!(taken().count(), names.len());
    traffic_flowed(&world);
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_stands_nowhere_is_bound_again_before_its_address_is_shown() {
    let world = World::new();
    let eip = served_by_the_other(&world, &world.asking("web"), "10.0.0.11", |record| record);
    unbind(&world, &eip);
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    let hidden = |view: &testbed::apiserver::ApiServer| {
        let record = view.get("podeips", NS, "web").unwrap_or_default();
        is_ours(&record)
            && record["status"]["eipAddress"]
                .as_str()
                .is_none_or(str::is_empty)
    };
    world.until(TAKEN, hidden).await;
    assert!(!is_in_use_at(&world.eip(), "10.0.0.11"));
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    assert_eq!(world.count("AllocateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kept_record_rests_without_the_address_that_the_other_left_there() {
    let world = World::new();
    let pod = world
        .asking("web-0")
        .annotation("k8s.aliyun.com/pod-eip-release-strategy", "Never");
    let eip = served_by_the_other(&world, &pod, "10.0.0.11", EncRecord::never);
    world.delete_pod("web-0");
    unbind(&world, &eip);
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    world
        .until(Duration::from_mins(15), |view| {
            let record = view.get("podeips", NS, "web-0").unwrap_or_default();
            is_ours(&record) && record["metadata"]["labels"]["eipd.io/node"].is_null()
        })
        .await;
    let shown = &world.record("web-0")["status"]["eipAddress"];
    assert!(shown.as_str().is_none_or(str::is_empty), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_asks_no_more_loses_what_the_other_gave_it() {
    let world = World::new();
    served_by_the_other(&world, &world.asking("web"), "10.0.0.11", |record| record);
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/pod-with-eip"] = "false".into();
        })
        .unwrap();
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    world.until_clean(LATER, "web").await;
    let pod = world.api.get("pods", NS, "web").unwrap();
    let shown = &pod["metadata"]["annotations"]["k8s.aliyun.com/allocated-eipAddress"];
    assert!(shown.is_null(), "{pod}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_goes_before_its_record_is_taken_over_leaves_nothing() {
    let world = World::new();
    served_by_the_other(&world, &world.asking("web"), "10.0.0.11", |record| record);
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    clock::sleep(Duration::from_secs(20)).await;
    world.delete_pod("web");
    world.until_clean(Duration::from_mins(10), "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_the_other_kept_is_kept_and_comes_back() {
    let world = World::new();
    let pod = world
        .asking("web-0")
        .annotation("k8s.aliyun.com/pod-eip-release-strategy", "Never");
    let eip = served_by_the_other(&world, &pod, "10.0.0.11", EncRecord::never);
    world.delete_pod("web-0");
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    world
        .until(Duration::from_mins(15), |view| {
            let record = view.get("podeips", NS, "web-0").unwrap_or_default();
            is_ours(&record) && record["metadata"]["labels"]["eipd.io/node"].is_null()
        })
        .await;
    assert!(is_tagged(&world, &eip), "{}", world.cloud_picture());
    assert!(world.eip().place.is_none(), "its pod is away");
    world.run(&pod, "10.0.0.12");
    world.until(LATER, |view| is_bound(view, "web-0")).await;
    assert_eq!(world.eip().id, eip);
    world.delete_pod("web-0");
    clock::sleep(LATER).await;
    world.api.delete("podeips", NS, "web-0").unwrap();
    world.until_clean(Duration::from_mins(10), "web-0").await;
}

#[tokio::test(start_paused = true)]
async fn a_named_eip_is_taken_over_and_never_tagged() {
    let world = World::new();
    let probe = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
    let release = json!({"do": "release"});
    world
        .cloud
        .change_eip(&probe, &serde_json::from_value(release).unwrap())
        .unwrap();
    let pod = PodSpec::new(NS, "web", &world.node);
    let eip = served_by_the_other(&world, &pod, "10.0.0.11", EncRecord::named);
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"]["k8s.aliyun.com/pod-eip-instanceid"] =
                eip.as_str().into();
        })
        .unwrap();
    clock::sleep(SILENT).await;
    install(&world);
    let _agent = world.start("agent");
    clock::sleep(TAKEN).await;
    assert!(is_ours(&world.record("web")), "{}", world.record("web"));
    assert!(!is_tagged(&world, &eip));
    traffic_flowed(&world);
    world.delete_pod("web");
    world
        .until(LATER, |view| view.get("podeips", NS, "web").is_none())
        .await;
    assert!(world.eip().place.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_younger_than_eipd_or_tagged_or_moved_is_left_alone() {
    let spoil: [Spoil; 3] = [
        ("younger", |_, _| {}),
        ("tagged", |world, eip| {
            let tag = json!({"do": "tag", "tags": {"eipd-cluster": "other", "eipd-record": "x-0"}});
            world
                .cloud
                .change_eip(eip, &serde_json::from_value(tag).unwrap())
                .unwrap();
        }),
        ("moved", |world, eip| {
            for action in [
                json!({"do": "unbind"}),
                json!({"do": "bind", "eni": world.eni.id, "private_ip": "10.0.0.40"}),
            ] {
                world
                    .cloud
                    .change_eip(eip, &serde_json::from_value(action).unwrap())
                    .unwrap();
            }
        }),
    ];
    for (what, spoil) in spoil {
        let world = World::new();
        if what == "younger" {
            install(&world);
            clock::sleep(Duration::from_secs(5)).await;
        }
        let eip = served_by_the_other(&world, &world.asking("web"), "10.0.0.11", |record| record);
        clock::sleep(SILENT).await;
        if what != "younger" {
            install(&world);
        }
        spoil(&world, &eip);
        let _agent = world.start("agent");
        clock::sleep(TAKEN).await;
        assert!(
            !is_ours(&world.record("web")),
            "{what}: {}",
            world.record("web")
        );
        assert!(
            world.events("web").contains(&"RecordLeftAlone".to_owned()),
            "{what}: {:?}",
            world.events("web")
        );
        traffic_flowed(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_other_controller_runs_nothing_new_is_started() {
    let world = World::new();
    let eip = served_by_the_other(&world, &world.asking("old"), "10.0.0.11", |record| record);
    let enc = world.api.run_enc(Duration::from_mins(1));
    clock::sleep(Duration::from_secs(5)).await;
    install(&world);
    let _agent = world.start("agent");
    world.run_pod("new", "10.0.0.12");
    clock::sleep(Duration::from_hours(1)).await;
    assert!(
        world.events("new").contains(&"OtherController".to_owned()),
        "{:?}",
        world.events("new")
    );
    assert!(world.record("new").is_null() && !is_tagged(&world, &eip));
    traffic_flowed(&world);
    enc.stop();
    world
        .until(Duration::from_mins(15), |view| is_bound(view, "new"))
        .await;
    clock::sleep(TAKEN).await;
    assert!(is_ours(&world.record("old")));
}

#[tokio::test(start_paused = true)]
async fn while_terways_function_is_on_nothing_new_is_started() {
    let world = World::new();
    let conf = |pool: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "kube-system", "name": ENI_CONFIG},
            "data": {"eni_conf": json!({"enable_eip_pool": pool}).to_string()},
        })
    };
    world.api.create(&conf("true")).unwrap();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(20)).await;
    assert!(
        world.events("web").contains(&"OtherController".to_owned()),
        "{:?}",
        world.events("web")
    );
    assert_eq!(world.changes(), 0);
    world
        .api
        .edit("configmaps", "kube-system", ENI_CONFIG, |map| {
            map["data"] = conf("false")["data"].clone();
        })
        .unwrap();
    world.until(LATER, |view| is_bound(view, "web")).await;
}
