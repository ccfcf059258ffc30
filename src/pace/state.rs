//! One action's clock as it stands in its object: which number has which slot. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::breaker::Breaker;

/// Calls a minute that the cloud lets the account make of each action.
pub const RATE: u32 = 120;
/// What anybody may write there; outside it the object is nonsense.
pub const RATES: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Milliseconds of a turn.
pub const INTERVALS: std::ops::RangeInclusive<u32> = 100..=60_000;
/// Nobody takes a number while the newest one is due later than this: so a changed rate or a dead agent wastes no more.
pub const HORIZON: Duration = Duration::from_secs(10);
/// A slot is good for so long after its time.
pub const GRACE: Duration = Duration::from_secs(10);
/// An epoch, or a slot, that is farther off the clock than this was not made by this clock.
const OFF: SignedDuration = SignedDuration::from_secs(60);
/// Between two changes of the rate.
pub const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// After a refusal nobody calls for so long: the cloud counts over a minute, and what is used up comes back slowly.
pub const REST: SignedDuration = SignedDuration::from_secs(10);

/// The object's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Calls a minute.
    pub rate: Option<u32>,
    /// Milliseconds between two slots, where turns are taken at something that does one thing at a time.
    pub interval: Option<u32>,
    /// When the slot of `from` is.
    pub epoch: Option<Timestamp>,
    /// The number that the epoch belongs to.
    pub from: i64,
    /// When the rate was last changed.
    pub changed: Option<Timestamp>,
    pub breaker: Option<Breaker>,
    /// The newest number: `metadata.generation`, which the server counts up with each change of the spec.
    pub newest: i64,
    pub version: String,
}

impl State {
    /// Calls a minute, within what is sensible.
    pub fn rate(&self) -> u32 {
        self.rate
            .filter(|rate| RATES.contains(rate))
            .unwrap_or(RATE)
    }

    /// Between two slots.
    pub fn interval(&self) -> Duration {
        let turns = self.interval.filter(|it| INTERVALS.contains(it));
        turns.map_or_else(
            || Duration::from_mins(1) / self.rate(),
            |it| Duration::from_millis(it.into()),
        )
    }

    /// When that number's turn is; `None` where the object's epoch is none of ours, or long over.
    pub fn slot(&self, number: i64, now: Timestamp) -> Option<Timestamp> {
        let epoch = self.epoch.filter(|epoch| *epoch <= now + OFF)?;
        let steps = u32::try_from(number - self.from).ok()?;
        let slot = epoch
            .checked_add(self.interval().checked_mul(steps)?)
            .ok()?;
        let late = now.duration_since(slot);
        (late <= SignedDuration::try_from(GRACE).unwrap_or_default() && -late <= OFF)
            .then_some(slot)
    }

    /// Whether numbers are being taken now: somebody's turn is near.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.slot(self.newest, now).is_some()
    }

    /// When to look again before a number is taken; `None`: now.
    pub fn full_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.full_within(HORIZON, now)
    }

    /// The same with another horizon: whoever sees farther comes before those who don't.
    pub fn full_within(&self, horizon: Duration, now: Timestamp) -> Option<Timestamp> {
        let newest = self.slot(self.newest, now)?;
        let from = newest.checked_sub(horizon).ok()?;
        (from > now).then_some(from)
    }

    /// Whether all are to rest: a refusal, and nobody has made them rest yet.
    pub fn may_rest(&self, now: Timestamp) -> bool {
        self.epoch
            .is_none_or(|epoch| epoch <= now || epoch > now + OFF)
    }

    /// Whether the rate may be changed now: once in a window, whoever does it.
    pub fn may_change(&self, now: Timestamp) -> bool {
        self.changed
            .is_none_or(|changed| now.duration_since(changed).abs() >= WINDOW)
    }

    /// Somebody else uses the account too: a fifth less.
    pub fn slower(&self) -> u32 {
        (self.rate() * 4 / 5).max(*RATES.start())
    }

    /// Nobody was refused for a window: a twentieth more, up to what the cloud allows.
    pub fn faster(&self) -> u32 {
        (self.rate() + self.rate().div_ceil(20)).min(RATE.max(self.rate()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn state(newest: i64) -> State {
        State {
            epoch: Some(at(0)),
            from: 10,
            newest,
            ..State::default()
        }
    }

    #[test]
    fn numbers_have_their_slots_one_interval_apart() {
        let state = state(12);
        assert_eq!(state.slot(10, at(0)), Some(at(0)));
        assert_eq!(state.slot(14, at(0)), Some(at(2)));
        assert_eq!(state.slot(9, at(0)), None, "before the epoch");
    }

    #[test]
    fn a_slot_long_past_or_an_epoch_in_the_future_is_none() {
        let state = state(12);
        assert!(state.slot(12, at(11)).is_some());
        assert_eq!(state.slot(12, at(12)), None);
        let thief = State {
            epoch: Some("2100-01-01T00:00:00Z".parse().unwrap()),
            ..state
        };
        assert!(!thief.is_busy(at(0)));
    }

    #[test]
    fn no_number_is_taken_more_than_ten_seconds_ahead() {
        assert_eq!(state(30).full_until(at(0)), None);
        assert_eq!(state(34).full_until(at(0)), Some(at(2)));
    }

    #[test]
    fn rates_stay_within_bounds() {
        let rate = |rate| State {
            rate: Some(rate),
            ..State::default()
        };
        assert_eq!(rate(0).rate(), RATE);
        assert_eq!(rate(1_000_000).rate(), RATE);
        assert_eq!(rate(1).slower(), 1);
        assert_eq!(rate(120).slower(), 96);
        assert_eq!(rate(96).faster(), 101);
        assert_eq!(rate(119).faster(), 120);
        assert_eq!(rate(300).faster(), 300, "an administrator's own");
    }
}
