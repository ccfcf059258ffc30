//! Time: the only place in the agent that reads a clock or sleeps.
//!
//! Two clocks exist. [`now`] is monotonic and good for ages and deadlines. [`Clock::wall`] is the API server's idea of
//! the time of day: a node's own clock may be minutes off, and the timestamps that we compare (creationTimestamp,
//! podLastSeen, Lease times) are not written by it. Both follow tokio's paused time in tests.

// This module is what the ban in clippy.toml points everybody to.
#![allow(clippy::disallowed_methods)]

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
pub use tokio::time::error::Elapsed;
pub use tokio::time::{Instant, Sleep};

/// HTTP dates have whole seconds, cut and not rounded (RFC 9110 section 5.6.7).
const DATE_RESOLUTION: SignedDuration = SignedDuration::from_secs(1);

/// Monotonic time.
pub fn now() -> Instant {
    Instant::now()
}

/// Waits for `duration`.
pub fn sleep(duration: Duration) -> Sleep {
    tokio::time::sleep(duration)
}

/// Waits until `deadline`; at once if it has passed.
pub fn sleep_until(deadline: Instant) -> Sleep {
    tokio::time::sleep_until(deadline)
}

/// The same; without a deadline for ever.
pub async fn sleep_until_some(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Runs `future` for at most `limit`; it is dropped when that has passed.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    tokio::time::timeout(limit, future).await
}

/// `duration`, spread evenly over `duration` plus and minus `fraction` of it (0.2: from 80 % to 120 %).
///
/// `fraction` is brought into 0 to 1.
pub fn jitter(duration: Duration, fraction: f64) -> Duration {
    let swing = fraction.clamp(0.0, 1.0) * (2.0 * fastrand::f64() - 1.0);
    Duration::try_from_secs_f64(duration.as_secs_f64() * (1.0 + swing)).unwrap_or(duration)
}

/// A cheap handle on the wall clock; clones share what was learned about the API server's time.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    base_wall: Timestamp,
    base: Instant,
    /// The API server's time minus this node's, as far as answers have proven it.
    offset: Mutex<SignedDuration>,
}

// === impl Clock ===

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock that starts at the node's own time of day, which is read once, here.
    pub fn new() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A clock that starts at `base_wall` and goes on with monotonic time.
    pub fn starting_at(base_wall: Timestamp) -> Self {
        let inner = Inner {
            base_wall,
            base: now(),
            offset: Mutex::new(SignedDuration::ZERO),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The API server's time of day, as well as it is known. It may step back when an answer proves it was ahead.
    pub fn wall(&self) -> Timestamp {
        let since = self.local(now()) + self.offset();
        self.inner
            .base_wall
            .checked_add(since)
            .unwrap_or(self.inner.base_wall)
    }

    /// How far the API server's clock is ahead of this node's (negative: behind), as well as it is known.
    pub fn offset(&self) -> SignedDuration {
        *self.lock()
    }

    /// Learns from the `Date` header of an answer that arrived just now and was asked for at `asked`.
    ///
    /// Each answer proves an interval for the offset. It moves only when the interval excludes it, and then no farther
    /// than needed: answers a second apart do not make the clock tremble. A header that is not an HTTP date is ignored:
    /// it is no reason to fail a call.
    pub fn observe_answer(&self, date: &str, asked: Instant) {
        let Some(date) = parse_http_date(date) else {
            return;
        };
        let answered = now();
        let served = date.duration_since(self.inner.base_wall);
        let least = served - self.local(answered);
        let most = served + DATE_RESOLUTION - self.local(asked.min(answered));
        let mut offset = self.lock();
        *offset = (*offset).clamp(least, most);
    }

    fn lock(&self) -> MutexGuard<'_, SignedDuration> {
        self.inner
            .offset
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Monotonic time since the base; negative for an instant before it.
    fn local(&self, at: Instant) -> SignedDuration {
        let signed = |d| SignedDuration::try_from(d).unwrap_or(SignedDuration::MAX);
        match at.checked_duration_since(self.inner.base) {
            Some(after) => signed(after),
            None => -signed(self.inner.base.duration_since(at)),
        }
    }
}

/// The time in an HTTP `Date` header in its one current form, `Mon, 23 Nov 2026 01:33:30 GMT`.
fn parse_http_date(date: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn wall_follows_paused_time() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00Z"));
        sleep(Duration::from_hours(25)).await;
        assert_eq!(clock.wall(), at("2026-11-24T01:00:00Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_moves_a_clock_that_is_behind_and_its_clones() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00Z"));
        clock
            .clone()
            .observe_answer("Mon, 23 Nov 2026 00:10:00 GMT", now());
        assert_eq!(clock.wall(), at("2026-11-23T00:10:00Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timed_answer_moves_a_clock_that_is_ahead_just_as_far_as_proven() {
        let clock = Clock::starting_at(at("2026-11-23T00:10:00Z"));
        let asked = now();
        sleep(Duration::from_millis(100)).await;
        clock.observe_answer("Mon, 23 Nov 2026 00:00:00 GMT", asked);
        assert_eq!(clock.wall(), at("2026-11-23T00:00:01.1Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_agree_do_not_move_the_clock() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00.5Z"));
        for second in 0..30 {
            clock.observe_answer(&format!("Mon, 23 Nov 2026 00:00:{second:02} GMT"), now());
            assert_eq!(clock.offset(), SignedDuration::ZERO, "at {second}");
            sleep(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn late_answers_never_pull_the_clock_back() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00Z"));
        clock.observe_answer("Mon, 23 Nov 2026 00:00:10 GMT", now());
        let asked = now();
        sleep(Duration::from_secs(20)).await;
        clock.observe_answer("Mon, 23 Nov 2026 00:00:10 GMT", asked);
        assert_eq!(clock.wall(), at("2026-11-23T00:00:30Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_clock_that_was_set_back_is_followed() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00Z"));
        clock.observe_answer("Mon, 23 Nov 2026 01:00:00 GMT", now());
        clock.observe_answer("Mon, 23 Nov 2026 00:00:00 GMT", now());
        assert_eq!(clock.wall(), at("2026-11-23T00:00:01Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_date_is_ignored() {
        let clock = Clock::starting_at(at("2026-11-23T00:00:00Z"));
        for text in [
            "",
            "yesterday",
            "2026-11-23T00:10:00Z",
            "Mon, 99 Nov 2026 00:10:00 GMT",
        ] {
            clock.observe_answer(text, now());
        }
        assert_eq!(clock.wall(), at("2026-11-23T00:00:00Z"));
    }

    #[tokio::test(start_paused = true)]
    async fn timeout_ends_what_hangs() {
        assert!(
            timeout(Duration::from_secs(30), std::future::pending::<()>())
                .await
                .is_err()
        );
        assert_eq!(
            timeout(Duration::from_secs(30), async { 7 }).await.ok(),
            Some(7)
        );
    }

    #[test]
    fn jitter_stays_within_its_fraction_and_varies() {
        let seen: std::collections::BTreeSet<_> = (0..200)
            .map(|_| jitter(Duration::from_secs(10), 0.2))
            .collect();
        assert!(seen.len() > 100);
        assert!(
            seen.iter().all(|d| (8.0..=12.0).contains(&d.as_secs_f64())),
            "{seen:?}"
        );
        assert_eq!(
            jitter(Duration::from_secs(10), 0.0),
            Duration::from_secs(10)
        );
        assert_eq!(jitter(Duration::MAX, 0.0), Duration::MAX);
    }
}
