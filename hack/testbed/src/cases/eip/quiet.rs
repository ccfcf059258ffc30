//! What is not seen from a pod: whose keys sign, and that an agent at rest leaves everybody alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::life::start_agent;
use super::sight::{Mark, bound, nothing_left, pods, record};
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

pub fn role_signs(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("signed")).await?;
        bound(world, "signed", &pod.uid, 60).await?;
        let first = signers(world, &mark).await?;
        world
            .cloud()
            .post("/credentials/expire", &json!({}))
            .await?;
        let mark = Mark::now(world).await?;
        pod.delete_fully().await?;
        nothing_left(world, "signed", &[], 90).await?;
        let second = signers(world, &mark).await?;
        ensure!(
            first.iter().all(|key| !second.contains(key)),
            "keys that had ended still signed: {first:?}, then {second:?}"
        );
        Ok(())
    })
}

/// The same with all that an agent can say: what it printed is searched for secrets when this has passed.
pub fn talkative(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        world.agent(0).set_env("EIPD_LOG_LEVEL", "trace");
        role_signs(world).await?;
        let said = world.agent(0).logs();
        let traces = said.lines().filter(|line| line.contains("TRACE")).count();
        ensure!(traces > 10, "that is not talkative: {traces} lines");
        Ok(())
    })
}

/// The keys of the calls that were accepted since; all of them a role's.
pub async fn signers(world: &World, mark: &Mark) -> Result<Vec<String>, CaseError> {
    let mut keys = Vec::new();
    for call in mark.calls(world).await? {
        let key = call["access_key_id"].as_str().unwrap_or_default();
        if call["status"] == 200 {
            ensure!(
                key.starts_with("STS."),
                "not signed with the node's role: {call}"
            );
            keys.push(key.to_owned());
        }
    }
    ensure!(!keys.is_empty(), "no call was accepted at all");
    Ok(keys)
}

pub fn at_rest(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("still")).await?;
        bound(world, "still", &pod.uid, 60).await?;
        pod.set_ready(true).await?;
        clock::sleep(Duration::from_secs(3)).await;
        let (mark, before) = (Mark::now(world).await?, picture(world).await?);
        clock::sleep(Duration::from_secs(20)).await;
        let after = picture(world).await?;
        ensure!(before == after, "at rest, {before:?} became {after:?}");
        let calls = mark.calls(world).await?;
        ensure!(calls.is_empty(), "at rest, cloud calls: {calls:?}");
        pod.delete_fully().await?;
        nothing_left(world, "still", &[], 60).await
    })
}

/// What the agent counts of its own calls, and the version of what it could have written.
async fn picture(world: &mut World) -> Result<BTreeMap<String, String>, CaseError> {
    let metrics = world.agent(0).get("/metrics").await;
    let metrics = metrics.ok_or_else(|| CaseError::new("no answer from /metrics"))?;
    let counted = metrics.lines().filter(|line| {
        [
            "eipd_api_calls_total",
            "eipd_cloud_calls_total",
            "eipd_events_total",
        ]
        .iter()
        .any(|series| line.starts_with(series))
    });
    let mut picture: BTreeMap<_, _> = counted
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, value)| (series.to_owned(), value.to_owned()))
        .collect();
    ensure!(
        picture
            .keys()
            .any(|series| series.starts_with("eipd_api_calls_total")),
        "no count of API server calls in\n{metrics}"
    );
    let version = &record(world, "still").await?["metadata"]["resourceVersion"];
    picture.insert("the record's version".to_owned(), version.to_string());
    let pod = pods(world).get("still").await?;
    let version = pod.metadata.resource_version.unwrap_or_default();
    picture.insert("the pod's version".to_owned(), version);
    Ok(picture)
}
