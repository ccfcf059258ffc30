//! Looks: many names' questions in one call, not before they can be answered, and never in a storm.

use std::collections::HashMap;
use std::time::Duration;

use super::super::facts::Settling;
use super::super::outcome::{Outcome, Trouble};
use super::super::retry::Retry;
use super::super::settle::Settle;
use super::super::step::{LookFor, Step};
use super::{Done, Engine};
use crate::clock::Instant;
use crate::domain::eip::{Look, Standing};
use crate::domain::ids::{EipId, Key};

/// Between two looks of this agent: what falls due meanwhile shares the next one.
const GAP: Duration = Duration::from_millis(150);
/// Between two looks for a change that is not ours.
const FOREIGN_CHANGE: Duration = Duration::from_secs(2);
/// `DescribeEipAddresses` takes at most 50 ids.
const BATCH: usize = 50;

/// Questions that wait for their time, and what has been learned about that time.
#[derive(Default)]
pub struct Looks {
    waiting: HashMap<Key, Question>,
    asking: bool,
    last: Option<Instant>,
    /// All looks wait when one fails: each asks for many.
    retry: Retry,
    bound: Settle,
    unbound: Settle,
    package: Settle,
}

struct Question {
    id: EipId,
    what: LookFor,
    due: Instant,
}

/// One call's answer, with everybody who asked.
pub struct Answer {
    pub asked: Instant,
    pub askers: Vec<(Key, EipId, LookFor)>,
    pub result: Result<Vec<(EipId, Look)>, Trouble>,
}

impl Looks {
    pub fn cancel(&mut self, key: &Key) {
        self.waiting.remove(key);
    }

    /// When the next look may be asked.
    pub fn next(&self) -> Option<Instant> {
        if self.asking {
            return None; // its answer wakes the loop
        }
        let due = self.waiting.values().map(|question| question.due).min()?;
        let due = self.last.map_or(due, |last| due.max(last + GAP));
        Some(self.retry.due().map_or(due, |retry| due.max(retry)))
    }

    /// Those whose time has come, if a look may be asked now.
    fn take(&mut self, now: Instant) -> Vec<(Key, EipId, LookFor)> {
        if self.next().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut due: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, question)| question.due <= now)
            .map(|(key, question)| (question.due, key.clone()))
            .collect();
        due.sort();
        due.truncate(BATCH);
        self.asking = true;
        self.last = Some(now);
        let take = |(_, key): (Instant, Key)| {
            let question = self.waiting.remove(&key)?;
            Some((key, question.id, question.what))
        };
        due.into_iter().filter_map(take).collect()
    }

    fn learn(&mut self, what: Settling, missed: Option<Duration>, enough: Duration) {
        let settle = match what {
            Settling::Associate => &mut self.bound,
            Settling::Unassociate => &mut self.unbound,
            Settling::Join | Settling::Leave => &mut self.package,
        };
        settle.learn(missed.unwrap_or_default(), enough);
    }
}

impl Engine {
    /// The name waits for a look at `id`.
    pub(super) fn await_look(&mut self, key: &Key, id: EipId, what: LookFor, now: Instant) {
        let settling = self.names.get(key).and_then(|name| name.memory.settling());
        let due = match (what, settling) {
            (LookFor::Now, _) => now,
            (_, Some((Settling::Associate, since, missed))) => {
                since + self.looks.bound.next(missed)
            }
            (_, Some((Settling::Unassociate, since, missed))) => {
                since + self.looks.unbound.next(missed)
            }
            (_, Some((Settling::Join | Settling::Leave, since, missed))) => {
                since + self.looks.package.next(missed)
            }
            (_, None) => now + FOREIGN_CHANGE,
        };
        self.agenda.set_alarm_to(key, None);
        self.looks
            .waiting
            .insert(key.clone(), Question { id, what, due });
    }

    /// Asks for all that are due, in one call.
    pub(super) fn fire_looks(&mut self, now: Instant) {
        let askers = self.looks.take(now);
        if askers.is_empty() {
            return;
        }
        self.metrics.step("look");
        for (key, ..) in &askers {
            if let Some(name) = self.names.get_mut(key) {
                name.busy = true;
            }
        }
        let ports = self.ports.clone();
        self.steps.spawn(async move {
            let ids: Vec<_> = askers.iter().map(|(_, id, _)| id.clone()).collect();
            let result = ports.look(&ids).await;
            Done::Looks(Answer {
                asked: now,
                askers,
                result,
            })
        });
    }

    pub(super) fn looked(&mut self, answer: Answer, now: Instant) {
        self.looks.asking = false;
        match &answer.result {
            Ok(_) => self.looks.retry.succeeded(),
            Err(trouble) => self
                .looks
                .retry
                .failed(trouble.kind, trouble.retry_after, now),
        }
        let looks: HashMap<_, _> = match &answer.result {
            Ok(looks) => looks.iter().cloned().collect(),
            Err(_) => HashMap::new(),
        };
        for (key, id, what) in answer.askers {
            self.learn_from(&key, looks.get(&id), answer.asked);
            let outcome = match (looks.get(&id), &answer.result) {
                (Some(look), _) => Outcome::Looked(look.clone()),
                (None, Err(trouble)) => Outcome::Failed(trouble.clone()),
                (None, Ok(_)) => Outcome::Looked(Look::Gone),
            };
            self.step_done(&key, &Step::Look(id, what), outcome, answer.asked, now);
        }
    }

    /// How long the change took, if the look shows that it came to its intended end.
    fn learn_from(&mut self, key: &Key, look: Option<&Look>, asked: Instant) {
        let Some((what, since, missed)) =
            self.names.get(key).and_then(|name| name.memory.settling())
        else {
            return;
        };
        let Some(Look::Seen(seen)) = look else { return };
        let ended = match what {
            Settling::Associate => matches!(seen.standing, Standing::At { .. }),
            Settling::Unassociate => seen.standing == Standing::Free,
            Settling::Join => !seen.package.is_empty(),
            Settling::Leave => seen.package.is_empty(),
        };
        if ended {
            self.looks.learn(what, missed, asked.duration_since(since));
        }
    }
}
