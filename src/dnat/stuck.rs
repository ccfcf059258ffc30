//! Entries that keep a table busy for too long: a table takes no change while one is Pending. Pure.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Instant;
use crate::cloud::vpc::forward::EntryView;

/// Terraform's provider waits for minutes; the cloud's usual time is two seconds.
const LONG: Duration = Duration::from_mins(1);
/// A table that nobody has looked at for so long may be well again.
const FORGOTTEN: Duration = Duration::from_mins(5);

/// What each table was last seen to be busy with.
#[derive(Debug, Default)]
pub struct Stuck(HashMap<String, Busy>);

#[derive(Debug)]
struct Busy {
    entry: String,
    first: Instant,
    last: Instant,
}

impl Stuck {
    /// A look at the whole table.
    pub fn seen(&mut self, table: &str, entries: &[EntryView], asked: Instant) {
        let busy = |it: &&EntryView| matches!(it.status.as_str(), "Pending" | "Modifying");
        let pending: Vec<_> = entries.iter().filter(busy).collect();
        let known = self.0.get_mut(table);
        match (known, pending.first()) {
            (Some(known), Some(_)) if pending.iter().any(|it| it.id == known.entry) => {
                known.last = asked;
            }
            (_, Some(entry)) => {
                let busy = Busy {
                    entry: entry.id.clone(),
                    first: asked,
                    last: asked,
                };
                self.0.insert(table.to_owned(), busy);
            }
            (_, None) => drop(self.0.remove(table)),
        }
    }

    /// The entry that has kept this table busy for over a minute.
    pub fn entry(&self, table: &str, now: Instant) -> Option<String> {
        let busy = self.0.get(table).filter(|busy| busy.is_long(now));
        busy.map(|busy| busy.entry.clone())
    }

    /// How many tables are.
    pub fn count(&self, now: Instant) -> usize {
        self.0.values().filter(|busy| busy.is_long(now)).count()
    }
}

impl Busy {
    fn is_long(&self, now: Instant) -> bool {
        self.last.duration_since(self.first) >= LONG && now.duration_since(self.last) < FORGOTTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn entry(id: &str, status: &str) -> EntryView {
        EntryView {
            id: id.to_owned(),
            name: String::new(),
            external_ip: String::new(),
            external_port: String::new(),
            internal_ip: String::new(),
            internal_port: String::new(),
            protocol: String::new(),
            status: status.to_owned(),
        }
    }

    #[test]
    fn one_entry_that_stays_pending_is_stuck_and_many_in_turn_are_not() {
        let (mut stuck, now) = (Stuck::default(), clock::now());
        let at = |second| now + Duration::from_secs(second);
        for second in 0..=12 {
            let busy = [entry(&format!("fwd-{second}"), "Pending")];
            stuck.seen("turns", &busy, at(second * 10));
            let busy = [entry("fwd-x", "Available"), entry("fwd-y", "Pending")];
            stuck.seen("table", &busy, at(second * 10));
            let long = second >= 6;
            assert_eq!(stuck.entry("table", at(second * 10)).is_some(), long);
        }
        assert_eq!(stuck.entry("table", at(120)).as_deref(), Some("fwd-y"));
        assert_eq!(
            (stuck.entry("turns", at(120)), stuck.count(at(120))),
            (None, 1)
        );
        stuck.seen("table", &[entry("fwd-y", "Available")], at(121));
        assert_eq!(stuck.count(at(121)), 0);
    }
}
