//! How calls end: the values of the label `outcome`.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// How a cloud call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloudOutcome {
    /// The cloud did what was asked, or answered the look.
    Ok,
    /// Refused because of the account's call rate.
    Throttled,
    /// Refused because a quota is used up.
    Quota,
    /// Refused because of the credentials or their permissions.
    Denied,
    /// The object is not there.
    NotFound,
    /// Refused because of the object's present state; worth another try.
    Busy,
    /// Refused for any other reason.
    Refused,
    /// The cloud failed (HTTP 5xx).
    Failed,
    /// No answer within the deadline, or a broken connection: it may have been done.
    Unanswered,
}

/// How an API-server call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiOutcome {
    /// Done.
    Ok,
    /// Precondition failed or the name is taken (409).
    Conflict,
    /// The object is not there (404).
    NotFound,
    /// RBAC or a namespace that is going away (403).
    Forbidden,
    /// The server asks for patience (429).
    Throttled,
    /// Refused for any other reason (4xx).
    Refused,
    /// The server failed (5xx).
    Failed,
    /// No answer within the deadline, or a broken connection.
    Unanswered,
}

/// What became of a Kubernetes Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOutcome {
    /// Written.
    Written,
    /// Not written, for it was within the last hour.
    Repeated,
    /// Lost: the queue was full.
    Dropped,
    /// The API server does not want it (the namespace is going away, or RBAC).
    Refused,
    /// Lost: no answer, or a failure of the API server.
    Failed,
}

impl CloudOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Quota => "quota",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }
}

impl ApiOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Conflict => "conflict",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }

    /// The outcome that an error of the client stands for.
    pub fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status.code),
            _ => Self::Unanswered,
        }
    }

    /// The outcome that an HTTP status stands for.
    pub fn of_status(code: u16) -> Self {
        match code {
            200..=299 => Self::Ok,
            404 | 410 => Self::NotFound,
            409 => Self::Conflict,
            401 | 403 => Self::Forbidden,
            429 => Self::Throttled,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl EventOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Repeated => "repeated",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl EncodeLabelValue for CloudOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.label().encode(encoder)
    }
}

impl EncodeLabelValue for ApiOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.label().encode(encoder)
    }
}

impl EncodeLabelValue for EventOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.label().encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_one_outcome() {
        let table = [
            (201, ApiOutcome::Ok),
            (403, ApiOutcome::Forbidden),
            (404, ApiOutcome::NotFound),
            (409, ApiOutcome::Conflict),
            (422, ApiOutcome::Refused),
            (429, ApiOutcome::Throttled),
            (503, ApiOutcome::Failed),
        ];
        for (code, want) in table {
            assert_eq!(ApiOutcome::of_status(code), want, "{code}");
        }
    }
}
