//! What the watches show and lose.

use super::Engine;
use crate::clock;
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::Key;
use crate::domain::pod::Pod;
use crate::kubeapi::watch::Change;

impl Engine {
    pub(super) fn pod_change(&mut self, change: Change<Pod>) {
        let now = clock::now();
        match change {
            Change::Seen(pod) => {
                let key = pod.key.clone();
                self.shown.pods.insert(key.clone());
                self.name(&key).memory.watched_pod(pod, now);
                self.touch(&key);
            }
            Change::Left(key) => self.pod_left(&key),
            Change::Listed(keys) => {
                self.shown.pods_listed = true;
                let left: Vec<_> = self.shown.pods.difference(&keys).cloned().collect();
                for key in &left {
                    self.pod_left(key);
                }
            }
        }
    }

    fn pod_left(&mut self, key: &Key) {
        self.shown.pods.remove(key);
        self.name(key).memory.pod_left();
        self.touch(key);
    }

    pub(super) fn record_change(&mut self, change: Change<DnatRecord>) {
        let (now, started) = (clock::now(), self.started);
        match change {
            Change::Seen(record) => {
                let key = record.key.clone();
                self.shown.records.insert(key.clone());
                self.name(&key).memory.watched_record(record, started, now);
                self.touch(&key);
            }
            Change::Left(key) => self.record_left(&key),
            Change::Listed(keys) => {
                self.shown.records_listed = true;
                let left: Vec<_> = self.shown.records.difference(&keys).cloned().collect();
                for key in &left {
                    self.record_left(key);
                }
            }
        }
    }

    fn record_left(&mut self, key: &Key) {
        self.shown.records.remove(key);
        self.name(key).memory.record_left();
        self.touch(key);
    }
}
