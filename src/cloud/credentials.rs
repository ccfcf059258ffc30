//! What calls are signed with: where it comes from, and how it is kept fresh.
//!
//! Sources are asked in order; only "not configured" falls through to the next. A source that fails ends the search:
//! a passing failure must not switch the agent to another identity.

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clock::{self, Clock};

mod configured;
mod mounted;
mod rrsa;

pub use configured::Configured;
pub use mounted::Mounted;
pub use rrsa::{Rrsa, session as rrsa_session};

/// An `AccessKey`, with a token and an end where it is a temporary one. Its Debug shows no secret.
#[derive(Debug, Clone)]
pub struct Keys {
    pub access_key_id: String,
    pub secret: SecretString,
    pub token: Option<SecretString>,
    pub expires: Option<Timestamp>,
}

/// Why there is nothing to sign with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    #[error(
        "no credentials: neither an AccessKey nor RRSA is configured, nor has this node a RAM role"
    )]
    NotConfigured,
    #[error("no credentials within the call's deadline")]
    Late,
    #[error("credentials from {source_name}: {reason}")]
    Failed {
        source_name: &'static str,
        reason: String,
    },
}

/// A place that credentials come from.
pub trait Source: Send + Sync + 'static {
    /// Its name for users.
    fn name(&self) -> &'static str;

    /// Reads it anew. `None`: not configured here, ask the next one. The error's text holds no secret.
    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>>;
}

/// The credentials in force; clones share them.
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<Inner>,
}

struct Inner {
    sources: Vec<Box<dyn Source>>,
    clock: Clock,
    held: StdMutex<Held>,
    /// Held across a load: one refresh at a time.
    refresh: Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Option<Keys>,
    /// Where they came from.
    source: Option<&'static str>,
    /// From then on they are replaced, though still valid. `None`: they have no end.
    refresh_at: Option<Instant>,
    /// Until then the source is not asked for other keys than these.
    settled_until: Option<Instant>,
}

/// Keys this close to their end are not used any more: a call and some clock skew must fit in.
const LAST_USE: SignedDuration = SignedDuration::from_secs(30);
/// Refresh starts at most this long before the end: the metadata service has a new set 30 minutes before it.
const AHEAD: Duration = Duration::from_mins(25);
/// A refresh that failed, or brought the same keys again, is not repeated sooner.
const PAUSE: Duration = Duration::from_mins(1);

// === impl Credentials ===

impl Credentials {
    pub fn new(sources: Vec<Box<dyn Source>>, clock: Clock) -> Self {
        let held = StdMutex::default();
        Self {
            inner: Arc::new(Inner {
                sources,
                clock,
                held,
                refresh: Mutex::new(()),
            }),
        }
    }

    /// Keys to sign with now. While a refresh runs, or after one that failed, old ones serve as long as they are valid.
    pub async fn keys(&self) -> Result<Keys, CredentialsError> {
        let Some((keys, fresh)) = self.inner.usable() else {
            let _one = self.inner.refresh.lock().await;
            return match self.inner.usable() {
                Some((keys, _)) => Ok(keys),
                None => self.inner.load().await,
            };
        };
        match self.inner.refresh.try_lock() {
            Ok(_one) if !fresh => Ok(self.inner.refreshed(keys).await),
            _ => Ok(keys),
        }
    }

    /// Where the held ones came from, in words for users; `None` before there are any.
    pub fn source(&self) -> Option<&'static str> {
        self.inner.held().source
    }

    /// Other keys than `refused`, which the cloud calls expired or revoked; `None` where there are no others.
    pub async fn renew(&self, refused: &Keys) -> Result<Option<Keys>, CredentialsError> {
        let _one = self.inner.refresh.lock().await;
        if let Some((held, _)) = self.inner.usable() {
            if !held.same_as(refused) {
                return Ok(Some(held));
            }
            if self.inner.settled() {
                return Ok(None);
            }
        }
        let new = self.inner.load().await?;
        if !new.same_as(refused) {
            return Ok(Some(new));
        }
        self.inner.held().settled_until = Some(clock::now() + clock::jitter(PAUSE, 0.2));
        Ok(None)
    }
}

// === impl Inner ===

impl Inner {
    /// The held keys, if they may be used now, and whether it is too early to replace them.
    fn usable(&self) -> Option<(Keys, bool)> {
        let held = self.held();
        let keys = held.keys.clone()?;
        let fresh = held.refresh_at.is_none_or(|at| clock::now() < at);
        let valid = keys
            .expires
            .is_none_or(|end| self.clock.wall() + LAST_USE < end);
        valid.then_some((keys, fresh))
    }

    fn settled(&self) -> bool {
        self.held()
            .settled_until
            .is_some_and(|until| clock::now() < until)
    }

    async fn refreshed(&self, old: Keys) -> Keys {
        match self.load().await {
            Ok(new) => new,
            Err(cause) => {
                tracing::warn!(%cause, "credentials not refreshed; the old ones are still valid");
                self.held().refresh_at = Some(clock::now() + clock::jitter(PAUSE, 0.2));
                old
            }
        }
    }

    async fn load(&self) -> Result<Keys, CredentialsError> {
        for source in &self.sources {
            let failed = |reason| CredentialsError::Failed {
                source_name: source.name(),
                reason,
            };
            let Some(keys) = source.load().await.map_err(failed)? else {
                continue;
            };
            let left = keys
                .expires
                .map(|end| end.duration_since(self.clock.wall()));
            if left.is_some_and(|left| left <= SignedDuration::ZERO) {
                return Err(failed("they have expired already".to_owned()));
            }
            self.hold(source.name(), keys.clone(), left);
            return Ok(keys);
        }
        Err(CredentialsError::NotConfigured)
    }

    fn hold(&self, source: &'static str, keys: Keys, left: Option<SignedDuration>) {
        let left = left.and_then(|left| Duration::try_from(left).ok());
        let refresh_at = left.map(|left| clock::now() + left.saturating_sub(ahead(left)));
        *self.held() = Held {
            keys: Some(keys),
            source: Some(source),
            refresh_at,
            settled_until: None,
        };
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long before their end keys that are good for `left` are replaced: spread, since a fleet starts together.
fn ahead(left: Duration) -> Duration {
    // 60 % to 100 % of the most.
    clock::jitter((left / 3).min(AHEAD).mul_f64(0.8), 0.25)
}

// === impl Keys ===

impl Keys {
    fn same_as(&self, other: &Self) -> bool {
        let token = |keys: &Self| keys.token.as_ref().map(|t| t.expose_secret().to_owned());
        self.access_key_id == other.access_key_id
            && self.secret.expose_secret() == other.secret.expose_secret()
            && token(self) == token(other)
    }

    /// `text` from outside, without these keys' secrets: the cloud's "signature does not match" repeats the whole
    /// request, security token included.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = std::iter::once(&self.secret).chain(&self.token);
        secrets
            .map(ExposeSecret::expose_secret)
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| {
                if text.contains(secret) {
                    text.replace(secret, "***")
                } else {
                    text
                }
            })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests;
