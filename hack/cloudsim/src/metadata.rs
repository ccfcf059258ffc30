//! The instance metadata service of every node (alibaba-api.md 5), hardened mode included.

pub mod credentials;
pub mod interfaces;
pub mod paths;
pub mod tokens;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::calls::CallRecord;
use crate::clock::{Ms, sleep};
use crate::cloud::{Cloud, ListenerName, Lost, put_header};
use crate::faults::{Answer, FaultKind};
use crate::holds::Release;
use crate::state::State;

/// The name under which faults, latencies and counts know this service.
pub const ACTION: &str = "metadata";

/// Tokens issued, and the requests of the present second.
#[derive(Debug, Default)]
pub struct MetadataState {
    /// Token -> (instance, when it ends).
    pub tokens: BTreeMap<String, (String, Ms)>,
    /// Instance -> (second, requests in it).
    pub rates: BTreeMap<String, (Ms, u32)>,
}

/// An answer of the service: status and text.
pub type Page = Result<String, u16>;

/// A request that came in.
struct Asked {
    instance: String,
    method: Method,
    path: String,
    token: Option<String>,
    ttl: Option<String>,
    forwarded: bool,
    sequence: u64,
    fault: Option<FaultKind>,
}

impl Cloud {
    /// The metadata door: a request as it comes from that instance.
    pub async fn metadata(
        &self,
        instance_id: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Lost> {
        let asked = self.open_metadata(instance_id, &request);
        let latency = self.state().settings.latency_of(ACTION);
        let jitter = self.state().ids.jitter(latency.jitter_ms);
        sleep(latency.before_ms + jitter).await;
        match &asked.fault {
            Some(FaultKind::Slow { ms }) => sleep(*ms).await,
            Some(FaultKind::Refuse(answer)) => return Ok(self.ordered(&asked, answer)),
            Some(FaultKind::Drop) => return Err(self.close_without(asked.sequence, "dropped")),
            Some(FaultKind::HoldBefore) => self.wait_for_release(&asked, false).await?,
            _ => {}
        }
        let page = serve(&mut self.state(), &asked);
        match &asked.fault {
            Some(FaultKind::FailAfter(answer)) => return Ok(self.ordered(&asked, answer)),
            Some(FaultKind::Lose) => return Err(self.close_without(asked.sequence, "lost")),
            Some(FaultKind::Hold) => self.wait_for_release(&asked, true).await?,
            _ => {}
        }
        sleep(latency.after_ms).await;
        Ok(self.finish(asked.sequence, page))
    }

    async fn wait_for_release(&self, asked: &Asked, worked: bool) -> Result<(), Lost> {
        match self.hold(asked.sequence, ACTION, worked).await {
            Release::Deliver => Ok(()),
            Release::Lose => Err(self.close_without(asked.sequence, "lost")),
        }
    }

    fn open_metadata(&self, instance: &str, request: &Request<Bytes>) -> Asked {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let args = BTreeMap::from([
            ("instance".to_owned(), instance.to_owned()),
            ("method".to_owned(), method.to_string()),
            ("path".to_owned(), path.clone()),
        ]);
        let listener = request
            .extensions()
            .get::<ListenerName>()
            .map(|name| name.0.clone());
        let mut state = self.state();
        let now = self.clock().now();
        *state.counts.entry(ACTION.to_owned()).or_default() += 1;
        let fault = state.faults.take(ACTION, &args);
        let sequence = state.calls.open(CallRecord {
            door: ACTION,
            product: ACTION,
            listener: listener.unwrap_or_default(),
            instance: instance.to_owned(),
            action: format!("{method} {path}"),
            args,
            user_agent: header("user-agent").unwrap_or_default(),
            received_ms: now,
            received_at: self.clock().wall(now).to_string(),
            ..CallRecord::default()
        });
        Asked {
            instance: instance.to_owned(),
            method,
            path,
            token: header("x-aliyun-ecs-metadata-token"),
            ttl: header("x-aliyun-ecs-metadata-token-ttl-seconds"),
            forwarded: request.headers().contains_key("x-forwarded-for"),
            sequence,
            fault,
        }
    }

    fn finish(&self, sequence: u64, page: Page) -> Response<Bytes> {
        let (status, text) = match page {
            Ok(text) => (200, text),
            Err(status) => (status, error_page(status)),
        };
        self.close(sequence, status, None);
        let mut response = Response::new(Bytes::from(text));
        if let Ok(status) = http::StatusCode::from_u16(status) {
            *response.status_mut() = status;
        }
        let kind = if status == 200 {
            "text/plain"
        } else {
            "text/html"
        };
        put_header(response.headers_mut(), "content-type", kind);
        response
    }

    fn ordered(&self, asked: &Asked, answer: &Answer) -> Response<Bytes> {
        let status = if answer.status == 0 {
            500
        } else {
            answer.status
        };
        let mut response = self.finish(asked.sequence, Err(status));
        if let Some(raw) = &answer.raw_body {
            *response.body_mut() = Bytes::from(raw.clone());
        }
        for (name, value) in &answer.headers {
            put_header(response.headers_mut(), name, value);
        }
        response
    }
}

fn error_page(status: u16) -> String {
    format!("<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>")
}

fn serve(state: &mut State, asked: &Asked) -> Page {
    let now = state.settled_now();
    let instance = state
        .world
        .instances
        .get(&asked.instance)
        .cloned()
        .ok_or(404_u16)?;
    tokens::check_rate(state, &asked.instance, now)?;
    if asked.path == "/latest/api/token" {
        if asked.method != Method::PUT {
            return Err(405);
        }
        return tokens::issue(
            state,
            &asked.instance,
            asked.ttl.as_deref(),
            asked.forwarded,
            now,
        );
    }
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(405);
    }
    tokens::check(state, &instance, asked.token.as_deref(), now)?;
    paths::page(state, &instance, &asked.path, now).ok_or(404)
}
