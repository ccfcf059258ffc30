//! Attempts to break the agent: odd orders, slowness, hands and strangers in its way.

pub(super) use std::collections::BTreeMap;
pub(super) use std::time::Duration;

pub(super) use cloudsim::faults::{Answer, FaultKind, NewFault};
pub(super) use cloudsim::world::{AssignIps, NewEni};
pub(super) use eipd::clock;
pub(super) use serde_json::json;
pub(super) use testbed::apiserver::{Then, Verb, When};

pub(super) use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

#[path = "attack/chaos.rs"]
mod chaos;
#[path = "attack/chaos_kept.rs"]
mod chaos_kept;
#[path = "attack/hands.rs"]
mod hands;
#[path = "attack/late.rs"]
mod late;
#[path = "attack/lives.rs"]
mod lives;
#[path = "attack/slow.rs"]
mod slow;
#[path = "attack/strangers.rs"]
mod strangers;

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn refused(status: u16, code: &str) -> FaultKind {
    FaultKind::Refuse(Answer {
        status,
        code: code.to_owned(),
        ..Answer::default()
    })
}

pub(super) fn always(world: &World, action: &str, fault: FaultKind) -> u64 {
    world.cloud.add_fault(NewFault {
        action: action.to_owned(),
        args: BTreeMap::new(),
        count: None,
        skip: 0,
        fault,
    })
}

pub(super) fn latency(world: &World, action: &str, after_ms: u64) {
    world.cloud.change_settings(|settings| {
        settings
            .latency
            .entry(action.to_owned())
            .or_default()
            .after_ms = after_ms;
    });
}

pub(super) fn console(world: &World, eip: &str, action: serde_json::Value) {
    world
        .cloud
        .change_eip(eip, &serde_json::from_value(action).unwrap())
        .unwrap();
}

pub(super) fn calls(world: &World) -> u64 {
    world.cloud.counts().values().sum()
}

pub(super) fn requests(world: &World) -> usize {
    world.api.count(&When::any().client("agent"))
}

pub(super) fn other_record(label: Option<&str>) -> serde_json::Value {
    let mut record = json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {"name": "web", "namespace": NS, "finalizers": ["podeip-controller.alibabacloud.com/finalizer"]},
        "spec": {"allocationID": "eip-other", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}},
    });
    if let Some(label) = label {
        record["metadata"]["labels"] = json!({"eipd.io/node": label, "eipd.io/eip": "eip-other"});
    }
    record
}
