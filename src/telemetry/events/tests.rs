//! The writer against an API server that is a function.

use std::collections::VecDeque;
use std::convert::Infallible;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;

use super::*;
use crate::clock::sleep;
use crate::shutdown::{Trigger, manual};

/// What the API server does with the next call; after the last one it does [`Answer::Created`].
#[derive(Debug, Clone, Copy)]
enum Answer {
    Created,
    Status(u16),
    Hangs,
}

#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    calls: Arc<Mutex<Vec<(Method, String, Value)>>>,
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Self::default();
        server.answers.lock().unwrap().extend(answers);
        server
    }

    fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        kube::Client::new(service, "default")
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        self.calls
            .lock()
            .unwrap()
            .push((parts.method, parts.uri.path().to_owned(), body.clone()));
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Answer::Created);
        match answer {
            Answer::Created => respond(201, &body),
            Answer::Status(code) => respond(
                code,
                &json!({"kind": "Status", "code": code, "message": "no", "reason": "x"}),
            ),
            Answer::Hangs => std::future::pending().await,
        }
    }

    fn calls(&self) -> Vec<(Method, String, Value)> {
        self.calls.lock().unwrap().clone()
    }
}

fn respond(code: u16, body: &Value) -> Response<Body> {
    let body = Body::from(serde_json::to_vec(body).unwrap());
    Response::builder().status(code).body(body).unwrap()
}

struct Running {
    events: Events,
    server: Server,
    metrics: Metrics,
    trigger: Trigger,
    task: tokio::task::JoinHandle<()>,
}

fn start(server: Server) -> Running {
    let metrics = Metrics::new();
    let clock = Clock::starting_at("2026-11-23T00:00:00Z".parse().unwrap());
    let (events, writer) = Events::new(server.client(), "node-a", metrics.clone(), clock);
    let (trigger, shutdown) = manual();
    let task = tokio::spawn(writer.run(shutdown));
    Running {
        events,
        server,
        metrics,
        trigger,
        task,
    }
}

impl Running {
    fn warn(&self, note: &str) {
        self.events
            .publish(&pod("web-0"), EventKind::Warning, "AllocateFailed", note);
    }

    fn count(&self, outcome: &str) -> u64 {
        let series = format!("eipd_events_total{{outcome=\"{outcome}\"}} ");
        let text = self.metrics.encode().unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(0, |n| n.parse().unwrap())
    }
}

fn pod(name: &str) -> PodRef {
    PodRef {
        namespace: "shop".into(),
        name: name.into(),
        uid: "uid-1".into(),
    }
}

/// Long enough for the writer to have done what it can, short of any deadline.
async fn settle() {
    sleep(Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_written_as_the_api_wants_it() {
    let running = start(Server::default());
    running.warn("no quota\nleft");
    settle().await;
    let calls = running.server.calls();
    let (method, path, event) = &calls[0];
    assert_eq!(
        (method, path.as_str()),
        (
            &Method::POST,
            "/apis/events.k8s.io/v1/namespaces/shop/events"
        )
    );
    let name = event["metadata"]["name"].as_str().unwrap();
    assert_eq!(name.len(), "web-0.".len() + 16, "{name}");
    assert_eq!(event["metadata"]["namespace"], "shop");
    let regarding = json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "uid-1"});
    assert_eq!(event["regarding"], regarding);
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["reason"], "AllocateFailed");
    assert_eq!(event["action"], "AllocateFailed");
    assert_eq!(event["note"], r"no quota\nleft");
    assert_eq!(event["eventTime"], "2026-11-23T00:00:00.000000Z");
    assert_eq!(event["reportingController"], "eipd");
    assert_eq!(event["reportingInstance"], "node-a");
    assert_eq!(running.count("written"), 1);
}

#[tokio::test(start_paused = true)]
async fn repetitions_are_counted_up_hourly_in_the_same_event() {
    let running = start(Server::answering([Answer::Created, Answer::Status(409)]));
    for _ in 0..3 {
        running.warn("no quota");
        sleep(Duration::from_mins(20)).await;
    }
    assert_eq!(
        (running.count("written"), running.count("repeated")),
        (1, 2)
    );
    running.warn("no quota");
    settle().await;
    let calls = running.server.calls();
    assert_eq!(calls.len(), 3);
    let name = calls[0].2["metadata"]["name"].as_str().unwrap();
    assert_eq!(calls[2].0, Method::PATCH);
    assert!(calls[2].1.ends_with(name), "{}", calls[2].1);
    assert_eq!(
        calls[2].2,
        json!({"series": {"count": 2, "lastObservedTime": "2026-11-23T01:00:00.000000Z"}})
    );
    assert_eq!(running.count("written"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_agent_finds_what_it_said() {
    let before = start(Server::default());
    before.warn("no quota (RequestId A-1)");
    let after = start(Server::answering([Answer::Status(409)]));
    after.warn("no quota (RequestId B-2)");
    settle().await;
    let name = |running: &Running| running.server.calls()[0].2["metadata"]["name"].clone();
    assert_eq!(name(&before), name(&after));
    assert_eq!(after.server.calls().len(), 1);
    assert_eq!((after.count("written"), after.count("repeated")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_away_is_no_trouble() {
    for code in [403, 404] {
        let running = start(Server::answering([Answer::Status(code)]));
        running.warn("no quota");
        running.warn("no quota");
        settle().await;
        assert_eq!(running.server.calls().len(), 1);
        assert_eq!(
            (running.count("refused"), running.count("repeated")),
            (1, 1)
        );
        running.warn("another");
        settle().await;
        assert_eq!(running.count("written"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_server_gets_a_second_try_and_then_the_next_publication() {
    let running = start(Server::answering([
        Answer::Status(503),
        Answer::Hangs,
        Answer::Hangs,
    ]));
    running.warn("no quota");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        (running.server.calls().len(), running.count("failed")),
        (2, 1)
    );
    running.warn("no quota");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        (running.server.calls().len(), running.count("written")),
        (4, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn publishing_never_waits_and_counts_what_it_loses() {
    let running = start(Server::answering([Answer::Hangs]));
    for n in 0..QUEUE + 7 {
        let about = PodRef {
            uid: n.to_string(),
            ..pod("web-0")
        };
        running
            .events
            .publish(&about, EventKind::Normal, "EIPBound", "x");
    }
    assert_eq!(running.count("dropped"), 7);
    sleep(Duration::from_secs(10)).await;
    let again = PodRef {
        uid: (QUEUE + 6).to_string(),
        ..pod("web-0")
    };
    running
        .events
        .publish(&again, EventKind::Normal, "EIPBound", "x");
    settle().await;
    assert_eq!(
        running.count("written"),
        QUEUE as u64 + 1,
        "a lost one may be said again"
    );
}

#[tokio::test(start_paused = true)]
async fn long_texts_are_cut_where_the_api_server_would_refuse() {
    let server = Server::default();
    let (events, writer) = Events::new(
        server.client(),
        &"n".repeat(253),
        Metrics::new(),
        Clock::new(),
    );
    let (_trigger, shutdown) = manual();
    tokio::spawn(writer.run(shutdown));
    let name = format!("{}.{}", "p".repeat(199), "q".repeat(53));
    events.publish(&pod(&name), EventKind::Normal, "EIPBound", "é".repeat(2000));
    settle().await;
    let event = &server.calls()[0].2;
    let note = event["note"].as_str().unwrap();
    assert!(
        (1020..=NOTE_BYTES).contains(&note.len()) && note.ends_with("é…"),
        "{}",
        note.len()
    );
    assert_eq!(event["reportingInstance"].as_str().unwrap().len(), 128);
    let name = event["metadata"]["name"].as_str().unwrap();
    assert!(name.len() <= 253 && !name.contains(".."), "{name}");
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_is_left_to_speak() {
    let running = start(Server::default());
    running.warn("last words");
    drop(running.events);
    clock::timeout(Duration::from_secs(1), running.task)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(running.server.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_still_writes_but_not_for_ever() {
    let running = start(Server::default());
    running.trigger.request();
    settle().await;
    running.warn("bound while draining");
    settle().await;
    assert_eq!(running.count("written"), 1);
    clock::timeout(DRAIN, running.task).await.unwrap().unwrap();
}
