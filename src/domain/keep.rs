//! What becomes of an EIP when its pod goes: the record's release strategy.

use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Given back with the pod.
    #[default]
    Follow,
    /// Given back so long after the pod.
    Ttl {
        after: Duration,
        /// As the user wrote it; records keep this form.
        text: String,
    },
    /// Given back when somebody deletes the record.
    Never,
}

impl Keep {
    /// Whether the EIP outlives its pod.
    pub fn is_fixed(&self) -> bool {
        *self != Self::Follow
    }
}
