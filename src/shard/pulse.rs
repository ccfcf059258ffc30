//! Random times, so spread that the whole cluster sees about the same number of them a minute at any size.
//!
//! Waits are exponential: agents that were started together drift apart at once, and a wait that was cut and drawn
//! afresh is as good as the first one, so a long one can follow a cluster that has changed its size.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::api::Api;

use crate::clock;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::lists;

/// The nodes are counted again at least so often.
const RECOUNT: Duration = Duration::from_hours(1);
/// Between tries to count them after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// A server that says there are more nodes, and not how many: rather too rare than a storm.
const UNCOUNTED: u64 = 5_000;

/// How many nodes the cluster has.
pub async fn nodes(kube: &Kube) -> Result<u64, KubeError> {
    let api: Api<Node> = Api::all(kube.client().clone());
    lists::count(kube, "nodes", &api, UNCOUNTED).await
}

/// Waits for a random time whose mean follows the number of nodes. While that is not known there is no end to it.
pub async fn wait<F>(mean: fn(u64) -> Duration, nodes: impl Fn() -> F)
where
    F: Future<Output = Result<u64, KubeError>>,
{
    let mut retry = FIRST_WAIT;
    loop {
        let count = match nodes().await {
            Ok(count) => count,
            Err(error) => {
                tracing::warn!(%error, "the nodes can't be counted; until they are, this agent looks after its own node only");
                clock::sleep(clock::jitter(retry, 0.5)).await;
                retry = (retry * 2).min(LONGEST_WAIT);
                continue;
            }
        };
        retry = FIRST_WAIT;
        let wait = exponential(mean(count));
        clock::sleep(wait.min(RECOUNT)).await;
        if wait <= RECOUNT {
            return;
        }
    }
}

/// A time that is as likely to end in the next second as in any other.
pub(crate) fn exponential(mean: Duration) -> Duration {
    let times = -(1.0 - fastrand::f64()).ln();
    Duration::try_from_secs_f64(mean.as_secs_f64() * times).unwrap_or(mean)
}

#[cfg(test)]
mod tests;
