//! The one way to the API server: no hidden retries, every call with a deadline and counted, its clock observed.

use std::future::Future;
use std::time::Duration;

use http::Response;
use http::header::{DATE, HeaderValue};
use kube::client::ClientBuilder;

use super::error::KubeError;
use super::health::Health;
use crate::clock::{self, Clock, Instant};
use crate::telemetry::metrics::{ApiOutcome, Metrics};

pub mod throttle;

use throttle::Throttle;

/// A watch that is silent for longer is dead: the server sends a bookmark about once a minute.
const SILENCE: Duration = Duration::from_secs(75);
const CONNECT: Duration = Duration::from_secs(10);

/// Calls with a deadline, counted by verb and resource.
#[derive(Clone)]
pub struct Kube {
    client: kube::Client,
    deadline: Duration,
    metrics: Metrics,
    health: Health,
}

/// A client for `config` without kube's own 15 retries; it notices a dead connection by its silence, and keeps to `limit`.
pub fn connect(
    config: kube::Config,
    clock: &Clock,
    limit: Option<Throttle>,
) -> Result<kube::Client, kube::Error> {
    connect_within(config, clock, limit, SILENCE)
}

/// As [`connect`], with a connection taken for dead after so long a silence.
fn connect_within(
    mut config: kube::Config,
    clock: &Clock,
    limit: Option<Throttle>,
    silence: Duration,
) -> Result<kube::Client, kube::Error> {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(silence);
    let clock = clock.clone();
    let observe = tower::layer::layer_fn(move |inner| {
        let clock = clock.clone();
        tower::util::MapFuture::new(inner, move |answer| observed(answer, clock.clone()))
    });
    let client = ClientBuilder::try_from(config)?.with_layer(&observe);
    Ok(match limit {
        Some(limit) => {
            let throttle = tower::layer::layer_fn(move |inner| limit.layer(inner));
            client.with_layer(&throttle).build()
        }
        None => client.build(),
    })
}

/// Teaches the clock the API server's time of day, from each answer's `Date`.
async fn observed<B, E>(
    answer: impl Future<Output = Result<Response<B>, E>>,
    clock: Clock,
) -> Result<Response<B>, E> {
    let asked = clock::now();
    let answer = answer.await?;
    if let Some(Ok(date)) = answer.headers().get(DATE).map(HeaderValue::to_str) {
        clock.observe_answer(date, asked);
    }
    Ok(answer)
}

impl Kube {
    pub fn new(client: kube::Client, deadline: Duration, metrics: Metrics) -> Self {
        Self {
            client,
            deadline,
            metrics,
            health: Health::default(),
        }
    }

    pub fn client(&self) -> &kube::Client {
        &self.client
    }

    /// Since when the API server has answered whatever it was asked; `None`: it has not, since it last failed.
    pub fn healthy_since(&self) -> Option<Instant> {
        self.health.since()
    }

    /// What calls and watches of this agent have met, shared by all clones.
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Runs one call.
    pub async fn call<T>(
        &self,
        verb: &'static str,
        resource: &'static str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, KubeError> {
        let result = clock::timeout(self.deadline, call).await;
        let outcome = match &result {
            Ok(Ok(_)) => ApiOutcome::Ok,
            Ok(Err(error)) => ApiOutcome::of(error),
            Err(_) => ApiOutcome::Unanswered,
        };
        self.metrics.api_call(verb, resource, outcome);
        let answer = match result {
            Ok(answer) => answer.map_err(KubeError::from),
            Err(elapsed) => Err(elapsed.into()),
        };
        match &answer {
            Err(KubeError::NoAnswer(_) | KubeError::Busy(_)) => self.health.failed(),
            // A refusal is an answer, too.
            _ => self.health.answered(),
        }
        answer
    }
}

#[cfg(test)]
mod tests;
