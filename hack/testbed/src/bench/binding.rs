//! How long after a pod's address is known its EIP stands, against what the cloud itself takes; and what a life costs.
//!
//! Nodes and pods are played, API server, agent (the release binary, over HTTP) and cloud are real processes. A pod gets
//! its address once its EIP is allocated, as behind a real sandbox, whose set-up takes longer than one cloud call.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures::future::try_join_all;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::json;
use std::time::Instant;

use super::BenchError;
use super::report::{Row, quantile};
use super::seen::Seen;
use crate::clock;
use crate::played::{PlayedPod, PodSpec};
use crate::world::{World, WorldSpec};

/// The cloud's own time, both ways.
const SETTLE_MS: u64 = 2_000;
/// Lives before the first that counts: the agent learns how long this cloud takes.
const LEARNING: usize = 8;
const LONE: usize = 12;
const BATCH: usize = 50;
const WAIT_SECONDS: u64 = 90;
const MIB: f64 = 1024.0 * 1024.0;

/// A pod whose address was written.
struct Addressed {
    pod: PlayedPod,
    ip: Ipv4Addr,
    /// The API server's answer to that write.
    since: Instant,
}

/// What lives have cost since the start.
#[derive(Clone, Copy, Default)]
struct Cost {
    changes: u64,
    looks: u64,
    writes: u64,
    events: u64,
}

pub async fn measure() -> Result<Vec<Row>, BenchError> {
    let mut spec = WorldSpec::light(1);
    spec.addresses = 250;
    spec.progress = |part| eprintln!("binding: {part}");
    let mut world = World::start(&spec).await?;
    world.cloud().set(&json!({
        "settle": {"associate_ms": SETTLE_MS, "unassociate_ms": SETTLE_MS},
        "quotas": {"eips": 1000},
        "rates": {"AllocateEipAddress": 100_000, "AssociateEipAddress": 100_000, "UnassociateEipAddress": 100_000},
    }))
    .await?;
    world.start_agents().await?;
    let seen = Seen::start(world.kube());
    let mut rows = lone(&mut world, &seen).await?;
    rows.extend(batch(&mut world, &seen).await?);
    rows.extend(memory(&mut world, &seen).await?);
    let binary = std::fs::metadata(&world.paths.agent)
        .map_err(|error| BenchError::Missing(error.to_string()))?;
    #[expect(clippy::cast_precision_loss, reason = "a size in MiB")]
    rows.push(Row::at_most(
        "release binary",
        binary.len() as f64 / MIB,
        "MiB",
        8.0,
    ));
    Ok(rows)
}

/// One pod after the other.
async fn lone(world: &mut World, seen: &Seen) -> Result<Vec<Row>, BenchError> {
    for round in 0..LEARNING {
        let pod = addressed(world, &format!("learn-{round}")).await?;
        seen.bound(&pod.pod.name, WAIT_SECONDS).await?;
        give_back(world, vec![pod]).await?;
    }
    let before = cost(world).await?;
    let (mut ratios, mut overheads) = (Vec::new(), Vec::new());
    for round in 0..LONE {
        let pod = addressed(world, &format!("lone-{round}")).await?;
        let (ratio, overhead) = ratio(world, seen, &pod).await?;
        ratios.push(ratio);
        overheads.push(overhead);
        give_back(world, vec![pod]).await?;
    }
    let mut rows = ratio_rows("one pod", &ratios, &overheads);
    rows.extend(cost_rows("one pod", before, cost(world).await?, LONE, 3.0));
    Ok(rows)
}

/// Fifty pods whose addresses come in the same moment.
async fn batch(world: &mut World, seen: &Seen) -> Result<Vec<Row>, BenchError> {
    let before = cost(world).await?;
    let names: Vec<_> = (0..BATCH).map(|n| format!("batch-{n}")).collect();
    let pods = addressed_at_once(world, &names).await?;
    let (mut ratios, mut overheads) = (Vec::new(), Vec::new());
    for pod in &pods {
        let (ratio, overhead) = ratio(world, seen, pod).await?;
        ratios.push(ratio);
        overheads.push(overhead);
    }
    give_back(world, pods).await?;
    let mut rows = ratio_rows("50 pods", &ratios, &overheads);
    rows.extend(cost_rows("50 pods", before, cost(world).await?, BATCH, 0.2));
    Ok(rows)
}

/// Resident memory with 30 and with 250 pods that all have their EIP.
async fn memory(world: &mut World, seen: &Seen) -> Result<Vec<Row>, BenchError> {
    world
        .cloud()
        .set(&json!({"settle": {"associate_ms": 200, "unassociate_ms": 200}}))
        .await?;
    let mut rows = Vec::new();
    let mut pods = Vec::new();
    for (count, goal) in [(30, 8.0), (250, 12.0)] {
        while pods.len() < count {
            let names: Vec<_> = (pods.len()..count.min(pods.len() + 10))
                .map(|n| format!("many-{n}"))
                .collect();
            let more = addressed_at_once(world, &names).await?;
            for pod in &more {
                seen.bound(&pod.pod.name, WAIT_SECONDS).await?;
            }
            pods.extend(more);
        }
        clock::sleep(Duration::from_secs(3)).await;
        let resident = world
            .agent(0)
            .resident()
            .ok_or_else(|| BenchError::Missing("the agent".to_owned()))?;
        #[expect(clippy::cast_precision_loss, reason = "a size in MiB")]
        rows.push(Row::at_most(
            format!("resident memory, {count} pods"),
            resident as f64 / MIB,
            "MiB",
            goal,
        ));
    }
    Ok(rows)
}

async fn addressed(world: &World, name: &str) -> Result<Addressed, BenchError> {
    let mut pods = addressed_at_once(world, &[name.to_owned()]).await?;
    pods.pop()
        .ok_or_else(|| BenchError::Missing(name.to_owned()))
}

/// Pods that are created, taken and allocated for, then get their addresses all at once.
async fn addressed_at_once(world: &World, names: &[String]) -> Result<Vec<Addressed>, BenchError> {
    let mut pods = Vec::new();
    for name in names {
        let mut spec = PodSpec::with_eip(name);
        spec.gate = true;
        let pod = world.play_pod(0, &spec).await?;
        pod.take().await?;
        let ip = world
            .take_address(0)
            .ok_or_else(|| BenchError::Missing("a free address".to_owned()))?;
        pods.push((pod, ip));
    }
    for name in names {
        wait_record(world, name, |record| {
            record.is_some_and(|record| record.data["spec"]["allocationID"] != "")
        })
        .await?;
    }
    let give = pods.into_iter().map(|(pod, ip)| async move {
        pod.give_ip(ip).await?;
        let since = clock::now();
        Ok::<_, BenchError>(Addressed { pod, ip, since })
    });
    try_join_all(give).await
}

/// From the write of the address to the condition, over the cloud's own time; and the difference in milliseconds.
async fn ratio(world: &World, seen: &Seen, pod: &Addressed) -> Result<(f64, f64), BenchError> {
    let bound = seen.bound(&pod.pod.name, WAIT_SECONDS).await?;
    let whole = bound.saturating_duration_since(pod.since).as_secs_f64();
    let cloud = cloud_seconds(world, pod.ip).await?;
    Ok((whole / cloud, (whole - cloud) * 1000.0))
}

/// From `Associating` to `InUse`, as the cloud itself has it.
async fn cloud_seconds(world: &World, ip: Ipv4Addr) -> Result<f64, BenchError> {
    let missing = || BenchError::Missing(format!("the binding of {ip} in the cloud's books"));
    let eips = world.cloud().eips().await?;
    let eip = eips
        .iter()
        .find(|eip| {
            eip.place
                .as_ref()
                .is_some_and(|place| place.private_ip == Some(ip))
        })
        .ok_or_else(missing)?;
    let calls = world.cloud().calls().await?;
    let associate = calls
        .iter()
        .rev()
        .find(|call| {
            call.action == "AssociateEipAddress" && call.args.get("AllocationId") == Some(&eip.id)
        })
        .ok_or_else(missing)?;
    let history = eip.raw["history"].as_array().cloned().unwrap_or_default();
    let in_use = history
        .iter()
        .rev()
        .find(|change| change["status"] == "InUse")
        .and_then(|change| change["ms"].as_u64())
        .ok_or_else(missing)?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
    let seconds = in_use.saturating_sub(associate.received_ms) as f64 / 1000.0;
    Ok(seconds)
}

/// Deletes the pods and waits until their records are gone.
async fn give_back(world: &World, pods: Vec<Addressed>) -> Result<(), BenchError> {
    for Addressed { pod, .. } in &pods {
        pod.delete().await?;
    }
    for Addressed { pod, .. } in &pods {
        pod.end_containers().await?;
    }
    clock::sleep(Duration::from_millis(500)).await; // a kubelet takes longer
    for Addressed { pod, .. } in &pods {
        pod.remove().await?;
    }
    for Addressed { pod, ip, .. } in &pods {
        wait_record(world, &pod.name, |record| record.is_none()).await?;
        world.return_address(0, *ip);
    }
    Ok(())
}

async fn wait_record(
    world: &World,
    name: &str,
    wanted: impl Fn(Option<&DynamicObject>) -> bool,
) -> Result<(), BenchError> {
    let kind = GroupVersionKind::gvk("alibabacloud.com", "v1beta1", "PodEIP");
    let resource = ApiResource::from_gvk_with_plural(&kind, "podeips");
    let records: Api<DynamicObject> = Api::namespaced_with(world.kube(), "default", &resource);
    for _ in 0..WAIT_SECONDS * 20 {
        if wanted(records.get_opt(name).await?.as_ref()) {
            return Ok(());
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    Err(BenchError::Overdue {
        what: format!("the record of {name}"),
        seconds: WAIT_SECONDS,
    })
}

/// Cloud calls as the cloud counts them, writes as the agent's own metrics do.
async fn cost(world: &mut World) -> Result<Cost, BenchError> {
    let counts = world.cloud().counts().await?;
    let count = |action: &str| counts.get(action).copied().unwrap_or_default();
    let changes = [
        "AllocateEipAddress",
        "AssociateEipAddress",
        "UnassociateEipAddress",
        "ReleaseEipAddress",
    ]
    .map(count);
    let metrics = world
        .agent(0)
        .get("/metrics")
        .await
        .ok_or_else(|| BenchError::Missing("/metrics".to_owned()))?;
    let written = |events: bool| {
        let lines = metrics.lines().filter(|line| {
            line.starts_with("eipd_api_calls_total") && !line.contains("verb=\"get\"")
        });
        let lines = lines.filter(|line| line.contains("resource=\"events\"") == events);
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    };
    Ok(Cost {
        changes: changes.iter().sum(),
        looks: count("DescribeEipAddresses"),
        writes: written(false),
        events: written(true),
    })
}

fn ratio_rows(what: &str, ratios: &[f64], overheads: &[f64]) -> Vec<Row> {
    vec![
        Row::at_most(
            format!("{what}: address known to condition / cloud, median"),
            quantile(ratios, 0.5),
            "ratio",
            1.05,
        ),
        Row::at_most(
            format!("{what}: address known to condition / cloud, p99"),
            quantile(ratios, 0.99),
            "ratio",
            1.25,
        ),
        Row::plain(
            format!("{what}: over the cloud's own time, median"),
            quantile(overheads, 0.5),
            "ms",
        ),
    ]
}

fn cost_rows(what: &str, before: Cost, after: Cost, pods: usize, looks: f64) -> Vec<Row> {
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    let each = |from: u64, to: u64| (to - from) as f64 / pods as f64;
    vec![
        Row::at_most(
            format!("{what}: cloud changes in a life"),
            each(before.changes, after.changes),
            "calls",
            4.0,
        ),
        Row::at_most(
            format!("{what}: looks in a life"),
            each(before.looks, after.looks),
            "calls",
            looks,
        ),
        Row::at_most(
            format!("{what}: API-server writes in a life"),
            each(before.writes, after.writes),
            "writes",
            8.0,
        ),
        Row::at_most(
            format!("{what}: Events in a life"),
            each(before.events, after.events),
            "writes",
            1.0,
        ),
    ]
}
