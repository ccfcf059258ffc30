//! Calls and answers that are held until somebody lets them go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::clock::Ms;

/// What becomes of a held call or answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// Goes on as if nothing had been.
    #[default]
    Deliver,
    /// The connection breaks (a call held before its work is then never done).
    Lose,
}

/// A held call, as listed.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Its number.
    pub id: u64,
    /// The number of the call in the record.
    pub call: u64,
    /// The action.
    pub action: String,
    /// True if the work is done.
    pub worked: bool,
    /// Held since.
    pub since_ms: Ms,
}

/// All held calls.
#[derive(Debug, Default)]
pub struct Holds {
    list: BTreeMap<u64, (Held, oneshot::Sender<Release>)>,
    last: u64,
}

impl Holds {
    /// Holds a call; the receiver hears when it may go on (an error means lost).
    pub fn hold(&mut self, mut held: Held) -> oneshot::Receiver<Release> {
        self.last += 1;
        held.id = self.last;
        let (sender, receiver) = oneshot::channel();
        self.list.insert(self.last, (held, sender));
        receiver
    }

    /// Lets a held call go; false if there is none of that number.
    pub fn release(&mut self, id: u64, release: Release) -> bool {
        let Some((_, sender)) = self.list.remove(&id) else {
            return false;
        };
        // The call's own task waits for this; it cannot have ended before.
        let _ = sender.send(release);
        true
    }

    /// Those held, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Held> {
        self.list.values().map(|(held, _)| held)
    }
}
