//! What a cloud call can come back with instead of an answer, and what kind of trouble that is.

use std::fmt;
use std::time::Duration;

use super::credentials::CredentialsError;
use crate::domain::ids::RequestId;
use crate::telemetry::escape;

mod class;

pub use class::{Class, classify};

/// A cloud call that gave no result. Its text is for users: what happened, and the cloud's `RequestId`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloudError {
    /// The cloud never saw the call.
    #[error("{action}: not sent: {}", Escaped(cause))]
    NotSent { action: &'static str, cause: String },
    /// No answer came: the call may have happened, and counts as in flight for a minute.
    #[error("{action}: no answer: {}", Escaped(cause))]
    NoAnswer { action: &'static str, cause: String },
    /// The cloud answered with an error.
    #[error("{action}: {}: {} (HTTP {status}, RequestId {})", Escaped(code), Escaped(message), Escaped(request_id.as_str()))]
    Refused {
        action: &'static str,
        status: u16,
        code: String,
        message: String,
        request_id: RequestId,
        /// Header `x-acs-retry-after`: how long the cloud asks to wait; sent with throttling only.
        retry_after: Option<Duration>,
    },
    /// An answer came, but not one that this API gives.
    #[error("{action}: unreadable answer: {} (HTTP {status}, RequestId {})", Escaped(detail), Escaped(request_id.as_ref().map_or("none", RequestId::as_str)))]
    Unreadable {
        action: &'static str,
        status: u16,
        detail: String,
        request_id: Option<RequestId>,
    },
    /// There are no credentials to sign with; the call was not sent.
    #[error("{action}: {cause}")]
    Credentials {
        action: &'static str,
        cause: CredentialsError,
    },
}

impl CloudError {
    /// What kind of trouble this is.
    pub fn class(&self) -> Class {
        match self {
            Self::NotSent { .. } => Class::NotSent,
            Self::NoAnswer { .. } => Class::NoAnswer,
            Self::Refused {
                retry_after: Some(_),
                ..
            } => Class::Throttled,
            Self::Refused { code, status, .. } => classify(code, *status),
            Self::Unreadable { status, .. } if *status >= 500 => Class::NoAnswer,
            Self::Unreadable { .. } => Class::Unreadable,
            Self::Credentials { .. } => Class::NoCredentials,
        }
    }

    /// Whether a change may have happened, or may still happen, all the same: for the sender the call counts as in
    /// flight for a minute.
    ///
    /// An error in the API's own form is an answer: the call is over. A gateway that gave up (504, or a page that is
    /// not the API's) says nothing about the server behind it.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Refused { status, .. } => *status == 504,
            Self::Unreadable { status, .. } => *status >= 500 || *status < 400,
            Self::NotSent { .. } | Self::Credentials { .. } => false,
        }
    }

    /// The cloud's error code, verbatim.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The cloud's name for the call, where it gave one.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Refused { request_id, .. } => Some(request_id),
            Self::Unreadable { request_id, .. } => request_id.as_ref(),
            _ => None,
        }
    }

    /// How long the cloud asks to wait before the next call, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Shows text that came from outside: no control characters, and not more than an Event can hold.
struct Escaped<'a>(&'a str);

const SHOWN_BYTES: usize = 400;

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = escape::cut(self.0, SHOWN_BYTES);
        let rest = if shown.len() < self.0.len() {
            "..."
        } else {
            ""
        };
        write!(f, "{}{rest}", escape::plain(shown))
    }
}

#[cfg(test)]
mod tests;
