//! Why a case failed: text for whoever reads the report, made from any error by `?`.

use std::any::Any;
use std::fmt;

/// A failure. It is no `std::error::Error` itself, so that every one of those turns into it.
pub struct CaseError(String);

impl CaseError {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl<E: std::error::Error> From<E> for CaseError {
    /// Keeps what the error says and what its sources say.
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            source = error.source();
        }
        Self(text)
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The message of a panic.
pub(super) fn said_by(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Fails the case with a message unless the condition holds: `ensure!(left == 0, "{left} EIPs are left")`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::cases::CaseError::new(format!($($message)+)));
        }
    };
}
