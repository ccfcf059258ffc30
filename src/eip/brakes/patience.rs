//! A pod that gets no address gives its EIP back, and its next one is not made before the address is there.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::clock::Instant;
use crate::domain::ids::Uid;

/// How long an EIP is kept for a pod without an address.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// By pod, for the pods that live.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    since: HashMap<Uid, Instant>,
    spent: HashSet<Uid>,
}

impl Patience {
    /// It has its EIP and no address. The first `since` of a wait counts.
    pub fn waits(&mut self, pod: &Uid, since: Instant) {
        self.since.entry(pod.clone()).or_insert(since);
    }

    /// It has its address, or no EIP any more.
    pub fn ended(&mut self, pod: &Uid) {
        self.since.remove(pod);
    }

    /// When its EIP is to be given back, if things stay as they are.
    pub fn ends(&self, pod: &Uid) -> Option<Instant> {
        self.since.get(pod).map(|since| *since + PATIENCE)
    }

    pub fn must_give_back(&self, pod: &Uid, now: Instant) -> bool {
        self.ends(pod).is_some_and(|end| end <= now)
    }

    /// Its EIP is being given back for this reason.
    pub fn gave_back(&mut self, pod: &Uid) {
        self.spent.insert(pod.clone());
    }

    /// Whether it gets no EIP before it has an address.
    pub fn needs_ip_first(&self, pod: &Uid) -> bool {
        self.spent.contains(pod)
    }

    /// The pod is gone: its uid never comes back.
    pub fn forget(&mut self, pod: &Uid) {
        self.since.remove(pod);
        self.spent.remove(pod);
    }
}

#[cfg(test)]
mod tests;
