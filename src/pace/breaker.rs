//! The breaker of Allocate: one agent finds out that the account has no more, and all know it. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Why nothing is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The account's quota of EIPs: ends when one is released or the quota raised.
    Quota,
    /// `FrequentPurchase.EIP`: the account has bought and released too often.
    FrequentPurchase,
}

/// Nothing is allocated before `until`; then one probe at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    pub until: Timestamp,
    pub reason: Reason,
    /// What the cloud said, with its `RequestId`.
    pub message: String,
    /// Probes so far.
    pub probes: u32,
}

/// Nobody may stop the fleet for longer than this.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quota => "Quota",
            Self::FrequentPurchase => "FrequentPurchase",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Quota, Self::FrequentPurchase]
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }

    /// The wait before the n-th probe.
    pub fn wait(self, probes: u32) -> Duration {
        let (first, longest) = match self {
            Self::Quota => (Duration::from_secs(30), Duration::from_mins(5)),
            Self::FrequentPurchase => (Duration::from_mins(10), Duration::from_hours(1)),
        };
        first.saturating_mul(1 << probes.min(10)).min(longest)
    }
}

impl Breaker {
    /// As it is when first opened.
    pub fn open(reason: Reason, message: &str, now: Timestamp) -> Self {
        Self {
            until: now + reason.wait(0),
            reason,
            message: message.to_owned(),
            probes: 0,
        }
    }

    /// As it is while one agent probes: the others wait for the next time.
    pub fn probed(&self, now: Timestamp) -> Self {
        let probes = self.probes.saturating_add(1);
        Self {
            until: now + self.reason.wait(probes),
            probes,
            ..self.clone()
        }
    }

    /// Whether it holds at `now`: beyond the longest wait it is nonsense.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until > now && self.until <= now + LONGEST
    }

    /// For the Event of a pod that waits.
    pub fn text(&self) -> String {
        let why = match self.reason {
            Reason::Quota => {
                "waiting for quota: ask the cloud for a higher one, or let other EIPs go"
            }
            Reason::FrequentPurchase => {
                "waiting: the cloud calls the account's purchases of EIPs too frequent"
            }
        };
        format!(
            "{why}; it is tried again from time to time. {}",
            self.message
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_become_rarer_up_to_a_limit() {
        let seconds = |reason: Reason| [0, 1, 2, 3, 4, 40].map(|n| reason.wait(n).as_secs());
        assert_eq!(seconds(Reason::Quota), [30, 60, 120, 240, 300, 300]);
        assert_eq!(
            seconds(Reason::FrequentPurchase),
            [600, 1200, 2400, 3600, 3600, 3600]
        );
    }

    #[test]
    fn nobody_stops_the_fleet_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let breaker = Breaker::open(Reason::Quota, "", now);
        assert!(breaker.holds(now) && !breaker.holds(breaker.until));
        let thief = Breaker {
            until: "2100-01-01T00:00:00Z".parse().unwrap(),
            ..breaker
        };
        assert!(!thief.holds(now));
    }
}
