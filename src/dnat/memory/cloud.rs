//! How what is known of the entries changes: by what the cloud answers, and by looks.

use super::{Change, IN_FLIGHT, Memory, SECOND_LOOK, Step, Table, fresh_token};
use crate::clock::Instant;
use crate::dnat::outcome::{Outcome, Refusal};
use crate::eip::outcome::TroubleKind;

impl Memory {
    /// A change was answered, or was not.
    pub(super) fn cloud_answered(&mut self, step: &Step, outcome: &Outcome, now: Instant) {
        self.last_change = Some(now);
        self.look = None;
        self.sure = false;
        let unanswered = outcome
            .trouble()
            .is_some_and(|trouble| trouble.kind == TroubleKind::NoAnswer);
        match (step, outcome) {
            // The same token: whatever the first call did, the second is answered with.
            (Step::Make { entry, .. }, _) if unanswered => {
                self.asked = Some(entry.name.clone());
                self.in_flight_until = Some(now + IN_FLIGHT);
            }
            _ if unanswered => self.in_flight_until = Some(now + IN_FLIGHT),
            (Step::Make { entry, .. }, Outcome::Accepted) => {
                self.made.insert(entry.name.clone(), now);
                self.begin_settling(Change::Make, now);
                (self.blocked, self.lost, self.full_until) = (false, false, None);
                self.waits_since = None;
                self.is_answered();
            }
            (Step::Make { .. }, Outcome::Refused(why, _)) => self.refused(*why, now),
            (Step::Remove { entries, .. }, Outcome::Accepted) => {
                for (_, name) in entries {
                    self.made.remove(name);
                }
                self.begin_settling(Change::Remove, now);
            }
            _ if outcome
                .trouble()
                .is_some_and(|it| it.kind == TroubleKind::TokenUsed) =>
            {
                self.token = fresh_token();
            }
            _ => {}
        }
    }

    /// What was asked for without an answer is known to have been done: the call is over.
    fn is_answered(&mut self) {
        self.asked = None;
        self.in_flight_until = None;
        self.token = fresh_token();
    }

    fn begin_settling(&mut self, what: Change, now: Instant) {
        self.settling = Some((what, now));
        self.missed = None;
    }

    fn refused(&mut self, why: Refusal, now: Instant) {
        self.token = fresh_token();
        // What has been seen does not explain it.
        self.look = None;
        match why {
            Refusal::Taken => self.blocked = true,
            Refusal::NotThere => self.lost = true,
            // Counted as a failure already: that says when to try again.
            Refusal::Full => self.full_until = self.retry.due().or(Some(now)),
        }
    }

    pub(super) fn looked(&mut self, table: Table, asked: Instant) {
        if !self.counts(asked) {
            return;
        }
        self.notice_missing(table.missing, asked);
        for entry in &table.entries {
            self.made.remove(&entry.name);
            if self.asked.as_ref() == Some(&entry.name) {
                self.is_answered();
            }
        }
        if let Some((what, since)) = self.settling {
            match self.is_over(what, &table) {
                true => (self.settling, self.missed) = (None, None),
                false => self.missed = Some(asked.duration_since(since)),
            }
        }
        self.look = Some((asked, table));
    }

    /// Whether the change has come to its end, as far as this look shows.
    fn is_over(&self, what: Change, table: &Table) -> bool {
        let Some(uid) = self.of.as_ref() else {
            return true;
        };
        let ours = |name: &str| name.contains(uid.as_str());
        let mut mine = table.entries.iter().filter(|it| ours(&it.name));
        match what {
            Change::Make => self.made.is_empty() && mine.all(|it| it.status == "Available"),
            Change::Remove => mine.all(|it| it.status != "Deleting"),
        }
    }

    fn notice_missing(&mut self, missing: bool, asked: Instant) {
        if !missing {
            (self.first_missing, self.no_table_twice) = (None, false);
            return;
        }
        let first = *self.first_missing.get_or_insert(asked);
        self.no_table_twice |= asked.duration_since(first) >= SECOND_LOOK;
    }
}
