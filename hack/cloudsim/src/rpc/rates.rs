//! How many calls of an action an account may make in any 60 seconds.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Ms;

/// The window of the documented rates.
const WINDOW: Ms = 60_000;

/// The accepted calls of the last window.
#[derive(Debug, Default)]
pub struct Rates {
    accepted: BTreeMap<(String, String), VecDeque<Ms>>,
}

impl Rates {
    /// Counts a call if it is within `limit`; else the milliseconds until one would be.
    /// Refused calls do not count.
    pub fn take(&mut self, account: &str, action: &str, limit: u32, now: Ms) -> Result<(), Ms> {
        let times = self
            .accepted
            .entry((account.to_owned(), action.to_owned()))
            .or_default();
        while times.front().is_some_and(|first| first + WINDOW <= now) {
            times.pop_front();
        }
        if times.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(times.front().map_or(WINDOW, |first| first + WINDOW - now));
        }
        times.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_for_any_sixty_seconds() {
        let mut rates = Rates::default();
        assert_eq!(rates.take("a", "X", 2, 0), Ok(()));
        assert_eq!(rates.take("a", "X", 2, 30_000), Ok(()));
        assert_eq!(rates.take("a", "X", 2, 59_999), Err(1));
        assert_eq!(rates.take("a", "X", 2, 60_000), Ok(()));
        assert_eq!(rates.take("a", "X", 2, 60_001), Err(29_999));
    }

    #[test]
    fn accounts_and_actions_are_counted_apart() {
        let mut rates = Rates::default();
        assert_eq!(rates.take("a", "X", 1, 0), Ok(()));
        assert_eq!(rates.take("b", "X", 1, 0), Ok(()));
        assert_eq!(rates.take("a", "Y", 1, 0), Ok(()));
        assert!(rates.take("a", "X", 1, 0).is_err());
    }
}
