//! An owner whose pods come and go without an address burns EIPs: it gets one a minute.
//!
//! Such as a `ReplicaSet` whose pods the kubelet refuses one after the other. The owner is the pod's controller.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Instant;
use crate::domain::ids::Uid;

/// So many allocations in `WINDOW` that ended without an address slow their owner down.
pub const BURNT: usize = 5;
pub const WINDOW: Duration = Duration::from_mins(10);
/// One in so long is what it gets then.
pub const INTERVAL: Duration = Duration::from_mins(1);
/// Owners that are remembered, as many as have pods on one node. Beyond it, one that has burnt little goes.
pub const OWNERS: usize = 256;

/// Owners by uid.
#[derive(Clone, Debug, Default)]
pub struct Owners(HashMap<Uid, Owner>);

#[derive(Clone, Debug, Default)]
struct Owner {
    /// The last `BURNT` ends, oldest first.
    ends: VecDeque<Instant>,
    allocated: Option<Instant>,
}

impl Owners {
    /// An allocation for a pod of this owner ended, and the pod never had an address.
    pub fn ended_without_ip(&mut self, owner: &Uid, now: Instant) {
        let ends = &mut self.owner(owner, now).ends;
        ends.push_back(now);
        if ends.len() > BURNT {
            ends.pop_front();
        }
    }

    /// An allocation begins for a pod of this owner.
    pub fn allocated(&mut self, owner: &Uid, now: Instant) {
        self.owner(owner, now).allocated = Some(now);
    }

    /// Whether a pod of this owner that has no address may get an EIP now; else when.
    pub fn may_allocate(&self, owner: &Uid, now: Instant) -> Result<(), Instant> {
        let Some(owner) = self.0.get(owner) else {
            return Ok(());
        };
        let (Some(slow), Some(last)) = (owner.slow_until(), owner.allocated) else {
            return Ok(());
        };
        let due = slow.min(last + INTERVAL);
        if due <= now { Ok(()) } else { Err(due) }
    }

    fn owner(&mut self, owner: &Uid, now: Instant) -> &mut Owner {
        if self.0.len() >= OWNERS && !self.0.contains_key(owner) {
            self.make_room(now);
        }
        self.0.entry(owner.clone()).or_default()
    }

    /// Forgets owners of whom nothing counts any more, and one more if there are too many all the same.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, owner| owner.counts(now));
        if self.0.len() < OWNERS {
            return;
        }
        let least = self.0.iter().min_by_key(|(_, owner)| owner.weight());
        if let Some(least) = least.map(|(uid, _)| uid.clone()) {
            self.0.remove(&least);
        }
    }
}

impl Owner {
    /// Until when it is slow, if no more allocations end so.
    fn slow_until(&self) -> Option<Instant> {
        let first = self.ends.front().filter(|_| self.ends.len() == BURNT);
        first.map(|first| *first + WINDOW)
    }

    fn counts(&self, now: Instant) -> bool {
        let end = self.ends.back().is_some_and(|end| *end + WINDOW > now);
        end || self.allocated.is_some_and(|at| at + INTERVAL > now)
    }

    /// Who burns is remembered longest, then who did anything last.
    fn weight(&self) -> (usize, Option<Instant>) {
        let newest = self.ends.back().copied().max(self.allocated);
        (self.ends.len(), newest)
    }
}

#[cfg(test)]
mod tests;
