//! One call of an RPC-style API: signed, sent within a deadline, its answer read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::credentials::{Credentials, CredentialsError, Keys};
use super::endpoints::Endpoint;
use super::error::{Class, CloudError};
use super::http::{Exchange, TransportError};
use super::sign::{self, Unsigned};
use crate::clock::{self, Clock};
use crate::domain::ids::RequestId;
use crate::telemetry::metrics::{CloudOutcome, Metrics};

/// A call's arguments, as they go over the wire.
pub type Args = Vec<(String, String)>;

/// Arguments from names and values.
pub(super) fn args<const N: usize>(pairs: [(&str, &str); N]) -> Args {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// One more argument.
pub(super) fn push(args: &mut Args, name: &str, value: &str) {
    args.push((name.to_owned(), value.to_owned()));
}

/// A client of one service of the cloud.
pub struct Rpc {
    pub exchange: Arc<dyn Exchange>,
    pub credentials: Credentials,
    pub clock: Clock,
    pub endpoint: Endpoint,
    /// The API's version, e.g. `2016-04-28`.
    pub version: &'static str,
    /// How long a call may take in all, credentials and their one refresh included; see [`DEADLINE`].
    pub deadline: Duration,
    pub metrics: Metrics,
}

/// The usual deadline. It must stay under a minute: that long a call without an answer counts as in flight.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The longest deadline that configuration may set.
pub const LONGEST_DEADLINE: Duration = Duration::from_secs(30);

/// How a call shows who sends it.
#[derive(Clone, Copy)]
enum Proof<'a> {
    Signed(&'a Keys),
    /// By one of its arguments.
    Argument(&'a SecretString),
}

impl Proof<'_> {
    fn redact(self, text: &str) -> String {
        match self {
            Self::Signed(keys) => keys.redact(text),
            Self::Argument(secret) => text.replace(secret.expose_secret(), "***"),
        }
    }
}

/// A call's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub action: &'static str,
    pub request_id: RequestId,
    pub body: Value,
}

// === impl Rpc ===

impl Rpc {
    /// Calls `action` once; once more, with other keys, if the cloud calls the first ones expired or revoked.
    pub async fn call(&self, action: &'static str, args: &Args) -> Result<Answer, CloudError> {
        let until = clock::now() + self.deadline.min(LONGEST_DEADLINE);
        let lack = |cause| CloudError::Credentials { action, cause };
        let keys = within(until, self.credentials.keys()).await.map_err(lack)?;
        let signed = Proof::Signed(&keys);
        let refused = match self.attempt(action, args, signed, until).await {
            Err(e) if e.class() == Class::CredentialsExpired => e,
            result => return result,
        };
        match within(until, self.credentials.renew(&keys))
            .await
            .map_err(lack)?
        {
            Some(other) => {
                self.attempt(action, args, Proof::Signed(&other), until)
                    .await
            }
            None => Err(refused),
        }
    }

    /// Calls `action` once, unsigned. `hidden` is what of its arguments no error may show.
    pub(super) async fn call_unsigned(
        &self,
        action: &'static str,
        args: &Args,
        hidden: &SecretString,
    ) -> Result<Answer, CloudError> {
        let until = clock::now() + self.deadline.min(LONGEST_DEADLINE);
        self.attempt(action, args, Proof::Argument(hidden), until)
            .await
    }

    /// One request, signed with a nonce and a date of its own.
    async fn attempt(
        &self,
        action: &'static str,
        args: &Args,
        proof: Proof<'_>,
        until: Instant,
    ) -> Result<Answer, CloudError> {
        let req = self.request(action, args, proof);
        let req = req.map_err(|e| CloudError::NotSent {
            action,
            cause: e.to_string(),
        })?;
        let sent = clock::now();
        let left = until.saturating_duration_since(sent);
        let result = match clock::timeout(left, self.exchange.exchange(req)).await {
            Ok(Ok(answer)) => read(action, &answer, proof),
            Ok(Err(TransportError::NotSent(cause))) => Err(CloudError::NotSent { action, cause }),
            Ok(Err(TransportError::NoAnswer(cause))) => Err(CloudError::NoAnswer { action, cause }),
            Err(_) => {
                let cause = format!("none within {:.0?}", self.deadline);
                Err(CloudError::NoAnswer { action, cause })
            }
        };
        self.metrics
            .cloud_call(action, outcome(&result), clock::now() - sent);
        result
    }

    fn request(
        &self,
        action: &'static str,
        args: &Args,
        proof: Proof<'_>,
    ) -> Result<Request<Bytes>, http::Error> {
        let (host, version) = (self.endpoint.host(), self.version);
        let call = Unsigned {
            host,
            action,
            version,
            args,
        };
        let (now, nonce) = (self.clock.wall(), nonce());
        let headers = match proof {
            Proof::Signed(keys) => sign::sign(call, keys, now, &nonce),
            Proof::Argument(_) => sign::unsigned(call, now, &nonce),
        };
        let mut req = Request::post(self.endpoint.uri(&sign::query(args))?)
            .header("accept", "application/json");
        for (name, value) in headers {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(matches!(name, "authorization" | "x-acs-security-token"));
            req = req.header(name, value);
        }
        req.body(Bytes::new())
    }
}

/// Unique, not secret: the cloud only refuses what it has seen.
fn nonce() -> String {
    format!("{:032x}", fastrand::u128(..))
}

async fn within<T>(
    until: Instant,
    keys: impl Future<Output = Result<T, CredentialsError>>,
) -> Result<T, CredentialsError> {
    let left = until.saturating_duration_since(clock::now());
    clock::timeout(left, keys)
        .await
        .unwrap_or(Err(CredentialsError::Late))
}

fn outcome(result: &Result<Answer, CloudError>) -> CloudOutcome {
    match result {
        Ok(_) => CloudOutcome::Ok,
        Err(e) => e.class().into(),
    }
}

// === reading answers ===

fn read(
    action: &'static str,
    answer: &Response<Bytes>,
    proof: Proof<'_>,
) -> Result<Answer, CloudError> {
    let status = answer.status();
    let Ok(body @ Value::Object(_)) = serde_json::from_slice(answer.body()) else {
        let detail = proof.redact(&String::from_utf8_lossy(answer.body()));
        let request_id = header(answer, "x-acs-request-id").map(RequestId::new);
        return Err(CloudError::Unreadable {
            action,
            status: status.as_u16(),
            detail,
            request_id,
        });
    };
    let request_id = field(&body, "RequestId", "requestId")
        .or_else(|| header(answer, "x-acs-request-id"))
        .map(RequestId::new);
    if status == StatusCode::OK {
        let request_id = request_id.unwrap_or_else(|| RequestId::new(""));
        return Ok(Answer {
            action,
            request_id,
            body,
        });
    }
    Err(refusal(action, answer, &body, request_id, proof))
}

fn refusal(
    action: &'static str,
    answer: &Response<Bytes>,
    body: &Value,
    request_id: Option<RequestId>,
    proof: Proof<'_>,
) -> CloudError {
    let status = answer.status().as_u16();
    let Some(code) = field(body, "Code", "code") else {
        let detail = proof.redact(&body.to_string());
        return CloudError::Unreadable {
            action,
            status,
            detail,
            request_id,
        };
    };
    let message = proof.redact(field(body, "Message", "message").unwrap_or_default());
    let request_id = request_id.unwrap_or_else(|| RequestId::new(""));
    let (code, retry_after) = (code.to_owned(), retry_after(answer));
    CloudError::Refused {
        action,
        status,
        code,
        message,
        request_id,
        retry_after,
    }
}

/// A text field; front ends differ in its first letter.
fn field<'a>(body: &'a Value, name: &str, lower: &str) -> Option<&'a str> {
    body.get(name)
        .or_else(|| body.get(lower))
        .and_then(Value::as_str)
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// Milliseconds, at most two minutes (as Alibaba's `tea_openapi` 0.4.6 reads it).
fn retry_after(answer: &Response<Bytes>) -> Option<Duration> {
    let millis: u64 = header(answer, "x-acs-retry-after")?.parse().ok()?;
    (millis > 0).then(|| Duration::from_millis(millis.min(120_000)))
}

// === impl Answer ===

impl Answer {
    /// The answer as the call's own type.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, CloudError> {
        let (action, request_id) = (self.action, self.request_id);
        serde_json::from_value(self.body)
            .map_err(|e| unreadable(action, request_id, &e.to_string()))
    }
}

/// An answer with HTTP 200 that is not what the API gives.
pub fn unreadable(action: &'static str, request_id: RequestId, detail: &str) -> CloudError {
    CloudError::Unreadable {
        action,
        status: 200,
        detail: detail.to_owned(),
        request_id: Some(request_id),
    }
}

#[cfg(test)]
mod tests;
