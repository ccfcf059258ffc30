//! What the watches show and lose.

use super::Engine;
use crate::clock;
use crate::domain::dnat::DnatRecord;
use crate::domain::pod::Pod;
use crate::kubeapi::watch::Change;

impl Engine {
    pub(super) fn pod_change(&mut self, change: Change<Pod>) {
        let (pod, left) = self.pods.take(change, |pod| &pod.key);
        if let Some(pod) = pod {
            let key = pod.key.clone();
            self.name(&key).memory.watched_pod(pod);
            self.agenda.touch(&key);
        }
        for key in &left {
            self.name(key).memory.pod_left();
            self.agenda.touch(key);
        }
    }

    pub(super) fn record_change(&mut self, change: Change<DnatRecord>) {
        let (record, left) = self.records.take(change, |record| &record.key);
        if let Some(record) = record {
            let (key, started) = (record.key.clone(), self.started);
            let memory = &mut self.name(&key).memory;
            memory.watched_record(record, started, clock::now());
            self.agenda.touch(&key);
        }
        for key in &left {
            self.name(key).memory.record_left();
            self.agenda.touch(key);
        }
    }
}
