//! A client of the ECS instance metadata service: hardened mode first, plain mode only where it is allowed.
//!
//! Source: Alibaba Cloud's page "Instance metadata"; retries as in Terway.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clock;
use crate::cloud::http::{Exchange, TransportError};
use crate::config::Config;

/// The metadata service's address, the same on every instance.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// A client of this node's metadata service; clones share its token.
#[derive(Clone)]
pub struct Metadata {
    inner: Arc<Inner>,
}

struct Inner {
    exchange: Arc<dyn Exchange>,
    base: String,
    allow_plain: bool,
    access: StdMutex<Option<Access>>,
    /// Held while a token is fetched: one at a time.
    fetch: Mutex<()>,
}

/// How requests are let in, and how long that is taken for granted.
#[derive(Clone)]
struct Access {
    /// `None`: plain mode.
    token: Option<SecretString>,
    until: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("{0:?} is no metadata service: only http://100.100.100.200 and loopback addresses are")]
    Base(String),
    /// HTTP 404 where the answer is needed.
    #[error("the metadata service has no {path}")]
    Missing { path: String },
    #[error("the metadata service denies {path} (HTTP {status})")]
    Denied { path: String, status: u16 },
    #[error(
        "the metadata service offers no hardened mode, and plain mode is not allowed by configuration"
    )]
    PlainOnly,
    #[error("the metadata service does not answer for {path}: {cause}")]
    Unreachable { path: String, cause: String },
    /// HTTP 429 or 5xx, after some tries.
    #[error("the metadata service is busy: {path} gave HTTP {status}")]
    Busy { path: String, status: u16 },
    #[error("the metadata service's answer for {path} makes no sense: {detail}")]
    Odd { path: String, detail: String },
}

const TOKEN_TTL_SECONDS: u64 = 21_600;
/// A token is replaced at half its life, as Terway does.
const TOKEN_KEPT: Duration = Duration::from_secs(TOKEN_TTL_SECONDS / 2);
/// Plain mode is asked about anew that often: an instance can be switched to hardened mode while it runs.
const PLAIN_KEPT: Duration = Duration::from_mins(10);
/// The service is on the node's own host: it answers within milliseconds, or it is ill. All tries together stay under a
/// cloud call's deadline, so that what is wrong is told.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAUSE_GROWTH: f64 = 1.2;

// === impl Metadata ===

impl Metadata {
    /// A client of the service at `base` (`http://100.100.100.200`, or loopback in tests). `allow_plain`: requests
    /// without a token are acceptable where the service knows no tokens.
    pub fn new(
        exchange: Arc<dyn Exchange>,
        base: &str,
        allow_plain: bool,
    ) -> Result<Self, MetadataError> {
        let base = base.trim_end_matches('/').to_owned();
        if !is_metadata_service(&base) {
            return Err(MetadataError::Base(base));
        }
        let access = StdMutex::new(None);
        Ok(Self {
            inner: Arc::new(Inner {
                exchange,
                base,
                allow_plain,
                access,
                fetch: Mutex::new(()),
            }),
        })
    }

    /// The service at its own address.
    pub fn of_this_node(
        exchange: Arc<dyn Exchange>,
        allow_plain: bool,
    ) -> Result<Self, MetadataError> {
        Self::new(exchange, &format!("http://{ADDRESS}"), allow_plain)
    }

    /// The service where the configuration says, else at its own address.
    pub fn for_config(config: &Config, exchange: Arc<dyn Exchange>) -> Result<Self, MetadataError> {
        let own = format!("http://{ADDRESS}");
        let base = config.endpoints.metadata.as_deref().unwrap_or(&own);
        Self::new(exchange, base, config.metadata_plain_mode)
    }

    /// Whether it lets requests in by a token; `false`: plain mode.
    pub async fn is_hardened(&self) -> Result<bool, MetadataError> {
        Ok(self.inner.access().await?.token.is_some())
    }

    /// The text at `path` under `/latest/meta-data/`, without surrounding white space.
    pub async fn get(&self, path: &str) -> Result<String, MetadataError> {
        self.find(path)
            .await?
            .ok_or_else(|| MetadataError::Missing {
                path: path.to_owned(),
            })
    }

    /// As [`Metadata::get`]; `None` where there is no such thing.
    pub async fn find(&self, path: &str) -> Result<Option<String>, MetadataError> {
        let access = self.inner.access().await?;
        let mut answer = self.inner.read(path, &access).await?;
        if access.is_refused(answer.status()) {
            // The token was lost on the other side, or plain mode has ended: once more with a new one.
            self.inner.forget(&access);
            answer = self.inner.read(path, &self.inner.access().await?).await?;
        }
        match answer.status() {
            StatusCode::OK => text(path, &answer).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refusal(path, status)),
        }
    }
}

// === impl Inner ===

impl Inner {
    async fn read(&self, path: &str, access: &Access) -> Result<Response<Bytes>, MetadataError> {
        let token = access
            .token
            .as_ref()
            .map(|token| ("x-aliyun-ecs-metadata-token", token.clone()));
        self.patiently(Method::GET, &format!("/latest/meta-data/{path}"), token)
            .await
    }

    async fn access(&self) -> Result<Access, MetadataError> {
        if let Some(access) = self.held() {
            return Ok(access);
        }
        let _one = self.fetch.lock().await;
        if let Some(access) = self.held() {
            return Ok(access);
        }
        let access = self.ask_for_access().await?;
        *self.slot() = Some(access.clone());
        Ok(access)
    }

    async fn ask_for_access(&self) -> Result<Access, MetadataError> {
        const PATH: &str = "/latest/api/token";
        let ttl = SecretString::from(TOKEN_TTL_SECONDS.to_string());
        let header = Some(("x-aliyun-ecs-metadata-token-ttl-seconds", ttl));
        let answer = self.patiently(Method::PUT, PATH, header).await?;
        match answer.status() {
            StatusCode::OK => {
                let token = Some(text(PATH, &answer)?.into());
                Ok(Access {
                    token,
                    until: clock::now() + TOKEN_KEPT,
                })
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if self.allow_plain => {
                Ok(Access {
                    token: None,
                    until: clock::now() + PLAIN_KEPT,
                })
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Err(MetadataError::PlainOnly),
            status => Err(refusal(PATH, status)),
        }
    }

    /// Repeats what is harmless to repeat: all of it is, here. Gives back whatever the last try was answered with.
    async fn patiently(
        &self,
        method: Method,
        path: &str,
        header: Option<(&'static str, SecretString)>,
    ) -> Result<Response<Bytes>, MetadataError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.once(&method, path, header.as_ref()).await {
                Ok(answer) if !is_passing(answer.status()) => return Ok(answer),
                Err(error @ MetadataError::Odd { .. }) => return Err(error),
                Ok(_) | Err(_) => clock::sleep(clock::jitter(pause, 0.2)).await,
            }
            pause = pause.mul_f64(PAUSE_GROWTH);
        }
        self.once(&method, path, header.as_ref()).await
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        header: Option<&(&'static str, SecretString)>,
    ) -> Result<Response<Bytes>, MetadataError> {
        let odd = |e: http::Error| MetadataError::Odd {
            path: path.to_owned(),
            detail: e.to_string(),
        };
        let unreachable = |cause| MetadataError::Unreachable {
            path: path.to_owned(),
            cause,
        };
        let mut req = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some((name, value)) = header {
            let value = HeaderValue::try_from(value.expose_secret()).map_err(|e| odd(e.into()))?;
            req = req.header(*name, sensitive(value));
        }
        let req = req.body(Bytes::new()).map_err(odd)?;
        match clock::timeout(TRY_TIMEOUT, self.exchange.exchange(req)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(TransportError::NotSent(cause) | TransportError::NoAnswer(cause))) => {
                Err(unreachable(cause))
            }
            Err(_) => Err(unreachable(format!(
                "nothing within {} s",
                TRY_TIMEOUT.as_secs()
            ))),
        }
    }

    fn held(&self) -> Option<Access> {
        self.slot()
            .clone()
            .filter(|access| clock::now() < access.until)
    }

    /// Unless somebody has a newer one already.
    fn forget(&self, access: &Access) {
        self.slot().take_if(|held| held.until == access.until);
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Access>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access {
    /// 401: the token is not known any more. 403 without one: only tokens are accepted by now.
    fn is_refused(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED
            || (status == StatusCode::FORBIDDEN && self.token.is_none())
    }
}

/// Credentials come from there: no other host may play it.
fn is_metadata_service(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().and_then(|host| host.parse::<Ipv4Addr>().ok());
    let no_path = uri.path() == "/" && uri.query().is_none();
    uri.scheme_str() == Some("http")
        && no_path
        && host.is_some_and(|ip| ip == ADDRESS || ip.is_loopback())
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn refusal(path: &str, status: StatusCode) -> MetadataError {
    let (path, code) = (path.to_owned(), status.as_u16());
    if is_passing(status) {
        MetadataError::Busy { path, status: code }
    } else {
        MetadataError::Denied { path, status: code }
    }
}

fn text(path: &str, answer: &Response<Bytes>) -> Result<String, MetadataError> {
    match std::str::from_utf8(answer.body()) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(_) => Err(MetadataError::Odd {
            path: path.to_owned(),
            detail: "not UTF-8".to_owned(),
        }),
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
pub(super) mod fake;
#[cfg(test)]
mod tests;
