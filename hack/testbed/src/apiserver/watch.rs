//! Open watches: what each has seen, what it is kept from seeing, and how it ends.

use super::form::Form;
use super::kind::Kind;
use super::log::When;
use super::refusal::Refusal;
use super::route::Call;
use super::selector::Selector;
use super::state::State;
use super::store::{Change, Object, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A view that was frozen; thawed by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FreezeId(u64);

struct Freeze {
    id: FreezeId,
    which: When,
    at: u64,
}

/// How a watch is to end.
#[derive(Clone, Debug)]
enum End {
    /// As the server ends it when its time is over.
    Clean,
    /// The connection breaks.
    Broken,
    /// An ERROR event, then the end.
    Refused(Refusal),
}

struct Watch {
    client: String,
    kind: Kind,
    selector: Selector,
    form: Form,
    /// The last version it was shown or passed by.
    seen: u64,
    /// Events from before its first version: the state it starts from.
    initial: VecDeque<Value>,
    silent: bool,
    end: Option<End>,
}

#[derive(Default)]
pub struct Watches {
    ids: u64,
    open: BTreeMap<u64, Watch>,
    freezes: Vec<Freeze>,
}

/// What a watch has to send next.
pub enum Next {
    Event(Value),
    /// Nothing yet.
    Idle,
    /// Nothing ever again, and no end either.
    Silent,
    Finished,
    Broken,
}

/// A watch that was opened.
pub struct Opened {
    pub id: u64,
    pub time: Duration,
    pub bookmarks: bool,
}

impl Watches {
    /// The newest version that this client may see of this kind.
    pub fn view(&self, client: &str, resource: &str) -> u64 {
        let held = self
            .freezes
            .iter()
            .filter(|f| f.which.picks_watch(client, resource));
        held.map(|f| f.at).min().unwrap_or(u64::MAX)
    }

    pub fn freeze(&mut self, which: When, at: u64) -> FreezeId {
        self.ids += 1;
        let id = FreezeId(self.ids);
        self.freezes.push(Freeze { id, which, at });
        id
    }

    pub fn thaw(&mut self, id: FreezeId) {
        self.freezes.retain(|f| f.id != id);
    }

    /// Moves a frozen view on to `at`.
    pub fn move_view(&mut self, id: FreezeId, at: impl Fn(u64) -> u64) {
        self.freezes
            .iter_mut()
            .filter(|f| f.id == id)
            .for_each(|f| f.at = at(f.at));
    }

    fn each(&mut self, which: &When, mut f: impl FnMut(&mut Watch)) -> usize {
        let picked = self
            .open
            .values_mut()
            .filter(|w| which.picks_watch(&w.client, &w.kind.resource));
        picked.map(&mut f).count()
    }

    pub fn silence(&mut self, which: &When) -> usize {
        self.each(which, |w| w.silent = true)
    }

    pub fn cut(&mut self, which: &When) -> usize {
        self.each(which, |w| w.end = Some(End::Broken))
    }

    pub fn close(&mut self, which: &When) -> usize {
        self.each(which, |w| w.end = Some(End::Clean))
    }

    pub fn refuse(&mut self, which: &When, refusal: &Refusal) -> usize {
        self.each(which, |w| w.end = Some(End::Refused(refusal.clone())))
    }

    pub fn count(&self, which: &When) -> usize {
        self.open
            .values()
            .filter(|w| which.picks_watch(&w.client, &w.kind.resource))
            .count()
    }

    /// The server ends the watches of a kind whose CRD is gone.
    pub fn end_unserved(&mut self, kinds: &[Kind]) {
        let served = |w: &Watch| {
            kinds
                .iter()
                .any(|k| k.resource == w.kind.resource && k.version == w.kind.version)
        };
        self.open
            .values_mut()
            .filter(|w| !served(w))
            .for_each(|w| w.end = Some(End::Clean));
    }

    pub fn forget(&mut self, id: u64) {
        self.open.remove(&id);
    }

    /// The next thing to send on a watch, given the store.
    pub fn next(&mut self, id: u64, store: &mut Store) -> Next {
        let Some(watch) = self.open.get(&id) else {
            return Next::Finished;
        };
        let view = self.view(&watch.client, &watch.kind.resource);
        let Some(watch) = self.open.get_mut(&id) else {
            return Next::Finished;
        };
        match watch.end.take() {
            Some(End::Broken) => return Next::Broken,
            Some(End::Refused(refusal)) => {
                watch.end = Some(End::Clean);
                return Next::Event(json!({ "type": "ERROR", "object": refusal.status() }));
            }
            Some(End::Clean) => return Next::Finished,
            None if watch.silent => return Next::Silent,
            None => {}
        }
        if let Some(event) = watch.initial.pop_front() {
            return Next::Event(event);
        }
        watch.advance(store, view).map_or(Next::Idle, Next::Event)
    }

    /// A bookmark at the newest version that the watch may know.
    pub fn bookmark(&mut self, id: u64, newest: u64) -> Option<Value> {
        let watch = self.open.get(&id)?;
        let version = newest
            .min(self.view(&watch.client, &watch.kind.resource))
            .max(watch.seen);
        let object = watch.form.bookmark(
            &watch.kind,
            json!({ "resourceVersion": version.to_string(), "creationTimestamp": null }),
        );
        Some(json!({ "type": "BOOKMARK", "object": object }))
    }
}

impl Watch {
    fn advance(&mut self, store: &mut Store, view: u64) -> Option<Value> {
        for change in store.table(&self.kind.resource).since(self.seen) {
            if change.version > view {
                return None;
            }
            self.seen = change.version;
            if let Some(event) = self.event(change) {
                return Some(event);
            }
        }
        None
    }

    /// How a change looks through the selector: what leaves it is DELETED, in its old form, at the new version.
    fn event(&self, change: &Change) -> Option<Value> {
        let through =
            |o: &Option<Object>| o.as_ref().is_some_and(|o| self.selector.lets_through(o));
        let (what, object) = match (through(&change.old), through(&change.new)) {
            (false, false) => return None,
            (false, true) => ("ADDED", self.shown(&change.shown)),
            (true, true) => ("MODIFIED", self.shown(&change.shown)),
            (true, false) if change.new.is_none() => ("DELETED", self.shown(&change.shown)),
            (true, false) => ("DELETED", self.left(change)),
        };
        Some(json!({ "type": what, "object": object }))
    }

    fn shown(&self, object: &Object) -> Value {
        self.form.one(&self.kind, object)
    }

    fn left(&self, change: &Change) -> Value {
        let old = change.old.as_ref().unwrap_or(&change.shown);
        let mut object = self.shown(old);
        super::json::set(
            &mut object,
            &["metadata", "resourceVersion"],
            change.version.to_string(),
        );
        object
    }
}

/// Opens a watch. One that asks for too old a version opens too: its only event is the 410.
pub fn open(state: &mut State, kind: &Kind, call: &Call, client: &str) -> Result<Opened, Refusal> {
    let selector = super::read::selector(kind, call)?;
    let view = state
        .watches
        .view(client, &kind.resource)
        .min(state.store.version());
    let asked = call.param("resourceVersion");
    let from: u64 = match asked {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| Refusal::bad_request(format!("invalid resource version: {text}")))?,
    };
    let mut watch = Watch {
        client: client.to_owned(),
        kind: kind.clone(),
        selector,
        form: Form::of(&call.accept, &call.query),
        seen: from,
        initial: VecDeque::new(),
        silent: false,
        end: None,
    };
    let streams_list = call.param("sendInitialEvents") == "true";
    if from == 0 || streams_list {
        watch.begin(state, view, streams_list);
    } else if from < state.store.table(&kind.resource).oldest() {
        let newest = state.store.version();
        watch.end = Some(End::Refused(Refusal::expired(format!(
            "too old resource version: {from} ({newest})"
        ))));
    }
    state.watches.ids += 1;
    let id = state.watches.ids;
    state.watches.open.insert(id, watch);
    let time = call.param("timeoutSeconds").parse().unwrap_or(1800);
    let bookmarks = call.param("allowWatchBookmarks") == "true";
    Ok(Opened {
        id,
        time: Duration::from_secs(time),
        bookmarks,
    })
}

impl Watch {
    /// Starts from the whole state, as ADDED events; for a streamed list with a bookmark at its end.
    fn begin(&mut self, state: &mut State, view: u64, streams_list: bool) {
        let objects = state.store.table(&self.kind.resource).as_of(view);
        let through = objects.values().filter(|o| self.selector.lets_through(o));
        self.initial = through
            .map(|o| json!({ "type": "ADDED", "object": self.shown(o) }))
            .collect();
        self.seen = view;
        if streams_list {
            let meta = json!({
                "resourceVersion": view.to_string(), "creationTimestamp": null,
                "annotations": { "k8s.io/initial-events-end": "true" },
            });
            let object = self.form.bookmark(&self.kind, meta);
            self.initial
                .push_back(json!({ "type": "BOOKMARK", "object": object }));
        }
    }
}
