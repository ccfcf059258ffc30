//! What changes under a living pod: its request, its address, its record; and what an administrator lets nobody have.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::life::start_agent;
use super::sight::{Mark, bound, no_record, nothing_left, pods, record, records, told};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

const STRATEGY: &str = "k8s.aliyun.com/pod-eip-release-strategy";
const NAMED: &str = "k8s.aliyun.com/pod-eip-instanceid";

/// A bare pod that follows comes to keep its EIP, and then names another: that one is the user's and stays.
pub fn changed_request(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mine = world.cloud().post("/eips", &json!({"args": {}})).await?;
        let mine = mine["id"].as_str().unwrap_or_default().to_owned();
        let pod = world.run_pod(0, &PodSpec::with_eip("changing")).await?;
        let own = bound(world, "changing", &pod.uid, 60).await?;
        let mark = Mark::now(world).await?;
        annotate(world, "changing", &json!({STRATEGY: "Never"})).await?;
        until("a record that outlives its pod", 60, async || {
            let record = record(world, "changing").await?;
            let owners = record["metadata"]["ownerReferences"].is_null();
            let never = record["spec"]["allocationType"]["releaseStrategy"] == "Never";
            Ok((owners && never)
                .then_some(())
                .ok_or_else(|| record.to_string()))
        })
        .await?;
        mark.expect(world, &[]).await?;
        annotate(world, "changing", &json!({NAMED: mine})).await?;
        until("the named EIP", 90, async || {
            let now = record(world, "changing").await?["spec"]["allocationID"].clone();
            Ok((now == mine.as_str())
                .then_some(())
                .ok_or_else(|| now.to_string()))
        })
        .await?;
        let named = bound(world, "changing", &pod.uid, 60).await?;
        ensure!(named.id == mine && named.id != own.id, "{named:?}");
        pod.delete_fully().await?;
        nothing_left(world, "changing", &[&mine], 60).await?;
        let release = json!({"do": "release"});
        world
            .cloud()
            .post(&format!("/eips/{mine}"), &release)
            .await?;
        Ok(())
    })
}

pub fn changed_address(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("moved")).await?;
        let first = bound(world, "moved", &pod.uid, 60).await?;
        let next = world.take_address(0);
        pod.give_ip(next.ok_or_else(|| CaseError::new("no address"))?)
            .await?;
        let second = bound(world, "moved", &pod.uid, 60).await?;
        ensure!(first.id == second.id, "{first:?}, then {second:?}");
        pod.delete_fully().await?;
        nothing_left(world, "moved", &[], 60).await?;
        let due = [
            ("AllocateEipAddress", 1),
            ("AssociateEipAddress", 2),
            ("UnassociateEipAddress", 2),
            ("ReleaseEipAddress", 1),
        ];
        mark.expect(world, &due).await
    })
}

pub fn limits(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let limits = json!([{"namespaces": ["def*"], "maxBandwidth": 4, "nameEips": false}]);
        world
            .agent(0)
            .configure(&json!({"eip": {"limits": limits}}))?;
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let wide = world.run_pod(0, &PodSpec::with_eip("wide")).await?;
        let naming = PodSpec::new("naming", &[(NAMED, "eip-somebodys")]);
        let naming = world.run_pod(0, &naming).await?;
        told(world, "wide", "InvalidRequest", "eip-bandwidth").await?;
        told(world, "naming", "InvalidRequest", "pod-eip-instanceid").await?;
        let calls = mark.calls(world).await?;
        ensure!(calls.is_empty(), "cloud calls were made: {calls:?}");
        let less = json!({"k8s.aliyun.com/eip-bandwidth": "4"});
        annotate(world, "wide", &less).await?;
        bound(world, "wide", &wide.uid, 60).await?;
        for pod in [wide, naming] {
            pod.delete_fully().await?;
            no_record(world, &pod.name, 60).await?;
        }
        Ok(())
    })
}

/// Terway's own EIP function allocates too: as long as it is on, nothing is begun.
pub fn terway(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let maps = Api::<ConfigMap>::namespaced(world.kube(), "kube-system");
        let map = json!({
            "metadata": {"name": "eni-config"},
            "data": {"eni_conf": json!({"enable_eip_pool": "true"}).to_string()},
        });
        let map: ConfigMap = serde_json::from_value(map)?;
        maps.create(&PostParams::default(), &map).await?;
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("waiting")).await?;
        told(world, "waiting", "OtherController", "Terway").await?;
        let none = record(world, "waiting").await?;
        ensure!(none.is_null(), "a record was made: {none}");
        mark.expect(world, &[]).await?;
        maps.delete("eni-config", &DeleteParams::default()).await?;
        bound(world, "waiting", &pod.uid, 90).await?;
        pod.delete_fully().await?;
        nothing_left(world, "waiting", &[], 60).await
    })
}

/// Somebody deletes every record: that may be a mistake, and the traffic of all is not to pay for it.
pub fn storm(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let names: Vec<_> = (0..5).map(|n| format!("storm-{n}")).collect();
        let mut living = Vec::new();
        for name in &names {
            living.push(world.run_pod(0, &PodSpec::with_eip(name)).await?);
        }
        for pod in &living {
            bound(world, &pod.name, &pod.uid, 60).await?;
        }
        let mark = Mark::now(world).await?;
        for name in &names {
            records(world)
                .delete(name, &DeleteParams::default())
                .await?;
        }
        told(world, "storm-0", "ManyRecordsDeleted", "").await?;
        clock::sleep(Duration::from_secs(15)).await;
        mark.expect(world, &[]).await
    })
}

async fn annotate(world: &World, name: &str, annotations: &Value) -> Result<(), CaseError> {
    let change = json!({"metadata": {"annotations": annotations}});
    let (params, patch) = (PatchParams::default(), Patch::Merge(&change));
    pods(world).patch(name, &params, &patch).await?;
    Ok(())
}
