//! What the user is told about one annotation; safe to print, and short enough for an Event.

use std::fmt;

use crate::telemetry::escape;

/// Longest piece of a user's text that a notice repeats, in bytes.
const SHOWN: usize = 64;

/// One annotation, what is the matter with it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The annotation's key as the user wrote it, prefix included.
    pub key: String,
    /// Its value, escaped and cut.
    pub value: String,
    /// What is allowed, or what was done.
    pub text: String,
}

impl Notice {
    pub(in crate::api) fn new(key: &str, value: &str, text: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: shown(value),
            text: text.into(),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\": {}", self.key, self.value, self.text)
    }
}

/// A user's text, escaped and cut.
pub(in crate::api) fn shown(text: &str) -> String {
    let cut = escape::cut(text, SHOWN);
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", escape::plain(cut))
}
