//! The client's own limit on calls a second: what `kubeClientQPS` and `kubeClientBurst` say. A watch is one call.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tower::Service;

use crate::clock::{self, Instant};

/// Lets calls through at a rate, after a burst; the others wait in the order in which they came.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Between two calls at the rate.
    interval: Duration,
    /// How far calls may be ahead of the rate.
    ahead: Duration,
    /// When the next call would come if all came at the rate.
    next: Arc<Mutex<Option<Instant>>>,
}

impl Throttle {
    /// `qps` calls a second, above 0; `burst` of them at once, at least one.
    pub fn new(qps: f64, burst: u32) -> Self {
        let interval = Duration::from_secs_f64((1.0 / qps).min(3_600.0));
        Self {
            interval,
            ahead: interval.saturating_mul(burst.max(1) - 1),
            next: Arc::default(),
        }
    }

    /// Takes a place at `now`; how long to wait for it.
    fn take(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.interval);
        at.duration_since(now).saturating_sub(self.ahead)
    }

    /// `inner`, within the limit.
    pub fn layer<S>(&self, inner: S) -> Throttled<S> {
        Throttled {
            inner,
            throttle: self.clone(),
        }
    }
}

/// A service whose calls wait for their time.
#[derive(Clone, Debug)]
pub struct Throttled<S> {
    inner: S,
    throttle: Throttle,
}

impl<R, S> Service<R> for Throttled<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let wait = self.throttle.take(clock::now());
        // Not sent before it is polled.
        let answer = self.inner.call(request);
        async move {
            if !wait.is_zero() {
                clock::sleep(wait).await;
            }
            answer.await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long each of `calls` that come at once waits, in milliseconds.
    fn waits(throttle: &Throttle, now: Instant, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| throttle.take(now).as_millis()).collect()
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (throttle, now) = (Throttle::new(10.0, 3), clock::now());
        assert_eq!(waits(&throttle, now, 6), [0, 0, 0, 100, 200, 300]);
        let later = now + Duration::from_millis(400);
        assert_eq!(waits(&throttle, later, 2), [0, 100]);
        let rested = now + Duration::from_mins(1);
        assert_eq!(waits(&throttle, rested, 4), [0, 0, 0, 100]);
    }

    #[test]
    fn a_rate_below_one_and_no_burst_are_a_limit_too() {
        let (throttle, now) = (Throttle::new(0.5, 0), clock::now());
        assert_eq!(waits(&throttle, now, 3), [0, 2_000, 4_000]);
    }
}
