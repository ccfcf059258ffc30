//! What is brought from outside the shard: records that are no node's, and the time to look at what stands.

use super::super::step::LookFor;
use super::Engine;
use crate::clock;
use crate::domain::ids::{EipId, Key};
use crate::domain::record::Record;
use crate::shard::found::{Due, What};
use crate::shard::rivals::Findings;

impl Engine {
    /// The sweep hands a record on: no more than a hint, so it is read live first.
    pub(super) fn found(&mut self, due: &Due) {
        let me = self.ports.me.label.clone();
        let name = self.name(&due.key);
        let mine = |record: &Record| record.node.as_deref() == Some(me.as_str());
        if name.busy || name.memory.record().is_some_and(mine) {
            return;
        }
        tracing::debug!(pod = %due.key, what = due.what.name(), "found by the sweep");
        name.memory.found(due.what == What::LeftLying, clock::now());
        self.agenda.touch(&due.key);
    }

    /// What is known now of other controllers: what waited for them to end goes on.
    pub(super) fn others(&mut self, found: Option<&Findings>) {
        let Some(found) = found else { return };
        self.ports.me.policy.allow_rob = self.may_rob || found.terway_allows_rob;
        let before = self.others_run.replace(found.others_run());
        if before == Some(true) && !found.others_run() {
            let all: Vec<Key> = self.names.keys().cloned().collect();
            for key in &all {
                self.agenda.touch(key);
            }
        }
    }

    /// One look at all EIPs that stand: what somebody changed in the console is noticed so.
    pub(super) fn audit(&mut self, (): ()) {
        let now = clock::now();
        let standing = |record: &Record| {
            record
                .eip
                .clone()
                .filter(|_| record.shows_target() && !record.tombstone)
        };
        let names = self.names.iter().filter(|(_, name)| !name.busy);
        let all: Vec<(Key, EipId)> = names
            .filter_map(|(key, name)| Some((key.clone(), name.memory.record().and_then(standing)?)))
            .collect();
        for (key, id) in all {
            self.await_look(&key, id, LookFor::Now, now);
        }
    }
}
