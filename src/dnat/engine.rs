//! The one loop: facts come in, each name's next step goes out, and what it came back with comes in again.
//!
//! One step at a time for each name, a bounded number for all. At rest nothing runs and nothing is written.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::drive::Ports;
use super::memory::{Around, Memory};
use super::outcome::Outcome;
use super::plan;
use super::report::Reporter;
use super::step::{After, Pause, Scope, Step};
use super::sweep::{Due, What};
use crate::clock::{self, Instant};
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::Key;
use crate::domain::pod::Pod;
use crate::eip::engine::Ended;
use crate::eip::retry::InARow;
use crate::eip::settle::Settle;
use crate::engine::agenda::Agenda;
use crate::engine::brake::Brake;
use crate::engine::shown::Shown;
use crate::kubeapi::watch::Change;
use crate::shard::rivals::Findings;
use crate::shutdown::Shutdown;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::Condition;

mod done;
mod pauses;
mod turn;
mod watched;

use turn::Waits;

/// What the engine hears from outside.
pub struct Inbox {
    pub pods: mpsc::Receiver<Change<Pod>>,
    pub records: mpsc::Receiver<Change<DnatRecord>>,
    /// Records that nobody works on, found by the sweep.
    pub due: mpsc::Receiver<Due>,
    /// Time to look at what stands.
    pub audit: mpsc::Receiver<()>,
    /// Told when this node is to have a record: then they are to be watched.
    pub wanted: Arc<Notify>,
    /// Who else works here; `None` until that is known.
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
    /// How long this cloud takes to make and to delete an entry.
    made: Settle,
    removed: Settle,
    others_run: Option<bool>,
    /// The newest read of the CRD, shared by all names.
    crd: Option<(Instant, bool)>,
    /// What the two watches have shown.
    pods: Shown,
    records: Shown,
    /// What is told others of, beside everything else.
    tell: JoinSet<()>,
}

struct Name {
    memory: Memory,
    /// A step of this name is in flight.
    busy: bool,
    brake: Brake,
    /// Waits in a row for another's work.
    waits: InARow,
}

/// What a spawned step brings home.
struct Done {
    key: Key,
    step: Step,
    asked: Instant,
    outcome: Outcome,
}

impl Engine {
    /// `limit`: how many steps may be in flight at a time.
    pub fn new(ports: Ports, reporter: Reporter, metrics: Metrics, limit: usize) -> Self {
        Self {
            ports,
            reporter,
            metrics,
            limit,
            started: clock::now(),
            names: HashMap::new(),
            agenda: Agenda::default(),
            steps: JoinSet::new(),
            made: Settle::default(),
            removed: Settle::default(),
            others_run: None,
            crd: None,
            pods: Shown::default(),
            records: Shown::default(),
            tell: JoinSet::new(),
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
        let known = inbox.others.borrow_and_update().clone();
        self.others(known.as_ref());
        loop {
            let alarm = self.agenda.next_alarm();
            tokio::select! {
                biased;
                () = &mut asked => break,
                Some(done) = self.steps.join_next(), if !self.steps.is_empty() => self.done(done.map_err(|_| Ended::Step)?),
                change = inbox.pods.recv() => self.pod_change(change.ok_or(Ended::Watch("pods"))?),
                change = inbox.records.recv() => self.record_change(change.ok_or(Ended::Watch("poddnats"))?),
                due = inbox.due.recv() => self.found(&due.ok_or(Ended::Watch("the sweep of ports"))?),
                tick = inbox.audit.recv() => self.audit(tick.ok_or(Ended::Watch("the audit of ports"))?),
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
            waits: InARow::default(),
        })
    }

    /// Plans for all names that are due, as far as there is room for their steps.
    fn work(&mut self) {
        let now = clock::now();
        while self.steps.len() < self.limit {
            let Some(key) = self.agenda.next() else {
                break;
            };
            self.plan_for(&key, now);
        }
    }

    fn plan_for(&mut self, key: &Key, now: Instant) {
        let crd = self.crd;
        let Some(name) = self.names.get_mut(key).filter(|name| !name.busy) else {
            return; // what it is doing brings it back here
        };
        name.memory.crd_known(crd);
        let mapping = name.memory.record().and_then(|it| it.mapping.as_ref());
        let around = Around {
            others_run: self.others_run == Some(true),
            stuck: mapping.is_some_and(|it| self.ports.gateways.stuck(&it.table).is_some()),
        };
        let facts = name.memory.facts(&self.ports.me, now, around);
        let aim = plan::aim(&facts);
        let step = plan::guard(&facts, aim.clone());
        self.reporter.planned(&facts);
        if let Some(due) = name.memory.not_before(&step, now) {
            return self.agenda.set_alarm(key, due);
        }
        tracing::trace!(pod = %key, step = step.name(), "planned for its ports");
        if let Some((table, what)) = aim.turn()
            && let Some(waits) = self.turn(key, table, what, now)
        {
            return match waits {
                Waits::Until(at) => self.agenda.set_alarm(key, at),
                Waits::ForNumber(number) => self.begin(key, number, now),
            };
        }
        match step {
            Step::Rest => self.rest(key, now),
            Step::Pause(why) => self.pause(key, &why, now),
            Step::Look {
                ref table, after, ..
            } => match self.look_at(key, table, after, now) {
                Some(at) if at > now => self.agenda.set_alarm(key, at),
                _ => self.begin(key, step, now),
            },
            step => self.begin(key, step, now),
        }
    }

    /// Nothing to do for it; forgotten when nothing is left to remember.
    fn rest(&mut self, key: &Key, now: Instant) {
        let Some(name) = self.names.get(key) else {
            return;
        };
        let idle = name.memory.is_idle(&self.ports.me);
        let due = name.memory.outputs_due(now);
        self.agenda.set_alarm_to(key, due.filter(|_| !idle));
        if idle {
            self.names.remove(key);
        }
    }

    fn begin(&mut self, key: &Key, step: Step, now: Instant) {
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        if let Some(due) = name.brake.press(step.name(), now) {
            return self.agenda.set_alarm(key, due);
        }
        name.busy = true;
        name.memory.begins();
        if step.changes_cloud() || step.writes_record() {
            name.waits.end();
        }
        self.agenda.set_alarm_to(key, None);
        self.metrics.step(step.name());
        let (ports, key) = (self.ports.clone(), key.clone());
        self.steps.spawn(async move {
            let outcome = ports.drive(&key, &step).await;
            Done {
                key,
                step,
                asked: now,
                outcome,
            }
        });
    }

    /// One look at all that stands: what somebody changed in the console is noticed so.
    fn audit(&mut self, (): ()) {
        let now = clock::now();
        let standing = |name: &Name| {
            let record = name
                .memory
                .record()
                .filter(|it| it.shows_all() && !it.tombstone)?;
            Some(record.mapping.as_ref()?.table.clone()).filter(|_| !name.busy)
        };
        let all = self.names.iter();
        let all: Vec<(Key, String)> = all
            .filter_map(|(key, name)| Some((key.clone(), standing(name)?)))
            .collect();
        for (key, table) in all {
            let look = Step::Look {
                table,
                scope: Scope::Whole,
                after: After::Nothing,
            };
            self.begin(&key, look, now);
        }
    }

    /// The sweep hands a record on: no more than a hint, so it is read live first.
    fn found(&mut self, due: &Due) {
        let me = self.ports.me.label.clone();
        let name = self.name(&due.key);
        let mine = |record: &DnatRecord| record.node.as_deref() == Some(me.as_str());
        if name.busy || name.memory.record().is_some_and(mine) {
            return;
        }
        let left_lying = due.what == What::LeftLying;
        name.memory.found(left_lying, clock::now());
        self.agenda.touch(&due.key);
    }

    /// What is known now of other controllers: what waited for them to end goes on.
    fn others(&mut self, found: Option<&Findings>) {
        let Some(found) = found else { return };
        // Terway's EIP function has nothing to do with ports.
        let before = self.others_run.replace(found.enc_runs());
        if before == Some(true) && !found.enc_runs() {
            let all: Vec<Key> = self.names.keys().cloned().collect();
            for key in &all {
                self.agenda.touch(key);
            }
        }
    }

    fn pause(&mut self, key: &Key, why: &Pause, now: Instant) {
        let stuck_since = self.names.get(key).and_then(|name| name.memory.waits_since);
        self.reporter.paused(
            self.names.get(key).map(|name| &name.memory),
            why,
            stuck_since,
            now,
        );
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        let until = name.pause(why, now, self.crd);
        if matches!(why, Pause::CrdTerminating) {
            self.crd = self
                .crd
                .filter(|(asked, _)| now < *asked + pauses::CRD_TERMINATING);
        }
        // Never in the past: a pause is a pause, whatever the facts say.
        self.agenda.set_alarm(key, until.max(now + pauses::LEAST));
    }
}
