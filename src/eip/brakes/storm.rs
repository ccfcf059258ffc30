//! Many records deleted at once under living pods are a mistake until it has lasted: `kubectl delete podeips --all`.
//!
//! A tombstone can't be undone, but what it stands for can wait, so that somebody may still act (stop what deletes, make
//! the EIPs fast, move users away). A single tombstone waits until it is clear that it is none of many.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Instant;
use crate::domain::ids::Key;

/// More than so many tombstones, and more than half of the living pods' records.
pub const FEW: usize = 3;
/// Within so long.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Nothing is given back for so long.
pub const HOLD: Duration = Duration::from_mins(10);

/// Tombstones of records whose pods live.
#[derive(Clone, Debug, Default)]
pub struct Storm {
    recent: HashMap<Key, Instant>,
    /// When the newest storm was seen to be one.
    began: Option<Instant>,
}

/// To be said once, loudly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outbreak {
    pub tombstones: usize,
    pub living: usize,
    pub until: Instant,
}

impl Storm {
    /// A living pod's record has been a tombstone since then; `living` is how many records of living pods there are,
    /// tombstones included. The same tombstone may be told again, with the same `since`.
    pub fn tombstone(
        &mut self,
        key: &Key,
        since: Instant,
        living: usize,
        now: Instant,
    ) -> Option<Outbreak> {
        self.recent.retain(|_, since| *since + WINDOW > now);
        let of_the_last = self.began.is_some_and(|began| since <= began);
        if of_the_last || since + WINDOW <= now {
            return None;
        }
        self.recent.insert(key.clone(), since);
        let tombstones = self.recent.len();
        if tombstones <= FEW || tombstones * 2 <= living {
            return None;
        }
        self.began = Some(now);
        self.recent.clear(); // what comes later is to make a storm of its own before it prolongs this one
        Some(Outbreak {
            tombstones,
            living,
            until: now + HOLD,
        })
    }

    /// Until when nothing is given back.
    pub fn holds(&self, now: Instant) -> Option<Instant> {
        let until = self.began.map(|began| began + HOLD);
        until.filter(|until| *until > now)
    }

    /// Whether the EIP of a living pod's tombstone may be given back now; else when to ask again.
    pub fn may_give_back(
        &self,
        since: Instant,
        living: usize,
        now: Instant,
    ) -> Result<(), Instant> {
        let clear = since + WINDOW;
        match self.holds(now) {
            Some(until) => Err(until),
            None if living > FEW && clear > now => Err(clear),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
