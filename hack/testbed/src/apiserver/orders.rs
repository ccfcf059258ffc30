//! What a test orders: changes by somebody else, faults, stale and broken watches, the clock.

use super::controllers::{self, Gc};
use super::delete;
use super::fault::{FaultId, Gate, Then};
use super::json::{self, text};
use super::kind::Kind;
use super::log::When;
use super::refusal::Refusal;
use super::state::State;
use super::store::{Change, Slot};
use super::watch::FreezeId;
use super::write;
use super::{ApiServer, Hook};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Changes by somebody else: users, kubelet, another program. They are no requests and meet no faults.
impl ApiServer {
    fn change<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let done = work(&mut self.shared.lock());
        self.shared.tell();
        done
    }

    /// Creates an object, its status included, and its namespace where there is none.
    pub fn create(&self, object: &impl Serialize) -> Result<Value, Refusal> {
        let object =
            serde_json::to_value(object).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let (api_version, kind) = (text(&object, "/apiVersion"), text(&object, "/kind"));
        let unknown =
            || Refusal::of_code(404, format!("no kind {kind} at {api_version} is served"));
        let kind = self
            .shared
            .lock()
            .kind_named(api_version, kind)
            .ok_or_else(unknown)?;
        let namespace = match json::namespace(&object) {
            "" if kind.namespaced => "default",
            other => other,
        };
        if kind.namespaced {
            self.create_or_find_namespace(namespace);
        }
        self.change(|state| {
            let created = write::create(state, &kind, namespace, object.clone())?;
            let status = object["status"].clone();
            let standing = matches!(
                kind.resource.as_str(),
                "customresourcedefinitions" | "namespaces"
            );
            if status.is_null() || standing || status == created["status"] {
                return Ok((*created).clone());
            }
            let mut whole = (*created).clone();
            whole["status"] = status;
            write::replace_all(state, &kind, &created, whole).map(|o| (*o).clone())
        })
    }

    pub(super) fn create_or_find_namespace(&self, name: &str) {
        if self.get("namespaces", "", name).is_none() {
            let namespace =
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            // two at once: the other one's is as good
            drop(self.create(&namespace));
        }
    }

    /// Changes an object, spec, status and metadata alike, by the server's rules for finalizers and generations.
    pub fn edit(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Value, Refusal> {
        let (kind, old) = {
            let state = self.shared.lock();
            let kind = known(&state, resource)?;
            let old = state.find(&kind, namespace, name)?;
            (kind, old)
        };
        // without the lock: the change may ask the double something
        let mut new = (*old).clone();
        change(&mut new);
        let done = self.change(|state| write::replace_all(state, &kind, &old, new))?;
        Ok((*done).clone())
    }

    /// A plain delete: grace for pods, finalizers hold it.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) -> Result<(), Refusal> {
        self.delete_with(resource, namespace, name, &Value::Null)
    }

    /// A delete with `DeleteOptions`.
    pub fn delete_with(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        options: &Value,
    ) -> Result<(), Refusal> {
        self.change(|state| {
            let kind = known(state, resource)?;
            delete::delete(state, &kind, namespace, name, options).map(drop)
        })
    }

    /// The object is no more, finalizers or not, as if somebody had cleared them all.
    pub fn vanish(&self, resource: &str, namespace: &str, name: &str) -> Result<(), Refusal> {
        self.change(|state| {
            let kind = known(state, resource)?;
            let old = state.find(&kind, namespace, name)?;
            state.store.remove(&kind.resource, (*old).clone());
            if resource == "customresourcedefinitions" {
                state.learn_kinds();
            }
            Ok(())
        })
    }

    /// Installs a CRD in the place of one of its name; objects stay. Any `CustomResourceDefinition` will do.
    pub fn install(&self, crd: &impl Serialize) -> Result<Value, Refusal> {
        let crd = serde_json::to_value(crd).map_err(|e| Refusal::bad_request(e.to_string()))?;
        let name = json::name(&crd);
        if self.get("customresourcedefinitions", "", name).is_none() {
            return self.create(&crd);
        }
        self.edit("customresourcedefinitions", "", name, |old| {
            old["spec"] = crd["spec"].clone();
        })
    }

    /// Deletes a CRD, by plural name: Terminating at once, its objects deleted a second later.
    pub fn delete_crd(&self, plural: &str) -> Result<(), Refusal> {
        let name = {
            let state = self.shared.lock();
            known(&state, plural)?.qualified()
        };
        self.delete("customresourcedefinitions", "", &name)
    }

    /// Runs after every change, whoever made it; it may make changes of its own.
    pub fn on_change(&self, hook: impl Fn(&Self, &Change) + Send + Sync + 'static) {
        let hook: Hook = Arc::new(hook);
        self.shared
            .hooks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(hook);
    }

    /// When the garbage collector works: at first 100 ms after it has work.
    pub fn set_gc(&self, gc: Gc) {
        self.shared.lock().gc = gc;
    }

    /// One pass of the garbage collector now, also where it is stopped.
    pub fn run_gc(&self) {
        controllers::collect(&mut self.shared.lock());
        self.shared.tell();
    }
}

fn known(state: &State, resource: &str) -> Result<Kind, Refusal> {
    let unknown = || Refusal::of_code(404, format!("no {resource} are served"));
    state.stored_kind(resource).ok_or_else(unknown)
}

/// Faults.
impl ApiServer {
    /// The next `times` requests that `when` picks meet this fault (`usize::MAX`: all from now on).
    pub fn fault(&self, when: When, times: usize, then: Then) -> FaultId {
        self.shared.lock().faults.add(when, times, then)
    }

    /// No further request meets this fault; what is held stays held.
    pub fn lift(&self, fault: FaultId) {
        self.shared.lock().faults.lift(fault);
    }

    /// Held requests are worked on now, held answers delivered, in their order.
    pub fn release(&self, fault: FaultId) {
        self.shared.lock().faults.open(fault, Gate::Open);
    }

    /// Held requests and answers are lost.
    pub fn lose(&self, fault: FaultId) {
        self.shared.lock().faults.open(fault, Gate::Dropped);
    }

    /// How many requests or answers a fault holds now.
    pub fn held(&self, fault: FaultId) -> usize {
        self.shared.lock().faults.held(fault)
    }

    /// The server is away for these clients: connections break, open watches too. Until the fault is lifted.
    pub fn go_away(&self, from: When) -> FaultId {
        self.cut_watches(&from);
        self.fault(from, usize::MAX, Then::LoseRequest)
    }

    /// The network swallows everything: requests hang, watches fall silent. What is sent meanwhile is held.
    pub fn go_dark(&self, from: When) -> FaultId {
        self.silence_watches(&from);
        self.fault(from, usize::MAX, Then::HoldRequest)
    }

    /// How long a request and its answer travel together; none at first.
    pub fn set_latency(&self, there_and_back: Duration) {
        self.shared.lock().latency = there_and_back;
    }
}

/// Watches. Of the pattern only client and kind count.
impl ApiServer {
    /// Views freeze: watches show nothing newer, lists and gets at a resourceVersion are answered from here. Live reads stay live.
    pub fn freeze(&self, which: When) -> FreezeId {
        let mut state = self.shared.lock();
        let version = state.store.version();
        state.watches.freeze(which, version)
    }

    /// Lets a frozen view see the next `changes` changes, of all kinds together.
    pub fn let_through(&self, freeze: FreezeId, changes: u64) {
        self.shared
            .lock()
            .watches
            .move_view(freeze, |at| at + changes);
        self.shared.wake();
    }

    /// Lets a frozen view see what has happened up to now, and nothing more.
    pub fn catch_up(&self, freeze: FreezeId) {
        let mut state = self.shared.lock();
        let version = state.store.version();
        state.watches.move_view(freeze, |_| version);
        drop(state);
        self.shared.wake();
    }

    pub fn thaw(&self, freeze: FreezeId) {
        self.shared.lock().watches.thaw(freeze);
        self.shared.wake();
    }

    /// Breaks the connections of open watches; gives their number.
    pub fn cut_watches(&self, which: &When) -> usize {
        let cut = self.shared.lock().watches.cut(which);
        self.shared.wake();
        cut
    }

    /// Ends open watches as the server does when their time is over.
    pub fn close_watches(&self, which: &When) -> usize {
        let closed = self.shared.lock().watches.close(which);
        self.shared.wake();
        closed
    }

    /// Open watches show nothing any more and never end: dead without an error. New ones are not touched.
    pub fn silence_watches(&self, which: &When) -> usize {
        self.shared.lock().watches.silence(which)
    }

    /// Open watches get an ERROR event, 410 Expired, and end.
    pub fn expire_watches(&self, which: &When) -> usize {
        let expired = self
            .shared
            .lock()
            .watches
            .refuse(which, &Refusal::expired("too old resource version"));
        self.shared.wake();
        expired
    }

    /// Forgets the history: a watch or page that begins before now is answered 410. Open watches go on.
    pub fn forget_history(&self) {
        self.shared.lock().store.compact();
    }

    /// Moves the resourceVersion on, as writes of other kinds do.
    pub fn skip_versions(&self, versions: u64) {
        self.shared.lock().store.skip(versions);
        self.shared.wake();
    }

    pub fn open_watches(&self, which: &When) -> usize {
        self.shared.lock().watches.count(which)
    }
}

/// The clock.
impl ApiServer {
    /// The server's time, as in its `Date` header.
    pub fn now(&self) -> Timestamp {
        self.shared.lock().clock.now()
    }

    /// The server's time as it writes it into objects.
    pub fn timestamp(&self) -> String {
        self.shared.lock().clock.stamp()
    }

    /// Puts the server's clock off, from its own beginning; negative for late.
    pub fn set_clock_off_by(&self, by: SignedDuration) {
        self.shared.lock().clock.put_off(by);
    }

    /// The uid of the kube-system namespace: the cluster's mark.
    pub fn cluster_uid(&self) -> String {
        let state = self.shared.lock();
        let space = state.store.get("namespaces", &Slot::new("", "kube-system"));
        space
            .map(|ns| json::uid(&ns).to_owned())
            .unwrap_or_default()
    }
}
