//! One agent's own calls of one action: who has a slot, and whose namespace is next. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::state::GRACE;
use crate::clock::Instant;
use crate::domain::ids::Key;

/// A name that has not asked for so long does not wait any more.
const FORGOTTEN: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub struct Queue {
    /// Slots taken, each for one call, with the epoch that they were counted from.
    slots: HashMap<Key, (Instant, i64)>,
    /// When each waiting name last asked.
    waiting: HashMap<Key, Instant>,
    /// When each namespace was last served.
    served: BTreeMap<String, Instant>,
}

/// What a name's slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// If the clock still counts from that number.
    Now {
        from: i64,
    },
    At(Instant),
    None,
}

impl Queue {
    /// Whether the name has a slot, and when; one that has come is used up by being told, one long past is lost.
    pub fn turn(&mut self, key: &Key, now: Instant) -> Turn {
        match self.slots.get(key).copied() {
            Some((slot, _)) if slot > now => Turn::At(slot),
            Some((slot, from)) => {
                self.slots.remove(key);
                match now < slot + GRACE {
                    true => Turn::Now { from },
                    false => Turn::None,
                }
            }
            None => Turn::None,
        }
    }

    /// The name waits for a number; whether it is the one to take the next: namespaces go round.
    pub fn is_next(&mut self, key: &Key, now: Instant) -> bool {
        self.waiting.insert(key.clone(), now);
        self.waiting
            .retain(|_, asked| now.duration_since(*asked) < FORGOTTEN);
        let served = |key: &Key| self.served.get(&key.namespace).copied();
        let mine = served(key);
        self.waiting.keys().all(|other| served(other) >= mine)
    }

    /// The name has a slot now.
    pub fn got(&mut self, key: &Key, slot: Instant, from: i64, now: Instant) {
        self.waiting.remove(key);
        self.served.insert(key.namespace.clone(), now);
        self.slots.insert(key.clone(), (slot, from));
        self.slots.retain(|_, (slot, _)| now < *slot + GRACE);
        self.served
            .retain(|_, served| now.duration_since(*served) < Duration::from_hours(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn key(namespace: &str, name: &str) -> Key {
        Key {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_slot_is_used_once_and_not_too_late() {
        let (mut queue, now, web) = (Queue::default(), clock::now(), key("a", "web"));
        let slot = now + Duration::from_secs(5);
        queue.got(&web, slot, 7, now);
        assert_eq!(queue.turn(&web, now), Turn::At(slot));
        assert_eq!(queue.turn(&web, slot), Turn::Now { from: 7 });
        assert_eq!(queue.turn(&web, slot), Turn::None);
        queue.got(&web, slot, 7, now);
        assert_eq!(queue.turn(&web, slot + GRACE), Turn::None);
    }

    #[test]
    fn namespaces_take_turns_however_many_pods_one_has() {
        let (mut queue, now) = (Queue::default(), clock::now());
        let crowd: Vec<Key> = (0..50).map(|n| key("crowd", &n.to_string())).collect();
        let mut order = Vec::new();
        let mut left: Vec<Key> = crowd
            .into_iter()
            .chain([key("one", "x"), key("two", "y")])
            .collect();
        for round in 0..52 {
            let now = now + Duration::from_millis(round * 10);
            for waits in &left {
                queue.is_next(waits, now);
            }
            let next = left
                .iter()
                .position(|waits| queue.is_next(waits, now))
                .unwrap();
            let served = left.remove(next);
            queue.got(&served, now, 7, now);
            order.push(served.namespace);
        }
        assert!(
            order[..3].contains(&"one".to_owned()) && order[..3].contains(&"two".to_owned()),
            "{order:?}"
        );
    }
}
