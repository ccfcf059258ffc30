//! Many agents at one forward table, in virtual time: how near they come to the pace that the table itself allows, and who waits how long.
//!
//! A table takes one change at a time. So the bound is one entry in each settle time, whoever makes it.

// As in tests: a set-up that fails ends the bench.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)] // shared with the tests of EIPs
#[path = "../tests/eip/world.rs"]
mod world;

#[allow(dead_code)] // shared with the tests of ports
#[path = "../tests/dnat/nat.rs"]
mod nat;

use std::time::Duration;

use cloudsim::nat::EntryStatus;
use eipd::clock;
use nat::{TABLE, asking, is_ready};
use serde_json::json;
use testbed::bench::report::{self, Row};

const AGENTS: u32 = 200;
const PODS: u32 = 5;
const ENTRIES: u32 = AGENTS * PODS;
const SETTLE: Duration = Duration::from_secs(2);
/// Longer than this and something is stuck.
const PATIENCE: Duration = Duration::from_hours(6);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let rows = runtime.block_on(measure());
    report::print("dnat-table", &rows);
}

async fn measure() -> Vec<Row> {
    let (mut world, _) = nat::world();
    world.config += "networkController: {natGwPool: [{natgwId: ngw-1, portRangeStart: 512, portRangeEnd: 4607}]}\n";
    world.cloud.change_settings(|settings| {
        settings.quotas.forward_entries = 2 * ENTRIES as usize;
        settings.settle.forward_create_ms = u64::try_from(SETTLE.as_millis()).unwrap();
    });
    let nodes: Vec<_> = (0..AGENTS).map(|_| world.add_node()).collect();
    // Sweeps and audits are as rare as in a cluster of that size.
    for node in &nodes {
        let object = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}});
        world.api.create(&object).unwrap();
    }
    let agents: Vec<_> = nodes
        .iter()
        .map(|node| world.start_on(node, &node.name))
        .collect();
    clock::sleep(Duration::from_secs(30)).await;
    let begun = clock::now();
    let began_ms = world.cloud.clock().now();
    let mut names = Vec::new();
    for (n, node) in nodes.iter().enumerate() {
        for pod in 0..PODS {
            let name = format!("game-{n}-{pod}");
            let spec = asking(&world, &name, "7777").on(&node.name);
            world.run(&spec, &node.ip(11 + u8::try_from(pod).unwrap()));
            names.push(name);
        }
    }
    let available = || {
        let entries = world.entries();
        entries
            .iter()
            .filter(|it| it.status == EntryStatus::Available)
            .count()
    };
    while available() < ENTRIES as usize {
        clock::sleep(Duration::from_secs(10)).await;
        assert!(
            clock::now() - begun < PATIENCE,
            "only {} of {ENTRIES}",
            available()
        );
    }
    clock::sleep(Duration::from_secs(30)).await;
    let waiting = names
        .iter()
        .filter(|name| !is_ready(&world.api, name))
        .count();
    assert_eq!(waiting, 0, "all pods have their ports");
    drop(agents);
    rows(&world, began_ms)
}

/// When each entry became Available, in seconds since the pods were there.
fn waits(world: &world::World, began_ms: u64) -> Vec<f64> {
    let entries = world.entries().into_iter();
    let waits = entries.filter_map(|entry| {
        let mut history = entry.history.iter();
        let (at, _) = history.find(|(_, status)| *status == EntryStatus::Available)?;
        Some(Duration::from_millis(at - began_ms).as_secs_f64())
    });
    waits.collect()
}

fn rows(world: &world::World, began_ms: u64) -> Vec<Row> {
    let waits = &waits(world, began_ms);
    let calls = world.cloud.calls();
    let changes = calls
        .iter()
        .filter(|call| call.action == "CreateForwardEntry");
    let (all, refused) = changes.fold((0_u32, 0_u32), |(all, refused), call| {
        (all + 1, refused + u32::from(call.code.is_some()))
    });
    let entries = world
        .entries()
        .into_iter()
        .filter(|it| it.table_id == TABLE);
    let entries = u32::try_from(entries.count()).unwrap();
    assert_eq!(entries, ENTRIES, "one entry for each port");
    let last = waits.iter().copied().fold(0.0, f64::max);
    let rate = f64::from(entries) / last;
    let bound = 1.0 / SETTLE.as_secs_f64();
    let median = report::quantile(waits, 0.5);
    vec![
        Row::plain("agents", f64::from(AGENTS), ""),
        Row::plain("entries", f64::from(entries), ""),
        Row::plain("entries per second", rate, "1/s"),
        Row::plain("serial bound", bound, "1/s"),
        Row::at_least("share of the bound", rate / bound, "", 0.9),
        Row::at_most(
            "changes per entry",
            f64::from(all) / f64::from(entries),
            "",
            1.3,
        ),
        Row::plain(
            "refused calls per entry",
            f64::from(refused) / f64::from(entries),
            "",
        ),
        Row::plain(
            "wait, first",
            waits.iter().copied().fold(f64::MAX, f64::min),
            "s",
        ),
        Row::plain("wait, median", median, "s"),
        Row::plain("wait, last", last, "s"),
        Row::plain(
            "wait, 99 % over median",
            report::quantile(waits, 0.99) / median,
            "",
        ),
    ]
}
