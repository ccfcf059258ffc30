//! When to look: how long the cloud takes to settle a change is learned, so that one look is enough for most.

use std::time::Duration;

/// How long a kind of change takes, between the longest wait that was too short and the shortest that was enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settle {
    known: Option<Span>,
    /// Changes in a row that one look was enough for: it might have been asked earlier.
    hits: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    too_short: Duration,
    enough: Duration,
}

/// The first look while nothing is known, and the steps after it (Terway's experience: one to five seconds).
const FIRST: Duration = Duration::from_secs(1);
const UNKNOWN: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);
/// After so many hits in a row one look is spent to see whether the cloud has become quicker.
const PROBE: u32 = 16;

impl Settle {
    /// How long after the change was accepted to look next, when a look after `missed` came too early.
    pub fn next(&self, missed: Option<Duration>) -> Duration {
        let missed = missed.unwrap_or(Duration::ZERO);
        match self.known {
            Some(span) if missed.is_zero() && self.hits >= PROBE => span.enough / 2,
            Some(span) if missed < span.aim() => span.aim(),
            Some(span) if missed < span.enough => span.sure(),
            // A near miss: the clock starts at our answer, and answers take more or less long.
            Some(span) if missed < span.enough + span.enough / 10 => {
                missed + (missed / 20).max(SHORTEST)
            }
            Some(_) => missed + step_after(missed),
            None if missed.is_zero() => FIRST,
            None => missed + UNKNOWN.max(step_after(missed)),
        }
    }

    /// Whether anything has been learned.
    pub fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// The shortest wait that was enough.
    pub fn enough(&self) -> Option<Duration> {
        self.known.map(|span| span.enough)
    }

    /// A look after `enough` saw it settled, one after `too_short` had not (zero: there was none).
    pub fn learn(&mut self, too_short: Duration, enough: Duration) {
        let seen = Span { too_short, enough };
        let probed = self.hits >= PROBE;
        self.hits = match too_short.is_zero() && !probed {
            true => self.hits + 1,
            false => 0,
        };
        self.known = Some(match self.known {
            Some(old) if probed && too_short.is_zero() => Span {
                too_short: Duration::ZERO,
                enough: old.enough.min(enough),
            },
            Some(old) if old.agrees(seen) => Span {
                too_short: old.too_short.max(too_short),
                enough: old.enough.min(enough),
            },
            _ => seen,
        });
    }
}

/// A fifth of what has gone by: few looks for slow changes, quick ones for quick changes.
fn step_after(missed: Duration) -> Duration {
    (missed / 5).clamp(SHORTEST, LONGEST)
}

impl Span {
    /// The middle, until the span is narrow: each change then halves what is not known. Then a little is left for
    /// answers that take longer.
    fn aim(self) -> Duration {
        let open = self.enough.saturating_sub(self.too_short);
        if open * 100 > self.enough {
            self.too_short + open / 2
        } else {
            self.sure()
        }
    }

    fn sure(self) -> Duration {
        self.enough + (self.enough / 200).max(Duration::from_millis(5))
    }

    fn agrees(self, other: Self) -> bool {
        other.too_short < self.enough && self.too_short < other.enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays changes that take `settle` each; gives the looks and the delay of the last one.
    fn play(learned: &mut Settle, settle: Duration) -> (usize, Duration) {
        let (mut looks, mut missed) = (0, None);
        loop {
            let at = learned.next(missed);
            looks += 1;
            if at >= settle {
                learned.learn(missed.unwrap_or_default(), at);
                return (looks, at.checked_sub(settle).unwrap());
            }
            missed = Some(at);
        }
    }

    #[test]
    fn a_steady_cloud_soon_takes_one_look_with_little_delay() {
        let settle = Duration::from_millis(2003);
        let mut learned = Settle::default();
        let runs: Vec<_> = (0..20).map(|_| play(&mut learned, settle)).collect();
        assert!(
            runs[..8].iter().map(|run| run.0).sum::<usize>() <= 22,
            "{runs:?}"
        );
        let probes = runs[10..].iter().filter(|run| run.0 > 1).count();
        assert!(probes <= 1, "{runs:?}");
        let late = runs[10..]
            .iter()
            .filter(|run| run.1 >= Duration::from_millis(40));
        assert_eq!(late.count(), 0, "{runs:?}");
    }

    #[test]
    fn a_change_of_pace_is_followed_both_ways() {
        let mut learned = Settle::default();
        for settle in [2000, 2000, 2000, 5000, 5000, 5000, 5000] {
            let (looks, _) = play(&mut learned, Duration::from_millis(settle));
            assert!(looks <= 9, "{settle}: {looks}");
        }
        for _ in 0..60 {
            play(&mut learned, Duration::from_secs(1));
        }
        let delays: Vec<_> = (0..PROBE)
            .map(|_| play(&mut learned, Duration::from_secs(1)).1)
            .collect();
        assert!(
            delays
                .iter()
                .all(|delay| *delay < Duration::from_millis(100)),
            "{delays:?}"
        );
    }

    #[test]
    fn a_stuck_change_is_asked_for_ever_more_rarely() {
        let learned = Settle::default();
        let mut at = Duration::ZERO;
        for _ in 0..60 {
            at = learned.next(Some(at));
        }
        assert!(at > Duration::from_mins(4), "{at:?}");
        assert!(learned.next(Some(at)).checked_sub(at).unwrap() <= LONGEST);
    }
}
