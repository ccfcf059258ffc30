//! Who else gives pods EIPs here: two EIP controllers never run at once.
//!
//! Evidence instead of a search, for ack-extend-network-controller may run anywhere under any name: while it runs, it
//! stamps `status.podLastSeen` of its records. Terway's EIP function is a setting.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::ids::{Key, Uid};

mod read;
mod watch;

pub use read::{installed_at, look};
pub use watch::run;

/// Another EIP controller that runs here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rival {
    /// ack-extend-network-controller stamped this record then.
    Enc { seen: Timestamp, record: Key },
    /// Terway's EIP function is switched on.
    Terway,
}

/// What a look around has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub rivals: Vec<Rival>,
    /// Terway's `allow_eip_rob`: a named EIP may be taken from its present holder.
    pub terway_allows_rob: bool,
    /// There are records without a label of ours: another controller's, or left by one.
    pub unlabelled: bool,
}

/// A record without our labels, as far as it tells whether somebody still works on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    pub key: Key,
    pub uid: Uid,
    /// It carries our owner mark: somebody took the labels away.
    pub ours: bool,
    /// `status.podLastSeen`.
    pub seen: Option<Timestamp>,
}

/// What is kept from one look to the next: a stamp that moves is a proof whatever the clocks say.
#[derive(Debug, Default)]
pub struct Stamps {
    last: BTreeMap<Uid, Option<Timestamp>>,
    moved: Option<Moved>,
}

#[derive(Clone, Debug)]
struct Moved {
    seen: Timestamp,
    record: Key,
    /// The rival may be between two of its stamps until then.
    until: Timestamp,
}

/// The settings of Terway that concern EIPs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terway {
    pub eip_pool: bool,
    pub allow_rob: bool,
}

/// A stamp so old or older is no sign of life. The other controller's usual period is a minute.
pub const FRESH: SignedDuration = SignedDuration::from_mins(10);

impl Findings {
    /// Another controller runs: nothing new is to be begun.
    pub fn others_run(&self) -> bool {
        !self.rivals.is_empty()
    }

    /// ack-extend-network-controller runs, which serves ports too.
    pub fn enc_runs(&self) -> bool {
        let enc = |rival: &Rival| matches!(rival, Rival::Enc { .. });
        self.rivals.iter().any(enc)
    }
}

impl Terway {
    /// Reads `eni_conf`. What is no JSON switches nothing on: Terway would not start with it either.
    pub fn read(eni_conf: &str) -> Self {
        let conf: Value = serde_json::from_str(eni_conf).unwrap_or_default();
        let is_on = |name: &str| match conf.get(name) {
            Some(Value::String(text)) => text == "true",
            Some(Value::Bool(on)) => *on,
            _ => false,
        };
        Self {
            eip_pool: is_on("enable_eip_pool"),
            allow_rob: is_on("allow_eip_rob"),
        }
    }
}

impl Stamped {
    /// Whether its stamp alone says that somebody works on it. A clock may be off to either side.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        let seen = self.seen.filter(|_| !self.ours);
        seen.is_some_and(|seen| now.duration_since(seen).abs() < FRESH)
    }
}

/// What the reads at `now` (the API server's time) say.
pub fn judge(terway: Terway, records: &[Stamped], stamps: &mut Stamps, now: Timestamp) -> Findings {
    stamps.compare(records, now);
    let fresh = records.iter().filter(|record| record.is_fresh(now));
    let fresh = fresh.filter_map(|record| Some((record.seen?, record.key.clone())));
    let enc = fresh
        .max_by_key(|(seen, _)| *seen)
        .or_else(|| stamps.moving(now))
        .map(|(seen, record)| Rival::Enc { seen, record });
    let terway_runs = terway.eip_pool.then_some(Rival::Terway);
    Findings {
        rivals: enc.into_iter().chain(terway_runs).collect(),
        terway_allows_rob: terway.allow_rob,
        unlabelled: !records.is_empty(),
    }
}

impl Stamps {
    /// Notes which stamps have moved since the last look, and keeps these for the next one.
    fn compare(&mut self, records: &[Stamped], now: Timestamp) {
        let theirs = || records.iter().filter(|record| !record.ours);
        let moves = theirs().filter_map(|record| {
            let (before, seen) = (self.last.get(&record.uid)?, record.seen?);
            let step = before.map_or(SignedDuration::ZERO, |before| seen.duration_since(before));
            (*before != Some(seen)).then(|| Moved {
                seen,
                record: record.key.clone(),
                // One that stamps once in half an hour is not gone after ten minutes.
                until: now.saturating_add(step.abs() + FRESH).unwrap_or(now),
            })
        });
        self.moved = moves
            .max_by_key(|moved| moved.until)
            .or_else(|| self.moved.take());
        self.last = theirs()
            .map(|record| (record.uid.clone(), record.seen))
            .collect();
    }

    fn moving(&self, now: Timestamp) -> Option<(Timestamp, Key)> {
        let moved = self.moved.as_ref().filter(|moved| now < moved.until)?;
        Some((moved.seen, moved.record.clone()))
    }
}

#[cfg(test)]
mod tests;
