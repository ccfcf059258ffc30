//! Giving back: for want of an address, and because somebody deleted the record.

use super::{Brakes, Outbreak};
use crate::clock::Instant;
use crate::domain::ids::{Key, Uid};

impl Brakes {
    /// When the pod's EIP is to be given back, for it has had no address since it got it. Not asked for an EIP that
    /// outlives its pod, or that the user named.
    pub fn gives_back_at(&self, pod: &Uid) -> Option<Instant> {
        self.patience.ends(pod)
    }

    /// The tombstone of such an EIP's record is being written.
    pub fn gave_back(&mut self, key: &Key) {
        if let Some(life) = self.lives.get_mut(key) {
            life.giving_back = true;
            self.patience.gave_back(&life.pod);
            self.waiting.gave_up();
        }
    }

    /// The record of a pod that lives and would keep it is a tombstone since then, as somebody else wanted; `living` is
    /// how many records of pods that live there are, tombstones included. May be told again. An outbreak is to be said.
    pub fn tombstone(
        &mut self,
        key: &Key,
        since: Instant,
        living: usize,
        now: Instant,
    ) -> Option<Outbreak> {
        if self.is_own(key) {
            return None;
        }
        self.storm.tombstone(key, since, living, now)
    }

    /// Whether the EIP of such a tombstone may be unbound and given back; else when to ask again.
    pub fn may_give_back(
        &self,
        key: &Key,
        since: Instant,
        living: usize,
        now: Instant,
    ) -> Result<(), Instant> {
        if self.is_own(key) {
            return Ok(());
        }
        self.storm.may_give_back(since, living, now)
    }

    /// The record is a tombstone because we give the EIP back.
    fn is_own(&self, key: &Key) -> bool {
        self.lives.get(key).is_some_and(|life| life.giving_back)
    }
}
