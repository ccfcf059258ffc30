//! The brakes of one agent: what it does not do at once although the plan is right, and until when.
//!
//! Each of the four is a part by itself; here they hear what happens to pods, EIPs and records. All is memory of this
//! process: after a restart the agent begins to count anew.

use std::collections::HashMap;

use crate::clock::Instant;
use crate::domain::ids::{Key, Uid};

mod giving;
mod hold;
mod life;
mod owners;
mod patience;
mod storm;
mod waiting;

pub use hold::{Hold, Why};
use life::Life;
pub use owners::Owners;
pub use patience::{PATIENCE, Patience};
pub use storm::{Outbreak, Storm};
pub use waiting::Waiting;

#[derive(Clone, Debug, Default)]
pub struct Brakes {
    lives: HashMap<Key, Life>,
    waiting: Waiting,
    patience: Patience,
    owners: Owners,
    storm: Storm,
}

/// A pod of this node that asks for an EIP.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub key: &'a Key,
    pub pod: &'a Uid,
    /// Uid of its controller.
    pub owner: Option<&'a Uid>,
    pub has_ip: bool,
}

impl Brakes {
    /// What stands now: since when the pod has its EIP, if it has one. To be told at each plan, but not while an Allocate
    /// for it is under way. Gives the names that were held and may be planned for again.
    pub fn seen(&mut self, pod: &Asker<'_>, eip: Option<Instant>, now: Instant) -> Vec<Key> {
        if self.is_another(pod) {
            self.end(pod.key, now);
        }
        let turn = self.life(pod).sees(pod.has_ip, eip.is_some());
        if turn.got_ip {
            self.waiting.works();
        }
        if let Some(since) = eip.filter(|_| !pod.has_ip) {
            let since = if turn.lost_ip { now } else { since };
            self.waiting.waits(pod.key, since);
            self.patience.waits(pod.pod, since);
        } else {
            self.waiting.ended(pod.key);
            self.patience.ended(pod.pod);
        }
        if let Some(owner) = pod.owner.filter(|_| turn.in_vain) {
            self.owners.ended_without_ip(owner, now);
        }
        self.waiting.freed(now)
    }

    /// The pod is gone, has finished, or asks no more. Gives the names that were held and may be planned for again.
    pub fn left(&mut self, key: &Key, now: Instant) -> Vec<Key> {
        self.end(key, now);
        self.waiting.freed(now)
    }

    /// Whether the pod's record may be created; if not, the pod's own address is what to wait for.
    pub fn may_create(&self, pod: &Asker<'_>) -> bool {
        pod.has_ip || !self.patience.needs_ip_first(pod.pod)
    }

    /// Whether an EIP may be asked for now. A pod that has its address is never held: its EIP is not in vain.
    pub fn may_allocate(&mut self, pod: &Asker<'_>, now: Instant) -> Result<(), Hold> {
        let hold = |why| move |until| Hold { until, why };
        if pod.has_ip {
            return Ok(());
        }
        if !self.may_create(pod) {
            return Err(hold(Why::AddressFirst)(now + PATIENCE));
        }
        if let Some(owner) = pod.owner {
            let may = self.owners.may_allocate(owner, now);
            may.map_err(hold(Why::OwnerBurns))?;
        }
        let may = self.waiting.may_allocate(pod.key, now);
        may.map_err(hold(Why::NodeWaits))
    }

    /// An Allocate for the pod begins.
    pub fn allocating(&mut self, pod: &Asker<'_>, now: Instant) {
        self.life(pod).asks();
        if !pod.has_ip {
            self.waiting.waits(pod.key, now);
        }
        if let Some(owner) = pod.owner {
            self.owners.allocated(owner, now);
        }
    }

    fn is_another(&self, pod: &Asker<'_>) -> bool {
        let life = self.lives.get(pod.key);
        life.is_some_and(|life| life.pod != *pod.pod)
    }

    fn life(&mut self, pod: &Asker<'_>) -> &mut Life {
        let lives = self.lives.entry(pod.key.clone());
        lives.or_insert_with(|| Life::new(pod))
    }

    fn end(&mut self, key: &Key, now: Instant) {
        let Some(life) = self.lives.remove(key) else {
            return;
        };
        self.waiting.ended(key);
        self.patience.forget(&life.pod);
        if let Some(owner) = life.owner.as_ref().filter(|_| life.ends_in_vain()) {
            self.owners.ended_without_ip(owner, now);
        }
    }
}

#[cfg(test)]
mod tests;
