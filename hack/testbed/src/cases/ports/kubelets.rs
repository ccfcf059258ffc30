//! A fixed pod on real kubelets: its ports, its readiness, its way to another node.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::stage::{gateway, record, records, without_gateway};
use crate::cases::eip::kubelets::{GONE, agents_ready, bare, pods_gone, ready as pods_ready};
use crate::cases::eip::sight::pods;
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::world::World;

pub fn moves(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let eip = gateway(world).await?;
        let sets: Api<StatefulSet> = Api::default_namespaced(world.kube());
        let first = world.instances[0].name.clone();
        let second = world.instances[1].name.clone();
        let set = serde_json::from_value(set(&first))?;
        sets.create(&PostParams::default(), &set).await?;
        pods_ready(world, 1).await?;
        let before = super::stage::ready(world, "game-0", 30).await?;
        // Elsewhere from its next start on.
        let node = json!({"spec": {"template": {"spec": {"nodeName": second}}}});
        let params = kube::api::PatchParams::default();
        sets.patch("game", &params, &kube::api::Patch::Strategic(&node))
            .await?;
        moved_to(world, &second).await?;
        pods_ready(world, 1).await?;
        let after = super::stage::ready(world, "game-0", 30).await?;
        for field in ["externalIP", "portMapping"] {
            let (old, new) = (&before["spec"][field], &after["spec"][field]);
            ensure!(old == new, "{field} was {old} and is {new}");
        }
        let uids = (&before["metadata"]["uid"], &after["metadata"]["uid"]);
        ensure!(uids.0 == uids.1, "another record: {uids:?}");
        sets.delete("game", &DeleteParams::background()).await?;
        until("no record", GONE, async || {
            let left = records(world).list(&ListParams::default()).await?.items;
            let names: Vec<_> = left.iter().map(kube::ResourceExt::name_any).collect();
            Ok(names
                .is_empty()
                .then_some(())
                .ok_or_else(|| format!("{names:?}")))
        })
        .await?;
        pods_gone(world).await?;
        without_gateway(world, &eip).await
    })
}

async fn moved_to(world: &World, node: &str) -> Result<(), CaseError> {
    until(&format!("the pod on {node}"), GONE, async || {
        let pod = pods(world).get_opt("game-0").await?;
        let record = record(world, "game-0").await?;
        let at = pod.and_then(|pod| {
            let uid = pod.uid();
            pod.spec.and_then(|spec| spec.node_name).zip(uid)
        });
        let there = at.as_ref().is_some_and(|(at, _)| at == node);
        Ok(there
            .then_some(())
            .ok_or_else(|| format!("{at:?} {record}")))
    })
    .await
}

fn set(node: &str) -> serde_json::Value {
    let mut pod = bare("game", node, "1m");
    pod["metadata"] = json!({
        "labels": {"app": "game"},
        "annotations": {
            "k8s.aliyun.com/pod-dnat": "", "k8s.aliyun.com/pod-dnat-expose-port": "8080",
            "k8s.aliyun.com/pod-dnat-fixed": "",
        },
    });
    pod["spec"]["readinessGates"] = json!([{"conditionType": "eipd.io/dnat"}]);
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "game"},
        "spec": {
            "replicas": 1, "serviceName": "game",
            "selector": {"matchLabels": {"app": "game"}},
            "template": {"metadata": pod["metadata"], "spec": pod["spec"]},
        },
    })
}
