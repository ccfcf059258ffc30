//! Agents that are killed at the worst moments, stopped, and started twice.

use std::time::Duration;

use serde_json::json;

use super::life::start_agent;
use super::sight::{Mark, bound, held, hold_next, lose_held, nothing_left, record};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

/// A drain waits for a call's answer, and no call takes longer.
const DRAIN: Duration = Duration::from_secs(40);
/// Without an answer a call counts as under way for a minute; the rest is for a busy machine.
const LOST_CALL: u64 = 150;

pub fn after_allocate(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        hold_next(world, "AllocateEipAddress").await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("killed")).await?;
        held(world, 60).await?;
        world.agent(0).sigkill();
        let (record, eips) = (record(world, "killed").await?, world.cloud().eips().await?);
        let id = &record["spec"]["allocationID"];
        ensure!(
            *id == "" && eips.len() == 1,
            "the story needs one EIP and no id: {id}, {eips:?}"
        );
        world.agent(0).start()?;
        let eip = bound(world, "killed", &pod.uid, LOST_CALL).await?;
        ensure!(
            eip.id == eips[0].id,
            "{} is bound, {} was paid for",
            eip.id,
            eips[0].id
        );
        lose_held(world).await?;
        pod.delete_fully().await?;
        nothing_left(world, "killed", &[], 60).await?;
        let allocated = mark.changes(world).await?["AllocateEipAddress"];
        ensure!(allocated == 1, "{allocated} Allocate calls, one is enough");
        Ok(())
    })
}

pub fn after_allocate_without_pod(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        hold_next(world, "AllocateEipAddress").await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("orphan")).await?;
        held(world, 60).await?;
        world.agent(0).sigkill();
        pod.delete_fully().await?;
        world.agent(0).start()?;
        nothing_left(world, "orphan", &[], LOST_CALL).await?;
        lose_held(world).await
    })
}

pub fn after_associate_without_pod(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        hold_next(world, "AssociateEipAddress").await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("halfway")).await?;
        held(world, 60).await?;
        world.agent(0).sigkill();
        pod.delete_fully().await?;
        until("the EIP InUse with nobody there", 60, async || {
            let eips = world.cloud().eips().await?;
            let stands = eips.iter().any(|eip| eip.status == "InUse");
            Ok(stands.then_some(()).ok_or_else(|| format!("{eips:?}")))
        })
        .await?;
        let mark = Mark::now(world).await?;
        world.agent(0).start()?;
        nothing_left(world, "halfway", &[], LOST_CALL).await?;
        let due = [("UnassociateEipAddress", 1), ("ReleaseEipAddress", 1)];
        mark.expect(world, &due).await?;
        lose_held(world).await
    })
}

pub fn second_agent(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mut second = world.new_agent(0, "second").await?;
        second.start()?;
        let code = second.wait(Duration::from_secs(30)).await;
        second.sigkill();
        let said = second.logs();
        ensure!(code == Some(1), "it ended with {code:?}, due is 1:\n{said}");
        let node = &world.instances[0].name;
        let told = said
            .lines()
            .any(|line| line.contains("another eipd agent") && line.contains(node.as_str()));
        ensure!(told, "it did not name the reason and {node}:\n{said}");
        let pod = world.run_pod(0, &PodSpec::with_eip("first")).await?;
        bound(world, "first", &pod.uid, 60).await?;
        pod.delete_fully().await?;
        nothing_left(world, "first", &[], 60).await
    })
}

pub fn sigterm_at_rest(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("handed-on")).await?;
        let before = bound(world, "handed-on", &pod.uid, 60).await?;
        let mark = Mark::now(world).await?;
        drain(world).await?;
        let eips = world.cloud().eips().await?;
        let stands = eips
            .iter()
            .any(|eip| eip.id == before.id && eip.status == "InUse");
        ensure!(stands, "the drain took the binding away: {eips:?}");
        start_agent(world).await?;
        // Whatever the new one would do wrong, it would do it soon.
        crate::clock::sleep(Duration::from_secs(3)).await;
        let after = bound(world, "handed-on", &pod.uid, 5).await?;
        ensure!(after.id == before.id, "{} became {}", before.id, after.id);
        mark.expect(world, &[]).await?;
        pod.delete_fully().await?;
        nothing_left(world, "handed-on", &[], 60).await
    })
}

pub fn sigterm_in_flight(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let slow = json!({"latency": {"AllocateEipAddress": {"after_ms": 4000}}});
        world.cloud().set(&slow).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("late")).await?;
        until("an Allocate under way", 60, async || {
            let asked = mark.changes(world).await?;
            Ok((!asked.is_empty())
                .then_some(())
                .ok_or_else(|| "none".to_owned()))
        })
        .await?;
        drain(world).await?;
        let eips = world.cloud().eips().await?;
        ensure!(eips.len() == 1, "one EIP was allocated: {eips:?}");
        start_agent(world).await?;
        let eip = bound(world, "late", &pod.uid, LOST_CALL).await?;
        ensure!(eip.id == eips[0].id, "{} is bound: {eips:?}", eip.id);
        pod.delete_fully().await?;
        nothing_left(world, "late", &[], 60).await
    })
}

async fn drain(world: &mut World) -> Result<(), CaseError> {
    let code = world.agent(0).sigterm(DRAIN).await;
    ensure!(
        code == Some(0),
        "after SIGTERM it ended with {code:?}, due is 0"
    );
    Ok(())
}
