//! A rare look, at a random time, at the records that nobody works on, and at the entries that no record names.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams};
use tokio::sync::mpsc;

use super::drive::Ports;
use crate::api::poddnat::PodDnat;
use crate::clock;
use crate::domain::ids::Uid;
use crate::kubeapi::error::KubeError;
use crate::shard::pulse;
use crate::telemetry::metrics::Metrics;

mod judge;
mod orphans;

pub use judge::{Due, What};
use judge::{Found, judge};

/// Three nodes sweep once in three minutes each, and so on: the cluster sees about one a minute at any size.
const PER_NODE: Duration = Duration::from_mins(1);
/// An agent that has just begun knows nothing of what was before.
const FIRST: Duration = Duration::from_mins(1);
/// Records in memory at a time.
const PAGE: u32 = 100;
/// So many of a sort are handed on by one sweep, at random, so that agents do not all bring the same ones.
const SAMPLE: usize = 20;
/// One sweep in so many looks for entries that no record names, which takes calls to the cloud.
const ORPHANS: u8 = 5;

/// The sweeps of one agent.
pub struct Sweep {
    pub ports: Ports,
    pub metrics: Metrics,
    pub out: mpsc::Sender<Due>,
}

/// Nobody listens any more.
struct Closed;

impl Sweep {
    /// Sweeps for good. Ends only when nobody listens any more.
    pub async fn run(self) {
        clock::sleep(FIRST).await;
        let mut used = false;
        loop {
            tokio::select! {
                () = self.out.closed() => return,
                () = pulse::wait(mean, || pulse::nodes(&self.ports.kube)) => {}
            }
            let Ok(any) = self.once().await else {
                return;
            };
            // In a cluster that has no such record, and had none since this agent began, no call is made to the cloud.
            used |= any;
            if used && fastrand::u8(..ORPHANS) == 0 {
                self.orphans().await;
            }
        }
    }

    /// Hands on what is due; whether there is any record at all.
    async fn once(&self) -> Result<bool, Closed> {
        let (all, due) = match self.look().await {
            Ok(found) => found,
            // Without its CRD there is no such record.
            Err(KubeError::NotFound(_)) => return Ok(false),
            Err(error) => {
                tracing::warn!(%error, "sweep of the ports' records cut short");
                self.metrics.sweep("cut_short");
                return Ok(false);
            }
        };
        self.metrics.sweep("whole");
        for due in due {
            let what = due.what.name();
            tracing::info!(record = %due.key, what, "found by a sweep of ports");
            self.out.send(due).await.map_err(|_| Closed)?;
            self.metrics.found(what);
        }
        Ok(all > 0)
    }

    /// How many records there are, and those that are due: what a node that is gone has left comes first.
    async fn look(&self) -> Result<(usize, Vec<Due>), KubeError> {
        let now = self.ports.clock.wall();
        let (mut all, mut due, mut held) = (0, Vec::new(), Vec::new());
        for found in self.list().await? {
            all += 1;
            match judge(&found, now) {
                None => {}
                Some(judge::Verdict::Due(what)) => due.push(Due {
                    key: found.key,
                    what,
                }),
                Some(judge::Verdict::IfGone(node)) => held.push((node, found.key)),
            }
        }
        fastrand::shuffle(&mut due);
        due.truncate(SAMPLE);
        fastrand::shuffle(&mut held);
        let mut first = Vec::new();
        for (node, key) in held.into_iter().take(SAMPLE) {
            if !self.exists(&node).await? {
                first.push(Due {
                    key,
                    what: What::NodeGone,
                });
            }
        }
        first.extend(due);
        Ok((all, first))
    }

    /// All records, as new as can be.
    async fn list(&self) -> Result<Vec<Found>, KubeError> {
        let api: Api<PodDnat> = self.ports.dnats.all().await?;
        let (mut all, mut params) = (Vec::new(), ListParams::default().limit(PAGE));
        loop {
            let list = self.ports.kube.call("list", "poddnats", api.list(&params));
            let page = list.await?;
            all.extend(page.items.iter().map(judge::read));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                return Ok(all);
            }
        }
    }

    async fn exists(&self, node: &str) -> Result<bool, KubeError> {
        let api: Api<Node> = Api::all(self.ports.kube.client().clone());
        let one = ListParams::default().fields(&format!("metadata.name={node}"));
        let list = self
            .ports
            .kube
            .call("list", "nodes", api.list_metadata(&one));
        Ok(!list.await?.items.is_empty())
    }

    async fn uids(&self) -> Result<BTreeSet<Uid>, KubeError> {
        Ok(self
            .list()
            .await?
            .into_iter()
            .map(|found| found.uid)
            .collect())
    }
}

/// An agent's mean time between two sweeps.
fn mean(nodes: u64) -> Duration {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    PER_NODE.saturating_mul(nodes.max(1))
}
