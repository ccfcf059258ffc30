//! A pod's life on a real API server and garbage collector; the pod is played, the agent is a process.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::sight::{LIFE, Mark, bound, nobody_blamed, nothing_left, pods, record, records};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

/// Starts the agent of node 0.
pub async fn start_agent(world: &mut World) -> Result<(), CaseError> {
    world.agent(0).start()?;
    world.agent(0).wait_ready().await?;
    Ok(())
}

pub fn binds_and_gives_back(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("life")).await?;
        let eip = bound(world, "life", &pod.uid, 60).await?;
        let record = record(world, "life").await?;
        let spec = json!({"allocationID": eip.id, "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}});
        ensure!(
            record["spec"] == spec,
            "spec {} where {spec} is due",
            record["spec"]
        );
        let (eni, seen) = (
            &world.instances[0].pod_eni,
            &record["status"]["networkInterfaceID"],
        );
        ensure!(*seen == **eni, "ENI {seen}, the pod is on {eni}");
        let finalizers = &record["metadata"]["finalizers"];
        let due = json!(["podeip-controller.alibabacloud.com/finalizer"]);
        ensure!(*finalizers == due, "finalizers {finalizers}, due {due}");
        pod.delete_fully().await?;
        nothing_left(world, "life", &[], 60).await?;
        mark.expect(world, &LIFE).await
    })
}

pub fn deleted_before_its_ip(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.play_pod(0, &PodSpec::with_eip("early")).await?;
        pod.take().await?;
        until("an EIP in the record", 60, async || {
            let id = record(world, "early").await?["spec"]["allocationID"].clone();
            let named = id.as_str().is_some_and(|id| !id.is_empty());
            Ok(named.then_some(()).ok_or_else(|| id.to_string()))
        })
        .await?;
        pod.delete().await?;
        pod.remove().await?;
        nothing_left(world, "early", &[], 90).await?;
        let due = [("AllocateEipAddress", 1), ("ReleaseEipAddress", 1)];
        mark.expect(world, &due).await
    })
}

pub fn created_again_at_once(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let ip = world
            .take_address(0)
            .ok_or_else(|| CaseError::new("no address"))?;
        let first = world.play_pod(0, &PodSpec::with_eip("again")).await?;
        first.take().await?;
        first.give_ip(ip).await?;
        first.run().await?;
        let old = bound(world, "again", &first.uid, 60).await?;
        first.delete_fully().await?;
        let second = world.play_pod(0, &PodSpec::with_eip("again")).await?;
        second.take().await?;
        second.give_ip(ip).await?;
        second.run().await?;
        let new = bound(world, "again", &second.uid, 90).await?;
        ensure!(new.id != old.id, "the second pod has the first one's EIP");
        let eips = world.cloud().eips().await?;
        ensure!(eips.len() == 1, "one pod, and these EIPs: {eips:?}");
        nobody_blamed(world, "again").await?;
        second.delete_fully().await?;
        nothing_left(world, "again", &[], 60).await
    })
}

pub fn refused_by_kubelet(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.play_pod(0, &PodSpec::with_eip("refused")).await?;
        until("a record before kubelet decides", 60, async || {
            let found = records(world).get_opt("refused").await?;
            Ok(found.map(|_| ()).ok_or_else(|| "no record".to_owned()))
        })
        .await?;
        pod.refuse("OutOfcpu").await?;
        nothing_left(world, "refused", &[], 60).await?;
        mark.expect(world, &[]).await?;
        pod.remove().await?;
        Ok(())
    })
}

pub fn annotation_goes(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("unasked")).await?;
        bound(world, "unasked", &pod.uid, 60).await?;
        let change = json!({"metadata": {"annotations": {"k8s.aliyun.com/pod-with-eip": "false"}}});
        let parameters = PatchParams::default();
        pods(world)
            .patch("unasked", &parameters, &Patch::Merge(&change))
            .await?;
        nothing_left(world, "unasked", &[], 60).await?;
        mark.expect(world, &LIFE).await?;
        let found = serde_json::to_value(pod.get().await?)?;
        let annotations = found["metadata"]["annotations"].clone();
        let due = json!({"k8s.aliyun.com/pod-with-eip": "false"});
        ensure!(annotations == due, "annotations {annotations}, due {due}");
        pod.delete_fully().await?;
        Ok(())
    })
}
