//! A rare, cheap look, at a random time, at the records that are no node's, or a gone one's. It finds what is due; others
//! act on it.

use std::time::Duration;

use kube::api::{Api, ListParams};
use tokio::sync::mpsc;

use super::found::{self, Due, What};
use super::pulse;
use super::sample::Sample;
use crate::api::keys::{BUCKET_LABEL, BUCKETS, NODE_LABEL};
use crate::api::podeip::PodEip;
use crate::clock::{self, Clock};
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::lists::PAGE;
use crate::telemetry::metrics::Metrics;

/// Three nodes sweep once a minute each, and so on.
const PER_NODE: Duration = Duration::from_secs(20);
/// An agent that has just begun knows nothing of what was before: neither of the fleet's start nor of an outage.
const FIRST: Duration = Duration::from_mins(1);
/// A pod that could not come back because the API server was away has so long to do so before its address is lost.
const HEALTHY: Duration = Duration::from_mins(1);
/// Pages of blank records up to which a sweep looks at all of them.
const WHOLE: u64 = 5;

mod held;

/// The sweeps of one agent.
pub struct Sweep {
    pub kube: Kube,
    pub clock: Clock,
    pub metrics: Metrics,
    pub out: mpsc::Sender<Due>,
}

/// Nobody listens any more.
struct Closed;

/// How much of a list is read.
#[derive(Clone, Copy)]
enum Pages {
    All,
    /// At most so many.
    First(u64),
    /// The n-th with a probability of 1/n: each is read some time, and a list of any length costs but its logarithm.
    Some,
}

/// Whether there was more than was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Cut,
}

impl Sweep {
    /// Sweeps for good. Ends only when nobody listens any more.
    pub async fn run(self) {
        clock::sleep(FIRST).await;
        loop {
            tokio::select! {
                () = self.out.closed() => return,
                () = pulse::wait(mean, || pulse::nodes(&self.kube)) => {}
            }
            if self.once().await.is_err() {
                return;
            }
        }
    }

    async fn once(&self) -> Result<(), Closed> {
        let mut sample = Sample::default();
        match self.look(&mut sample).await {
            Ok(()) => self.metrics.sweep("whole"),
            Err(error) => {
                tracing::warn!(%error, "sweep cut short");
                self.metrics.sweep("cut_short");
            }
        }
        let (expired, rest): (Vec<_>, Vec<_>) = sample
            .drawn()
            .into_iter()
            .partition(|due| due.what == What::Expired);
        for due in rest {
            self.hand_on(due).await?;
        }
        for due in expired {
            // Asked each time: the last one may have waited long for its turn.
            if !self.healthy().await {
                break;
            }
            self.hand_on(due).await?;
        }
        Ok(())
    }

    /// Offers what is due of all records, or of a random part where they are many.
    async fn look(&self, sample: &mut Sample) -> Result<(), KubeError> {
        let blank = format!("!{NODE_LABEL}");
        if self.list(&blank, Pages::First(WHOLE), sample).await? == End::Cut {
            let bucket = fastrand::u8(..BUCKETS);
            let one = format!("{BUCKET_LABEL}={bucket},{blank}");
            self.list(&one, Pages::All, sample).await?;
            let known: Vec<_> = (0..BUCKETS).map(|bucket| bucket.to_string()).collect();
            let none = format!("{BUCKET_LABEL} notin ({}),{blank}", known.join(","));
            self.list(&none, Pages::Some, sample).await?;
        }
        // Blank, too, but no selector has both. Nothing of ours writes it.
        self.list(&format!("{NODE_LABEL}="), Pages::First(1), sample)
            .await?;
        self.held(sample).await
    }

    /// Reads a list page by page, each as new as can be, and keeps nothing of a page but the sample.
    async fn list(
        &self,
        labels: &str,
        pages: Pages,
        sample: &mut Sample,
    ) -> Result<End, KubeError> {
        let api: Api<PodEip> = Api::all(self.kube.client().clone());
        let mut params = ListParams::default().labels(labels).limit(PAGE);
        let mut left = pages.draw();
        loop {
            let page = self.kube.call("list", "podeips", api.list(&params)).await?;
            let now = self.clock.wall();
            for found in page.items.iter().map(found::read) {
                if let Some(what) = found::judge(&found, now) {
                    let key = found.key;
                    sample.offer(Due { key, what });
                }
            }
            left -= 1;
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            match (&params.continue_token, left) {
                (None, _) => return Ok(End::Whole),
                (Some(_), 0) => return Ok(End::Cut),
                (Some(_), _) => {}
            }
        }
    }

    /// Waits until the API server has been well for long enough; `false`: it failed.
    async fn healthy(&self) -> bool {
        let Some(since) = self.kube.healthy_since() else {
            return false;
        };
        clock::sleep_until(since + HEALTHY).await;
        self.kube.healthy_since() == Some(since)
    }

    async fn hand_on(&self, due: Due) -> Result<(), Closed> {
        tracing::info!(record = %due.key, what = due.what.name(), "found by a sweep");
        let what = due.what.name();
        self.out.send(due).await.map_err(|_| Closed)?;
        self.metrics.found(what);
        Ok(())
    }
}

impl Pages {
    /// How many pages are read this time.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at least 1; cut off far beyond any list
    fn draw(self) -> u64 {
        match self {
            Self::All => u64::MAX,
            Self::First(pages) => pages,
            Self::Some => (1.0 / (1.0 - fastrand::f64())) as u64,
        }
    }
}

/// An agent's mean time between two sweeps.
pub(crate) fn mean(nodes: u64) -> Duration {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    PER_NODE.saturating_mul(nodes.max(1))
}

#[cfg(test)]
mod tests;
