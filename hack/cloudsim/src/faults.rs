//! Orders to go wrong: per action and arguments, so many times.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Ms;

/// What happens to a matching call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Waits before the work.
    Slow {
        /// Milliseconds.
        ms: Ms,
    },
    /// Refuses before the work, even before the signature is looked at.
    Refuse(Answer),
    /// Does the work and then answers an error.
    FailAfter(Answer),
    /// Breaks the connection before the work.
    Drop,
    /// Does the work and loses the answer.
    Lose,
    /// Does the work and holds the answer until released.
    Hold,
    /// Holds the call before the work until released: it lands late.
    HoldBefore,
    /// Does the work, which takes so long to settle (an EIP's passing state).
    Settle {
        /// Milliseconds.
        ms: Ms,
    },
}

/// An error answer made to order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// HTTP status; 0 = 400.
    pub status: u16,
    /// Error code.
    pub code: String,
    /// Message; a plain sentence if empty.
    pub message: String,
    /// This body instead of the usual JSON.
    pub raw_body: Option<String>,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
}

/// A fault to order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// The action, `*` for any API action, or `metadata` for the metadata service.
    pub action: String,
    /// Arguments that must have these values (for `metadata`: `path`, `method`, `instance`;
    /// a value that ends with `*` is the beginning).
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    /// How often; none = until removed.
    #[serde(default = "once")]
    pub count: Option<u32>,
    /// Lets so many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
    /// What happens.
    pub fault: FaultKind,
}

// serde's default takes a function of the field's own type.
#[allow(clippy::unnecessary_wraps)]
fn once() -> Option<u32> {
    Some(1)
}

/// A fault in force.
#[derive(Clone, Debug, Serialize)]
pub struct Fault {
    /// Its number.
    pub id: u64,
    /// The order, its count and skip counted down.
    #[serde(flatten)]
    pub order: NewFault,
    /// How often it happened.
    pub hits: u64,
}

/// All faults in force, oldest first.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    last: u64,
}

impl Faults {
    /// Adds a fault; returns its number.
    pub fn add(&mut self, order: NewFault) -> u64 {
        self.last += 1;
        self.list.push(Fault {
            id: self.last,
            order,
            hits: 0,
        });
        self.last
    }

    /// Removes a fault; false if there is none.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.list.len();
        self.list.retain(|fault| fault.id != id);
        self.list.len() < before
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Those in force; spent ones stay listed.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }

    /// The fault of a call, counted: the oldest that matches and is not spent.
    pub fn take(&mut self, action: &str, args: &BTreeMap<String, String>) -> Option<FaultKind> {
        for fault in &mut self.list {
            if fault.order.count == Some(0) || !fault.order.is_for(action, args) {
                continue;
            }
            if fault.order.skip > 0 {
                fault.order.skip -= 1;
                continue;
            }
            fault.order.count = fault.order.count.map(|left| left - 1);
            fault.hits += 1;
            return Some(fault.order.fault.clone());
        }
        None
    }
}

impl NewFault {
    fn is_for(&self, action: &str, args: &BTreeMap<String, String>) -> bool {
        let any = self.action == "*" && action != "metadata";
        let same = |(name, wanted): (&String, &String)| {
            args.get(name)
                .is_some_and(|value| match wanted.strip_suffix('*') {
                    Some(start) => value.starts_with(start),
                    None => value == wanted,
                })
        };
        (any || self.action == action) && self.args.iter().all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: serde_json::Value) -> Faults {
        let mut faults = Faults::default();
        faults.add(serde_json::from_value(json).unwrap());
        faults
    }

    #[test]
    fn a_fault_happens_once_unless_told() {
        let mut faults = fault(serde_json::json!({"action": "X", "fault": {"kind": "drop"}}));
        assert_eq!(faults.take("X", &BTreeMap::new()), Some(FaultKind::Drop));
        assert_eq!(faults.take("X", &BTreeMap::new()), None);
    }

    #[test]
    fn a_fault_can_skip_calls_and_last_for_ever() {
        let mut faults = fault(serde_json::json!(
            {"action": "*", "skip": 2, "count": null, "fault": {"kind": "slow", "ms": 5}}));
        let mut hit = || faults.take("X", &BTreeMap::new()).is_some();
        assert_eq!([hit(), hit(), hit(), hit()], [false, false, true, true]);
    }

    #[test]
    fn a_fault_can_ask_for_arguments() {
        let mut faults = fault(serde_json::json!(
            {"action": "X", "args": {"A": "1", "B": "b*"}, "fault": {"kind": "lose"}}));
        let args = |a: &str, b: &str| {
            BTreeMap::from([
                ("A".to_owned(), a.to_owned()),
                ("B".to_owned(), b.to_owned()),
            ])
        };
        assert_eq!(faults.take("X", &args("2", "bc")), None);
        assert_eq!(faults.take("X", &args("1", "c")), None);
        assert_eq!(faults.take("X", &args("1", "bc")), Some(FaultKind::Lose));
    }

    #[test]
    fn a_star_does_not_mean_the_metadata_service() {
        let mut faults = fault(serde_json::json!({"action": "*", "fault": {"kind": "drop"}}));
        assert_eq!(faults.take("metadata", &BTreeMap::new()), None);
    }
}
