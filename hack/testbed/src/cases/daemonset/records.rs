//! Records: an agent's own, a blank one to claim, a tombstone to finish.

use http::Method;
use kube::Client;
use serde_json::json;

use super::attempt::{How, Row, Who};
use crate::cases::CaseError;

const N1: Who = Who::Agent("n1");
const N2: Who = Who::Agent("n2");

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

/// The same rules for records of ports.
pub async fn hold_ports(client: &Client, namespace: &str) -> Result<(), CaseError> {
    let base = &format!("/apis/alibabacloud.com/v1beta1/namespaces/{namespace}/poddnats");
    let how = |method, content| How {
        method,
        content,
        base,
    };
    let (create, patch) = (how(Method::POST, JSON), how(Method::PATCH, MERGE));
    create.wait_refused(client, PORTS_CREATES[0]).await?;
    create.hold(client, PORTS_CREATES).await?;
    patch.hold(client, PORTS).await?;
    how(Method::DELETE, JSON)
        .hold_one(client, THIEFS_DELETE)
        .await
}

const PORTS_OF_N1: &str = r#"{"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodDNAT",
    "metadata": {"name": "a", "labels": {"eipd.io/node": "n1"}}, "spec": {"externalIP": "203.0.113.1"}}"#;

const PORTS_CREATES: &[Row<'_>] = &[
    (
        N1,
        false,
        "ports for another node",
        "",
        r#"{"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodDNAT",
            "metadata": {"name": "b", "labels": {"eipd.io/node": "n2"}}, "spec": {}}"#,
    ),
    (Who::Nowhere, false, "ports", "", PORTS_OF_N1),
    (N1, true, "ports", "", PORTS_OF_N1),
];

const PORTS: &[Row<'_>] = &[
    (N1, true, "its status", "/a/status", PORTS_SHOWN),
    (N2, false, "another node's status", "/a/status", PORTS_SHOWN),
    (
        N2,
        false,
        "another node's address",
        "/a",
        r#"{"spec": {"internalIP": "10.0.0.9"}}"#,
    ),
    (N1, false, "its record to another node", "/a", TO_N2),
];
const PORTS_SHOWN: &str =
    r#"{"status": {"entries": [{"externalIP": "203.0.113.1", "externalPort": "512"}]}}"#;

/// One record through its life, attacked at each station.
pub async fn hold(client: &Client, namespace: &str) -> Result<(), CaseError> {
    let base = &format!("/apis/alibabacloud.com/v1beta1/namespaces/{namespace}/podeips");
    let how = |method, content| How {
        method,
        content,
        base,
    };
    let (create, patch) = (how(Method::POST, JSON), how(Method::PATCH, MERGE));
    create.wait_refused(client, CREATES[0]).await?;
    create.hold(client, CREATES).await?;
    patch.hold(client, OWN).await?;
    patch.hold(client, THIEF).await?;
    how(Method::DELETE, JSON)
        .hold_one(client, THIEFS_DELETE)
        .await?;
    patch.hold(client, BLANK).await?;
    give_back(client, base).await?;
    patch.hold(client, TOMBSTONE).await
}

const CREATES: &[Row<'_>] = &[
    (
        N1,
        false,
        "a record for another node",
        "",
        r#"{"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
            "metadata": {"name": "b", "labels": {"eipd.io/node": "n2"}},
            "spec": {"allocationID": "", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}}}"#,
    ),
    (N1, false, "a blank record", "", NOBODYS),
    (Who::Nowhere, false, "a blank record", "", NOBODYS),
    (Who::Nowhere, false, "a record", "", N1S),
    (N1, true, "a record", "", N1S),
];

const NOBODYS: &str = r#"{"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP", "metadata": {"name": "b"},
    "spec": {"allocationID": "", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}}}"#;
const N1S: &str = r#"{"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
    "metadata": {"name": "a", "labels": {"eipd.io/node": "n1"}, "annotations": {"eipd.io/attempt": "1"},
        "finalizers": ["podeip-controller.alibabacloud.com/finalizer"]},
    "spec": {"allocationID": "", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}}}"#;
const ADDRESS: &str = r#"{"status": {"eipAddress": "203.0.113.1"}}"#;
const TO_N2: &str = r#"{"metadata": {"labels": {"eipd.io/node": "n2"}}}"#;
const TO_N3: &str = r#"{"metadata": {"labels": {"eipd.io/node": "n3"}}}"#;
const TO_NOBODY: &str = r#"{"metadata": {"labels": {"eipd.io/node": null}}}"#;
const DONE: &str = r#"{"metadata": {"finalizers": null}}"#;

const OWN: &[Row<'_>] = &[
    (
        N1,
        true,
        "the EIP's id",
        "/a",
        r#"{"spec": {"allocationID": "eip-1"}, "metadata": {"labels": {"eipd.io/eip": "eip-1"}}}"#,
    ),
    (N1, true, "the status", "/a/status", ADDRESS),
    (
        N1,
        false,
        "another EIP",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/eip": "eip-2"}}}"#,
    ),
    (
        N1,
        false,
        "no EIP any more",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/eip": null}}}"#,
    ),
    (
        N1,
        true,
        "another EIP as a new attempt",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/eip": "eip-2"}, "annotations": {"eipd.io/attempt": "2"}}}"#,
    ),
    (N1, false, "a present to n2", "/a", TO_N2),
];

const THIEF: &[Row<'_>] = &[
    (
        N2,
        false,
        "another's spec",
        "/a",
        r#"{"spec": {"allocationID": "eip-9"}}"#,
    ),
    (N2, false, "another's status", "/a/status", ADDRESS),
    (N2, false, "another's label", "/a", TO_N2),
    (N2, false, "another's blank label", "/a", TO_NOBODY),
    (N2, false, "another's finalizer", "/a", DONE),
    (
        Who::Nowhere,
        false,
        "another's status",
        "/a/status",
        ADDRESS,
    ),
];

const THIEFS_DELETE: Row<'_> = (N2, false, "DELETE of another's", "/a", "");

const BLANK: &[Row<'_>] = &[
    (N1, true, "blank", "/a", TO_NOBODY),
    (N2, false, "status of a blank one", "/a/status", ADDRESS),
    (
        Who::Nowhere,
        false,
        "status of a blank one",
        "/a/status",
        ADDRESS,
    ),
    (
        N2,
        false,
        "claim and spec",
        "/a",
        r#"{"spec": {"allocationID": "eip-9"}, "metadata": {"labels": {"eipd.io/node": "n2"}}}"#,
    ),
    (
        N2,
        false,
        "claim and finalizer",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/node": "n2"}, "finalizers": null}}"#,
    ),
    (
        N2,
        false,
        "claim and annotation",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/node": "n2"}, "annotations": {"eipd.io/target": "z"}}}"#,
    ),
    (
        N2,
        false,
        "claim and a label less",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/node": "n2", "eipd.io/eip": null}}}"#,
    ),
    (
        N2,
        false,
        "claim and a label more",
        "/a",
        r#"{"metadata": {"labels": {"eipd.io/node": "n2", "q": "r"}}}"#,
    ),
    (N2, false, "claim for another", "/a", TO_N3),
    (N2, true, "claim", "/a", TO_N2),
    (
        N2,
        true,
        "spec of the claimed one",
        "/a",
        r#"{"spec": {"allocationID": "eip-2"}}"#,
    ),
];

/// To decide to give back is one DELETE that says of which record in which version.
async fn give_back(client: &Client, base: &str) -> Result<(), CaseError> {
    let get = How {
        method: Method::GET,
        content: JSON,
        base,
    };
    let metadata = &get.wait_done(client, "/a", "").await?["metadata"];
    let (uid, version) = (&metadata["uid"], &metadata["resourceVersion"]);
    let delete = How {
        method: Method::DELETE,
        ..get
    };
    for (who, allowed, what, preconditions) in [
        (N2, false, "DELETE by uid only", json!({"uid": uid})),
        (
            N2,
            false,
            "DELETE by version only",
            json!({"resourceVersion": version}),
        ),
        (
            N2,
            false,
            "DELETE of an older version",
            json!({"uid": uid, "resourceVersion": "1"}),
        ),
        (
            N1,
            false,
            "DELETE of another's",
            json!({"uid": uid, "resourceVersion": version}),
        ),
        (
            N2,
            true,
            "DELETE",
            json!({"uid": uid, "resourceVersion": version}),
        ),
    ] {
        let body =
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
        delete
            .hold_one(client, (who, allowed, what, "/a", &body.to_string()))
            .await?;
    }
    Ok(())
}

/// Anyone may finish one, and give it to nobody else.
const TOMBSTONE: &[Row<'_>] = &[
    (N1, true, "a tombstone's status", "/a/status", ADDRESS),
    (N1, false, "a present of a tombstone", "/a", TO_N3),
    (N1, true, "a tombstone, blank", "/a", TO_NOBODY),
    (N2, true, "a tombstone, taken", "/a", TO_N2),
    (N1, true, "a tombstone, finished", "/a", DONE),
];
