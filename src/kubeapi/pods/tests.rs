//! What is read in pods.

use serde_json::json;

use super::*;
use crate::domain::pod::Stage;

fn from_json(value: serde_json::Value) -> Pod {
    // No call is made: reading is pure.
    let config = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
    let client = kube::Client::try_from(config).unwrap();
    let kube = Kube::new(
        client,
        std::time::Duration::from_secs(1),
        crate::telemetry::metrics::Metrics::new(),
    );
    let pods = Pods::new(
        kube,
        Arc::new(|_| Asks {
            eip: Ask::Nothing,
            ports: PortAsk::Nothing,
        }),
    );
    pods.read(&serde_json::from_value(value).unwrap())
}

#[allow(clippy::needless_pass_by_value)] // it is given a literal
fn pod(status: serde_json::Value) -> Pod {
    from_json(json!({
        "metadata": {"name": "web", "namespace": "ns", "uid": "u", "resourceVersion": "5", "managedFields": [{"manager": "x"}]},
        "spec": {"nodeName": "node-a", "containers": [{"name": "main"}]},
        "status": status,
    }))
}

#[tokio::test]
async fn a_pod_is_taken_when_the_kubelet_has_written_its_start() {
    assert!(!pod(json!({"phase": "Pending"})).taken);
    let taken = pod(json!({"phase": "Pending", "startTime": "2026-11-23T00:00:00Z"}));
    assert!(taken.taken && taken.stage() == Stage::Waiting);
}

#[tokio::test]
async fn containers_of_every_sort_count_as_running() {
    for list in [
        "containerStatuses",
        "initContainerStatuses",
        "ephemeralContainerStatuses",
    ] {
        let pod = pod(
            json!({"phase": "Running", list: [{"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": {"running": {}}}]}),
        );
        assert!(pod.running, "{list}");
    }
    let ended = pod(
        json!({"phase": "Running", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}),
    );
    assert!(!ended.running);
}

#[tokio::test]
async fn a_finished_pod_lives_nowhere_though_its_address_is_still_written() {
    let finished = pod(json!({"phase": "Succeeded", "podIP": "10.0.0.5"}));
    assert_eq!(finished.ip, Some([10, 0, 0, 5].into()));
    assert!(!finished.lives_at([10, 0, 0, 5].into()));
}

#[tokio::test]
async fn only_the_published_reason_is_the_condition_bound() {
    let condition = |status: &str, reason: &str| {
        pod(json!({"conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "k8s.aliyun.com/eip", "status": status, "reason": reason, "message": "m"},
        ]}))
        .outputs
        .condition
    };
    let other = |reason: &str| Condition::Other {
        reason: reason.to_owned(),
        message: "m".to_owned(),
    };
    assert_eq!(condition("True", "Associate eip succeed"), Condition::Bound);
    assert_eq!(
        condition("False", "Associate eip succeed"),
        other("Associate eip succeed")
    );
    assert_eq!(condition("True", "x"), other("x"));
}

#[tokio::test]
async fn an_output_that_stands_under_one_prefix_only_is_neither_there_nor_absent() {
    let annotated = |annotations: serde_json::Value| {
        from_json(
            json!({"metadata": {"name": "web", "namespace": "ns", "annotations": annotations}}),
        )
        .outputs
        .address
    };
    let (old, new) = (
        "k8s.aliyun.com/allocated-eipAddress",
        "network.alibabacloud.com/allocated-eipAddress",
    );
    assert_eq!(annotated(json!({})), None);
    assert_eq!(
        annotated(json!({old: "203.0.113.1", new: "203.0.113.1"})).as_deref(),
        Some("203.0.113.1")
    );
    assert_eq!(annotated(json!({old: "203.0.113.1"})).as_deref(), Some(""));
    assert_eq!(
        annotated(json!({old: "203.0.113.1", new: "203.0.113.2"})).as_deref(),
        Some("")
    );
}

#[test]
fn the_condition_is_written_as_published() {
    let now = "2022-12-12T03:45:48Z".parse().unwrap();
    assert_eq!(
        super::condition(&EIP_GATE, &Verdict::Bound, now),
        json!({
            "type": "k8s.aliyun.com/eip", "status": "True", "reason": "Associate eip succeed", "message": null,
            "lastProbeTime": "2022-12-12T03:45:48Z", "lastTransitionTime": "2022-12-12T03:45:48Z",
        })
    );
}
