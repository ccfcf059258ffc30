//! The story itself: a Deployment of two pods, bound, counted, deleted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams,
};
use kube::{Api, ResourceExt as _};
use serde::Serialize;
use serde_json::json;

use super::{DemoError, say, until};
use crate::clock;
use crate::played::is_true;
use crate::world::World;

const NAME: &str = "web";
const REPLICAS: usize = 2;
/// From the Deployment to the last pod's Ready; the first one waits for an image to be unpacked.
const READY_SECONDS: u64 = 90;
/// From the deletion to the last release: containers end at once, the garbage collector may need half a minute.
const GONE_SECONDS: u64 = 90;

/// A pod and its EIP.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the JSON has this name")]
pub struct Bound {
    pub name: String,
    pub private_ip: String,
    pub eni: String,
    pub eip: String,
    /// From the first sight of the pod's IP to the first sight of its condition.
    pub bound_after_seconds: f64,
}

/// What is worth telling.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    pub pods: Vec<Bound>,
    /// The calls that reached the cloud's API, by action.
    pub cloud_calls: BTreeMap<String, u64>,
    /// EIPs that the cloud has after the deletion.
    pub eips_left: usize,
}

/// Tells it.
pub async fn tell(world: &World) -> Result<Told, DemoError> {
    say("creating a Deployment of two pods that ask for an EIP");
    let deployments: Api<Deployment> = Api::default_namespaced(world.kube());
    let manifest = serde_json::from_value(deployment()).map_err(kube::Error::SerdeError)?;
    deployments
        .create(&PostParams::default(), &manifest)
        .await?;
    let pods = watch_ready(world).await?;
    say("deleting the Deployment");
    deployments.delete(NAME, &DeleteParams::default()).await?;
    wait_gone(world).await?;
    let eips_left = world.cloud().eips().await?.len();
    let mut cloud_calls = BTreeMap::new();
    for call in world.cloud().calls().await? {
        *cloud_calls.entry(call.action).or_default() += 1;
    }
    Ok(Told {
        pods,
        cloud_calls,
        eips_left,
    })
}

fn deployment() -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {
                    "labels": {"app": NAME},
                    "annotations": {"k8s.aliyun.com/pod-with-eip": "true", "k8s.aliyun.com/eip-bandwidth": "10"},
                },
                "spec": {
                    "readinessGates": [{"conditionType": "k8s.aliyun.com/eip"}],
                    "terminationGracePeriodSeconds": 5,
                    "containers": [{
                        "name": "web", "image": "localhost/eipd-test:dev", "imagePullPolicy": "Never",
                        "env": [{"name": "PORT", "value": "8080"}],
                    }],
                },
            },
        },
    })
}

/// What was seen of a pod so far, and when.
#[derive(Default)]
struct Seen {
    ip: Option<Instant>,
    bound: Option<Instant>,
}

/// Looks twenty times a second until both are Ready.
async fn watch_ready(world: &World) -> Result<Vec<Bound>, DemoError> {
    let pods: Api<Pod> = Api::default_namespaced(world.kube());
    let mine = ListParams::default().labels("app=web");
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for _ in 0..READY_SECONDS * 20 {
        let found = pods.list(&mine).await?.items;
        for pod in &found {
            note(seen.entry(pod.name_any()).or_default(), pod);
        }
        if found.len() == REPLICAS && found.iter().all(|pod| is_true(pod, "Ready")) {
            return describe(world, &found, &seen).await;
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    let evidence = String::new();
    Err(DemoError::Overdue {
        what: "two Ready pods".to_owned(),
        seconds: READY_SECONDS,
        evidence,
    })
}

fn note(seen: &mut Seen, pod: &Pod) {
    let now = clock::now();
    if pod
        .status
        .as_ref()
        .is_some_and(|status| status.pod_ip.is_some())
    {
        seen.ip.get_or_insert(now);
    }
    if is_true(pod, "k8s.aliyun.com/eip") {
        seen.bound.get_or_insert(now);
    }
}

/// ENI and EIP as the records have them.
async fn describe(
    world: &World,
    pods: &[Pod],
    seen: &BTreeMap<String, Seen>,
) -> Result<Vec<Bound>, DemoError> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "alibabacloud.com",
        "v1beta1",
        "PodEIP",
    ));
    let records: Api<DynamicObject> = Api::default_namespaced_with(world.kube(), &kind);
    let mut bound = Vec::new();
    for pod in pods {
        let name = pod.name_any();
        let record = records.get(&name).await?;
        let field = |field: &str| {
            record.data["status"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let times = seen
            .get(&name)
            .and_then(|seen| Some(seen.bound?.saturating_duration_since(seen.ip?)));
        bound.push(Bound {
            name,
            private_ip: field("privateIPAddress"),
            eni: field("networkInterfaceID"),
            eip: field("eipAddress"),
            bound_after_seconds: (times.unwrap_or_default().as_secs_f64() * 100.0).round() / 100.0,
        });
    }
    Ok(bound)
}

/// The pods, and every EIP.
async fn wait_gone(world: &World) -> Result<(), DemoError> {
    let pods: Api<Pod> = Api::default_namespaced(world.kube());
    let mine = ListParams::default().labels("app=web");
    until("the end of pods and EIPs", GONE_SECONDS, || async {
        let gone =
            pods.list(&mine).await?.items.is_empty() && world.cloud().eips().await?.is_empty();
        Ok(gone.then_some(()))
    })
    .await
}
