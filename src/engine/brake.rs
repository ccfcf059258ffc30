//! The last defence against a hot loop: no step of one name again and again, whatever the plan says.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Instant;

/// So many at once, then one in each `REFILL`.
const BURST: u32 = 8;
const REFILL: Duration = Duration::from_secs(5);

/// One name's steps by kind: the instant at which all of its burst is free again.
#[derive(Default)]
pub struct Brake(HashMap<&'static str, Instant>);

impl Brake {
    /// Counts a step; when it may be begun, if not now (then it is not counted).
    pub fn press(&mut self, step: &'static str, now: Instant) -> Option<Instant> {
        let full = self.0.entry(step).or_insert(now);
        let next = (*full).max(now) + REFILL;
        let due = next.checked_sub(REFILL * BURST).unwrap_or(now);
        if due > now {
            return Some(due);
        }
        *full = next;
        None
    }
}
