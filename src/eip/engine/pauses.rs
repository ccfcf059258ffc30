//! How long to wait when nothing may be done now.

use std::time::Duration;

use super::super::step::Pause;
use super::Engine;
use crate::clock::Instant;
use crate::domain::ids::Key;

/// The name of an earlier pod's record comes free within seconds; nothing tells us when.
const NAME_TAKEN: Duration = Duration::from_secs(1);
const NOT_OURS: Duration = Duration::from_secs(15);
const CRD_TERMINATING: Duration = Duration::from_secs(10);
/// What somebody did in the console may last.
const ELSEWHERE: Duration = Duration::from_mins(1);
const WRONG_ACCOUNT: Duration = Duration::from_mins(5);

impl Engine {
    pub(super) fn pause(&mut self, key: &Key, why: &Pause, now: Instant) {
        self.looks.cancel(key);
        self.reporter
            .paused(key, self.names.get(key).map(|name| &name.memory), why);
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        let until = match why {
            Pause::NameTaken => {
                name.memory.lost_record();
                now + NAME_TAKEN
            }
            Pause::NotOurs => {
                name.memory.lost_record();
                now + NOT_OURS
            }
            Pause::InFlight => name.memory.in_flight_until(now).unwrap_or(now),
            Pause::CrdTerminating => {
                if self
                    .crd
                    .is_some_and(|(asked, _)| now.duration_since(asked) >= CRD_TERMINATING)
                {
                    self.crd = None;
                }
                name.memory.crd_forget();
                now + CRD_TERMINATING
            }
            Pause::HeldOff => name.memory.held_off_until(now).unwrap_or(now),
            Pause::AwaitTombstone => name.memory.await_tombstone(now),
            Pause::SecondLook => name.memory.second_look_at().unwrap_or(now),
            Pause::Elsewhere { .. } => now + ELSEWHERE,
            Pause::WrongAccount { .. } => now + WRONG_ACCOUNT,
        };
        // Never in the past: a pause is a pause, whatever the facts say.
        let until = until.max(now + Duration::from_millis(100));
        self.set_alarm(key, until);
    }
}
