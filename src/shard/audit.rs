//! When to look at what stands: somebody may have changed it in the cloud's console, and no watch tells of that.

use std::time::Duration;

use tokio::sync::mpsc;

use super::pulse;
use crate::kubeapi::client::Kube;

const LEAST: Duration = Duration::from_mins(10);
/// So many nodes, each with one look, fill [`LEAST`]: the cluster looks twenty times a minute at most.
const PER_NODE: Duration = Duration::from_secs(3);

/// A tick whenever this agent is to look at its bound EIPs. Ends only when nobody listens any more.
pub async fn run(kube: Kube, out: mpsc::Sender<()>) {
    loop {
        tokio::select! {
            () = out.closed() => return,
            () = pulse::wait(mean, || pulse::nodes(&kube)) => {}
        }
        // A full channel means that an earlier tick still waits: one look answers both.
        let _ = out.try_send(());
    }
}

/// An agent's mean time between two looks.
pub(super) fn mean(nodes: u64) -> Duration {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    PER_NODE.saturating_mul(nodes).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_clusters_look_every_ten_minutes_and_large_ones_share_twenty_a_minute() {
        let minutes = |nodes| mean(nodes).as_secs() / 60;
        assert_eq!([0, 3, 200, 400, 5_000].map(minutes), [10, 10, 10, 20, 250]);
    }
}
