//! What a step came back with: remembered, counted, told, and planned on.

use super::super::outcome::{Outcome, Trouble};
use super::super::step::Step;
use super::{Done, Engine};
use crate::clock::{self, Instant};
use crate::domain::ids::Key;

impl Engine {
    pub(super) fn done(&mut self, done: Done) {
        let now = clock::now();
        match done {
            Done::Step {
                key,
                step,
                asked,
                outcome,
            } => {
                self.resolving -= usize::from(matches!(step, Step::Resolve { .. }));
                self.step_done(&key, &step, *outcome, asked, now);
            }
            Done::Looks(answer) => self.looked(answer, now),
        }
    }

    pub(super) fn step_done(
        &mut self,
        key: &Key,
        step: &Step,
        outcome: Outcome,
        asked: Instant,
        now: Instant,
    ) {
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        name.busy = false;
        if let Outcome::CrdTerminating(terminating) = outcome {
            self.crd = Some((asked, terminating));
        }
        match &outcome {
            Outcome::Later { at, why } => {
                if let Some(why) = why {
                    self.reporter.later(&name.memory, why);
                }
                return self.agenda.set_alarm(key, *at);
            }
            Outcome::Failed(trouble) => {
                name.memory.step_failed(step, trouble, now);
                log_trouble(key, step, trouble);
            }
            _ => name.memory.step_succeeded(step),
        }
        if let (Step::WriteStatus { .. }, Outcome::Wrote(_), Some(since)) =
            (step, &outcome, name.memory.address_since)
        {
            self.metrics.bound(now.duration_since(since));
        }
        self.reporter.done(key, &name.memory, step, &outcome);
        name.memory.absorb(step, outcome, asked, now);
        self.records_changed |= step.writes_record();
        self.agenda.touch_first(key);
    }
}

fn log_trouble(key: &Key, step: &Step, trouble: &Trouble) {
    tracing::warn!(pod = %key, step = step.name(), kind = ?trouble.kind, error = %trouble.text, "step failed");
}
