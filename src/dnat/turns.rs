//! Turns at a forward table, which takes one change at a time: agents take numbers, as for the pace, and a turn is as long
//! as this cloud needs for a change.
//!
//! A turn is advice and no lock: where the objects are not to be had, calls go, for the cloud itself refuses what comes at
//! the wrong time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{self, Clock, Instant};
use crate::domain::ids::Key;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::pace::object::Object;
use crate::pace::state::State;

/// Who may look how far ahead: what gives back goes first, for it makes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Make,
    Remove,
}

/// This agent's turns; clones share them.
#[derive(Clone)]
pub struct Turns {
    shared: Arc<Shared>,
}

struct Shared {
    kube: Kube,
    clock: Clock,
    agent: String,
    tables: Mutex<HashMap<String, Mine>>,
}

/// What this agent knows of one table.
#[derive(Default)]
struct Mine {
    /// Turns taken, each for one change.
    slots: HashMap<Key, Instant>,
    /// Since when each waiting name waits: the longer, the sooner it asks again.
    waiting: HashMap<Key, Instant>,
    taken: u64,
    state: Option<State>,
}

/// A turn while nothing is known of the table (Terraform's provider waits as long between its tries).
const UNKNOWN: Duration = Duration::from_millis(2_500);
/// How much longer a turn is than the change takes: answers come more or less late.
const MARGIN: f64 = 1.03;
const LATE: Duration = Duration::from_millis(20);
/// A length that differs by less stays as it is.
const SAME: f64 = 0.03;
/// Nobody takes a number while the newest is due later than this.
const HORIZON: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(25));
/// A number whose time was longer ago than this has come too late to be a turn.
const PAST: Duration = Duration::from_millis(50);
const SOON: Duration = Duration::from_millis(250);
/// Turns over which those spread that find the queue full.
const SPREAD: f64 = 10.0;
/// A name that has not asked for so long does not wait any more.
const FORGOTTEN: Duration = Duration::from_mins(2);

impl Turns {
    /// `agent` tells this agent's numbers from another's.
    pub fn new(kube: Kube, clock: Clock, agent: &str) -> Self {
        let shared = Shared {
            kube,
            clock,
            agent: agent.to_owned(),
            tables: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// When the change may be made: `None`: now.
    pub async fn wait(&self, table: &str, what: What, key: &Key) -> Option<Instant> {
        let now = clock::now();
        match self.mine(table, |mine| mine.turn(key, now)) {
            Some(Turn::Now) => return None,
            Some(Turn::At(at)) => return Some(at),
            None => {}
        }
        match self.number(table, what, key).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::debug!(%error, table, "no turn is to be had: going on without");
                None
            }
        }
    }

    /// Takes a number, or says when to try again.
    async fn number(
        &self,
        table: &str,
        what: What,
        key: &Key,
    ) -> Result<Option<Instant>, KubeError> {
        let (now, wall) = (clock::now(), self.shared.clock.wall());
        let object = self.object(table);
        let before = object.get_or_make().await?;
        let horizon = match what {
            What::Make => HORIZON.0,
            What::Remove => HORIZON.1,
        };
        if let Some(until) = before.full_within(horizon, wall) {
            let asks_rarely = self.mine(table, |mine| mine.waits(key, now));
            let spread = before
                .interval()
                .mul_f64(SPREAD * asks_rarely * fastrand::f64());
            return Ok(Some(now + until_then(wall, until).max(SOON) + spread));
        }
        let mark = self.mine(table, |mine| {
            mine.taken += 1;
            format!("{}-{}", self.shared.agent, mine.taken)
        });
        let mut state = object.take(&mark).await?;
        let mut slot = state
            .slot(state.newest, wall)
            .filter(|slot| *slot + PAST >= wall);
        if slot.is_none() {
            state = match object.start(&state, &format!("{mark}-epoch"), wall).await {
                Err(KubeError::Conflict(_)) => return Ok(Some(now + clock::jitter(SOON, 0.5))),
                started => started?,
            };
            slot = state.slot(state.newest, wall);
        }
        let wait = until_then(wall, slot.unwrap_or(wall));
        let at = now + wait;
        self.mine(table, |mine| {
            mine.waiting.remove(key);
            mine.state = Some(state);
            if !wait.is_zero() {
                mine.slots.insert(key.clone(), at);
            }
        });
        Ok((!wait.is_zero()).then_some(at))
    }

    /// A change of ours took so long: turns are to be as long as that.
    pub async fn settled(&self, table: &str, took: Duration) {
        let wanted = took.mul_f64(MARGIN) + LATE;
        self.set_length(table, |now| differs(now, wanted).then_some(wanted))
            .await;
    }

    /// A change was refused in its turn: the one before was not over.
    pub async fn refused(&self, table: &str) {
        self.set_length(table, |now| Some(now.mul_f64(1.1))).await;
    }

    /// How long a change takes, as far as anybody knows.
    pub fn expected(&self, table: &str) -> Option<Duration> {
        self.mine(table, |mine| {
            let known = mine.state.as_ref().filter(|state| state.changed.is_some());
            known.map(|state| state.interval().saturating_sub(LATE).div_f64(MARGIN))
        })
    }

    async fn set_length(&self, table: &str, length: impl Fn(Duration) -> Option<Duration>) {
        let Some(known) = self.mine(table, |mine| mine.state.clone()) else {
            return;
        };
        if length(known.interval()).is_none() {
            return;
        }
        if let Err(error) = self.try_set_length(table, length).await {
            tracing::debug!(%error, table, "the length of a turn was not written");
        }
    }

    async fn try_set_length(
        &self,
        table: &str,
        length: impl Fn(Duration) -> Option<Duration>,
    ) -> Result<(), KubeError> {
        let object = self.object(table);
        let Some(mut state) = object.get().await? else {
            return Ok(());
        };
        let wall = self.shared.clock.wall();
        if let Some(length) = length(state.interval()).filter(|_| state.may_change(wall)) {
            state = object.set_interval(&state, length, wall).await?;
        }
        self.mine(table, |mine| mine.state = Some(state));
        Ok(())
    }

    fn object(&self, table: &str) -> Object {
        Object::of_turns(self.shared.kube.clone(), table, UNKNOWN)
    }

    fn mine<T>(&self, table: &str, look: impl FnOnce(&mut Mine) -> T) -> T {
        let mut all: MutexGuard<'_, HashMap<String, Mine>> = self
            .shared
            .tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(all.entry(table.to_owned()).or_default())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Now,
    At(Instant),
}

impl Mine {
    /// The name's turn; one that has come is used up by being told, one that is half over is lost.
    fn turn(&mut self, key: &Key, now: Instant) -> Option<Turn> {
        let slot = *self.slots.get(key)?;
        if slot > now {
            return Some(Turn::At(slot));
        }
        self.slots.remove(key);
        let length = self.state.as_ref().map_or(UNKNOWN, State::interval);
        (now < slot + length / 2).then_some(Turn::Now)
    }

    /// The name finds the queue full; how rarely it is to ask again, from 1 down: who has waited longer asks more often.
    fn waits(&mut self, key: &Key, now: Instant) -> f64 {
        self.waiting
            .retain(|other, since| other == key || now.duration_since(*since) < FORGOTTEN);
        let since = *self.waiting.entry(key.clone()).or_insert(now);
        1.0 / (1.0 + now.duration_since(since).as_secs_f64() / 60.0)
    }
}

fn until_then(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

fn differs(now: Duration, wanted: Duration) -> bool {
    now.abs_diff(wanted).as_secs_f64() > now.as_secs_f64() * SAME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_turn_is_used_once_and_not_when_it_is_half_over() {
        let (mut mine, now, web) = (Mine::default(), clock::now(), key("web"));
        let slot = now + Duration::from_secs(5);
        mine.slots.insert(web.clone(), slot);
        assert_eq!(mine.turn(&web, now), Some(Turn::At(slot)));
        assert_eq!(mine.turn(&web, slot), Some(Turn::Now));
        assert_eq!(mine.turn(&web, slot), None);
        mine.slots.insert(web.clone(), slot);
        assert_eq!(mine.turn(&web, slot + Duration::from_millis(1_300)), None);
    }

    #[test]
    fn who_waits_longer_asks_more_often() {
        let (mut mine, now) = (Mine::default(), clock::now());
        let first = mine.waits(&key("a"), now);
        let later = mine.waits(&key("a"), now + Duration::from_mins(9));
        assert!(first > 0.99 && later < 0.11, "{first} {later}");
        assert!(mine.waits(&key("b"), now + Duration::from_mins(9)) > 0.99);
    }
}
