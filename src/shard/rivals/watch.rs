//! Looking around for as long as the agent runs: often while another controller runs, rarely once none does.

use std::time::Duration;

use tokio::sync::watch;

use super::{Findings, Rival, Stamps, look};
use crate::clock::{self, Clock};
use crate::kubeapi::client::Kube;

/// While another one runs: somebody may be waiting for us.
const OFTEN: Duration = Duration::from_mins(1);
/// While none does; longer and longer.
const RARELY: (Duration, Duration) = (Duration::from_mins(10), Duration::from_mins(30));
/// After a look that failed; longer and longer.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
const JITTER: f64 = 0.2;

/// Looks around for good, the first time at once, and says what was found; `None` until something is known. Ends only
/// when nobody listens any more.
pub async fn run(kube: Kube, clock: Clock, out: watch::Sender<Option<Findings>>) {
    let (mut stamps, mut rhythm) = (Stamps::default(), Rhythm::default());
    loop {
        let found = look(&kube, &clock, &mut stamps).await;
        let wait = rhythm.next(found.as_ref().ok());
        match found {
            Ok(found) => tell(&out, found),
            Err(error) => {
                tracing::warn!(%error, "whether another EIP controller runs here could not be read; tried again");
            }
        }
        tokio::select! {
            () = out.closed() => return,
            () = clock::sleep(clock::jitter(wait, JITTER)) => {}
        }
    }
}

fn tell(out: &watch::Sender<Option<Findings>>, found: Findings) {
    let before = out.borrow().as_ref().map(running);
    if before != Some(running(&found)) {
        say(&found, before.is_some());
    }
    out.send_if_modified(|known| {
        let news = known.as_ref() != Some(&found);
        *known = Some(found);
        news
    });
}

/// Which of them runs: whose stamp was the latest is no news.
fn running(found: &Findings) -> (bool, bool) {
    let enc = |rival: &Rival| matches!(rival, Rival::Enc { .. });
    (
        found.rivals.iter().any(enc),
        found.rivals.contains(&Rival::Terway),
    )
}

fn say(found: &Findings, known: bool) {
    for rival in &found.rivals {
        match rival {
            Rival::Enc { seen, record } => tracing::warn!(%record, %seen,
                "ack-extend-network-controller still runs: it keeps stamping its records; nothing new is started until it is uninstalled"),
            Rival::Terway => tracing::warn!(
                "Terway's EIP function still runs: nothing new is started until enable_eip_pool is taken out of eni_conf in ConfigMap kube-system/eni-config"
            ),
        }
    }
    if !found.others_run() {
        let any_more = if known { " any more" } else { "" };
        tracing::info!("no other EIP controller runs here{any_more}");
    }
}

/// When to look next.
#[derive(Debug, Default)]
struct Rhythm {
    /// Looks in a row that failed.
    failed: u32,
    /// Looks in a row that found nobody.
    quiet: u32,
}

impl Rhythm {
    fn next(&mut self, found: Option<&Findings>) -> Duration {
        let Some(found) = found else {
            self.failed = self.failed.saturating_add(1);
            return longer(AGAIN, 2.0, self.failed - 1);
        };
        self.failed = 0;
        if found.others_run() {
            self.quiet = 0;
            return OFTEN;
        }
        self.quiet = self.quiet.saturating_add(1);
        longer(RARELY, 1.2, self.quiet - 1)
    }
}

/// The first of the two times, longer by that factor each time, up to the second.
fn longer((first, longest): (Duration, Duration), factor: f64, times: u32) -> Duration {
    let times = i32::try_from(times.min(16)).unwrap_or(16);
    first.mul_f64(factor.powi(times)).min(longest)
}

#[cfg(test)]
mod tests;
