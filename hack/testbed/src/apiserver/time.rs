//! Virtual time, and the server's own idea of it: what passed since its start, plus what a test has put it off by.

#![allow(
    clippy::disallowed_methods,
    reason = "virtual time: the testbed's own clock is the machine's"
)]

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
pub use tokio::time::Instant;

/// Now, on tokio's clock, which a test may have paused.
pub fn now() -> Instant {
    Instant::now()
}

pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

pub async fn sleep_until(when: Instant) {
    tokio::time::sleep_until(when).await;
}

pub struct ServerClock {
    began: Instant,
    epoch: Timestamp,
    off_by: SignedDuration,
}

impl ServerClock {
    /// Begins at 2026-01-01T00:00:00Z, so that runs are alike.
    pub fn new() -> Self {
        Self {
            began: now(),
            epoch: Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH),
            off_by: SignedDuration::ZERO,
        }
    }

    /// The server's present time.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.epoch + passed + self.off_by
    }

    /// Puts the clock off by so much; negative for late. The agents' monotonic clocks stay as they are.
    pub fn put_off(&mut self, by: SignedDuration) {
        self.off_by = by;
    }

    /// For `metadata.creationTimestamp` and the like: whole seconds.
    pub fn stamp(&self) -> String {
        stamp(self.now())
    }

    /// For the `Date` header.
    pub fn date(&self) -> String {
        self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// RFC 3339 in whole seconds, as the server writes `metav1.Time`.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
