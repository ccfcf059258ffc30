//! The account's quota, shared by the whole fleet: a clock per action whose numbers agents take while the cloud
//! throttles, and the breaker that tells all of them at once that the account has no more EIPs.
//!
//! In quiet times nothing is asked but, before an Allocate, whether the breaker is open. The pace is advice: where its
//! objects are not there, or not to be read, calls go as if it were quiet, for the cloud itself refuses what is too much.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{self, Clock, Instant};
use crate::domain::ids::Key;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;

mod breaker;
mod gate;
pub(crate) mod object;
mod queue;
pub(crate) mod state;

use breaker::Reason;
use object::Object;
use queue::{Queue, Turn};
use state::State;

/// What is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Allocate,
    Associate,
    Unassociate,
}

/// Whether a call may be made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Ask again then. `why` is for the pod's Event, where there is something to say.
    Later {
        at: Instant,
        why: Option<String>,
    },
}

/// Why nobody of the fleet allocates now, with the cloud's text; `None`: nothing is in the way, as far as its object tells.
pub async fn closed(kube: &Kube, now: Timestamp) -> Result<Option<String>, KubeError> {
    let state = Object::new(kube.clone(), Action::Allocate.name())
        .get()
        .await?;
    let breaker = state.and_then(|state| state.breaker);
    let open = breaker.filter(|breaker| breaker.holds(now));
    Ok(open.map(|breaker| breaker.text()))
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    Accepted,
    Throttled,
    /// With the cloud's text.
    Quota(String),
    FrequentPurchase(String),
    Other,
}

/// This agent's part in the pace; clones share it.
#[derive(Clone)]
pub struct Pace {
    shared: Arc<Shared>,
}

struct Shared {
    kube: Kube,
    clock: Clock,
    agent: String,
    actions: Mutex<HashMap<Action, Mine>>,
}

/// What this agent knows of one action.
#[derive(Default)]
struct Mine {
    queue: Queue,
    /// Numbers are taken until then: the cloud has throttled us, or others say that it does.
    numbers_until: Option<Instant>,
    read: Option<(Instant, Option<State>)>,
    /// Numbers taken so far: the mark has to differ each time.
    taken: u64,
    /// When the probe was last moved forward by a Release of ours.
    freed: Option<Instant>,
}

/// How long what was read of the breaker counts.
const BELIEVED: Duration = Duration::from_secs(5);
/// After the last refusal.
const BUSY: Duration = Duration::from_mins(2);
/// Between two tries of a name that is not next, or that met a conflict.
const SOON: Duration = Duration::from_millis(250);
/// An admission that took longer is worth another look at what it is for.
const SLOW: Duration = Duration::from_secs(1);
/// No epoch: a slot that needs no clock.
const ANY: i64 = -1;
impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Allocate => "allocate",
            Self::Associate => "associate",
            Self::Unassociate => "unassociate",
        }
    }
}

impl Pace {
    /// `agent` tells this agent's numbers from another's.
    pub fn new(kube: Kube, clock: Clock, agent: &str) -> Self {
        let shared = Shared {
            kube,
            clock,
            agent: agent.to_owned(),
            actions: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Whether the call may be made now; a few requests at most, and never a wait.
    pub async fn admit(&self, action: Action, key: &Key) -> Admission {
        let begun = clock::now();
        let admission = self.ask(action, key).await;
        let now = clock::now();
        // What the caller has read is old by now: it is to read again, and then finds its turn here.
        if admission == Admission::Go && now.duration_since(begun) >= SLOW {
            self.mine(action, |mine| mine.queue.got(key, now, ANY, now));
            return Admission::Later { at: now, why: None };
        }
        admission
    }

    async fn ask(&self, action: Action, key: &Key) -> Admission {
        let asked = match self.mine(action, |mine| mine.queue.turn(key, clock::now())) {
            Turn::Now { from } => self.still_counts(action, from).await,
            Turn::At(at) => return Admission::Later { at, why: None },
            Turn::None if action == Action::Allocate => self.pass_breaker().await,
            Turn::None => Ok(None),
        };
        let asked = match asked {
            Ok(None) if self.takes_numbers(action) => self.number(action, key).await.map(Some),
            asked => asked,
        };
        match asked {
            Ok(Some(admission)) => admission,
            Ok(None) => Admission::Go,
            Err(error) => {
                tracing::debug!(%error, action = action.name(), "the pace is not to be had: going on without");
                Admission::Go
            }
        }
    }

    /// What came of a call that was admitted.
    pub async fn report(&self, action: Action, came: Came) {
        let result = match came {
            Came::Throttled => self.throttled(action).await,
            Came::Quota(text) if action == Action::Allocate => {
                self.open(Reason::Quota, &text).await
            }
            Came::FrequentPurchase(text) => self.open(Reason::FrequentPurchase, &text).await,
            Came::Accepted => self.accepted(action).await,
            Came::Quota(_) | Came::Other => Ok(()),
        };
        if let Err(error) = result {
            tracing::debug!(%error, action = action.name(), "the pace was not told");
        }
    }

    /// A slot whose turn has come: somebody may have started the clock anew since it was given.
    async fn still_counts(
        &self,
        action: Action,
        from: i64,
    ) -> Result<Option<Admission>, KubeError> {
        if from == ANY {
            return Ok(Some(Admission::Go));
        }
        let state = self.object(action).get().await?;
        let counts = state.as_ref().is_none_or(|state| state.from == from);
        self.remember(action, state);
        Ok(counts.then_some(Admission::Go))
    }

    /// Takes a number, or says when to try again.
    async fn number(&self, action: Action, key: &Key) -> Result<Admission, KubeError> {
        let now = clock::now();
        if !self.mine(action, |mine| mine.queue.is_next(key, now)) {
            return Ok(soon());
        }
        let object = self.object(action);
        let before = object.get_or_make().await?;
        let wall = self.shared.clock.wall();
        if before.is_busy(wall) {
            self.take_numbers(action);
        }
        if let Some(until) = before.full_until(wall) {
            let wait = Duration::try_from(until.duration_since(wall)).unwrap_or_default();
            let spread = before.interval().mul_f64(20.0 * fastrand::f64());
            return Ok(Admission::Later {
                at: now + wait.max(SOON) + spread,
                why: None,
            });
        }
        let mark = self.mine(action, |mine| {
            mine.taken += 1;
            format!("{}-{}", self.shared.agent, mine.taken)
        });
        let mut state = object.take(&mark).await?;
        if state.slot(state.newest, wall).is_none() {
            state = match object.start(&state, &format!("{mark}-epoch"), wall).await {
                Err(KubeError::Conflict(_)) => return Ok(soon()),
                started => started?,
            };
        }
        let slot = state.slot(state.newest, wall).unwrap_or(wall);
        let wait = Duration::try_from(slot.duration_since(wall)).unwrap_or_default();
        let from = state.from;
        self.mine(action, |mine| mine.queue.got(key, now + wait, from, now));
        self.remember(action, Some(state));
        match self.mine(action, |mine| mine.queue.turn(key, now)) {
            Turn::At(at) => Ok(Admission::Later { at, why: None }),
            Turn::Now { .. } | Turn::None => Ok(Admission::Go),
        }
    }

    async fn throttled(&self, action: Action) -> Result<(), KubeError> {
        let had_numbers = self.takes_numbers(action);
        self.take_numbers(action);
        let object = self.object(action);
        let state = object.get_or_make().await?;
        let wall = self.shared.clock.wall();
        if !state.may_rest(wall) {
            return Ok(());
        }
        let mark = format!("{}-rests", self.shared.agent);
        let rested = object.start(&state, &mark, wall + state::REST).await;
        // Refused in turn, and again: others use the account too.
        let rested = match rested {
            Ok(rested) if had_numbers && again(&state, wall) => {
                object.set_rate(&rested, rested.slower(), wall).await
            }
            rested => rested,
        };
        self.remember(action, rested.ok());
        Ok(())
    }

    async fn accepted(&self, action: Action) -> Result<(), KubeError> {
        let known = self.mine(action, |mine| {
            mine.read.as_ref().and_then(|(_, state)| state.clone())
        });
        let Some(known) = known else { return Ok(()) };
        let wall = self.shared.clock.wall();
        let slow = known.rate() < state::RATE && self.takes_numbers(action);
        if known.breaker.is_none() && !(slow && known.may_change(wall)) {
            return Ok(());
        }
        let object = self.object(action);
        let Some(state) = object.get().await? else {
            return Ok(());
        };
        let changed = if state.breaker.is_some() {
            object.set_breaker(&state, None).await
        } else if state.may_change(wall) && state.rate() < state::RATE {
            object.set_rate(&state, state.faster(), wall).await
        } else {
            Ok(state)
        };
        self.remember(action, changed.ok());
        Ok(())
    }

    /// The object, as read less than five seconds ago.
    async fn known(&self, action: Action) -> Result<Option<State>, KubeError> {
        let now = clock::now();
        let known = self.mine(action, |mine| {
            let fresh = |(at, _): &&(Instant, Option<State>)| now.duration_since(*at) < BELIEVED;
            mine.read
                .as_ref()
                .filter(fresh)
                .map(|(_, state)| state.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let state = self.object(action).get().await?;
        self.mine(action, |mine| mine.read = Some((now, state.clone())));
        Ok(state)
    }

    /// `None`: somebody else changed it; it is read again.
    fn remember(&self, action: Action, state: Option<State>) {
        let now = clock::now();
        self.mine(action, |mine| {
            mine.read = state.map(|state| (now, Some(state)));
        });
    }

    fn takes_numbers(&self, action: Action) -> bool {
        let now = clock::now();
        self.mine(action, |mine| {
            mine.numbers_until.is_some_and(|until| until > now)
        })
    }

    fn take_numbers(&self, action: Action) {
        let until = clock::now() + BUSY;
        self.mine(action, |mine| mine.numbers_until = Some(until));
        // What is allocated in a throng is bound in a throng, and at the same rate.
        if action == Action::Allocate {
            self.mine(Action::Associate, |mine| mine.numbers_until = Some(until));
        }
    }

    fn object(&self, action: Action) -> Object {
        Object::new(self.shared.kube.clone(), action.name())
    }

    fn mine<T>(&self, action: Action, look: impl FnOnce(&mut Mine) -> T) -> T {
        let mut all: MutexGuard<'_, HashMap<Action, Mine>> = self
            .shared
            .actions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(all.entry(action).or_default())
    }
}

/// Whether numbers have been taken for a whole minute: what was used up before they were is not what refuses them.
fn again(state: &State, wall: Timestamp) -> bool {
    let minute = state
        .epoch
        .is_some_and(|epoch| epoch + Duration::from_mins(1) <= wall);
    minute && state.may_change(wall)
}

fn soon() -> Admission {
    Admission::Later {
        at: clock::now() + clock::jitter(SOON, 0.5),
        why: None,
    }
}
