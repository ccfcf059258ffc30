//! Forward entries that bear this cluster's name and no record's: found by two looks a minute apart, and deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Sweep;
use crate::clock;
use crate::cloud::error::Class;
use crate::cloud::vpc::forward::EntryView;
use crate::cloud::vpc::fresh_token;
use crate::dnat::names;
use crate::dnat::turns::{Turn, What};
use crate::domain::ids::{ClusterUid, Key, Uid};

/// Between the two looks.
const APART: Duration = Duration::from_mins(1);
/// So many times a turn is asked or waited for, at most, until an entry is deleted; the next sweep finds it again.
const TURNS: usize = 60;

/// Entries of this cluster that a look has shown: how many there are, and those whose record there is not.
#[derive(Debug, Default)]
struct Sighting {
    all: usize,
    /// Table and id, with the name.
    orphans: BTreeMap<(String, String), String>,
}

impl Sweep {
    /// Deletes what two looks have shown to be nobody's.
    pub(super) async fn orphans(&self) {
        let Some(first) = self.sighting().await.filter(|it| !it.orphans.is_empty()) else {
            return;
        };
        clock::sleep(APART).await;
        let Some(second) = self.sighting().await else {
            return;
        };
        let all = second.all;
        let both = second.orphans.into_iter();
        let both: Vec<_> = both
            .filter(|(at, _)| first.orphans.contains_key(at))
            .collect();
        if is_too_many(both.len(), all) {
            self.metrics.found("orphan_entries_braked");
            tracing::error!(
                orphans = both.len(),
                all,
                "many forward entries are of no record: none is deleted; look whether the PodDNAT objects were lost"
            );
            return;
        }
        for ((table, id), name) in both {
            self.delete(&table, &id, &name).await;
        }
    }

    /// Tables first, then records: a record is there before its first entry, and goes after its last.
    async fn sighting(&self) -> Option<Sighting> {
        let ports = &self.ports;
        let tables = match ports.gateways.tables().await {
            Ok(tables) => tables,
            Err(error) => {
                tracing::warn!(%error, "no look for forward entries of no record");
                return None;
            }
        };
        let mut entries = Vec::new();
        for table in tables {
            match ports.gateways.whole(&table, clock::now()).await {
                Ok(found) => entries.extend(found.iter().map(|it| (table.clone(), it.clone()))),
                Err(error) => tracing::warn!(%error, table, "a forward table was not read"),
            }
        }
        match self.uids().await {
            Ok(records) => Some(judge(&ports.me.cluster, &entries, &records)),
            Err(error) => {
                tracing::warn!(%error, "no look for forward entries of no record");
                None
            }
        }
    }

    async fn delete(&self, table: &str, id: &str, name: &str) {
        let ports = &self.ports;
        // A name of its own in the queue of this agent.
        let key = Key {
            namespace: String::new(),
            name: id.to_owned(),
        };
        for _ in 0..TURNS {
            let now = clock::now();
            match ports.turns.of(table, &key, now) {
                Turn::Now => break,
                Turn::At(at) => clock::sleep_until(at).await,
                Turn::None => match ports.turns.ask_at(table, What::Remove, &key, now) {
                    Some(at) => clock::sleep_until(at).await,
                    None => ports.turns.take(table, What::Remove, &key).await,
                },
            }
        }
        ports.turns.begin(table, &key);
        match ports.vpc.delete_forward(table, id, &fresh_token()).await {
            Ok(request) => {
                self.metrics.found("orphan_entry");
                tracing::warn!(
                    entry = id,
                    table,
                    name,
                    request = request.as_str(),
                    "a forward entry of no record was deleted"
                );
            }
            Err(error) if error.class() == Class::NotFound => {}
            Err(error) => {
                tracing::warn!(entry = id, table, %error, "a forward entry of no record was not deleted; a later sweep finds it again");
            }
        }
    }
}

fn judge(
    cluster: &ClusterUid,
    entries: &[(String, EntryView)],
    records: &BTreeSet<Uid>,
) -> Sighting {
    let mut sighting = Sighting::default();
    for (table, entry) in entries {
        let Some((record, _)) = names::parse(cluster, &entry.name) else {
            continue;
        };
        sighting.all += 1;
        if !records.contains(&record) && entry.status == "Available" {
            let at = (table.clone(), entry.id.clone());
            sighting.orphans.insert(at, entry.name.clone());
        }
    }
    sighting
}

/// More than five and more than one in fifty: something else has happened than a crash here and there.
fn is_too_many(orphans: usize, all: usize) -> bool {
    orphans > 5.max(all / 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, name: &str, status: &str) -> (String, EntryView) {
        let view = EntryView {
            id: id.to_owned(),
            name: name.to_owned(),
            external_ip: String::new(),
            external_port: String::new(),
            internal_ip: String::new(),
            internal_port: String::new(),
            protocol: String::new(),
            status: status.to_owned(),
        };
        ("ftb-1".to_owned(), view)
    }

    #[test]
    fn only_entries_of_this_cluster_without_a_record_are_orphans() {
        let cluster = ClusterUid::new("cluster");
        let name = |uid: &str| names::name(&cluster, &Uid::new(uid), 0);
        let entries = [
            entry("fwd-1", &name("here"), "Available"),
            entry("fwd-2", &name("gone"), "Available"),
            entry("fwd-3", &name("new"), "Pending"),
            entry("fwd-4", "by hand", "Available"),
            entry(
                "fwd-5",
                &names::name(&ClusterUid::new("other"), &Uid::new("gone"), 0),
                "Available",
            ),
        ];
        let records = BTreeSet::from([Uid::new("here")]);
        let seen = judge(&cluster, &entries, &records);
        let orphans: Vec<_> = seen.orphans.keys().map(|(_, id)| id.as_str()).collect();
        assert_eq!((orphans, seen.all), (vec!["fwd-2"], 3));
    }

    #[test]
    fn a_few_are_deleted_and_many_are_not() {
        assert!(!is_too_many(5, 5) && is_too_many(6, 100));
        assert!(!is_too_many(20, 1_000) && is_too_many(21, 1_000));
    }
}
