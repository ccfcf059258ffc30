//! A rare look, at a random time, at the records that nobody works on, and at the entries that no record names.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::sync::mpsc;

use super::drive::Ports;
use crate::api::keys::{BUCKET_LABEL, BUCKETS};
use crate::api::poddnat::PLURAL;
use crate::clock;
use crate::domain::ids::Uid;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::lists::{self, PAGE};
use crate::kubeapi::nodes::Nodes;
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
/// Pages up to which a sweep looks at all of them.
const WHOLE: u64 = 5;
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
    async fn look(&self) -> Result<(u64, Vec<Due>), KubeError> {
        let (kube, api) = (&self.ports.kube, self.ports.dnats.all().await?);
        let all = lists::count(kube, PLURAL, &api, u64::MAX).await?;
        let part = match all > u64::from(PAGE) * WHOLE {
            true => format!("{BUCKET_LABEL}={}", fastrand::u8(..BUCKETS)),
            false => String::new(),
        };
        let mut found = Vec::new();
        let read = |meta: &ObjectMeta| found.push(judge::read(meta));
        if all > 0 {
            lists::each(kube, PLURAL, &api, &part, read).await?;
        }
        let held = found.iter().any(|it| it.held.is_some());
        let nodes = match held {
            true => Some(Nodes::list(kube).await?),
            false => None,
        };
        let (nodes, now) = (
            nodes.filter(|nodes| !nodes.is_empty()),
            self.ports.clock.wall(),
        );
        let due = |it: Found| {
            let what = judge(&it, nodes.as_ref(), now)?;
            Some(Due { key: it.key, what })
        };
        let mut due: Vec<_> = found.into_iter().filter_map(due).collect();
        fastrand::shuffle(&mut due);
        due.sort_by_key(|due| due.what);
        due.truncate(SAMPLE);
        Ok((all, due))
    }

    async fn uids(&self) -> Result<BTreeSet<Uid>, KubeError> {
        let mut uids = BTreeSet::new();
        let read = |meta: &ObjectMeta| {
            uids.insert(Uid::new(meta.uid.clone().unwrap_or_default()));
        };
        let api = self.ports.dnats.all().await?;
        lists::each(&self.ports.kube, PLURAL, &api, "", read).await?;
        Ok(uids)
    }
}

/// An agent's mean time between two sweeps.
fn mean(nodes: u64) -> Duration {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    PER_NODE.saturating_mul(nodes.max(1))
}
