//! Whom to plan for next: names in the order in which they became due, and names whose time comes.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::clock::Instant;
use crate::domain::ids::Key;

#[derive(Default)]
pub struct Agenda {
    due: VecDeque<Key>,
    queued: HashSet<Key>,
    /// One at most for each name.
    alarms: BTreeSet<(Instant, Key)>,
    alarm_of: HashMap<Key, Instant>,
}

impl Agenda {
    /// Something may have changed for this name: plan for it soon.
    pub fn touch(&mut self, key: &Key) {
        if self.queued.insert(key.clone()) {
            self.due.push_back(key.clone());
        }
    }

    /// A step has ended: its name goes on before others begin, so that of many at once half are served in half the time.
    pub fn touch_first(&mut self, key: &Key) {
        if self.queued.insert(key.clone()) {
            self.due.push_front(key.clone());
        }
    }

    /// The name to plan for now.
    pub fn next(&mut self) -> Option<Key> {
        let key = self.due.pop_front()?;
        self.queued.remove(&key);
        Some(key)
    }

    /// The name is due at that time, and not at the one that was set before.
    pub fn set_alarm(&mut self, key: &Key, at: Instant) {
        self.set_alarm_to(key, Some(at));
    }

    /// The same; `None`: at no time.
    pub fn set_alarm_to(&mut self, key: &Key, at: Option<Instant>) {
        let old = match at {
            Some(at) => self.alarm_of.insert(key.clone(), at),
            None => self.alarm_of.remove(key),
        };
        if let Some(old) = old {
            self.alarms.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.alarms.insert((at, key.clone()));
        }
    }

    /// When the next name's time comes.
    pub fn next_alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// All names whose time has come are due.
    pub fn ring(&mut self, now: Instant) {
        while self.next_alarm().is_some_and(|at| at <= now) {
            if let Some((_, key)) = self.alarms.pop_first() {
                self.alarm_of.remove(&key);
                self.touch(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    fn key(name: &str) -> Key {
        Key {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_name_is_due_once_and_one_that_goes_on_comes_first() {
        let mut agenda = Agenda::default();
        for name in ["a", "b", "a"] {
            agenda.touch(&key(name));
        }
        agenda.touch_first(&key("c"));
        let order: Vec<_> = std::iter::from_fn(|| agenda.next()).collect();
        assert_eq!(order, [key("c"), key("a"), key("b")]);
    }

    #[test]
    fn the_last_alarm_of_a_name_counts() {
        let (mut agenda, now) = (Agenda::default(), clock::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        agenda.set_alarm(&key("a"), at(1));
        agenda.set_alarm(&key("a"), at(3));
        agenda.set_alarm(&key("b"), at(2));
        agenda.set_alarm_to(&key("b"), None);
        assert_eq!(agenda.next_alarm(), Some(at(3)));
        agenda.ring(at(2));
        assert_eq!(agenda.next(), None);
        agenda.ring(at(3));
        assert_eq!((agenda.next(), agenda.next_alarm()), (Some(key("a")), None));
    }
}
