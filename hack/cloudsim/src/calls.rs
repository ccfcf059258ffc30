//! The record of every call that reached a door.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::clock::Ms;

/// Arguments whose values are secrets and are never kept.
const SECRETS: [&str; 5] = [
    "OIDCToken",
    "SecurityToken",
    "Signature",
    "AccessKeySecret",
    "AccessKeyId",
];

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// Its number, from 1, in the order of arrival.
    pub sequence: u64,
    /// `api` or `metadata`.
    pub door: &'static str,
    /// The listener it came through; empty for the function-call door.
    pub listener: String,
    /// The instance, for the metadata door.
    pub instance: String,
    /// `vpc`, `ecs`, `sts`, `metadata`; empty if unknown.
    pub product: &'static str,
    /// The action; for the metadata door method and path.
    pub action: String,
    /// Arguments without secrets.
    pub args: BTreeMap<String, String>,
    /// The `AccessKey` id it was signed with; empty if none was accepted.
    pub access_key_id: String,
    /// The client's `User-Agent`.
    pub user_agent: String,
    /// When it came, in milliseconds since the start.
    pub received_ms: Ms,
    /// The same as RFC 3339.
    pub received_at: String,
    /// When its work was done; none if it was not.
    pub worked_ms: Option<Ms>,
    /// When its answer left; none if none left yet, or ever.
    pub answered_ms: Option<Ms>,
    /// The same as RFC 3339.
    pub answered_at: Option<String>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// Error code of the answer.
    pub code: Option<String>,
    /// The request id.
    pub request_id: String,
    /// `open`, `answered`, `dropped` (before the work), `lost` (after it).
    pub outcome: &'static str,
}

/// The kept records.
#[derive(Debug, Default)]
pub struct CallLog {
    records: VecDeque<CallRecord>,
    kept: usize,
    last: u64,
}

impl CallLog {
    /// A log that keeps so many records.
    pub fn new(kept: usize) -> Self {
        Self {
            records: VecDeque::new(),
            kept,
            last: 0,
        }
    }

    /// Adds a record and gives it its number.
    pub fn open(&mut self, mut record: CallRecord) -> u64 {
        self.last += 1;
        record.sequence = self.last;
        record.outcome = "open";
        record
            .args
            .retain(|name, _| !SECRETS.contains(&name.as_str()));
        self.records.push_back(record);
        if self.records.len() > self.kept {
            self.records.pop_front();
        }
        self.last
    }

    /// The record of that number, to complete.
    pub fn get_mut(&mut self, sequence: u64) -> Option<&mut CallRecord> {
        let first = self.records.front()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.records.get_mut(index)
    }

    /// All kept records, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &CallRecord> {
        self.records.iter()
    }
}
