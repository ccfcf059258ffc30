//! What a call to the API server can come back with instead of an answer.

use crate::clock::Elapsed;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeError {
    /// Somebody else wrote first, or the object is another incarnation.
    #[error("{0}")]
    Conflict(String),
    /// An object of that name exists.
    #[error("{0}")]
    Exists(String),
    #[error("{0}")]
    NotFound(String),
    /// Refused: RBAC, quota, admission or validation.
    #[error("{message} (HTTP {code})")]
    Refused { code: u16, message: String },
    /// Told to come again: not done.
    #[error("{0}")]
    Busy(String),
    /// No answer: it may have happened, and may still happen.
    #[error("no answer from the API server: {0}")]
    NoAnswer(String),
}

impl From<kube::Error> for KubeError {
    fn from(error: kube::Error) -> Self {
        let kube::Error::Api(status) = error else {
            return Self::NoAnswer(chain(&error));
        };
        let message = status.message.clone();
        match status.code {
            409 if status.reason == "AlreadyExists" => Self::Exists(message),
            409 => Self::Conflict(message),
            // A patch with the uid of another incarnation: "field is immutable".
            422 if message.contains("metadata.uid") => Self::Conflict(message),
            404 => Self::NotFound(message),
            429 | 503 => Self::Busy(message),
            500.. => Self::NoAnswer(message),
            code => Self::Refused { code, message },
        }
    }
}

impl From<Elapsed> for KubeError {
    fn from(_: Elapsed) -> Self {
        Self::NoAnswer("the deadline has passed".to_owned())
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
