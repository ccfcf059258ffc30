//! A living pod whose record was deleted by hand gets a new one later and later.

use std::time::Duration;

use crate::clock::Instant;
use crate::domain::ids::Uid;

/// First, and longest.
const HOLD_OFF: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));

#[derive(Clone, Debug, Default)]
pub(crate) struct HoldOff {
    pod: Option<Uid>,
    times: u32,
    until: Option<Instant>,
}

impl HoldOff {
    /// Until when that pod waits.
    pub(crate) fn until(&self, pod: Option<&Uid>, now: Instant) -> Option<Instant> {
        let same = self.pod.as_ref() == pod;
        self.until.filter(|until| *until > now && same)
    }

    pub(crate) fn again(&mut self, pod: Uid, now: Instant) {
        if self.pod.as_ref() != Some(&pod) {
            *self = Self {
                pod: Some(pod),
                ..Self::default()
            };
        }
        let (first, longest) = HOLD_OFF;
        let wait = first.saturating_mul(1 << self.times.min(10)).min(longest);
        self.times = self.times.saturating_add(1);
        self.until = Some(now + wait);
    }
}
