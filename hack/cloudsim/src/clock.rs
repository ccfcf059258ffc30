//! The cloud's clock: the one place of this crate that reads a clock or sleeps.
//!
//! Everything inside counts milliseconds since the cloud was made, by tokio's clock, so that
//! `tokio::time::pause` moves the whole cloud; wall time is the wall time of the start plus that.
#![allow(clippy::disallowed_methods)] // the clock module itself

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Milliseconds since the cloud was made.
pub type Ms = u64;

/// A clock that starts at zero when made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_wall: Timestamp,
}

impl Clock {
    /// Starts now. `wall` replaces the machine's wall time as the starting point.
    pub fn start(wall: Option<Timestamp>) -> Self {
        Self {
            start: Instant::now(),
            start_wall: wall.unwrap_or_else(Timestamp::now),
        }
    }

    /// Milliseconds since the start.
    pub fn now(&self) -> Ms {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The wall time at `ms` after the start.
    pub fn wall(&self, ms: Ms) -> Timestamp {
        let passed = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        self.start_wall
            .saturating_add(passed)
            .unwrap_or(self.start_wall)
    }

    /// Milliseconds after the start of a wall time; negative before the start.
    pub fn ms_of(&self, wall: Timestamp) -> i64 {
        wall.as_millisecond() - self.start_wall.as_millisecond()
    }
}

/// Sleeps for `ms` milliseconds of tokio time; zero returns at once.
pub async fn sleep(ms: Ms) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// `2026-11-23T01:02:03Z`: the form of every time in the API.
pub fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-11-23T01:02Z`: the minute form (expiry times, filters).
pub fn iso_minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}
