//! What pod, record and kubectl show, to the letter: programs that nobody here can change read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use kube::ResourceExt as _;
use kube::api::{DynamicObject, ListParams, WatchEvent, WatchParams};
use serde_json::{Value, json};

use super::stage::{Stage, shown};
use crate::cases::eip::sight::{pods, record, records};
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::cloud::Eip;
use crate::command;
use crate::ensure;
use crate::page::Example;
use crate::world::World;

/// The heads of `kubectl get podeips`.
const PLAIN: &str = "NAME EIP PRIVATE-IP STATUS TYPE RELEASE AGE";
/// The same with `-o wide`.
const WIDE: &str = "NAME EIP PRIVATE-IP STATUS TYPE RELEASE AFTER ALLOCATION ENI NODE AGE";

pub fn whole(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::outputs_are_whole_and_written_once";
    Box::pin(shown(world, test, async |stage| {
        let before = records(stage.world).list(&ListParams::default()).await?;
        let version = before.metadata.resource_version.unwrap_or_default();
        stage.apply().await?;
        for (_, pod, eip) in stage.all_bound().await? {
            let name = pod.name_any();
            let pod = serde_json::to_value(pods(stage.world).get(&name).await?)?;
            annotations_are_exact(&pod, &eip)?;
            condition_is_exact(&pod)?;
            let statuses = statuses(stage, &name, &version).await?;
            let [status] = &statuses[..] else {
                return Err(CaseError::new(format!("not one status: {statuses:#?}")));
            };
            status_is_exact(status, &pod, &eip)?;
        }
        Ok(())
    }))
}

fn annotations_are_exact(pod: &Value, eip: &Eip) -> Result<(), CaseError> {
    for key in [
        "k8s.aliyun.com/allocated-eipAddress",
        "network.alibabacloud.com/allocated-eipAddress",
    ] {
        let (shown, due) = (&pod["metadata"]["annotations"][key], eip.ip.to_string());
        ensure!(*shown == due, "{key} is {shown}, due {due}");
    }
    Ok(())
}

/// The condition as the document has it: nothing more, nothing less.
fn condition_is_exact(pod: &Value) -> Result<(), CaseError> {
    let all = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ours: Vec<_> = all
        .filter(|one| one["type"] == "k8s.aliyun.com/eip")
        .collect();
    let shown = ours.first().copied().cloned().unwrap_or_default();
    let time = shown["lastTransitionTime"].clone();
    let due = json!({
        "type": "k8s.aliyun.com/eip", "status": "True", "reason": "Associate eip succeed",
        "lastProbeTime": time, "lastTransitionTime": time,
    });
    let whole_seconds = time
        .as_str()
        .is_some_and(|time| time.len() == "2022-12-12T03:45:48Z".len());
    ensure!(
        ours.len() == 1 && shown == due && whole_seconds,
        "conditions {ours:?}, due {due}"
    );
    Ok(())
}

/// Each status that the record of that name has had since, one after the other, as long as it changed.
async fn statuses(stage: &Stage<'_>, name: &str, since: &str) -> Result<Vec<Value>, CaseError> {
    clock::sleep(Duration::from_secs(1)).await; // a further write would have come by now
    let parameters = WatchParams::default()
        .fields(&format!("metadata.name={name}"))
        .timeout(1);
    let records = records(stage.world);
    let seen: Vec<WatchEvent<DynamicObject>> = records
        .watch(&parameters, since)
        .await?
        .boxed()
        .try_collect()
        .await?;
    let mut statuses = vec![Value::Null];
    for event in seen {
        if let WatchEvent::Added(record) | WatchEvent::Modified(record) = event {
            let status = record.data["status"].clone();
            if statuses.last() != Some(&status) {
                statuses.push(status);
            }
        }
    }
    Ok(statuses.split_off(1))
}

fn status_is_exact(status: &Value, pod: &Value, eip: &Eip) -> Result<(), CaseError> {
    let mut rest = status.clone();
    let seen = rest["podLastSeen"].take();
    let is_time = seen.as_str().is_some_and(|time| time.ends_with('Z'));
    ensure!(is_time, "podLastSeen is {seen}");
    let group = rest["resourceGroupID"].take();
    let is_group = group.as_str().is_some_and(|id| id.starts_with("rg-"));
    ensure!(is_group, "resourceGroupID is {group}");
    let eni = eip.place.as_ref().and_then(|place| place.eni_id.clone());
    let due = json!({
        "eipAddress": eip.ip, "privateIPAddress": pod["status"]["podIP"], "networkInterfaceID": eni,
        "isp": "BGP", "internetChargeType": "PayByTraffic", "status": "InUse",
        "podLastSeen": null, "resourceGroupID": null,
    });
    ensure!(rest == due, "status {rest}, due {due}");
    Ok(())
}

pub fn columns(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::kubectl_get_shows_the_eip";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        for (_, pod, eip) in stage.all_bound().await? {
            let (name, address) = (pod.name_any(), eip.ip.to_string());
            let status = record(stage.world, &name).await?["status"].take();
            let shown = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
            let (ip, eni) = (shown("privateIPAddress"), shown("networkInterfaceID"));
            let node = pod.spec.and_then(|spec| spec.node_name).unwrap_or_default();
            let plain = [&*name, &*address, &*ip, "InUse", "Auto", "Follow"];
            let table = stage.kubectl(&["get", "podeips"]).await?;
            has(&table, PLAIN, &plain)?;
            let wide = [&plain[..], &[&*eip.id, &*eni, &*node]].concat();
            let table = stage.kubectl(&["get", "podeips", "-o", "wide"]).await?;
            has(&table, WIDE, &wide)?;
        }
        Ok(())
    }))
}

/// Fails unless the table has these heads and one line, which shows these values in that order.
fn has(table: &str, heads: &str, values: &[&str]) -> Result<(), CaseError> {
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let lines: Vec<_> = table.lines().map(words).collect();
    let [first, line] = &lines[..] else {
        return Err(CaseError::new(format!("one record is due:\n{table}")));
    };
    ensure!(first.join(" ") == heads, "heads {heads} are due:\n{table}");
    let age = line.len().saturating_sub(1);
    ensure!(
        line[..age] == *values,
        "{values:?} and an age are due:\n{table}"
    );
    Ok(())
}

pub fn downward(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::an_init_container_finds_the_address";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        let early = json!({"network.alibabacloud.com/pod-with-eip": "true"});
        for (example, pod, _) in stage.all_bound().await? {
            let pattern = pattern(example)?;
            let found = greps(stage, &pattern, &early)?;
            ensure!(!found, "{pattern} matches before there is an address");
            let pod = pods(stage.world).get(&pod.name_any()).await?;
            let annotations = serde_json::to_value(pod.metadata.annotations)?;
            let found = greps(stage, &pattern, &annotations)?;
            ensure!(found, "{pattern} does not match {annotations}");
        }
        Ok(())
    }))
}

/// What the example's init container greps for.
fn pattern(example: &Example) -> Result<String, CaseError> {
    let manifest: Value = serde_saphyr::from_str(&example.yaml)?;
    let command = manifest["spec"]["initContainers"][0]["command"]
        .as_array()
        .cloned();
    let script = command.unwrap_or_default().pop().unwrap_or_default();
    let script = script.as_str().unwrap_or_default();
    let quoted = script.split('\'').nth(1);
    let pattern = quoted.filter(|_| script.contains("grep -E '"));
    Ok(pattern
        .ok_or_else(|| CaseError::new(format!("no grep -E in {script}")))?
        .to_owned())
}

/// Whether `grep -E` finds it in the file that the kubelet makes of these annotations: `KEY="VALUE"`, sorted.
fn greps(stage: &Stage<'_>, pattern: &str, annotations: &Value) -> Result<bool, CaseError> {
    let annotations: BTreeMap<String, String> = serde_json::from_value(annotations.clone())?;
    let mut text = String::new();
    for (key, value) in annotations {
        writeln!(text, "{key}={value:?}")?;
    }
    let file = stage.world.dir().join("downward-annotations");
    std::fs::write(&file, text)?;
    let arguments = ["-E", pattern, &file.to_string_lossy()];
    Ok(command::run("grep", &arguments).is_ok())
}
