//! Names that are to be planned for again at a time.

use super::Engine;
use crate::clock::Instant;
use crate::domain::ids::Key;

impl Engine {
    pub(super) fn set_alarm(&mut self, key: &Key, at: Instant) {
        self.set_alarm_to(key, Some(at));
    }

    pub(super) fn set_alarm_to(&mut self, key: &Key, at: Option<Instant>) {
        let Some(name) = self.names.get_mut(key) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut name.alarm, at) {
            self.alarms.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.alarms.insert((at, key.clone()));
        }
    }

    pub(super) fn ring(&mut self, now: Instant) {
        while let Some((at, key)) = self.alarms.first().cloned().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&(at, key.clone()));
            if let Some(name) = self.names.get_mut(&key) {
                name.alarm = None;
            }
            self.touch(&key);
        }
    }
}
