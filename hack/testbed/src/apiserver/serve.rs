//! One request from its arrival to its answer, faults included.

use super::Shared;
use super::delete::{self, Deleted};
use super::discovery;
use super::fault::{Gate, Picked, Then};
use super::kind::Kind;
use super::log::Logged;
use super::read;
use super::refusal::Refusal;
use super::review;
use super::route::{Call, Verb};
use super::state::State;
use super::stream;
use super::time as clock;
use super::watch::{self, Opened};
use super::write::{self, Target, as_served};
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::client::Body;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use tokio::sync::watch::Receiver;

pub type Answered = Response<UnsyncBoxBody<Bytes, io::Error>>;

enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    Watch(Opened),
}

/// Serves one request. The work goes on when the client gives up on it, as on a real server.
pub async fn serve(
    server: Arc<Shared>,
    client: Arc<str>,
    request: Request<Body>,
) -> Result<Answered, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let work = tokio::spawn(arrive(server, client, parts, body));
    work.await.map_err(io::Error::other)?
}

async fn arrive(
    server: Arc<Shared>,
    client: Arc<str>,
    parts: Parts,
    body: Bytes,
) -> Result<Answered, io::Error> {
    let call = match Call::read(&parts, &body) {
        Ok(call) => call,
        Err(refusal) => return respond(&server, refused(&refusal)),
    };
    let (entry, picked, travel) = {
        let mut state = server.lock();
        state.log.push(Logged {
            at: server.age(),
            client: client.to_string(),
            call: call.clone(),
            answer: None,
            bytes: 0,
            worked: false,
        });
        (
            state.log.len() - 1,
            state.faults.pick(&client, &call),
            state.latency / 2,
        )
    };
    server.wake();
    let work = Work {
        server,
        client,
        call,
        entry,
    };
    if !travel.is_zero() {
        clock::sleep(travel).await;
    }
    let answered = work.meet(picked).await;
    if !travel.is_zero() {
        clock::sleep(travel).await;
    }
    answered
}

struct Work {
    server: Arc<Shared>,
    client: Arc<str>,
    call: Call,
    entry: usize,
}

impl Work {
    async fn meet(&self, picked: Option<Picked>) -> Result<Answered, io::Error> {
        let Some(Picked { then, gate }) = picked else {
            return self.answer(self.work());
        };
        match then {
            Then::Refuse(refusal) => self.answer(refused(&refusal)),
            Then::LoseRequest => Err(reset()),
            Then::LoseAnswer => {
                drop(self.work());
                Err(reset())
            }
            Then::HoldRequest => {
                opened(gate).await?;
                self.answer(self.work())
            }
            Then::HoldAnswer => {
                let answer = self.work();
                opened(gate).await?;
                self.answer(answer)
            }
            Then::Delay(time) => {
                clock::sleep(time).await;
                self.answer(self.work())
            }
        }
    }

    fn work(&self) -> Answer {
        let answer = {
            let mut state = self.server.lock();
            let answer =
                dispatch(&mut state, &self.client, &self.call).unwrap_or_else(|r| refused(&r));
            if let Some(logged) = state.log.get_mut(self.entry) {
                logged.worked = true;
            }
            answer
        };
        self.server.tell();
        answer
    }

    fn answer(&self, answer: Answer) -> Result<Answered, io::Error> {
        let response = respond(&self.server, answer)?;
        if let Some(logged) = self.server.lock().log.get_mut(self.entry) {
            logged.answer = Some(response.status().as_u16());
            logged.bytes = response.body().size_hint().exact().unwrap_or_default();
        }
        self.server.wake();
        Ok(response)
    }
}

async fn opened(mut gate: Receiver<Gate>) -> Result<(), io::Error> {
    match gate.wait_for(|g| *g != Gate::Closed).await.map(|g| *g) {
        Ok(Gate::Open) => Ok(()),
        _ => Err(reset()),
    }
}

fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer")
}

fn refused(refusal: &Refusal) -> Answer {
    Answer::Json(refusal.code, refusal.status())
}

fn respond(server: &Arc<Shared>, answer: Answer) -> Result<Answered, io::Error> {
    let date = server.lock().clock.date();
    let response = Response::builder().header("date", date);
    let full = |bytes: Bytes| {
        Full::new(bytes)
            .map_err(|never| match never {})
            .boxed_unsync()
    };
    let (response, body) = match answer {
        Answer::Json(code, body) => {
            let mut response = response
                .status(code)
                .header("content-type", "application/json");
            if let Some(seconds) = body
                .pointer("/details/retryAfterSeconds")
                .and_then(Value::as_u64)
            {
                response = response.header("retry-after", seconds);
            }
            (response, full(body.to_string().into()))
        }
        Answer::Text(code, text) => (
            response.status(code).header("content-type", "text/plain"),
            full(text.into()),
        ),
        Answer::Watch(opened) => {
            let body = StreamBody::new(stream::body(Arc::clone(server), opened)).boxed_unsync();
            (
                response
                    .status(200)
                    .header("content-type", "application/json"),
                body,
            )
        }
    };
    response.body(body).map_err(io::Error::other)
}

fn dispatch(state: &mut State, client: &str, call: &Call) -> Result<Answer, Refusal> {
    if call.resource.is_empty() {
        return Ok(
            discovery::answer(state, call).map_or(NOT_SERVED, |body| Answer::Json(200, body))
        );
    }
    if let Some(review) = review::answer(state, call) {
        return Ok(Answer::Json(201, review));
    }
    let Some(kind) = state.kind_of(call) else {
        return Ok(NOT_SERVED);
    };
    let view = state
        .watches
        .view(client, &kind.resource)
        .min(state.store.version());
    match call.verb {
        Verb::Get => read::get(state, &kind, call, view).map(|o| Answer::Json(200, o)),
        Verb::List => read::list(state, &kind, call, view).map(|o| Answer::Json(200, o)),
        Verb::Watch => watch::open(state, &kind, call, client).map(Answer::Watch),
        _ => dispatch_write(state, &kind, call),
    }
}

const NOT_SERVED: Answer = Answer::Text(404, "404 page not found\n");

fn dispatch_write(state: &mut State, kind: &Kind, call: &Call) -> Result<Answer, Refusal> {
    let namespace = call.namespace.as_deref().unwrap_or_default();
    let target = Target {
        namespace,
        name: &call.name,
        subresource: &call.subresource,
    };
    let form = super::form::Form::of(&call.accept, &call.query);
    match call.verb {
        Verb::Create => {
            let object = write::create(state, kind, namespace, call.body.clone())?;
            Ok(Answer::Json(201, form.one(kind, &object)))
        }
        Verb::Update => {
            let object = write::update(state, kind, target, call.body.clone())?;
            Ok(Answer::Json(200, form.one(kind, &object)))
        }
        Verb::Patch => {
            let object = write::patch(state, kind, target, &call.content_type, &call.body)?;
            Ok(Answer::Json(200, form.one(kind, &object)))
        }
        Verb::Delete => delete_one(state, kind, call, namespace),
        Verb::DeleteCollection => delete_many(state, kind, call),
        _ => Err(Refusal::of_code(
            405,
            "the server does not allow this method on the requested resource",
        )),
    }
}

fn delete_one(
    state: &mut State,
    kind: &Kind,
    call: &Call,
    namespace: &str,
) -> Result<Answer, Refusal> {
    let body = match delete::delete(state, kind, namespace, &call.name, &delete_options(call))? {
        Deleted::Gone(object) if kind.resource != "pods" => json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": { "name": call.name, "group": kind.group, "kind": kind.resource, "uid": super::json::uid(&object) },
        }),
        Deleted::Gone(object) | Deleted::Pending(object) => as_served(kind, &object),
    };
    Ok(Answer::Json(200, body))
}

/// From the body, or from the query where there is none.
fn delete_options(call: &Call) -> Value {
    if !call.body.is_null() {
        return call.body.clone();
    }
    let mut options = json!({});
    if let Ok(seconds) = call.param("gracePeriodSeconds").parse::<i64>() {
        options["gracePeriodSeconds"] = seconds.into();
    }
    if !call.param("propagationPolicy").is_empty() {
        options["propagationPolicy"] = call.param("propagationPolicy").into();
    }
    options
}

fn delete_many(state: &mut State, kind: &Kind, call: &Call) -> Result<Answer, Refusal> {
    let objects = read::matching(state, kind, call)?;
    for object in &objects {
        let (namespace, name) = (super::json::namespace(object), super::json::name(object));
        delete::delete(state, kind, namespace, name, &delete_options(call))?;
    }
    let meta = json!({ "resourceVersion": state.store.version().to_string() });
    Ok(Answer::Json(
        200,
        super::form::Form::Whole.many(kind, &objects, &meta),
    ))
}
