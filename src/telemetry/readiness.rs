//! Readiness: named conditions that must all be met.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::escape::plain;

/// All conditions of the agent. Clones share them. With no condition at all it is ready.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    states: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

/// The handle of whoever decides about one condition.
#[derive(Debug, Clone)]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Met,
    /// With the reason, if one is known.
    Unmet(String),
}

// === impl Readiness ===

impl Readiness {
    /// Nothing to wait for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, not met at first; asking for a name again gives the same condition, unmet.
    pub fn condition(&self, name: &'static str) -> Condition {
        self.states().insert(name, State::Unmet(String::new()));
        Condition {
            name,
            readiness: self.clone(),
        }
    }

    /// Whether every condition is met.
    pub fn is_ready(&self) -> bool {
        self.states().values().all(|state| *state == State::Met)
    }

    /// The conditions that are not met, in order of their names, each as `name` or `name (reason)`.
    pub fn missing(&self) -> Vec<String> {
        self.states()
            .iter()
            .filter_map(|(name, state)| state.describe(name))
            .collect()
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<&'static str, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Condition ===

impl Condition {
    /// It holds.
    pub fn met(&self) {
        self.set(State::Met);
    }

    /// It does not hold, or no longer, and why: shown at `/readyz` to anybody, so no secrets.
    pub fn unmet(&self, why: impl AsRef<str>) {
        self.set(State::Unmet(plain(why.as_ref()).into_owned()));
    }

    fn set(&self, state: State) {
        self.readiness.states().insert(self.name, state);
    }
}

// === impl State ===

impl State {
    fn describe(&self, name: &str) -> Option<String> {
        match self {
            Self::Met => None,
            Self::Unmet(why) if why.is_empty() => Some(name.to_owned()),
            Self::Unmet(why) => Some(format!("{name} ({why})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_conditions_must_be_met_and_may_be_lost_again() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());
        let (pods, records) = (readiness.condition("pods"), readiness.condition("records"));
        pods.met();
        assert!(!readiness.is_ready());
        assert_eq!(readiness.missing(), ["records"]);
        records.met();
        assert!(readiness.clone().is_ready());
        pods.unmet("the CRD is\nterminating");
        assert_eq!(readiness.missing(), [r"pods (the CRD is\nterminating)"]);
        assert!(!readiness.is_ready());
    }
}
