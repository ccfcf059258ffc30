//! Errors in the cloud's own form.

use std::borrow::Cow;

use serde_json::{Value, json};

/// An error as the API answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The documented code, with its misspellings.
    pub code: Cow<'static, str>,
    /// Text for people.
    pub message: String,
}

impl ApiError {
    /// An error of any status.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// A 400: most of what this API refuses.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A 400 whose code is put together.
    pub fn refused_owned(code: String, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A 404.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }

    /// A missing mandatory argument.
    pub fn missing(argument: &str) -> Self {
        Self::refused(
            "MissingParameter",
            format!(
                "The input parameter \"{argument}\" that is mandatory for processing this request is not supplied."
            ),
        )
    }

    /// An argument that cannot be read or is out of range.
    pub fn invalid(argument: &str, why: impl std::fmt::Display) -> Self {
        Self::refused(
            "InvalidParameter",
            format!("The specified parameter \"{argument}\" is not valid: {why}."),
        )
    }

    /// The body of the answer (alibaba-api.md 3.3).
    pub fn body(&self, request_id: &str, host: &str) -> Value {
        let mut body = json!({
            "RequestId": request_id,
            "HostId": host,
            "Code": self.code,
            "Message": self.message,
            "Recommend": format!("https://api.alibabacloud.com/troubleshoot?q={}", self.code),
        });
        if self.code == "Forbidden.RAM" {
            body["AccessDeniedDetail"] = json!({
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            });
        }
        body
    }
}
