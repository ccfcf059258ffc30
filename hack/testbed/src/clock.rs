//! The testbed's clock: the only place here that reads the time or sleeps.
#![allow(
    clippy::disallowed_methods,
    reason = "every other module asks this one"
)]

use std::time::{Duration, Instant};

/// A point of the monotonic clock.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// The wall clock, as Kubernetes writes it.
#[must_use]
pub fn wall() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Waits, letting other tasks run.
pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits on this thread: for teardown, which may run where there is no runtime any more.
pub fn block(time: Duration) {
    std::thread::sleep(time);
}
