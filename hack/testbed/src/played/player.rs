//! Plays kubelets of its own accord: every pod that is bound to a played node is taken, gets an address of its node's
//! ENI, runs, becomes Ready when its gates are, and goes when it is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use super::{PlayError, PlayedPod, api_error, is_true};
use crate::clock;
use crate::node::Instance;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(100);
/// What setting a sandbox up takes on a real node, about.
const SANDBOX: Duration = Duration::from_millis(500);

/// Plays until the API server is gone.
pub async fn play(client: &kube::Client, instances: &[Instance]) -> Result<(), PlayError> {
    let pods: Api<Pod> = Api::all(client.clone());
    let mut taken: BTreeMap<String, std::time::Instant> = BTreeMap::new();
    loop {
        let all = pods.list(&ListParams::default()).await.map_err(api_error("list the pods"))?.items;
        for pod in &all {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            if let Some(instance) = instances.iter().find(|instance| Some(&*instance.name) == node) {
                let api = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
                // Whatever went wrong with one pod (it may just have gone) is tried again at the next look.
                let _ = advance(&PlayedPod::of(&api, pod, instance.address), pod, instance, &all, &mut taken).await;
            }
        }
        clock::sleep(PERIOD).await;
    }
}

/// One step of one pod.
async fn advance(
    played: &PlayedPod,
    pod: &Pod,
    instance: &Instance,
    all: &[Pod],
    taken: &mut BTreeMap<String, std::time::Instant>,
) -> Result<(), PlayError> {
    if pod.metadata.deletion_timestamp.is_some() {
        if address(pod).is_some() {
            played.end_containers().await?;
        }
        return played.remove().await;
    }
    let status = pod.status.clone().unwrap_or_default();
    if status.start_time.is_none() {
        taken.insert(played.uid.clone(), clock::now());
        return played.take().await;
    }
    if address(pod).is_none() {
        let waited = taken.get(&played.uid).is_none_or(|since| clock::now() - *since >= SANDBOX);
        return match free_address(instance, all) {
            Some(ip) if waited => {
                played.give_ip(ip).await?;
                played.run().await
            }
            _ => Ok(()),
        };
    }
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.clone()).unwrap_or_default();
    let ready = gates.iter().all(|gate| is_true(pod, &gate.condition_type));
    if ready == is_true(pod, "Ready") { Ok(()) } else { played.set_ready(ready).await }
}

fn address(pod: &Pod) -> Option<Ipv4Addr> {
    pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()
}

/// The first address of the node's ENI that no pod has.
fn free_address(instance: &Instance, all: &[Pod]) -> Option<Ipv4Addr> {
    let used: BTreeSet<Ipv4Addr> = all.iter().filter_map(address).collect();
    instance.pod_addresses.iter().find(|ip| !used.contains(ip)).copied()
}
