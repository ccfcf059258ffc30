//! For the metrics: how many records there are, by how far they are.

use super::Engine;
use crate::domain::record::Record;

impl Engine {
    pub(super) fn count_records(&self) {
        let phase = |record: &Record| match (record.tombstone, &record.eip, &record.shown) {
            (true, ..) => Phase::Tombstone,
            (_, None, _) => Phase::Empty,
            (_, Some(_), None) => Phase::Unbound,
            (_, Some(_), Some(_)) => Phase::Bound,
        };
        let records = self.names.values().filter_map(|name| name.memory.record());
        let mut counts = [0; Phase::ALL.len()];
        for record in records {
            counts[phase(record) as usize] += 1;
        }
        for (phase, count) in Phase::ALL.iter().zip(counts) {
            self.metrics.records(phase, count);
        }
    }
}

/// How far a record is.
#[derive(Clone, Copy)]
enum Phase {
    Empty,
    Unbound,
    Bound,
    Tombstone,
}

impl Phase {
    /// In the order of the variants.
    const ALL: [&str; 4] = ["empty", "unbound", "bound", "tombstone"];
}
