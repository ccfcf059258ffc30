//! Few EIPs at a time for pods that have no address: where the network is broken, EIPs are bought for nothing.
//!
//! An EIP waits from the moment it is asked for until its pod has an address. Three that have waited for 10 s shut the
//! brake: other pods get their EIP when they have their own address, which costs them a second or two.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::patience::PATIENCE;
use crate::clock::Instant;
use crate::domain::ids::Key;

/// So many EIPs may wait long at a time.
pub const LIMIT: usize = 3;
/// Longer than this is long.
pub const LONG: Duration = Duration::from_secs(10);
/// Nothing that is known will change the answer: look again.
const AGAIN: Duration = Duration::from_secs(10);

/// The EIPs of this node whose pods have no address.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    since: HashMap<Key, Instant>,
    /// One was given back for want of an address, and no pod has got one since: the freed places are for trying, and
    /// the EIPs that have not waited long count too. Else all the others would be bought at once, in vain.
    distrust: bool,
    held: BTreeSet<Key>,
}

impl Waiting {
    /// An EIP is there or asked for, and its pod has no address. The first `since` of a wait counts.
    pub fn waits(&mut self, key: &Key, since: Instant) {
        self.held.remove(key);
        self.since.entry(key.clone()).or_insert(since);
    }

    /// A pod has just got its address: it can be done.
    pub fn works(&mut self) {
        self.distrust = false;
    }

    /// The pod has its address, or the EIP is no more, or the pod.
    pub fn ended(&mut self, key: &Key) {
        self.since.remove(key);
        self.held.remove(key);
    }

    /// An EIP is given back because its pod got no address.
    pub fn gave_up(&mut self) {
        self.distrust = true;
    }

    /// Whether this pod, which has no address, may get an EIP now; else when to ask again, unless [`Self::freed`] or the
    /// pod's own address comes first.
    pub fn may_allocate(&mut self, key: &Key, now: Instant) -> Result<(), Instant> {
        if !self.is_shut(Some(key), now) {
            return Ok(());
        }
        self.held.insert(key.clone());
        // Time alone frees a place only by the patience with one of them coming to its end.
        let ends = self.since.values().map(|since| *since + PATIENCE);
        let next = ends.filter(|end| *end > now).min();
        Err(next.unwrap_or(now + AGAIN))
    }

    /// The names that were told to wait, once they may ask again; empty while the brake is shut.
    pub fn freed(&mut self, now: Instant) -> Vec<Key> {
        if self.held.is_empty() || self.is_shut(None, now) {
            return Vec::new();
        }
        std::mem::take(&mut self.held).into_iter().collect()
    }

    fn is_shut(&self, asker: Option<&Key>, now: Instant) -> bool {
        let counts = |since: Instant| self.distrust || since + LONG <= now;
        let others = self.since.iter().filter(|(key, _)| Some(*key) != asker);
        others.filter(|(_, since)| counts(**since)).count() >= LIMIT
    }
}

#[cfg(test)]
mod tests;
