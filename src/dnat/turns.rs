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
    waiting: HashMap<Key, Waits>,
    /// The queue was full: nobody of this agent asks before then.
    not_before: Option<Instant>,
    taken: u64,
    state: Option<State>,
}

/// A name without a turn.
struct Waits {
    what: What,
    since: Instant,
    /// When it last asked.
    asked: Instant,
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
/// A name that is not next looks again whether it is; that costs nobody a call.
const LOCAL: Duration = Duration::from_secs(1);
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

    /// The name's turn at the table.
    pub fn of(&self, table: &str, key: &Key, now: Instant) -> Turn {
        self.mine(table, |mine| mine.turn(key, now))
    }

    /// When the name is to ask for a turn: of this agent's names one at a time does, those that give back first. `None`: now.
    pub fn ask_at(&self, table: &str, what: What, key: &Key, now: Instant) -> Option<Instant> {
        self.mine(table, |mine| mine.ask_at(what, key, now))
    }

    /// The turn is used; when it began.
    pub fn begin(&self, table: &str, key: &Key) -> Option<Instant> {
        self.mine(table, |mine| mine.slots.remove(key))
    }

    /// The cloud has changed nothing: the rest of the turn may serve for another try.
    pub fn unused(&self, table: &str, key: &Key, began: Option<Instant>) {
        if let Some(began) = began {
            self.mine(table, |mine| mine.slots.insert(key.clone(), began));
        }
    }

    /// Takes a number, or finds that it is too early to: then the name asks again when [`Self::ask_at`] says so.
    pub async fn take(&self, table: &str, what: What, key: &Key) {
        if let Err(error) = self.number(table, what, key).await {
            tracing::debug!(%error, table, "no turn is to be had: going on without");
            let now = clock::now();
            self.mine(table, |mine| mine.got(key, now));
        }
    }

    async fn number(&self, table: &str, what: What, key: &Key) -> Result<(), KubeError> {
        let (now, wall) = (clock::now(), self.shared.clock.wall());
        let object = self.object(table);
        let before = object.get_or_make().await?;
        let horizon = match what {
            What::Make => HORIZON.0,
            What::Remove => HORIZON.1,
        };
        if let Some(until) = before.full_within(horizon, wall) {
            let spread = before.interval().mul_f64(SPREAD * fastrand::f64());
            let until = now + until_then(wall, until).max(SOON);
            self.mine(table, |mine| mine.is_full(key, until, spread, now));
            return Ok(());
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
                Err(KubeError::Conflict(_)) => {
                    let soon = now + clock::jitter(SOON, 0.5);
                    self.mine(table, |mine| mine.not_before = Some(soon));
                    return Ok(());
                }
                started => started?,
            };
            slot = state.slot(state.newest, wall);
        }
        let at = now + until_then(wall, slot.unwrap_or(wall));
        self.mine(table, |mine| {
            mine.got(key, at);
            mine.state = Some(state);
        });
        Ok(())
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

/// A name's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Now,
    At(Instant),
    /// It has none yet.
    None,
}

impl Mine {
    /// One that is half over is lost.
    fn turn(&mut self, key: &Key, now: Instant) -> Turn {
        let Some(slot) = self.slots.get(key).copied() else {
            return Turn::None;
        };
        let length = self.state.as_ref().map_or(UNKNOWN, State::interval);
        if slot > now {
            Turn::At(slot)
        } else if now < slot + length / 2 {
            Turn::Now
        } else {
            self.slots.remove(key);
            Turn::None
        }
    }

    fn ask_at(&mut self, what: What, key: &Key, now: Instant) -> Option<Instant> {
        let forgotten = |waits: &Waits| now.duration_since(waits.asked) >= FORGOTTEN;
        self.waiting.retain(|_, waits| !forgotten(waits));
        let mine = self.waiting.entry(key.clone()).or_insert(Waits {
            what,
            since: now,
            asked: now,
        });
        (mine.what, mine.asked) = (what, now);
        let rank = |waits: &Waits| (waits.what == What::Make, waits.since);
        let first = rank(mine);
        let is_next = self.waiting.values().all(|other| rank(other) >= first);
        let at = match is_next {
            true => self.not_before.filter(|at| *at > now)?,
            false => now + clock::jitter(LOCAL, 0.5),
        };
        Some(at)
    }

    fn got(&mut self, key: &Key, at: Instant) {
        self.waiting.remove(key);
        self.slots.insert(key.clone(), at);
        self.not_before = None;
    }

    /// The queue is full until then; who has waited longer asks again sooner.
    fn is_full(&mut self, key: &Key, until: Instant, spread: Duration, now: Instant) {
        let since = self.waiting.get(key).map_or(now, |waits| waits.since);
        let waited = now.duration_since(since).as_secs_f64();
        self.not_before = Some(until + spread.div_f64(1.0 + waited / 60.0));
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
    fn a_turn_is_lost_when_it_is_half_over() {
        let (mut mine, now, web) = (Mine::default(), clock::now(), key("web"));
        let slot = now + Duration::from_secs(5);
        mine.got(&web, slot);
        assert_eq!(mine.turn(&web, now), Turn::At(slot));
        assert_eq!(mine.turn(&web, slot), Turn::Now);
        let late = slot + Duration::from_millis(1_300);
        assert_eq!(mine.turn(&web, late), Turn::None);
    }

    #[test]
    fn one_name_asks_at_a_time_and_who_gives_back_comes_first() {
        let (mut mine, now) = (Mine::default(), clock::now());
        let later = now + Duration::from_secs(1);
        assert_eq!(mine.ask_at(What::Make, &key("first"), now), None);
        assert!(mine.ask_at(What::Make, &key("second"), later).is_some());
        assert_eq!(mine.ask_at(What::Remove, &key("gone"), later), None);
        assert!(mine.ask_at(What::Make, &key("first"), later).is_some());
        mine.got(&key("gone"), later);
        assert_eq!(mine.ask_at(What::Make, &key("first"), later), None);
    }

    #[test]
    fn who_waits_longer_asks_more_often() {
        let (mut mine, now) = (Mine::default(), clock::now());
        let (minute, spread) = (Duration::from_mins(1), Duration::from_secs(10));
        mine.ask_at(What::Make, &key("a"), now);
        mine.is_full(&key("a"), now, spread, now);
        let first = mine.not_before.unwrap() - now;
        let then = now + minute * 9;
        mine.is_full(&key("a"), then, spread, then);
        let later = mine.not_before.unwrap() - then;
        assert!(
            first == spread && later <= spread / 9,
            "{first:?} {later:?}"
        );
        assert!(mine.ask_at(What::Make, &key("a"), then).is_some());
    }
}
