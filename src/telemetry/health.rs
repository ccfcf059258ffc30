//! The HTTP endpoint for kubelet's probes and for Prometheus: `/healthz`, `/readyz`, `/metrics`.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::metrics::{CONTENT_TYPE, Metrics};
use super::readiness::Readiness;
use crate::clock;
use crate::shutdown::Shutdown;

/// Connections served at a time; the port is open to whoever reaches the node.
const MAX_CONNECTIONS: usize = 32;

/// A client that has not sent its request by then is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(2);

/// A client that has not taken its answer by then is cut off.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// hyper's least.
const BUFFER_BYTES: usize = 8192;

/// After a failed accept (no file descriptors left): the next try would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Why the endpoint cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for health and metrics: {source}; `listen` in the configuration changes the port"
)]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// A listening endpoint that serves nobody yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

#[derive(Debug)]
struct State {
    readiness: Readiness,
    metrics: Metrics,
}

// === impl Server ===

impl Server {
    /// Takes the port, so that a clash is an error at start and not a silent agent.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let wrap = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(wrap)?;
        let address = listener.local_addr().map_err(wrap)?;
        Ok(Self { listener, address })
    }

    /// Where it listens; tells the port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is requested. Requests that are under way then are dropped: they only look.
    pub async fn serve(self, readiness: Readiness, metrics: Metrics, shutdown: Shutdown) {
        let state = Arc::new(State { readiness, metrics });
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        tokio::select! {
            () = accept(&self.listener, &state, &slots) => {}
            () = shutdown.requested() => {}
        }
    }
}

async fn accept(listener: &TcpListener, state: &Arc<State>, slots: &Arc<Semaphore>) {
    loop {
        // Acquiring fails only on a closed semaphore, and nobody closes this one.
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = state.clone();
                tokio::spawn(async move {
                    connection(stream, state).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the health endpoint cannot accept a connection");
                clock::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One request, one answer: probes do not reuse connections, and an idle one would hold a slot.
async fn connection(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(|request: Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(answer(
            request.method(),
            request.uri().path(),
            &state,
        )))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // Broken and slow clients are their own business.
    drop(clock::timeout(CONNECTION_TIMEOUT, served).await);
}

fn answer(method: &Method, path: &str, state: &State) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    }
    match path {
        // That this answers at all says that the one runtime thread is alive.
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => readyz(&state.readiness),
        "/metrics" => metrics(state),
        _ => text(
            StatusCode::NOT_FOUND,
            "there are /healthz, /readyz and /metrics\n",
        ),
    }
}

fn readyz(readiness: &Readiness) -> Response<Full<Bytes>> {
    let missing = readiness.missing();
    if missing.is_empty() {
        return text(StatusCode::OK, "ready\n");
    }
    let lines = format!("not ready: {}\n", missing.join("\nnot ready: "));
    text(StatusCode::SERVICE_UNAVAILABLE, lines)
}

fn metrics(state: &State) -> Response<Full<Bytes>> {
    state.metrics.ready(state.readiness.is_ready());
    match state.metrics.encode() {
        Ok(body) => respond(StatusCode::OK, CONTENT_TYPE, body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", body)
}

fn respond(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::{Trigger, manual};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;

    struct Running {
        address: SocketAddr,
        readiness: Readiness,
        metrics: Metrics,
        trigger: Trigger,
        task: JoinHandle<()>,
    }

    async fn start() -> Running {
        let server = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, readiness, metrics) = (server.address(), Readiness::new(), Metrics::new());
        let (trigger, shutdown) = manual();
        let task = tokio::spawn(server.serve(readiness.clone(), metrics.clone(), shutdown));
        Running {
            address,
            readiness,
            metrics,
            trigger,
            task,
        }
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(address: SocketAddr, path: &str) -> String {
        ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    #[tokio::test]
    async fn healthz_and_unknown_paths() {
        let running = start().await;
        assert!(
            get(running.address, "/healthz")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        assert!(
            get(running.address, "/healthz?verbose")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        assert!(get(running.address, "/").await.starts_with("HTTP/1.1 404 "));
        let post = "POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
        assert!(
            ask(running.address, post)
                .await
                .starts_with("HTTP/1.1 405 ")
        );
        let head = ask(running.address, "HEAD /readyz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(
            head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
    }

    #[tokio::test]
    async fn readyz_names_what_is_missing() {
        let running = start().await;
        let pods = running.readiness.condition("pods-listed");
        let identity = running.readiness.condition("identity");
        identity.unmet("metadata service: timed out");
        let answer = get(running.address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("not ready: identity (metadata service: timed out)\n"),
            "{answer}"
        );
        assert!(answer.contains("not ready: pods-listed\n"), "{answer}");
        pods.met();
        identity.met();
        assert!(
            get(running.address, "/readyz")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
    }

    #[tokio::test]
    async fn metrics_tell_readiness_and_series() {
        let running = start().await;
        running.metrics.step("associate");
        let condition = running.readiness.condition("pods-listed");
        let answer = get(running.address, "/metrics").await;
        assert!(answer.contains("application/openmetrics-text"), "{answer}");
        assert!(
            answer.contains("eipd_steps_total{step=\"associate\"} 1\n"),
            "{answer}"
        );
        assert!(answer.contains("\neipd_ready 0\n"), "{answer}");
        condition.met();
        assert!(
            get(running.address, "/metrics")
                .await
                .contains("\neipd_ready 1\n")
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let running = start().await;
        let error = Server::bind(running.address).await.unwrap_err().to_string();
        assert!(error.contains(&running.address.to_string()), "{error}");
        assert!(
            error.contains("in use") && error.contains("`listen`"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn silent_clients_are_cut_off_and_leave_room() {
        let running = start().await;
        let mut silent = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            silent.push(TcpStream::connect(running.address).await.unwrap());
        }
        let answer = clock::timeout(HEADER_TIMEOUT * 3, get(running.address, "/healthz")).await;
        assert!(answer.unwrap().starts_with("HTTP/1.1 200 "));
        let mut rest = Vec::new();
        let cut = clock::timeout(HEADER_TIMEOUT, silent[0].read_to_end(&mut rest)).await;
        assert!(cut.is_ok(), "still open");
    }

    #[tokio::test]
    async fn a_request_that_never_ends_its_header_is_refused() {
        let running = start().await;
        let request = format!(
            "GET /healthz HTTP/1.1\r\nx: {}",
            "y".repeat(BUFFER_BYTES * 2)
        );
        let answer = clock::timeout(CONNECTION_TIMEOUT, async {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            drop(stream.write_all(request.as_bytes()).await);
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer).await);
            answer
        });
        let answer = String::from_utf8(answer.await.unwrap()).unwrap();
        assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    #[tokio::test]
    async fn it_ends_when_asked() {
        let running = start().await;
        running.trigger.request();
        clock::timeout(Duration::from_secs(5), running.task)
            .await
            .unwrap()
            .unwrap();
        assert!(TcpStream::connect(running.address).await.is_err());
    }
}
