//! When to try again: grows with each failure, never in step with others, never a hot loop.

use std::time::Duration;

use super::outcome::TroubleKind;
use crate::clock::{self, Instant};

/// One thing's failures in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    failures: u32,
    due: Option<Instant>,
}

const JITTER: f64 = 0.2;

impl Retry {
    pub fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// When to try again, if not at once.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure. `asked` is how long the other side wants us to wait: never less.
    pub fn failed(&mut self, kind: TroubleKind, asked: Option<Duration>, now: Instant) {
        let wait = wait(kind, self.failures).max(asked.unwrap_or_default());
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + clock::jitter(wait, JITTER));
    }
}

/// Waits in a row for what others have to do: longer and longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InARow(u32);

impl InARow {
    /// The first of the two times, doubled with each wait in a row, up to the second.
    pub fn longer(&mut self, (first, longest): (Duration, Duration)) -> Duration {
        let wait = first.saturating_mul(1 << self.0.min(10)).min(longest);
        self.0 = self.0.saturating_add(1);
        clock::jitter(wait, JITTER)
    }

    /// Something was done.
    pub fn end(&mut self) {
        self.0 = 0;
    }
}

/// First wait and longest wait of each kind; it doubles in between.
fn wait(kind: TroubleKind, failures: u32) -> Duration {
    let secs = Duration::from_secs;
    let (first, longest) = match kind {
        TroubleKind::NoAnswer | TroubleKind::Passing => (Duration::from_millis(500), secs(30)),
        TroubleKind::WrongState => (Duration::from_millis(500), secs(10)),
        TroubleKind::PlaceTaken | TroubleKind::Throttled => (secs(2), secs(60)),
        TroubleKind::TokenUsed => (secs(2), secs(120)),
        TroubleKind::Quota => (secs(30), secs(300)),
        TroubleKind::Nowhere | TroubleKind::Lasting => (secs(15), secs(300)),
    };
    first.saturating_mul(1 << failures.min(20)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap_and_start_again_after_success() {
        let now = clock::now();
        let mut retry = Retry::default();
        assert!(retry.is_due(now));
        let mut waits = Vec::new();
        for _ in 0..40 {
            retry.failed(TroubleKind::Quota, None, now);
            waits.push(retry.due().unwrap() - now);
        }
        assert!(waits[0] >= Duration::from_secs(24), "{waits:?}");
        assert!(
            waits.iter().all(|wait| *wait <= Duration::from_mins(6)),
            "{waits:?}"
        );
        assert!(waits[39] >= Duration::from_mins(4), "{waits:?}");
        retry.succeeded();
        assert!(retry.is_due(now));
    }

    #[test]
    fn the_other_side_is_obeyed() {
        let now = clock::now();
        let mut retry = Retry::default();
        retry.failed(TroubleKind::Throttled, Some(Duration::from_secs(100)), now);
        assert!(retry.due().unwrap() - now >= Duration::from_secs(80));
    }
}
