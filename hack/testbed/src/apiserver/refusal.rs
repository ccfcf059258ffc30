//! What a request is refused with: code, reason and message, as kube-apiserver words them.

use super::kind::Kind;
use serde_json::{Value, json};

/// A refused request; becomes a `Status` body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct Refusal {
    pub code: u16,
    pub reason: String,
    pub message: String,
    /// Seconds; sent as `Retry-After` and in the details.
    pub retry_after: Option<u32>,
}

impl Refusal {
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// With the reason that goes with `code`.
    pub fn of_code(code: u16, message: impl Into<String>) -> Self {
        Self::new(code, reason_of(code), message)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let what = kind.qualified();
        Self::new(
            403,
            "Forbidden",
            format!("{what} \"{name}\" is forbidden: {why}"),
        )
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let what = kind.qualified();
        Self::new(404, "NotFound", format!("{what} \"{name}\" not found"))
    }

    pub fn exists(kind: &Kind, name: &str) -> Self {
        let what = kind.qualified();
        Self::new(
            409,
            "AlreadyExists",
            format!("{what} \"{name}\" already exists"),
        )
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let what = kind.qualified();
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        Self::new(409, "Conflict", message)
    }

    /// A DELETE whose preconditions do not hold: here the server names the kind, not the resource.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let what = kind.kind_and_group();
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        Self::new(409, "Conflict", message)
    }

    pub fn stale(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub fn invalid(kind: &Kind, name: &str, why: &str) -> Self {
        let what = kind.kind_and_group();
        Self::new(
            422,
            "Invalid",
            format!("{what} \"{name}\" is invalid: {why}"),
        )
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(seconds) = self.retry_after {
            status["details"] = json!({ "retryAfterSeconds": seconds });
        }
        status
    }
}

fn reason_of(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        410 => "Expired",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    }
}
