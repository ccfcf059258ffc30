//! An attribute of an EIP with the moment from which each of its values shows: what a reader sees may lag behind.

use serde::{Serialize, Serializer};

use crate::clock::Ms;

/// A value with those before it, oldest first; never empty.
#[derive(Clone, Debug)]
pub struct Past<T> {
    first: T,
    later: Vec<(Ms, T)>,
}

impl<T> Past<T> {
    /// A value that was there from the beginning.
    pub fn new(first: T) -> Self {
        Self {
            first,
            later: Vec::new(),
        }
    }

    /// Another value from now on, which shows from `shows` on.
    pub fn set(&mut self, value: T, shows: Ms) {
        self.later.push((shows, value));
    }

    /// The value as it is.
    pub fn now(&self) -> &T {
        self.later.last().map_or(&self.first, |(_, value)| value)
    }

    /// The value as a reader sees it who is `lag` late.
    pub fn seen(&self, now: Ms, lag: Ms) -> &T {
        let shown = |(shows, _): &&(Ms, T)| shows.saturating_add(lag) <= now;
        let latest = self.later.iter().rev().find(shown);
        latest.map_or(&self.first, |(_, value)| value)
    }
}

impl<T: Serialize> Serialize for Past<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.now().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lagging_reader_sees_the_value_that_was() {
        let mut past = Past::new(1);
        past.set(2, 10);
        past.set(3, 25); // set at 20, and shows later
        assert_eq!(*past.now(), 3);
        let seen: Vec<_> = [9, 10, 24, 25].map(|now| *past.seen(now, 0)).into();
        assert_eq!(seen, [1, 2, 2, 3]);
        assert_eq!((*past.seen(29, 5), *past.seen(30, 5)), (2, 3));
    }
}
