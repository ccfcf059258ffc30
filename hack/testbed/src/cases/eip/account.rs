//! What an administrator allows, and what the account has: live bandwidth, taking a named EIP, and a quota that is used up.

use std::time::Duration;

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::json;

use super::life::start_agent;
use super::sight::{Mark, bound, no_record, nothing_left, pods, told};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

const BANDWIDTH: &str = "k8s.aliyun.com/eip-bandwidth";

/// The agent of node 0 may, the one of node 1 may not.
pub fn live_bandwidth(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        allow(world, &json!({"liveBandwidth": true}))?;
        world.start_agents().await?;
        let (may, may_not) = (
            world.run_pod(0, &PodSpec::with_eip("may")).await?,
            world.run_pod(1, &PodSpec::with_eip("may-not")).await?,
        );
        let first = bound(world, "may", &may.uid, 60).await?;
        let second = bound(world, "may-not", &may_not.uid, 60).await?;
        let changed = json!({"metadata": {"annotations": {BANDWIDTH: "50"}}});
        for name in ["may", "may-not"] {
            let (params, patch) = (PatchParams::default(), Patch::Merge(&changed));
            pods(world).patch(name, &params, &patch).await?;
        }
        told(world, "may-not", "CheckRequest", "\"50\"").await?;
        until("50 Mbit/s", 60, async || {
            let now = bandwidth(world, &first.id).await?;
            Ok((now == "50").then_some(()).ok_or(now))
        })
        .await?;
        let other = bandwidth(world, &second.id).await?;
        ensure!(other == "5", "it has {other}");
        for pod in [may, may_not] {
            pod.delete_fully().await?;
            no_record(world, &pod.name, 60).await?;
        }
        allow(world, &json!({}))
    })
}

pub fn robbed(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        allow(world, &json!({"allowRob": true}))?;
        start_agent(world).await?;
        let holder = world
            .take_address(0)
            .ok_or_else(|| CaseError::new("no address"))?;
        let eip = world.cloud().post("/eips", &json!({"args": {}})).await?;
        let id = eip["id"].as_str().unwrap_or_default().to_owned();
        let (path, eni) = (format!("/eips/{id}"), &world.instances[0].pod_eni);
        let bind = json!({"do": "bind", "eni": eni, "private_ip": holder});
        world.cloud().post(&path, &bind).await?;
        let mark = Mark::now(world).await?;
        let spec = PodSpec::new("robber", &[("k8s.aliyun.com/pod-eip-instanceid", &id)]);
        let pod = world.run_pod(0, &spec).await?;
        let taken = bound(world, "robber", &pod.uid, 60).await?;
        ensure!(taken.id == id, "{taken:?}");
        let due = [("UnassociateEipAddress", 1), ("AssociateEipAddress", 1)];
        mark.expect(world, &due).await?;
        pod.delete_fully().await?;
        nothing_left(world, "robber", &[&id], 60).await?;
        world.cloud().post(&path, &json!({"do": "release"})).await?;
        world.return_address(0, holder);
        allow(world, &json!({}))
    })
}

/// One EIP is all that the account may have: the second pod waits, quietly, until the first lets go.
pub fn quota(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        world.cloud().set(&json!({"quotas": {"eips": 1}})).await?;
        world.start_agents().await?;
        let first = world.run_pod(0, &PodSpec::with_eip("first")).await?;
        bound(world, "first", &first.uid, 60).await?;
        let mark = Mark::now(world).await?;
        let second = world.run_pod(1, &PodSpec::with_eip("second")).await?;
        told(world, "second", "WaitingForQuota", "QuotaExceeded").await?;
        breaker(world, true).await?;
        clock::sleep(Duration::from_secs(10)).await;
        let asked = mark.changes(world).await?;
        ensure!(
            asked.get("AllocateEipAddress") == Some(&1),
            "one refusal is enough for ten seconds: {asked:?}"
        );
        first.delete_fully().await?;
        bound(world, "second", &second.uid, 90).await?;
        breaker(world, false).await?;
        second.delete_fully().await?;
        nothing_left(world, "second", &[], 60).await
    })
}

/// What the agent of node 0 is allowed from its next start.
fn allow(world: &mut World, what: &serde_json::Value) -> Result<(), CaseError> {
    Ok(world.agent(0).configure(&json!({"eip": what}))?)
}

async fn bandwidth(world: &World, id: &str) -> Result<String, CaseError> {
    let eip = world.cloud().get(&format!("/eips/{id}")).await?;
    Ok(eip["bandwidth"].to_string().trim_matches('"').to_owned())
}

/// Waits until the breaker that everybody reads is open, or closed.
async fn breaker(world: &World, open: bool) -> Result<(), CaseError> {
    let kind =
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("eipd.io", "v1", "Pace"), "paces");
    let api: Api<DynamicObject> = Api::all_with(world.kube(), &kind);
    until(&format!("a breaker that is open: {open}"), 60, async || {
        let pace = api.get_opt("allocate").await?;
        let reason = pace.map(|pace| pace.data["spec"]["breaker"]["reason"].clone());
        let is_open = reason.as_ref().is_some_and(|reason| reason == "Quota");
        Ok((is_open == open)
            .then_some(())
            .ok_or_else(|| format!("{reason:?}")))
    })
    .await
}
