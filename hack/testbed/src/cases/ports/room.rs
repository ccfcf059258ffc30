//! Gateways as configured, full ones, busy ones, and entries that no record names.

use serde_json::json;

use super::crash::{asking, nothing_left};
use super::stage::{GATEWAY, entries, gateway, ready, record, without_gateway};
use crate::cases::eip::life::start_agent;
use crate::cases::eip::sight::told;
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::world::World;

/// Refused for want of room, an agent tries again within this.
const AGAIN: u64 = 150;

pub fn pool(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        let one =
            json!({"natgwId": GATEWAY, "portRangeStart": 600, "portRangeEnd": 602, "eips": [eip]});
        let pool = json!({"networkController": {"natGwPool": [one]}});
        world.agent(0).configure(&pool)?;
        start_agent(world).await?;
        let first = world.run_pod(0, &asking("first")).await?;
        ready(world, "first", 60).await?;
        let second = world.run_pod(0, &asking("second")).await?;
        told(world, "second", "NoPorts", "no 2 ports free").await?;
        let none = record(world, "second").await?;
        ensure!(none.is_null(), "{none}");
        for entry in entries(world).await? {
            let port: u16 = entry["external_port"]
                .as_str()
                .unwrap_or("0")
                .parse()
                .unwrap_or(0);
            ensure!((600..=602).contains(&port), "{entry}");
        }
        first.delete_fully().await?;
        ready(world, "second", AGAIN).await?;
        second.delete_fully().await?;
        nothing_left(world, "second", 60).await?;
        without_gateway(world, &eip).await
    })
}

pub fn all_or_nothing(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        world
            .cloud()
            .set(&json!({"quotas": {"forward_entries": 3}}))
            .await?;
        start_agent(world).await?;
        let first = world.run_pod(0, &asking("first")).await?;
        ready(world, "first", 60).await?;
        let second = world.run_pod(0, &asking("second")).await?;
        told(world, "second", "NATGatewayFull", "QuotaExceeded").await?;
        until("what it had is taken back", 60, async || {
            let left = entries(world).await?;
            Ok((left.len() == 2)
                .then_some(())
                .ok_or_else(|| format!("{left:?}")))
        })
        .await?;
        ready(world, "first", 60).await?;
        world
            .cloud()
            .set(&json!({"quotas": {"forward_entries": 4}}))
            .await?;
        ready(world, "second", AGAIN).await?;
        for pod in [first, second] {
            pod.delete_fully().await?;
        }
        nothing_left(world, "second", 60).await?;
        without_gateway(world, &eip).await
    })
}

pub fn stuck(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        start_agent(world).await?;
        let first = world.run_pod(0, &asking("first")).await?;
        ready(world, "first", 60).await?;
        let id = id_of_one(world).await?;
        let order = |what: &str| json!({"do": what});
        let path = format!("/forward-entries/{id}");
        world.cloud().post(&path, &order("stick")).await?;
        let second = world.run_pod(0, &asking("second")).await?;
        until("the entry is named", AGAIN, async || {
            let told = crate::cases::eip::sight::events(world, "second").await?;
            let named = told
                .iter()
                .any(|(reason, text)| reason == "ForwardEntryStuck" && text.contains(&id));
            Ok(named.then_some(()).ok_or_else(|| format!("{told:?}")))
        })
        .await?;
        let metrics = world.agent(0).get("/metrics").await.unwrap_or_default();
        ensure!(metrics.contains("eipd_stuck_forward_tables 1"), "{metrics}");
        world.cloud().post(&path, &order("settle")).await?;
        ready(world, "second", AGAIN).await?;
        for pod in [first, second] {
            pod.delete_fully().await?;
        }
        nothing_left(world, "second", 60).await?;
        without_gateway(world, &eip).await
    })
}

async fn id_of_one(world: &World) -> Result<String, CaseError> {
    let all = entries(world).await?;
    let id = all.first().and_then(|entry| entry["id"].as_str());
    Ok(id.ok_or_else(|| CaseError::new("no entry"))?.to_owned())
}

/// Somebody deletes an entry in the console and sends another elsewhere: the pod's next look mends both.
pub fn mended(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let eip = gateway(world).await?;
        start_agent(world).await?;
        let pod = world.run_pod(0, &asking("ports")).await?;
        let before = ready(world, "ports", 60).await?;
        let id = id_of_one(world).await?;
        let path = format!("/forward-entries/{id}");
        let elsewhere = json!({"do": "modify", "internal_ip": "10.77.0.250"});
        world.cloud().post(&path, &elsewhere).await?;
        // An agent looks at what stands every ten minutes; one that starts looks at what its records show too late for this.
        world.agent(0).sigkill();
        let status = json!({"status": {"entries": [], "created": null}});
        let params = kube::api::PatchParams::default();
        super::stage::records(world)
            .patch_status("ports", &params, &kube::api::Patch::Merge(&status))
            .await?;
        world.agent(0).start()?;
        let after = ready(world, "ports", AGAIN).await?;
        ensure!(
            after["spec"]["portMapping"] == before["spec"]["portMapping"],
            "{before} {after}"
        );
        let left = entries(world).await?;
        ensure!(left.len() == 2, "{left:?}");
        pod.delete_fully().await?;
        nothing_left(world, "ports", 60).await?;
        without_gateway(world, &eip).await
    })
}
