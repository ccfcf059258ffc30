//! Kubernetes Events on pods: what their owner should know, first and then at most hourly.
//!
//! Publishing never waits. One task writes; what it cannot write is counted and forgotten. Its names are made from what
//! an Event says, so an agent that restarts finds its own and does not say everything again.
//!
//! kube-runtime's `Recorder` does not fit: it writes each repetition, its cache has no bound, its names may be too long,
//! and it takes the time from the node.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc;

use super::escape::{cut, plain};
use super::metrics::{ApiOutcome, EventOutcome, Metrics};
use crate::clock::{self, Clock};
use crate::domain::pod::Pod;
use crate::shutdown::Shutdown;

mod repeats;

use repeats::{Kind, Repeats};

/// Who says it: `reportingController`.
pub const CONTROLLER: &str = "eipd";

/// Events that wait to be written: some for each pod of a full node, all at once.
const QUEUE: usize = 256;

/// Longest note, in bytes, that the API server accepts.
const NOTE_BYTES: usize = 1024;

/// Longest `reportingInstance` that the API server accepts.
const INSTANCE_BYTES: usize = 128;

/// How much of the pod's name stands in the Event's name, which has at most 253 bytes.
const NAME_BYTES: usize = 200;

const DEADLINE: Duration = Duration::from_secs(5);

/// How long a drain waits for whoever still has something to say.
const DRAIN: Duration = Duration::from_secs(30);

/// Tries per Event, and the time between them.
const TRIES: usize = 2;
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The pod that an Event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRef {
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

impl PodRef {
    /// What an Event about that pod names.
    pub fn of(pod: &Pod) -> Self {
        Self {
            namespace: pod.key.namespace.clone(),
            name: pod.key.name.clone(),
            uid: pod.uid.to_string(),
        }
    }
}

/// An Event's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    Normal,
    Warning,
}

/// Where Events are published. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    queue: mpsc::Sender<Pending>,
    shared: Arc<Shared>,
}

/// The one task that writes them.
pub struct EventWriter {
    queue: mpsc::Receiver<Pending>,
    shared: Arc<Shared>,
    client: kube::Client,
    instance: String,
    clock: Clock,
}

#[derive(Debug)]
struct Shared {
    repeats: Mutex<Repeats>,
    metrics: Metrics,
}

/// An admitted Event.
#[derive(Debug)]
struct Pending {
    about: PodRef,
    event_kind: EventKind,
    reason: &'static str,
    note: String,
    kind: Kind,
    times: i32,
}

// === impl Events ===

impl Events {
    /// A handle and its writer, which reports as `node`. Timestamps are `clock`'s.
    pub fn new(
        client: kube::Client,
        node: &str,
        metrics: Metrics,
        clock: Clock,
    ) -> (Self, EventWriter) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            repeats: Mutex::default(),
            metrics,
        });
        let events = Self {
            queue: sender,
            shared: shared.clone(),
        };
        let instance = cut(node, INSTANCE_BYTES).to_owned();
        (
            events,
            EventWriter {
                queue: receiver,
                shared,
                client,
                instance,
                clock,
            },
        )
    }

    /// Says `note` about a pod, unless it was said within the hour. Never waits; a full queue loses it.
    ///
    /// `reason` is in `PascalCase`. The note is escaped, and cut at 1 KiB. A `RequestId` in it makes no difference to
    /// what counts as the same.
    pub fn publish(
        &self,
        about: &PodRef,
        event_kind: EventKind,
        reason: &'static str,
        note: impl AsRef<str>,
    ) {
        let note = bounded(&plain(note.as_ref()));
        let kind = Kind::of(&about.uid, reason, &note);
        let Some(times) = self.shared.repeats().admit(kind, clock::now()) else {
            self.shared.metrics.event(EventOutcome::Repeated);
            return;
        };
        let about = about.clone();
        let pending = Pending {
            about,
            event_kind,
            reason,
            note,
            kind,
            times,
        };
        if self.queue.try_send(pending).is_err() {
            self.shared.lost(kind, EventOutcome::Dropped);
        }
    }
}

fn bounded(note: &str) -> String {
    if note.len() <= NOTE_BYTES {
        return note.to_owned();
    }
    format!("{}…", cut(note, NOTE_BYTES - '…'.len_utf8()))
}

// === impl EventWriter ===

impl fmt::Debug for EventWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWriter")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl EventWriter {
    /// Writes until every [`Events`] is gone; after `shutdown` was requested, for at most 30 s more.
    pub async fn run(mut self, shutdown: Shutdown) {
        let overdue = async {
            shutdown.requested().await;
            clock::sleep(DRAIN).await;
        };
        tokio::select! {
            () = self.write_all() => {}
            () = overdue => {}
        }
    }

    async fn write_all(&mut self) {
        while let Some(pending) = self.queue.recv().await {
            match self.write(&pending).await {
                EventOutcome::Written => self.shared.metrics.event(EventOutcome::Written),
                other => self.shared.lost(pending.kind, other),
            }
        }
    }

    async fn write(&self, pending: &Pending) -> EventOutcome {
        let mut outcome = self.try_write(pending).await;
        for _ in 1..TRIES {
            if outcome != EventOutcome::Failed {
                break;
            }
            clock::sleep(clock::jitter(RETRY_AFTER, 0.2)).await;
            outcome = self.try_write(pending).await;
        }
        outcome
    }

    async fn try_write(&self, pending: &Pending) -> EventOutcome {
        let api = Api::<Event>::namespaced(self.client.clone(), &pending.about.namespace);
        let event = self.event(pending);
        let created = self
            .call("create", api.create(&PostParams::default(), &event))
            .await;
        match created {
            // The server keeps Events for an hour or longer: it is still there. A repetition is counted up; a first
            // time that is not the first is this agent's own, from before a restart.
            ApiOutcome::Conflict if pending.times > 1 => {
                let series = self.series(pending);
                let name = event.metadata.name.as_deref().unwrap_or_default();
                let params = PatchParams::default();
                verdict(
                    self.call("patch", api.patch(name, &params, &Patch::Merge(&series)))
                        .await,
                )
            }
            ApiOutcome::Conflict => EventOutcome::Repeated,
            other => verdict(other),
        }
    }

    async fn call<T>(
        &self,
        verb: &'static str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> ApiOutcome {
        let outcome = match clock::timeout(DEADLINE, call).await {
            Ok(Ok(_)) => ApiOutcome::Ok,
            Ok(Err(error)) => {
                tracing::debug!(%error, verb, "an Event was not written");
                ApiOutcome::of(&error)
            }
            Err(_) => ApiOutcome::Unanswered,
        };
        self.shared.metrics.api_call(verb, "events", outcome);
        outcome
    }

    fn event(&self, pending: &Pending) -> Event {
        let about = &pending.about;
        Event {
            metadata: ObjectMeta {
                namespace: Some(about.namespace.clone()),
                name: Some(name(about, pending.kind)),
                ..ObjectMeta::default()
            },
            regarding: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                namespace: Some(about.namespace.clone()),
                name: Some(about.name.clone()),
                uid: Some(about.uid.clone()),
                ..ObjectReference::default()
            }),
            type_: Some(pending.event_kind.as_str().to_owned()),
            reason: Some(pending.reason.to_owned()),
            action: Some(pending.reason.to_owned()),
            note: Some(pending.note.clone()),
            event_time: Some(MicroTime(self.clock.wall())),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }

    fn series(&self, pending: &Pending) -> serde_json::Value {
        json!({"series": {"count": pending.times, "lastObservedTime": MicroTime(self.clock.wall())}})
    }
}

/// The Event's name: the same for the same pod, reason and note.
fn name(about: &PodRef, kind: Kind) -> String {
    let pod = cut(&about.name, NAME_BYTES).trim_end_matches(['-', '.']);
    format!("{pod}.{:016x}", kind.whole)
}

fn verdict(outcome: ApiOutcome) -> EventOutcome {
    match outcome {
        ApiOutcome::Ok => EventOutcome::Written,
        ApiOutcome::NotFound
        | ApiOutcome::Forbidden
        | ApiOutcome::Refused
        | ApiOutcome::Conflict => EventOutcome::Refused,
        ApiOutcome::Throttled | ApiOutcome::Failed | ApiOutcome::Unanswered => EventOutcome::Failed,
    }
}

// === impl Shared, EventKind ===

impl Shared {
    fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an Event that was not written. One that may succeed later may be said again.
    fn lost(&self, kind: Kind, outcome: EventOutcome) {
        self.metrics.event(outcome);
        if matches!(outcome, EventOutcome::Dropped | EventOutcome::Failed) {
            self.repeats().forget(kind);
        }
    }
}

impl EventKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

#[cfg(test)]
mod tests;
