//! The seam to everything that speaks HTTP: one request in, one response out, or what is known of its fate.
//!
//! Deadlines are the caller's (through [`crate::clock`]), so that they follow paused time in tests.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};

/// What carries a request to a server and brings its answer back.
pub trait Exchange: Send + Sync + 'static {
    /// Sends `req` once. Dropping the future gives up waiting; the server may go on all the same.
    fn exchange(
        &self,
        req: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

/// A function is a transport too: tests call the simulated cloud directly.
impl<F> Exchange for F
where
    F: Fn(Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, TransportError>>
        + Send
        + Sync
        + 'static,
{
    fn exchange(
        &self,
        req: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self(req)
    }
}

/// Why there is no answer. The difference decides whether a change may have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The server never saw the request: no connection, no name, no TLS.
    #[error("{0}")]
    NotSent(String),
    /// The request was sent, or may have been.
    #[error("{0}")]
    NoAnswer(String),
}

/// The real transport: one pooled client for cloud, STS and metadata service.
#[derive(Debug, Clone)]
pub struct Wire {
    client: reqwest::Client,
}

/// The HTTP client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client (are the system's CA certificates there?): {0}")]
pub struct WireError(String);

/// Three SYNs (at 0, 1 and 3 s). Well under a call's deadline, so that a dead endpoint counts as "not sent".
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Shorter than a front end's own idle limit: a request that meets a closing connection counts as in flight for a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Idle connections cost memory on every node.
const IDLE_PER_HOST: usize = 4;
/// The largest answer read: 100 EIPs with 20 tags each are under 1 `MiB`.
const ANSWER_LIMIT: usize = 4 << 20;

impl Wire {
    /// TLS by ring with the system's roots.
    ///
    /// No proxy is taken from the environment: endpoints are inside the VPC, and a proxy would be handed the metadata
    /// service's credentials. No redirect is followed: a signed request is for one host.
    pub fn new() -> Result<Self, WireError> {
        // `main` has installed it already; tests and tools come here without. A second time is refused, and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("eipd/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .tcp_keepalive(KEEP_ALIVE)
            .build()
            .map_err(|e| WireError(chain(&e)))?;
        Ok(Self { client })
    }

    async fn send(&self, req: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let req = reqwest::Request::try_from(req).map_err(not_sent)?;
        let mut answer = self.client.execute(req).await.map_err(fate)?;
        let mut out = Response::new(Bytes::new());
        *out.status_mut() = answer.status();
        *out.headers_mut() = std::mem::take(answer.headers_mut());
        *out.body_mut() = read(answer).await?;
        Ok(out)
    }
}

impl Exchange for Wire {
    fn exchange(
        &self,
        req: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.send(req).boxed()
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(TransportError::NoAnswer(format!(
                "answer over {ANSWER_LIMIT} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn fate(e: reqwest::Error) -> TransportError {
    if e.is_connect() || e.is_builder() {
        not_sent(e)
    } else {
        no_answer(e)
    }
}

// The URL holds a call's arguments; what fails is told by the action and the endpoint.
fn not_sent(e: reqwest::Error) -> TransportError {
    TransportError::NotSent(chain(&e.without_url()))
}

fn no_answer(e: reqwest::Error) -> TransportError {
    TransportError::NoAnswer(chain(&e.without_url()))
}

/// An error with its causes: reqwest's own text says only "error sending request".
fn chain(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(e), |e| e.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests;
