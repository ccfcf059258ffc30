//! Looking at the double from a test: objects, requests, and waiting until something holds.

use super::ApiServer;
use super::log::{Logged, When};
use super::read::brief;
use super::store::Slot;
use super::time as clock;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// How often a condition is looked at when nothing changes here: it may depend on other parts of a test's world.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const SHOWN_REQUESTS: usize = 30;

/// A condition did not come true in its time.
#[derive(Debug, thiserror::Error)]
#[error("still not so after {waited:?}\n{picture}")]
pub struct Overdue {
    pub waited: Duration,
    /// The objects and the last requests.
    pub picture: String,
}

impl ApiServer {
    /// An object as stored; namespace "" for cluster-wide kinds.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let object = self
            .shared
            .lock()
            .store
            .get(resource, &Slot::new(namespace, name));
        object.map(|o| (*o).clone())
    }

    /// An object as its own type; None also where it does not decode.
    pub fn object<K: DeserializeOwned>(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> Option<K> {
        serde_json::from_value(self.get(resource, namespace, name)?).ok()
    }

    /// All objects of a kind, by namespace and name.
    pub fn list(&self, resource: &str) -> Vec<Value> {
        self.shared
            .lock()
            .store
            .all(resource)
            .map(|o| (**o).clone())
            .collect()
    }

    /// Every request since the start, or since the log was cleared.
    pub fn log(&self) -> Vec<Logged> {
        self.requests(&When::any())
    }

    /// The requests that a pattern picks, answered or not.
    pub fn requests(&self, when: &When) -> Vec<Logged> {
        self.shared
            .lock()
            .shown_log()
            .iter()
            .filter(|l| when.picks(&l.client, &l.call))
            .cloned()
            .collect()
    }

    /// How many requests a pattern picks, answered or not.
    pub fn count(&self, when: &When) -> usize {
        self.shared
            .lock()
            .shown_log()
            .iter()
            .filter(|l| when.picks(&l.client, &l.call))
            .count()
    }

    /// How many writes one object has had, refused ones and its creation included.
    pub fn writes_of(&self, resource: &str, namespace: &str, name: &str) -> usize {
        self.count(
            &When::writes()
                .resource(resource)
                .namespace(namespace)
                .name(name),
        )
    }

    /// Objects by name, and the last requests: what a failed test wants to see.
    pub fn picture(&self) -> String {
        let state = self.shared.lock();
        let mut out = String::new();
        for resource in state.store.resources() {
            let names: Vec<String> = state.store.all(&resource).map(|o| brief(o)).collect();
            let _ = writeln!(out, "{resource}: {}", names.join(" "));
        }
        let log = state.shown_log();
        for logged in &log[log.len().saturating_sub(SHOWN_REQUESTS)..] {
            let _ = writeln!(out, "{logged}");
        }
        out
    }

    /// Begins the log afresh.
    pub fn clear_log(&self) {
        // only hidden: requests still on their way keep their places
        let mut state = self.shared.lock();
        state.log_from = state.log.len();
    }

    /// Lets so much virtual time pass.
    pub async fn pass(&self, time: Duration) {
        clock::sleep(time).await;
    }

    /// Waits in virtual time until `holds`; it is asked after every change here and every 50 ms.
    ///
    /// # Errors
    /// [`Overdue`] after `within`, with a picture of the store and the last requests.
    pub async fn until(
        &self,
        within: Duration,
        holds: impl Fn(&Self) -> bool,
    ) -> Result<(), Overdue> {
        let end = clock::now() + within;
        let mut changes = self.shared.changes();
        loop {
            changes.borrow_and_update();
            if holds(self) {
                return Ok(());
            }
            if clock::now() >= end {
                return Err(Overdue {
                    waited: within,
                    picture: self.picture(),
                });
            }
            let next = end.min(clock::now() + LOOK_EVERY);
            tokio::select! {
                _ = changes.changed() => {}
                () = clock::sleep_until(next) => {}
            }
        }
    }

    /// The same with a condition that must stay false for so long.
    ///
    /// # Errors
    /// [`Overdue`] as soon as it becomes true.
    pub async fn never(
        &self,
        during: Duration,
        happens: impl Fn(&Self) -> bool,
    ) -> Result<(), Overdue> {
        let began = clock::now();
        match self.until(during, happens).await {
            Err(_) => Ok(()),
            Ok(()) => Err(Overdue {
                waited: began.elapsed(),
                picture: self.picture(),
            }),
        }
    }
}
