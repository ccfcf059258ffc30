//! Every promise of the double, through kube's own client.

mod cluster;
mod enc;
mod faults;
mod lists;
mod objects;
mod patches;
mod pods;
mod watcher;
mod watches;
mod workloads;

use super::{ApiServer, PodSpec};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, CustomResource, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(CustomResource, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "alibabacloud.com",
    version = "v1beta1",
    kind = "PodEIP",
    plural = "podeips"
)]
#[kube(namespaced, status = "EipStatus", schema = "disabled")]
#[serde(rename_all = "camelCase")]
struct EipSpec {
    #[serde(rename = "allocationID")]
    allocation_id: String,
    allocation_type: AllocationType,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct AllocationType {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    release_strategy: String,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct EipStatus {
    eip_address: Option<String>,
}

fn record(name: &str) -> PodEIP {
    let allocation_type = AllocationType {
        kind: None,
        release_strategy: "Follow".to_owned(),
    };
    let mut record = PodEIP::new(
        name,
        EipSpec {
            allocation_id: String::new(),
            allocation_type,
        },
    );
    record.metadata.finalizers = Some(vec!["f".to_owned()]);
    record
}

fn records(api: &ApiServer, client: &str) -> Api<PodEIP> {
    Api::namespaced(api.client(client), "default")
}

fn pods(api: &ApiServer, client: &str) -> Api<Pod> {
    Api::namespaced(api.client(client), "default")
}

fn pod(name: &str, node: &str) -> PodSpec {
    PodSpec::new("default", name, node)
}

async fn created(api: &ApiServer, name: &str) -> PodEIP {
    let made = records(api, "a")
        .create(&PostParams::default(), &record(name))
        .await;
    made.unwrap()
}

async fn merged(api: &ApiServer, name: &str, body: Value) -> Result<PodEIP, Error> {
    records(api, "a")
        .patch(name, &PatchParams::default(), &Patch::Merge(body))
        .await
}

/// Code and reason of a refusal.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> (u16, String) {
    match answer {
        Err(Error::Api(status)) => (status.code, status.reason.clone()),
        other => panic!("not refused: {other:?}"),
    }
}

fn is(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

fn labelled(node: &str) -> Value {
    json!({ "metadata": { "labels": { "eipd.io/node": node } } })
}
