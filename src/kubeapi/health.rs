//! For how long the API server has answered this agent: who judges by absence must know that it was there to be seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{self, Instant};

/// Shared by its clones. An outage that no call and no watch of this agent met shows up late: when a watch has been
/// silent for so long that it is taken for dead.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Option<Instant>>>);

impl Health {
    /// Since when every question has been answered; `None`: the last one was not, or none was asked yet.
    pub fn since(&self) -> Option<Instant> {
        *self.lock()
    }

    /// A call was answered, a refusal included, or a watch has shown something.
    pub fn answered(&self) {
        self.lock().get_or_insert_with(clock::now);
    }

    /// A call was not answered or put off, or a watch failed.
    pub fn failed(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
