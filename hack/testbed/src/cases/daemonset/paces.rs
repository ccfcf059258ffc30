//! The objects of the pace: three of them, their spec, and nothing that would hang anything else on them.

use http::Method;
use kube::api::{Api, ApiResource, DeleteParams};
use kube::core::DynamicObject;
use kube::{Client, Error};

use super::attempt::{How, Row, Who};
use crate::cases::CaseError;

const N1: Who = Who::Agent("n1");
const N2: Who = Who::Agent("n2");

const BASE: &str = "/apis/eipd.io/v1/paces";
const NAME: &str = "unassociate";

/// One object through its life; it is made anew when an agent next needs it.
pub async fn hold(client: &Client) -> Result<(), CaseError> {
    delete(client).await?;
    let how = |method, content| How {
        method,
        content,
        base: BASE,
    };
    let create = how(Method::POST, "application/json");
    create.wait_refused(client, CREATES[0]).await?;
    create.hold(client, CREATES).await?;
    how(Method::PATCH, "application/merge-patch+json")
        .hold(client, PATCHES)
        .await?;
    how(Method::DELETE, "application/json")
        .hold_one(client, (N1, false, "DELETE", "/unassociate", ""))
        .await?;
    delete(client).await
}

async fn delete(client: &Client) -> Result<(), CaseError> {
    let paces = ApiResource {
        group: "eipd.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "eipd.io/v1".to_owned(),
        kind: "Pace".to_owned(),
        plural: "paces".to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &paces);
    match api.delete(NAME, &DeleteParams::default()).await {
        Err(Error::Api(status)) if status.code == 404 => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

const CREATES: &[Row<'_>] = &[
    (
        N1,
        false,
        "a fourth pace",
        "",
        r#"{"apiVersion": "eipd.io/v1", "kind": "Pace", "metadata": {"name": "release"}, "spec": {}}"#,
    ),
    (
        N1,
        false,
        "a pace with a finalizer",
        "",
        r#"{"apiVersion": "eipd.io/v1", "kind": "Pace", "metadata": {"name": "unassociate", "finalizers": ["a.b/c"]}, "spec": {}}"#,
    ),
    (
        N1,
        true,
        "a pace",
        "",
        r#"{"apiVersion": "eipd.io/v1", "kind": "Pace", "metadata": {"name": "unassociate"}, "spec": {}}"#,
    ),
];

const PATCHES: &[Row<'_>] = &[
    (
        N2,
        true,
        "a number",
        "/unassociate",
        r#"{"spec": {"last": "n2/1"}}"#,
    ),
    (
        N1,
        true,
        "a slower rate",
        "/unassociate",
        r#"{"spec": {"rate": 60}}"#,
    ),
    (
        N1,
        false,
        "a label",
        "/unassociate",
        r#"{"metadata": {"labels": {"q": "r"}}}"#,
    ),
    (
        N1,
        false,
        "an annotation",
        "/unassociate",
        r#"{"metadata": {"annotations": {"q": "r"}}}"#,
    ),
    (
        N1,
        false,
        "an owner",
        "/unassociate",
        r#"{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}]}}"#,
    ),
];
