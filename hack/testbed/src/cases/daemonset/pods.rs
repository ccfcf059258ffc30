//! Pods: two annotations and one condition, on pods of the agent's own node.

use http::Method;
use kube::Client;

use super::attempt::{How, Row, Who};
use crate::cases::CaseError;

const N1: Who = Who::Agent("n1");
const N2: Who = Who::Agent("n2");

/// Whatever an agent writes on pods either is its output or is refused.
pub async fn hold(client: &Client, namespace: &str) -> Result<(), CaseError> {
    let base = &format!("/api/v1/namespaces/{namespace}/pods");
    let create = How {
        method: Method::POST,
        content: "application/json",
        base,
    };
    for pod in [ON_N1, UNSCHEDULED] {
        create.wait_done(client, "", pod).await?;
    }
    let patch = How {
        method: Method::PATCH,
        content: "application/strategic-merge-patch+json",
        base,
    };
    patch.wait_done(client, "/a/status", STATUS).await?;
    patch.wait_refused(client, LABEL).await?;
    patch.hold(client, ALLOWED).await?;
    patch.hold(client, REFUSED).await?;
    patch.hold(client, REFUSED_ON_STATUS).await
}

const ON_N1: &str = r#"{"metadata": {"name": "a", "labels": {"a": "b"}, "annotations": {"x": "y"}},
    "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}}"#;
const UNSCHEDULED: &str = r#"{"metadata": {"name": "unscheduled"},
    "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "i"}]}}"#;
const STATUS: &str = r#"{"status": {"phase": "Pending", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
    "conditions": [{"type": "Ready", "status": "False"}]}}"#;
const ADDRESSES: &str = r#"{"metadata": {"annotations": {"k8s.aliyun.com/allocated-eipAddress": "203.0.113.1",
    "network.alibabacloud.com/allocated-eipAddress": "203.0.113.1"}}}"#;

const LABEL: Row<'_> = (
    N1,
    false,
    "a label",
    "/a",
    r#"{"metadata": {"labels": {"q": "r"}}}"#,
);

const ALLOWED: &[Row<'_>] = &[
    (
        N1,
        true,
        "the annotation of the ports",
        "/a",
        r#"{"metadata": {"annotations": {"eipd.io/dnat": "203.0.113.1:512->80/tcp"}}}"#,
    ),
    (
        N1,
        true,
        "the condition of the ports",
        "/a/status",
        r#"{"status": {"conditions": [{"type": "eipd.io/dnat", "status": "True", "reason": "DNAT ready"}]}}"#,
    ),
    (N1, true, "both annotations", "/a", ADDRESSES),
    (
        N1,
        true,
        "the condition",
        "/a/status",
        r#"{"status": {"conditions": [{"type": "k8s.aliyun.com/eip", "status": "True"}]}}"#,
    ),
    (
        N1,
        true,
        "annotation and condition in one",
        "/a/status",
        r#"{"metadata": {"annotations": {"k8s.aliyun.com/allocated-eipAddress": "203.0.113.2"}},
            "status": {"conditions": [{"type": "k8s.aliyun.com/eip", "status": "False"}]}}"#,
    ),
    (
        N1,
        true,
        "both annotations away",
        "/a",
        r#"{"metadata": {"annotations": {"k8s.aliyun.com/allocated-eipAddress": null,
            "network.alibabacloud.com/allocated-eipAddress": null}}}"#,
    ),
    (
        N1,
        true,
        "the condition away",
        "/a/status",
        r#"{"status": {"conditions": [{"type": "k8s.aliyun.com/eip", "$patch": "delete"}]}}"#,
    ),
    (
        Who::Admin,
        true,
        "anything",
        "/a",
        r#"{"metadata": {"annotations": {"q": "r"}}}"#,
    ),
];

const REFUSED: &[Row<'_>] = &[
    LABEL,
    (N2, false, "another node's pod", "/a", ADDRESSES),
    (Who::Nowhere, false, "any pod", "/a", ADDRESSES),
    (N1, false, "a pod of no node", "/unscheduled", ADDRESSES),
    (
        N1,
        false,
        "an image",
        "/a",
        r#"{"spec": {"containers": [{"name": "c", "image": "evil"}]}}"#,
    ),
    (
        N1,
        false,
        "an annotation more",
        "/a",
        r#"{"metadata": {"annotations": {"k8s.aliyun.com/pod-with-eip": "true"}}}"#,
    ),
    (
        N1,
        false,
        "an annotation changed",
        "/a",
        r#"{"metadata": {"annotations": {"x": "r"}}}"#,
    ),
    (
        N1,
        false,
        "an annotation less",
        "/a",
        r#"{"metadata": {"annotations": {"x": null}}}"#,
    ),
    (
        N1,
        false,
        "a finalizer",
        "/a",
        r#"{"metadata": {"finalizers": ["q.r/s"]}}"#,
    ),
    (
        N1,
        false,
        "an owner",
        "/a",
        r#"{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}}"#,
    ),
];

const REFUSED_ON_STATUS: &[Row<'_>] = &[
    (
        N1,
        false,
        "a label by the status",
        "/a/status",
        r#"{"metadata": {"labels": {"q": "r"}}}"#,
    ),
    (
        N1,
        false,
        "an annotation by the status",
        "/a/status",
        r#"{"metadata": {"annotations": {"x": "r"}}}"#,
    ),
    (
        N1,
        false,
        "Ready",
        "/a/status",
        r#"{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}"#,
    ),
    (
        N1,
        false,
        "another condition",
        "/a/status",
        r#"{"status": {"conditions": [{"type": "Other", "status": "True"}]}}"#,
    ),
    (
        N1,
        false,
        "the phase",
        "/a/status",
        r#"{"status": {"phase": "Running"}}"#,
    ),
    (
        N1,
        false,
        "the pod's IP",
        "/a/status",
        r#"{"status": {"podIP": "10.0.0.9", "podIPs": [{"$patch": "replace"}, {"ip": "10.0.0.9"}]}}"#,
    ),
    (
        N1,
        false,
        "the start time",
        "/a/status",
        r#"{"status": {"startTime": "2026-01-01T00:00:00Z"}}"#,
    ),
    (
        N1,
        false,
        "a field that came with Kubernetes 1.33",
        "/a/status",
        r#"{"status": {"observedGeneration": 77}}"#,
    ),
    (
        N1,
        false,
        "a container's status",
        "/a/status",
        r#"{"status": {"containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 0}]}}"#,
    ),
];
