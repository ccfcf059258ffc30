//! When a name may go on: its turn at a table, and when a look at it is worth asking.

use super::super::step::{After, Step};
use super::super::turns::{Turn, What};
use super::{Engine, pauses};
use crate::clock::Instant;
use crate::domain::ids::Key;

/// Before a turn.
pub(super) enum Waits {
    Until(Instant),
    ForNumber(Step),
}

impl Engine {
    /// What the name waits for before its turn at the table; `None`: it is its turn.
    pub(super) fn turn(&self, key: &Key, table: &str, what: What, now: Instant) -> Option<Waits> {
        let turns = &self.ports.turns;
        match turns.of(table, key, now) {
            Turn::Now => None,
            Turn::At(at) => Some(Waits::Until(at)),
            Turn::None => Some(match turns.ask_at(table, what, key, now) {
                Some(at) => Waits::Until(at),
                None => Waits::ForNumber(Step::TakeNumber {
                    table: table.to_owned(),
                    what,
                }),
            }),
        }
    }

    /// When a look for what is settling may be asked; `None`: now.
    pub(super) fn look_at(
        &self,
        key: &Key,
        table: &str,
        after: After,
        now: Instant,
    ) -> Option<Instant> {
        let settling = self.names.get(key).and_then(|name| name.memory.settling());
        match (after, settling) {
            (After::Nothing, _) => None,
            (After::Make, Some((_, since, None))) if !self.made.is_known() => {
                let expected = self.ports.expected(table);
                Some(since + expected.unwrap_or_else(|| self.made.next(None)))
            }
            (After::Make, Some((_, since, missed))) => Some(since + self.made.next(missed)),
            (After::Remove, Some((_, since, missed))) => Some(since + self.removed.next(missed)),
            // Another's change, or one of an earlier process.
            (_, None) => Some(now + pauses::FOREIGN_CHANGE).filter(|_| {
                self.names
                    .get(key)
                    .is_some_and(|name| name.memory.has_looked(now))
            }),
        }
    }
}
