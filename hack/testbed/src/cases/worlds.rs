//! The worlds that cases run in.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use super::{CaseError, Ground, Ring};
use crate::world::{World, WorldSpec};

/// Nodes of every world of a ring: one for the pods, one for what moves.
const NODES: usize = 2;
/// An agent that drains ends within this.
const DRAIN: Duration = Duration::from_secs(35);

impl Ground for World {
    /// `Processes`: agents are made, not started. `Nodes`: the `DaemonSet` is applied and ready.
    async fn set_up(ring: Ring) -> Result<Self, CaseError> {
        let spec = match ring {
            Ring::Processes => WorldSpec::light(NODES),
            Ring::Nodes => WorldSpec::real(NODES),
        };
        let progress = |part: &str| eprintln!("  world: {part}");
        Ok(Self::start(&WorldSpec { progress, ..spec }).await?)
    }

    async fn evidence(&self) -> String {
        self.evidence()
    }

    async fn tidy(&mut self) -> bool {
        for agent in &mut self.agents {
            agent.sigterm(DRAIN).await;
        }
        is_clean(self).await.unwrap_or(false)
    }

    async fn tear_down(self) -> Result<(), CaseError> {
        drop(self);
        Ok(())
    }
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
