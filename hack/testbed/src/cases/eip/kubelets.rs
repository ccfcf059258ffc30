//! The `DaemonSet` on real kubelets: containers, sandboxes and addresses that nobody plays.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::sight::{
    Mark, bound, held, hold_next, lose_held, nobody_blamed, nothing_left, pods, records,
};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::command::run_long;
use crate::ensure;
use crate::install::NAMESPACE;
use crate::node::Node;
use crate::played::is_true;
use crate::world::World;

/// From creation to Ready: an image to unpack, a sandbox, an EIP; kubelet may have to restart an agent before.
pub(super) const READY: u64 = 120;
/// From deletion to nothing left: the grace period, the garbage collector, two changes that settle.
pub const GONE: u64 = 120;

pub fn deployment(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let deployments: Api<Deployment> = Api::default_namespaced(world.kube());
        let manifest = serde_json::from_value(spread())?;
        deployments
            .create(&PostParams::default(), &manifest)
            .await?;
        let found = ready(world, 2).await?;
        for pod in &found {
            let eip = bound(world, &pod.name_any(), &uid(pod), 30).await?;
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
            let instance = world
                .instances
                .iter()
                .find(|instance| Some(&instance.name) == node.as_ref());
            let due = instance.map(|instance| instance.pod_eni.clone());
            let eni = eip.place.and_then(|place| place.eni_id);
            ensure!(
                eni == due,
                "{} is on {eni:?}, its node {node:?} has {due:?}",
                eip.id
            );
        }
        deployments
            .delete("spread", &DeleteParams::background())
            .await?;
        for pod in &found {
            nothing_left(world, &pod.name_any(), &[], GONE).await?;
        }
        pods_gone(world).await
    })
}

pub fn agent_killed(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let mark = Mark::now(world).await?;
        hold_next(world, "AllocateEipAddress").await?;
        create(
            world,
            &bare("survivor", world.instances[0].name.as_str(), "1m"),
        )
        .await?;
        held(world, READY).await?;
        kill_agent(&world.nodes[0]).await?;
        let pod = ready(world, 1).await?.remove(0);
        bound(world, "survivor", &uid(&pod), 30).await?;
        let eips = world.cloud().eips().await?;
        ensure!(eips.len() == 1, "one pod, and these EIPs: {eips:?}");
        let allocated = mark.changes(world).await?["AllocateEipAddress"];
        ensure!(allocated == 1, "{allocated} Allocate calls, one is enough");
        lose_held(world).await?;
        delete(world, "survivor").await?;
        nothing_left(world, "survivor", &[], GONE).await?;
        pods_gone(world).await?;
        agents_ready(world).await
    })
}

pub fn refused(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let mark = Mark::now(world).await?;
        create(
            world,
            &bare("greedy", world.instances[0].name.as_str(), "1000"),
        )
        .await?;
        until("kubelet refuses the pod for its CPU", READY, async || {
            let pod = pods(world).get("greedy").await?;
            let status = pod.status.unwrap_or_default();
            let refused = status.phase.as_deref() == Some("Failed")
                && status.reason.as_deref() == Some("OutOfcpu");
            Ok(refused.then_some(()).ok_or_else(|| format!("{status:?}")))
        })
        .await?;
        nothing_left(world, "greedy", &[], GONE).await?;
        mark.expect(world, &[]).await?;
        delete(world, "greedy").await?;
        pods_gone(world).await
    })
}

pub fn created_again_at_once(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let manifest = bare("twin", world.instances[0].name.as_str(), "1m");
        create(world, &manifest).await?;
        let first = ready(world, 1).await?.remove(0);
        let old = bound(world, "twin", &uid(&first), 30).await?;
        delete(world, "twin").await?;
        let second = until("the name comes free", GONE, async || {
            match create(world, &manifest).await {
                Ok(pod) => Ok(Ok(pod)),
                Err(taken) => Ok(Err(taken.to_string())),
            }
        })
        .await?;
        let new = bound(world, "twin", &uid(&second), READY).await?;
        ensure!(new.id != old.id, "the second pod has the first one's EIP");
        nobody_blamed(world, "twin").await?;
        ready(world, 1).await?;
        let eips = world.cloud().eips().await?;
        ensure!(eips.len() == 1, "one pod, and these EIPs: {eips:?}");
        delete(world, "twin").await?;
        nothing_left(world, "twin", &[], GONE).await?;
        pods_gone(world).await
    })
}

/// Two pods that must be on two nodes.
fn spread() -> Value {
    let labels = json!({"app": "spread"});
    let mut pod = bare("spread", "", "1m");
    pod["metadata"]["labels"] = labels.clone();
    pod["spec"]["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"},
    ]}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "spread"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": pod["metadata"], "spec": pod["spec"]},
        },
    })
}

/// A pod that asks, with a gate; bound to the node from the start if one is named.
pub fn bare(name: &str, node: &str, cpu: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name,
            "annotations": {"k8s.aliyun.com/pod-with-eip": "true", "k8s.aliyun.com/eip-bandwidth": "10"},
        },
        "spec": {
            "nodeName": node,
            "readinessGates": [{"conditionType": "k8s.aliyun.com/eip"}],
            "terminationGracePeriodSeconds": 5,
            "containers": [{
                "name": "main", "image": "localhost/eipd-test:dev", "imagePullPolicy": "Never",
                "env": [{"name": "PORT", "value": "8080"}],
                "resources": {"requests": {"cpu": cpu}},
            }],
        },
    })
}

pub(super) async fn create(world: &World, manifest: &Value) -> Result<Pod, CaseError> {
    let manifest = serde_json::from_value(manifest.clone())?;
    Ok(pods(world)
        .create(&PostParams::default(), &manifest)
        .await?)
}

pub(super) async fn delete(world: &World, name: &str) -> Result<(), CaseError> {
    pods(world).delete(name, &DeleteParams::default()).await?;
    Ok(())
}

pub(super) fn uid(pod: &Pod) -> String {
    pod.uid().unwrap_or_default()
}

/// Waits until there are so many pods, all Ready, that asked for an EIP.
pub async fn ready(world: &World, count: usize) -> Result<Vec<Pod>, CaseError> {
    until(&format!("{count} Ready pods"), READY, async || {
        let found = pods(world).list(&ListParams::default()).await?.items;
        let all = found.len() == count && found.iter().all(|pod| is_true(pod, "Ready"));
        let told = || {
            let status = found.iter().map(|pod| (pod.name_any(), json!(pod.status)));
            format!("{:?}", status.collect::<Vec<_>>())
        };
        let told = (!all).then(told);
        Ok(told.map_or_else(|| Ok(found), Err))
    })
    .await
}

/// Waits until no pod and no record is left.
pub async fn pods_gone(world: &World) -> Result<(), CaseError> {
    until("no pod and no record", GONE, async || {
        let left = pods(world).list(&ListParams::default()).await?.items;
        let kept = records(world).list(&ListParams::default()).await?.items;
        let names: Vec<_> = left.iter().map(Pod::name_any).collect();
        let gone = left.is_empty() && kept.is_empty();
        Ok(gone
            .then_some(())
            .ok_or_else(|| format!("pods {names:?}, {} records", kept.len())))
    })
    .await
}

/// Waits until every node has a Ready agent.
pub async fn agents_ready(world: &World) -> Result<(), CaseError> {
    let daemonsets: Api<DaemonSet> = Api::namespaced(world.kube(), NAMESPACE);
    until("a Ready agent on every node", READY, async || {
        let status = daemonsets.get(NAMESPACE).await?.status.unwrap_or_default();
        let ready = usize::try_from(status.number_ready).unwrap_or_default();
        Ok((ready == world.nodes.len())
            .then_some(())
            .ok_or_else(|| format!("{status:?}")))
    })
    .await
}

/// SIGKILL to the agent's container, past kubelet.
async fn kill_agent(node: &Node) -> Result<(), CaseError> {
    let socket = node.socket.to_string_lossy();
    let ctr = ["-a", &*socket, "-n", "k8s.io"];
    let listed = [&ctr[..], &["tasks", "ls"]].concat();
    let running = run_long("ctr", &listed).await?;
    let listed = [&ctr[..], &["containers", "ls"]].concat();
    let containers = run_long("ctr", &listed).await?;
    let is_agent = |id: &str| {
        containers
            .lines()
            .any(|line| line.starts_with(id) && line.contains("localhost/eipd:dev"))
    };
    let ids = running.lines().filter(|line| line.contains("RUNNING"));
    let mut ids = ids.filter_map(|line| line.split_whitespace().next());
    let id = ids.find(|id| is_agent(id));
    let id = id.ok_or_else(|| CaseError::new(format!("no agent runs:\n{running}{containers}")))?;
    let kill = [&ctr[..], &["tasks", "kill", "-s", "SIGKILL", id]].concat();
    run_long("ctr", &kill).await?;
    Ok(())
}
