//! The cloud's handle and its API door: a request's way from arrival to answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use crate::calls::CallRecord;
use crate::clock::{Clock, iso, sleep};
use crate::faults::{Answer, FaultKind};
use crate::holds::{Held, Release};
use crate::router;
use crate::rpc::{ApiError, Rpc, auth};
use crate::settings::Settings;
use crate::state::{Call, State};

/// The connection broke and no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection broke before an answer came")]
pub struct Lost;

/// The listener a request came through: a request extension, for the record of calls.
#[derive(Clone, Debug)]
pub struct ListenerName(pub String);

/// A simulated cloud. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Cloud {
    state: Arc<Mutex<State>>,
    clock: Clock,
    /// Listeners opened through the control door.
    pub(crate) listeners: Arc<Mutex<crate::listeners::Listeners>>,
}

/// The outcome of a call's work.
type Worked = Result<Value, ApiError>;

impl Cloud {
    /// An empty cloud. Needs a tokio runtime for its doors; time is tokio's.
    pub fn new(settings: Settings) -> Self {
        let clock = Clock::start(settings.start_wall);
        Self {
            state: Arc::new(Mutex::new(State::new(settings, clock))),
            clock,
            listeners: Arc::default(),
        }
    }

    /// The cloud's clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The state, with everything due done. Never hold the guard across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settled_now();
        state
    }

    /// The API door: any product. Once it came in, a call is worked whether or not the caller
    /// waits for the answer, as in the real cloud.
    pub async fn api(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Lost> {
        let cloud = self.clone();
        let opened = cloud.open(request);
        tokio::spawn(async move { cloud.serve(opened).await })
            .await
            .unwrap_or(Err(Lost))
    }

    fn open(&self, request: Request<Bytes>) -> Opened {
        let listener = request
            .extensions()
            .get::<ListenerName>()
            .map(|name| name.0.clone());
        let rpc = Rpc::parse(request);
        let mut state = self.state();
        let now = self.clock.now();
        let args = rpc.arguments().0;
        let fault = state.faults.take(&rpc.action, &args);
        let request_id = state.ids.request();
        *state.counts.entry(rpc.action.clone()).or_default() += 1;
        let sequence = state.calls.open(CallRecord {
            door: "api",
            listener: listener.unwrap_or_default(),
            product: router::product_of(&rpc.version),
            action: rpc.action.clone(),
            args,
            user_agent: rpc.header("user-agent").unwrap_or_default(),
            received_ms: now,
            received_at: self.clock.wall(now).to_string(),
            request_id: request_id.clone(),
            ..CallRecord::default()
        });
        Opened {
            rpc,
            sequence,
            request_id,
            fault,
        }
    }

    async fn serve(&self, call: Opened) -> Result<Response<Bytes>, Lost> {
        let latency = self.state().settings.latency_of(&call.rpc.action);
        let jitter = self.state().ids.jitter(latency.jitter_ms);
        sleep(latency.before_ms + jitter).await;
        if let Some(early) = self.before_work(&call).await? {
            return Ok(early);
        }
        let worked = self.work(&call);
        self.after_work(&call, worked, latency.after_ms).await
    }

    /// Faults before the work: an answer if they give one.
    async fn before_work(&self, call: &Opened) -> Result<Option<Response<Bytes>>, Lost> {
        match &call.fault {
            Some(FaultKind::Slow { ms }) => sleep(*ms).await,
            Some(FaultKind::Refuse(answer)) => return Ok(Some(self.made_to_order(call, answer))),
            Some(FaultKind::Drop) => return Err(self.close_without(call.sequence, "dropped")),
            Some(FaultKind::HoldBefore) => self.wait_held(call, false).await?,
            _ => {}
        }
        Ok(None)
    }

    async fn after_work(
        &self,
        call: &Opened,
        worked: Worked,
        after_ms: u64,
    ) -> Result<Response<Bytes>, Lost> {
        match &call.fault {
            Some(FaultKind::FailAfter(answer)) => return Ok(self.made_to_order(call, answer)),
            Some(FaultKind::Lose) => return Err(self.close_without(call.sequence, "lost")),
            Some(FaultKind::Hold) => self.wait_held(call, true).await?,
            _ => {}
        }
        sleep(after_ms).await;
        Ok(self.answer(call, worked))
    }

    async fn wait_held(&self, call: &Opened, worked: bool) -> Result<(), Lost> {
        match self.hold(call.sequence, &call.rpc.action, worked).await {
            Release::Deliver => Ok(()),
            Release::Lose if worked => Err(self.close_without(call.sequence, "lost")),
            Release::Lose => Err(self.close_without(call.sequence, "dropped")),
        }
    }

    /// Signature, policy, rate, token, then the action itself.
    fn work(&self, opened: &Opened) -> Worked {
        let mut guard = self.state();
        let state = &mut *guard;
        let rpc = &opened.rpc;
        let now = self.clock.now();
        if let Some(record) = state.calls.get_mut(opened.sequence) {
            record.worked_ms = Some(now);
        }
        let route = router::find(&rpc.version, &rpc.action)?;
        let account = state.settings.account_id.clone();
        let at = (now, self.clock.wall(now));
        let caller = auth::authenticate(rpc, &state.identities, &mut state.nonces, at, &account)?;
        if let Some(record) = state.calls.get_mut(opened.sequence) {
            record.access_key_id.clone_from(&caller.access_key_id);
        }
        let call = Call {
            action: rpc.action.clone(),
            args: rpc.arguments(),
            caller,
            now,
            settle: match opened.fault {
                Some(FaultKind::Settle { ms }) => Some(ms),
                _ => None,
            },
        };
        admit(state, &call, route)?;
        run(state, &call, route)
    }

    fn answer(&self, call: &Opened, worked: Worked) -> Response<Bytes> {
        let host = call.rpc.header("host").unwrap_or_default();
        let (status, code, body) = match worked {
            Ok(mut body) => {
                body["RequestId"] = call.request_id.clone().into();
                (200, None, body)
            }
            Err(error) => {
                let body = error.body(&call.request_id, &host);
                (error.status, Some(error.code.into_owned()), body)
            }
        };
        let retry_after = self.close(call.sequence, status, code);
        let mut response = json_response(status, &body);
        let headers = response.headers_mut();
        put_header(headers, "x-acs-request-id", &call.request_id);
        let date = self.clock.wall(self.clock.now());
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        put_header(headers, "date", &date);
        if let Some(ms) = retry_after {
            put_header(headers, "x-acs-retry-after", &ms.to_string());
        }
        response
    }

    fn made_to_order(&self, call: &Opened, answer: &Answer) -> Response<Bytes> {
        let status = if answer.status == 0 {
            400
        } else {
            answer.status
        };
        let message = match answer.message.as_str() {
            "" => "The request was refused by order of a test.",
            message => message,
        };
        let error = ApiError::new(status, answer.code.clone(), message);
        let mut response = self.answer(call, Err(error));
        for (name, value) in &answer.headers {
            put_header(response.headers_mut(), name, value);
        }
        if let Some(raw) = &answer.raw_body {
            *response.body_mut() = Bytes::from(raw.clone());
            put_header(response.headers_mut(), "content-type", "text/html");
        }
        response
    }

    /// Completes the record; returns milliseconds for `x-acs-retry-after` if they are sent.
    pub(crate) fn close(&self, sequence: u64, status: u16, code: Option<String>) -> Option<u64> {
        let mut state = self.state();
        let now = self.clock.now();
        let throttled = code
            .as_deref()
            .is_some_and(|code| code.starts_with("Throttling"));
        let sent = state.settings.throttle_retry_after && throttled;
        if let Some(record) = state.calls.get_mut(sequence) {
            record.answered_ms = Some(now);
            record.answered_at = Some(self.clock.wall(now).to_string());
            record.status = Some(status);
            record.code = code;
            record.outcome = "answered";
        }
        sent.then_some(1_000)
    }

    /// Completes the record of a call that gets no answer.
    pub(crate) fn close_without(&self, sequence: u64, outcome: &'static str) -> Lost {
        if let Some(record) = self.state().calls.get_mut(sequence) {
            record.outcome = outcome;
        }
        Lost
    }

    pub(crate) async fn hold(&self, call: u64, action: &str, worked: bool) -> Release {
        let held = Held {
            id: 0,
            call,
            action: action.to_owned(),
            worked,
            since_ms: self.clock.now(),
        };
        let released = self.state().holds.hold(held);
        released.await.unwrap_or(Release::Lose)
    }

    /// `2026-11-23T01:02:03Z` of a moment of this cloud.
    pub fn iso(&self, ms: u64) -> String {
        iso(self.clock.wall(ms))
    }
}

/// A call that came in.
struct Opened {
    rpc: Rpc,
    sequence: u64,
    request_id: String,
    fault: Option<FaultKind>,
}

/// RAM policy and rate.
fn admit(state: &mut State, call: &Call, route: router::Route) -> Result<(), ApiError> {
    let ram = format!("{}:{}", route.product, call.action);
    if route.product != "sts" && !call.caller.may(&ram) {
        let text = format!("User not authorized to operate on the specified resource: {ram}.");
        return Err(ApiError::new(403, "Forbidden.RAM", text));
    }
    let Some(limit) = state.settings.rates.get(&call.action).copied() else {
        return Ok(());
    };
    let taken = state
        .rates
        .take(&call.caller.account, &call.action, limit, call.now);
    taken.map_err(|_| {
        ApiError::refused(
            "Throttling.User",
            "Request was denied due to user flow control.",
        )
    })
}

/// The action, or the former answer to its client token.
fn run(state: &mut State, call: &Call, route: router::Route) -> Worked {
    if !route.takes_token {
        return (route.handler)(state, call);
    }
    let scope = (call.caller.account.as_str(), call.action.as_str());
    let lifetime = state.settings.open.client_token_ms;
    if let Some(former) = state.replay.find(scope, &call.args, lifetime, call.now)? {
        return Ok(former);
    }
    let body = (route.handler)(state, call)?;
    state.replay.remember(scope, &call.args, &body, call.now);
    Ok(body)
}

/// A JSON answer.
pub(crate) fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    put_header(
        response.headers_mut(),
        "content-type",
        "application/json;charset=utf-8",
    );
    response
}

/// Sets a header if name and value can be one.
pub(crate) fn put_header(headers: &mut http::HeaderMap, name: &str, value: &str) {
    let name = http::HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
