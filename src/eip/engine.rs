//! The one loop: facts come in, each name's next step goes out, and what it came back with comes in again.
//!
//! One step at a time for each name, a bounded number for all. At rest nothing runs and nothing is written.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::brakes::Brakes;
use super::drive::Ports;
use super::memory::Memory;
use super::outcome::Outcome;
use super::plan;
use super::retry::InARow;
use super::step::Step;
use crate::clock::{self, Instant};
use crate::domain::ids::Key;
use crate::domain::pod::Pod;
use crate::domain::record::Record;
use crate::engine::agenda::Agenda;
use crate::engine::brake::Brake;
use crate::engine::shown::Shown;
use crate::kubeapi::watch::Change;
use crate::shard::found::Due;
use crate::shard::rivals::Findings;
use crate::shutdown::Shutdown;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::Condition;

mod around;
mod count;
mod done;
mod found;
mod looks;
mod pauses;
mod report;
mod watched;

use looks::Looks;
pub use report::Reporter;
pub(crate) use report::is_news;

/// What the engine hears from outside.
pub struct Inbox {
    pub pods: mpsc::Receiver<Change<Pod>>,
    pub records: mpsc::Receiver<Change<Record>>,
    /// Records that are no node's, found by the sweep.
    pub due: mpsc::Receiver<Due>,
    /// Time to look at what stands.
    pub audit: mpsc::Receiver<()>,
    /// Told when this node is to have a record: then they are to be watched.
    pub wanted: Arc<Notify>,
    /// Who else gives pods EIPs here; `None` until that is known.
    pub others: watch::Receiver<Option<Findings>>,
}

/// All names of this node, and what is being done for them.
pub struct Engine {
    ports: Ports,
    reporter: Reporter,
    metrics: Metrics,
    /// Steps in flight at most.
    limit: usize,
    started: Instant,
    names: HashMap<Key, Name>,
    agenda: Agenda,
    steps: JoinSet<Done>,
    /// How many of them wait for the metadata service.
    resolving: usize,
    looks: Looks,
    brakes: Brakes,
    /// Whether another EIP controller runs here; nothing is begun before that is known.
    others_run: Option<bool>,
    /// As configured; Terway's own setting may allow it too.
    may_rob: bool,
    /// The newest read of the CRD, shared by all names.
    crd: Option<(Instant, bool)>,
    /// What the two watches have shown.
    pods: Shown,
    records: Shown,
    /// Since the metrics were last counted.
    records_changed: bool,
}

struct Name {
    memory: Memory,
    /// A step of this name is in flight.
    busy: bool,
    brake: Brake,
    /// When what holds it back may have changed.
    hold: Option<Instant>,
    /// Waits in a row for another's work.
    waits: InARow,
}

/// What a spawned step brings home.
enum Done {
    Step {
        key: Key,
        step: Step,
        asked: Instant,
        outcome: Box<Outcome>,
    },
    Looks(looks::Answer),
}

impl Engine {
    /// `limit`: how many steps may be in flight at a time.
    pub fn new(ports: Ports, reporter: Reporter, metrics: Metrics, limit: usize) -> Self {
        Self {
            may_rob: ports.me.policy.allow_rob,
            ports,
            reporter,
            metrics,
            limit,
            started: clock::now(),
            names: HashMap::new(),
            agenda: Agenda::default(),
            steps: JoinSet::new(),
            resolving: 0,
            looks: Looks::default(),
            brakes: Brakes::default(),
            others_run: None,
            crd: None,
            pods: Shown::default(),
            records: Shown::default(),
            records_changed: false,
        }
    }

    /// Works until `shutdown`, then lets the steps in flight end. `listed` is met when both watches have listed.
    pub async fn run(
        mut self,
        mut inbox: Inbox,
        listed: Condition,
        shutdown: Shutdown,
    ) -> Result<(), Ended> {
        let asked = shutdown.requested();
        tokio::pin!(asked);
        loop {
            let alarm = self.next_alarm();
            tokio::select! {
                biased;
                () = &mut asked => break,
                Some(done) = self.steps.join_next(), if !self.steps.is_empty() => self.done(done.map_err(|_| Ended::Step)?),
                change = inbox.pods.recv() => self.pod_change(change.ok_or(Ended::Watch("pods"))?),
                change = inbox.records.recv() => self.record_change(change.ok_or(Ended::Watch("podeips"))?),
                due = inbox.due.recv() => self.found(&due.ok_or(Ended::Watch("the sweep"))?),
                tick = inbox.audit.recv() => self.audit(tick.ok_or(Ended::Watch("the audit"))?),
                known = inbox.others.changed() => {
                    known.map_err(|_| Ended::Watch("other controllers"))?;
                    let found = inbox.others.borrow_and_update().clone();
                    self.others(found.as_ref());
                }
                () = clock::sleep_until_some(alarm) => self.agenda.ring(clock::now()),
            }
            if self.pods.is_listed() && self.records.is_listed() && self.others_run.is_some() {
                listed.met();
                self.work();
                // What asks nothing has been forgotten by now; what is left has a record, or will.
                if !self.names.is_empty() {
                    inbox.wanted.notify_one();
                }
            }
        }
        self.drain().await;
        Ok(())
    }

    /// No new steps; those in flight have their own deadlines.
    async fn drain(mut self) {
        tracing::info!(steps = self.steps.len(), "draining");
        while let Some(done) = self.steps.join_next().await {
            if let Ok(done) = done {
                self.done(done);
            }
        }
    }

    fn name(&mut self, key: &Key) -> &mut Name {
        self.names.entry(key.clone()).or_insert_with(|| Name {
            memory: Memory::new(),
            busy: false,
            brake: Brake::default(),
            hold: None,
            waits: InARow::default(),
        })
    }

    /// Whether another step may begin. Those that wait for the metadata service do not count: they share its one read, and
    /// while it is away they must not keep the others from their work.
    fn has_room(&self) -> bool {
        self.steps.len() < self.limit + self.resolving
    }

    /// Plans for all names that are due, as far as there is room for their steps.
    fn work(&mut self) {
        let now = clock::now();
        while self.has_room() {
            let Some(key) = self.agenda.next() else {
                break;
            };
            self.plan_for(&key, now);
        }
        if self.has_room() {
            self.fire_looks(now);
        }
        if std::mem::take(&mut self.records_changed) {
            self.count_records();
        }
    }

    fn plan_for(&mut self, key: &Key, now: Instant) {
        let crd = self.crd;
        if self.names.get(key).is_none_or(|name| name.busy) {
            return; // what it is doing brings it back here
        }
        let around = self.around(key, now);
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        name.memory.crd_known(crd);
        let facts = name.memory.facts(&self.ports.me, now, around);
        let step = plan::plan(&facts);
        let notice = plan::notice(&facts, &step);
        self.reporter.planned(&facts, notice.as_ref());
        if let Some(due) = name.memory.not_before(&step, now) {
            self.looks.cancel(key);
            return self.agenda.set_alarm(key, due);
        }
        tracing::trace!(pod = %key, step = step.name(), "planned");
        match step {
            Step::Rest => self.rest(key, now),
            Step::Pause(why) => self.pause(key, &why, now),
            Step::Look(id, what) => self.await_look(key, id, what, now),
            step => {
                self.count_step(key, &step, &around, now);
                self.begin(key, step, now);
            }
        }
    }

    /// Nothing to do for it; forgotten when nothing is left to remember.
    fn rest(&mut self, key: &Key, now: Instant) {
        self.looks.cancel(key);
        let Some(name) = self.names.get(key) else {
            return;
        };
        let due = [name.memory.outputs_due(now), name.hold];
        let (idle, due) = (
            name.memory.is_idle(&self.ports.me),
            due.into_iter().flatten().min(),
        );
        self.agenda.set_alarm_to(key, due.filter(|_| !idle));
        if idle {
            self.names.remove(key);
        }
    }

    fn begin(&mut self, key: &Key, step: Step, now: Instant) {
        self.looks.cancel(key);
        let held = self
            .names
            .get_mut(key)
            .and_then(|name| name.brake.press(step.name(), now));
        if let Some(due) = held {
            return self.agenda.set_alarm(key, due);
        }
        self.agenda.set_alarm_to(key, None);
        if let Some(name) = self.names.get_mut(key) {
            name.busy = true;
            name.memory.begins();
            if step.changes_cloud() || step.writes_record() {
                name.waits.end();
            }
        }
        self.metrics.step(step.name());
        self.resolving += usize::from(matches!(step, Step::Resolve { .. }));
        let (ports, key) = (self.ports.clone(), key.clone());
        self.steps.spawn(async move {
            let outcome = ports.drive(&key, &step).await;
            Done::Step {
                key,
                step,
                asked: now,
                outcome: Box::new(outcome),
            }
        });
    }

    fn next_alarm(&self) -> Option<Instant> {
        let alarm = self.agenda.next_alarm();
        // Without room for another step, the end of one wakes the loop.
        let look = self.looks.next().filter(|_| self.has_room());
        [alarm, look].into_iter().flatten().min()
    }
}

/// Why the loop ended although nobody asked for it.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the watch of {0} ended")]
    Watch(&'static str),
    #[error("a step panicked")]
    Step,
}
