//! Everything the double knows, under one lock.

use super::controllers::Gc;
use super::fault::Faults;
use super::kind::{self, Kind};
use super::log::Logged;
use super::refusal::Refusal;
use super::route::Call;
use super::store::{Slot, Store};
use super::time::ServerClock;
use super::watch::Watches;
use std::time::Duration;

pub struct State {
    pub store: Store,
    pub kinds: Vec<Kind>,
    pub clock: ServerClock,
    pub log: Vec<Logged>,
    /// Entries before this one are hidden from tests.
    pub log_from: usize,
    pub faults: Faults,
    pub watches: Watches,
    /// From sending to answer, half each way.
    pub latency: Duration,
    pub gc: Gc,
    /// A pass of the garbage collector is arranged.
    pub gc_due: bool,
    /// What access reviews say no to.
    pub denied: Vec<String>,
}

impl State {
    pub fn new() -> Self {
        Self {
            store: Store::new(),
            kinds: kind::builtins(),
            clock: ServerClock::new(),
            log: Vec::new(),
            log_from: 0,
            faults: Faults::default(),
            watches: Watches::default(),
            latency: Duration::ZERO,
            gc: Gc::After(Duration::from_millis(100)),
            gc_due: false,
            denied: Vec::new(),
        }
    }

    /// The log as tests see it.
    pub fn shown_log(&self) -> &[Logged] {
        &self.log[self.log_from..]
    }

    /// Reads the CRDs again after one of them changed.
    pub fn learn_kinds(&mut self) {
        let custom = self
            .store
            .all("customresourcedefinitions")
            .flat_map(|crd| kind::of_crd(crd));
        let custom: Vec<Kind> = custom.collect();
        self.kinds = kind::builtins();
        self.kinds.extend(custom);
        self.watches.end_unserved(&self.kinds);
    }

    /// The kind a request is about; None is the plain "404 page not found" of a path that is not served.
    pub fn kind_of(&self, call: &Call) -> Option<Kind> {
        let fits = |k: &&Kind| {
            k.group == call.group && k.version == call.version && k.resource == call.resource
        };
        let kind = self.kinds.iter().find(fits)?;
        let placed = call.namespace.is_none() || kind.namespaced;
        let sub = call.subresource.is_empty() || (call.subresource == "status" && kind.has_status);
        (placed && sub).then(|| kind.clone())
    }

    /// The version of a kind that is stored, by plural name.
    pub fn stored_kind(&self, resource: &str) -> Option<Kind> {
        self.kinds.iter().find(|k| k.resource == resource).cloned()
    }

    /// The kind of an object by its own apiVersion and kind.
    pub fn kind_named(&self, api_version: &str, kind: &str) -> Option<Kind> {
        self.kinds
            .iter()
            .find(|k| k.api_version() == api_version && k.object == kind)
            .cloned()
    }

    pub fn find(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<super::store::Object, Refusal> {
        let slot = Slot::new(namespace, name);
        self.store
            .get(&kind.resource, &slot)
            .ok_or_else(|| Refusal::not_found(kind, name))
    }
}
