//! The examples of `docs/dnat.md`, applied as they stand.

use std::pin::pin;

use futures::future::{Either, select};
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::Value;

use super::stage::{entries, gateway, ready, record, records, set, without_gateway};
use crate::cases::annotations::stage::{SOON, Stage};
use crate::cases::eip::sight::{self, events, pods};
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::played::player;
use crate::world::World;

/// A sweep finds that nothing keeps a record any more: not in an agent's first minute, and then at random.
const SWEPT: u64 = 280;

/// Plays kubelets under the examples of `test`, and takes everything away at the end.
async fn shown(
    world: &mut World,
    test: &str,
    play: impl AsyncFnOnce(&Stage<'_>) -> Result<(), CaseError>,
) -> Result<(), CaseError> {
    let eip = gateway(world).await?;
    let stage = set(world, test).await?;
    let client = stage.world.kube();
    let kubelets = player::play(&client, &stage.world.instances);
    let story = async {
        play(&stage).await?;
        stage.take_away().await?;
        without_gateway(stage.world, &eip).await
    };
    match select(pin!(story), pin!(kubelets)).await {
        Either::Left((told, _)) => told,
        Either::Right((ended, _)) => Ok(ended?),
    }
}

pub fn each_pod(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::each_pod_gets_its_ports";
    Box::pin(shown(world, test, async |stage| {
        let good = ["ports", "ports-udp"];
        for name in good {
            let example = stage.example(name)?;
            stage.apply_text(name, &example.yaml).await?;
        }
        let mut outside = Vec::new();
        for name in good {
            for pod in stage.pods(stage.example(name)?).await? {
                let record = ready(stage.world, &pod.name_any(), SOON).await?;
                for entry in record["status"]["entries"].as_array().into_iter().flatten() {
                    outside.push(format!("{}:{}", entry["externalPort"], entry["ipProtocol"]));
                }
            }
        }
        let count = outside.len();
        outside.sort();
        outside.dedup();
        ensure!(
            count == 5 && outside.len() == 5,
            "{count} entries, {outside:?}"
        );
        until("the pod with the gate is Ready", SOON, async || {
            let pod = pods(stage.world).get("ports-udp").await?;
            let status = pod.status.unwrap_or_default();
            let conditions = status.conditions.unwrap_or_default();
            let is = conditions
                .iter()
                .any(|it| it.type_ == "Ready" && it.status == "True");
            Ok(is.then_some(()).ok_or_else(|| format!("{conditions:?}")))
        })
        .await
    }))
}

pub fn off(world: &mut World) -> CaseFuture<'_> {
    Box::pin(shown(world, "ports::false_means_none", async |stage| {
        let (off, on) = (stage.example("ports-off")?, stage.example("ports")?);
        stage.apply_text("ports-off", &off.yaml).await?;
        stage.apply_text("ports", &on.yaml).await?;
        for pod in stage.pods(on).await? {
            ready(stage.world, &pod.name_any(), SOON).await?;
        }
        let (record, told) = (
            record(stage.world, "ports-off").await?,
            events(stage.world, "ports-off").await?,
        );
        let told: Vec<_> = told.iter().filter(|it| it.0.contains("Request")).collect();
        ensure!(record.is_null() && told.is_empty(), "{record} {told:?}");
        Ok(())
    }))
}

pub fn wrong(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::wrong_values_are_events_and_cost_nothing";
    Box::pin(shown(world, test, async |stage| {
        let example = stage.example("ports-wrong")?;
        stage.apply_text("ports-wrong", &example.yaml).await?;
        stage.told(example).await?;
        let record = record(stage.world, "ports-wrong").await?;
        ensure!(record.is_null(), "{record}");
        let made = entries(stage.world).await?;
        ensure!(made.is_empty(), "{made:?}");
        Ok(())
    }))
}

pub fn columns(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::kubectl_get_shows_the_ports";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        for pod in stage.pods(stage.example("ports")?).await? {
            let name = pod.name_any();
            let record = ready(stage.world, &name, SOON).await?;
            let table = stage.kubectl(&["get", "poddnats", &name]).await?;
            let lines: Vec<_> = table.lines().collect();
            let heads: Vec<_> = lines[0].split_whitespace().collect();
            let due = [
                "NAME",
                "EXTERNAL-IP",
                "INTERNAL-IP",
                "PROTOCOL",
                "PORTS",
                "CREATED",
                "AGE",
            ];
            ensure!(heads == due, "{table}");
            let spec = |field: &str| record["spec"][field].as_str().unwrap_or_default();
            for cell in [
                name.as_str(),
                spec("externalIP"),
                spec("internalIP"),
                "tcp",
                "true",
            ] {
                ensure!(
                    lines[1].split_whitespace().any(|it| it == cell),
                    "{cell} in {table}"
                );
            }
            for entry in record["status"]["entries"].as_array().into_iter().flatten() {
                let port = |end: &str| entry[end].as_str().unwrap_or("?");
                let pair = format!("{}->{}", port("externalPort"), port("internalPort"));
                ensure!(lines[1].contains(&pair), "{pair} in {table}");
            }
        }
        Ok(())
    }))
}

pub fn comes_back(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::a_pod_that_comes_back_has_its_ports_again";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        let example = stage.example("ports-fixed")?;
        let mut before = Vec::new();
        for pod in stage.pods(example).await? {
            before.push((pod.uid(), ready(stage.world, &pod.name_any(), SOON).await?));
        }
        for name in ["ports-fixed-0", "ports-fixed-1"] {
            stage
                .kubectl(&["delete", "pod", name, "--wait=false"])
                .await?;
        }
        for (uid, old) in &before {
            let name = old["metadata"]["name"].as_str().unwrap_or_default();
            let new = again(stage, name, uid.as_deref()).await?;
            let same = |field: &str| new["spec"][field] == old["spec"][field];
            ensure!(
                same("externalIP") && same("portMapping"),
                "{old} then {new}"
            );
        }
        let scale = ["scale", "statefulset", "ports-fixed", "--replicas=1"];
        stage.kubectl(&scale).await?;
        gone(stage, "ports-fixed-1").await?;
        ready(stage.world, "ports-fixed-0", SOON).await?;
        // The record of the other one goes with its StatefulSet.
        stage
            .kubectl(&["delete", "statefulset", "ports-fixed"])
            .await?;
        gone(stage, "ports-fixed-0").await
    }))
}

/// The record as soon as another pod of the name has its ports.
async fn again(stage: &Stage<'_>, name: &str, old: Option<&str>) -> Result<Value, CaseError> {
    until(&format!("another pod {name}"), SOON, async || {
        let now = pods(stage.world)
            .get_opt(name)
            .await?
            .and_then(|pod| pod.uid());
        let other = now.is_some() && now.as_deref() != old;
        Ok(other.then_some(()).ok_or_else(|| format!("{now:?}")))
    })
    .await?;
    ready(stage.world, name, SOON).await
}

async fn gone(stage: &Stage<'_>, name: &str) -> Result<(), CaseError> {
    until(&format!("no record {name}"), SWEPT, async || {
        let record = record(stage.world, name).await?;
        Ok(record
            .is_null()
            .then_some(())
            .ok_or_else(|| record.to_string()))
    })
    .await
}

pub fn not_fixed(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::a_stateless_pod_keeps_no_ports";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        let example = stage.example("ports-not-fixed")?;
        stage.told(example).await?;
        for pod in stage.pods(example).await? {
            let name = pod.name_any();
            ready(stage.world, &name, SOON).await?;
            stage
                .kubectl(&["scale", "deployment", "ports-not-fixed", "--replicas=0"])
                .await?;
            gone(stage, &name).await?;
        }
        Ok(())
    }))
}

pub fn both(world: &mut World) -> CaseFuture<'_> {
    let test = "ports::a_pod_that_asks_for_both_gets_the_eip";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        let example = stage.example("ports-and-eip")?;
        let pod = stage.pods(example).await?.remove(0);
        let uid = pod.uid().unwrap_or_default();
        sight::bound(stage.world, "ports-and-eip", &uid, SOON).await?;
        until("an Event about both", SOON, async || {
            let told = events(stage.world, "ports-and-eip").await?;
            let both = told.iter().any(|(reason, _)| reason == "EIPInsteadOfPorts");
            Ok(both.then_some(()).ok_or_else(|| format!("{told:?}")))
        })
        .await?;
        let none = records(stage.world).list(&ListParams::default()).await?;
        ensure!(none.items.is_empty(), "{none:?}");
        Ok(())
    }))
}
