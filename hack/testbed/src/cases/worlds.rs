//! The worlds that cases run in.

use std::fs;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};

use super::{CaseError, Ground, Ring};
use crate::node::Wiring;
use crate::world::{World, WorldSpec};

/// Nodes of every world of a ring: one for the pods, one for what moves.
const NODES: usize = 2;
/// ENIs that a node of the wired world has for pods.
const OWN_ENIS: usize = 2;
/// An agent that drains ends within this.
const DRAIN: Duration = Duration::from_secs(35);

impl Ground for World {
    /// `Processes`: agents are made, not started. Else the `DaemonSet` is applied and ready.
    async fn set_up(ring: Ring) -> Result<Self, CaseError> {
        let spec = match ring {
            Ring::Processes => WorldSpec::light(NODES),
            Ring::Nodes => WorldSpec::real(NODES),
            Ring::Wired => WorldSpec {
                wirings: vec![Wiring::Exclusive, Wiring::Member],
                addresses: OWN_ENIS,
                overlay: "hack/testbed/wired",
                ..WorldSpec::real(NODES)
            },
        };
        let progress = |part: &str| eprintln!("  world: {part}");
        Ok(Self::start(&WorldSpec { progress, ..spec }).await?)
    }

    async fn evidence(&self) -> String {
        self.evidence()
    }

    async fn printed(&self) -> String {
        let mut all = container_logs(&self.dir());
        for agent in &self.agents {
            all.push(agent.logs());
            all.extend(agent.get("/metrics").await);
        }
        all.extend(told(self).await.unwrap_or_default());
        all.join("\n")
    }

    async fn tidy(&mut self) -> bool {
        for agent in &mut self.agents {
            agent.sigterm(DRAIN).await;
            if agent.reset().is_err() {
                return false;
            }
        }
        is_clean(self).await.unwrap_or(false)
    }

    async fn tear_down(self) -> Result<(), CaseError> {
        drop(self);
        Ok(())
    }
}

/// Logs of eipd's containers on real nodes, below the world's folder.
fn container_logs(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type();
        if kind.is_ok_and(|kind| kind.is_dir()) {
            all.extend(container_logs(&path));
        } else if path.to_string_lossy().contains("/pod-logs/eipd_") {
            let log = fs::read(&path).unwrap_or_default();
            all.push(String::from_utf8_lossy(&log).into_owned());
        }
    }
    all
}

/// The Events and the records of the whole cluster.
async fn told(world: &World) -> Result<Vec<String>, CaseError> {
    let kind = GroupVersionKind::gvk("alibabacloud.com", "v1beta1", "PodEIP");
    let ports = GroupVersionKind::gvk("alibabacloud.com", "v1beta1", "PodDNAT");
    let every = ListParams::default();
    let events = Api::<Event>::all(world.kube()).list(&every).await?;
    let records = Api::<DynamicObject>::all_with(world.kube(), &ApiResource::from_gvk(&kind));
    let records = records.list(&every).await?;
    let ports = Api::<DynamicObject>::all_with(world.kube(), &ApiResource::from_gvk(&ports));
    let ports = ports.list(&every).await?;
    Ok(vec![
        serde_json::to_string(&events.items)?,
        serde_json::to_string(&records.items)?,
        serde_json::to_string(&ports.items)?,
    ])
}

/// Clears what was ordered of the cloud; whether nothing else is left of a case.
async fn is_clean(world: &World) -> Result<bool, CaseError> {
    let defaults = serde_json::json!({"settle": null, "latency": null, "rates": null, "quotas": null, "open": null});
    world.cloud().set(&defaults).await?;
    world.cloud().clear_faults().await?;
    let pods = Api::<Pod>::all(world.kube())
        .list(&ListParams::default())
        .await?;
    Ok(pods.items.is_empty()
        && world.cloud().holds().await?.is_empty()
        && world.cloud().eips().await?.is_empty())
}
