//! Why a configuration is refused: one line that names the place, the key and the remedy.

use std::fmt;

use crate::telemetry::escape::{cut, plain};

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A line of the file, from 1.
    File { file: String, line: u64 },
    /// An environment variable.
    Env(&'static str),
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}: {source}")]
    Unreadable {
        file: String,
        source: std::io::Error,
    },
    /// The file is not YAML, or has a key twice.
    #[error("{file}:{line}: {problem}")]
    Syntax {
        file: String,
        line: u64,
        problem: String,
    },
    /// A key or its value is not accepted. `place` is `file:line` or the variable's name.
    #[error("{place}: {key}: {problem}")]
    Refused {
        place: String,
        key: String,
        problem: String,
    },
    /// A value that nothing else can supply is given nowhere.
    #[error("{key} is set nowhere: {remedy}")]
    Missing {
        key: &'static str,
        remedy: &'static str,
    },
}

impl ConfigError {
    pub(super) fn refused(origin: &Origin, key: &str, problem: impl Into<String>) -> Self {
        Self::Refused {
            place: origin.to_string(),
            key: shown(key),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Env(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// What a user wrote, made safe to print and short.
pub(super) fn shown(text: &str) -> String {
    plain(cut(text, 100)).into_owned()
}
