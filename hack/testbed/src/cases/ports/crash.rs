//! An agent killed with SIGKILL between the cloud's work and the answer, and hands on pods and records.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::stage::{entries, gateway, ready, record, records, without_gateway};
use crate::cases::eip::life::start_agent;
use crate::cases::eip::sight::{held, hold_next, lose_held, pods};
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

pub fn asking(name: &str) -> PodSpec {
    let annotations = [
        ("k8s.aliyun.com/pod-dnat", ""),
        ("k8s.aliyun.com/pod-dnat-expose-port", "80,443"),
    ];
    PodSpec {
        gate: false,
        ..PodSpec::new(name, &annotations)
    }
}

/// Waits until neither record nor entry is left.
pub async fn nothing_left(world: &World, name: &str, seconds: u64) -> Result<(), CaseError> {
    until(&format!("nothing of {name}"), seconds, async || {
        let (record, entries) = (record(world, name).await?, entries(world).await?);
        let none = record.is_null() && entries.is_empty();
        Ok(none
            .then_some(())
            .ok_or_else(|| format!("{record} {entries:?}")))
    })
    .await
}

pub fn taken_away(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        start_agent(world).await?;
        let pod = world.run_pod(0, &asking("ports")).await?;
        ready(world, "ports", 60).await?;
        let switch = async |value: &str| {
            let change = json!({"metadata": {"annotations": {"k8s.aliyun.com/pod-dnat": value}}});
            let params = PatchParams::default();
            pods(world)
                .patch("ports", &params, &Patch::Merge(&change))
                .await
        };
        switch("false").await?;
        nothing_left(world, "ports", 60).await?;
        switch("true").await?;
        ready(world, "ports", 60).await?;
        records(world)
            .delete("ports", &DeleteParams::default())
            .await?;
        nothing_left(world, "ports", 60).await?;
        pod.delete_fully().await?;
        without_gateway(world, &eip).await
    })
}

/// Kills the agent while the answer of the first call that makes an entry is held.
async fn killed(world: &mut World) -> Result<(), CaseError> {
    held(world, 60).await?;
    world.agent(0).sigkill();
    Ok(())
}

pub fn after_the_call(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        start_agent(world).await?;
        hold_next(world, "CreateForwardEntry").await?;
        let pod = world.run_pod(0, &asking("ports")).await?;
        killed(world).await?;
        world.agent(0).start()?;
        ready(world, "ports", 150).await?;
        lose_held(world).await?;
        let made = entries(world).await?;
        ensure!(made.len() == 2, "{made:?}");
        pod.delete_fully().await?;
        nothing_left(world, "ports", 60).await?;
        without_gateway(world, &eip).await
    })
}

pub fn without_pod(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        start_agent(world).await?;
        hold_next(world, "CreateForwardEntry").await?;
        let pod = world.run_pod(0, &asking("ports")).await?;
        killed(world).await?;
        pod.delete_fully().await?;
        world.agent(0).start()?;
        nothing_left(world, "ports", 150).await?;
        lose_held(world).await?;
        without_gateway(world, &eip).await
    })
}
