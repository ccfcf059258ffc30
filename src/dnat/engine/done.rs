//! What a step came back with: remembered, counted, told, and planned on.

use super::super::facts::Change;
use super::super::outcome::{Outcome, Refusal};
use super::super::step::Step;
use super::{Done, Engine};
use crate::clock::{self, Instant};
use crate::domain::ids::Key;

impl Engine {
    pub(super) fn done(&mut self, done: Done) {
        let now = clock::now();
        let Done {
            key,
            step,
            asked,
            outcome,
        } = done;
        let Some(name) = self.names.get_mut(&key) else {
            return;
        };
        name.busy = false;
        if let Outcome::CrdTerminating(terminating) = outcome {
            self.crd = Some((asked, terminating));
        }
        match outcome.trouble() {
            Some(trouble) => {
                name.memory.step_failed(&step, trouble, now);
                tracing::warn!(pod = %key, step = step.name(), kind = ?trouble.kind, error = %trouble.text, "step for ports failed");
            }
            None => name.memory.step_succeeded(&step),
        }
        if let Outcome::Refused(Refusal::Full, _) = outcome
            && let Some(mapping) = name.memory.record().and_then(|it| it.mapping.as_ref())
        {
            self.ports.gateways.is_full(&mapping.gateway);
        }
        let settling = name.memory.settling();
        let stuck = stuck(&step).and_then(|table| self.ports.gateways.stuck(table));
        self.metrics
            .stuck_tables(self.ports.gateways.stuck_tables());
        self.reporter
            .done(&key, &name.memory, &step, &outcome, stuck.as_deref());
        name.memory.absorb(&step, outcome, asked, now);
        self.learn(&key, &step, settling, asked);
        self.agenda.touch_first(&key);
    }

    /// How long a change took, if the look has shown its end: the turns of its table are to be as long.
    fn learn(
        &mut self,
        key: &Key,
        step: &Step,
        before: Option<(Change, Instant, Option<std::time::Duration>)>,
        asked: Instant,
    ) {
        let after = self.names.get(key).and_then(|name| name.memory.settling());
        let (Step::Look { table, .. }, Some((what, since, missed)), None) = (step, before, after)
        else {
            return;
        };
        let (missed, took) = (missed.unwrap_or_default(), asked.duration_since(since));
        if what == Change::Remove {
            return self.removed.learn(missed, took);
        }
        self.made.learn(missed, took);
        let (turns, table) = (self.ports.turns.clone(), table.clone());
        let took = self.made.enough().unwrap_or(took);
        // Beside the name's own work: nobody waits for it.
        self.tell
            .spawn(async move { turns.settled(&table, took).await });
        while self.tell.try_join_next().is_some() {}
    }
}

/// The table that a change was asked of.
fn stuck(step: &Step) -> Option<&str> {
    match step {
        Step::Make { table, .. } | Step::Remove { table, .. } => Some(table),
        _ => None,
    }
}
