//! What a cluster does by itself: garbage collection by owner, and the clean-up behind a CRD or namespace that goes.

use super::Shared;
use super::delete::{self, FOREGROUND, has_finalizer};
use super::json::{self, is_deleting, list, set, text};
use super::kind::Kind;
use super::state::State;
use super::store::{Change, Object, Slot};
use super::time as clock;
use super::write;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long after its deletion a CRD or namespace begins to take its objects with it (seen: 1 s).
const CLEANUP_AFTER: Duration = Duration::from_secs(1);

/// When the garbage collector works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gc {
    /// Never by itself.
    Stopped,
    /// So long after something that may give it work.
    After(Duration),
}

/// Starts what a change gives rise to.
pub fn react(server: &Arc<Shared>, change: &Change) {
    let goes = |o: &Option<Object>| o.as_ref().is_some_and(|o| is_deleting(o));
    let holds_others = matches!(
        &*change.resource,
        "namespaces" | "customresourcedefinitions"
    );
    if holds_others && goes(&change.new) && !goes(&change.old) {
        later(server, CLEANUP_AFTER, clean_up);
    }
    if change.new.is_none() {
        release_the_emptied(&mut server.lock());
    }
    let owned = !list(&change.shown, "/metadata/ownerReferences").is_empty();
    if change.new.is_none() || owned || has_finalizer(&change.shown, FOREGROUND) {
        arrange_collection(server);
    }
}

fn arrange_collection(server: &Arc<Shared>) {
    let mut state = server.lock();
    let Gc::After(delay) = state.gc else { return };
    if std::mem::replace(&mut state.gc_due, true) {
        return;
    }
    drop(state);
    later(server, delay, |state| {
        state.gc_due = false;
        if state.gc != Gc::Stopped {
            collect(state);
        }
    });
}

fn later(server: &Arc<Shared>, delay: Duration, work: impl FnOnce(&mut State) + Send + 'static) {
    let server = Arc::downgrade(server);
    tokio::spawn(async move {
        clock::sleep(delay).await;
        if let Some(server) = server.upgrade() {
            work(&mut server.lock());
            server.tell();
        }
    });
}

/// One pass of the garbage collector over every object with owners.
pub fn collect(state: &mut State) {
    for (kind, object) in everything(state) {
        let refs = list(&object, "/metadata/ownerReferences");
        if !refs.is_empty() {
            judge(state, &kind, &object, refs);
        }
        if has_finalizer(&object, FOREGROUND) && is_deleting(&object) {
            end_foreground(state, &kind, &object);
        }
    }
}

fn everything(state: &State) -> Vec<(Kind, Object)> {
    let kinds = state
        .store
        .resources()
        .into_iter()
        .filter_map(|r| state.stored_kind(&r));
    let mut out = Vec::new();
    for kind in kinds {
        out.extend(
            state
                .store
                .all(&kind.resource)
                .map(|o| (kind.clone(), Arc::clone(o))),
        );
    }
    out
}

#[derive(PartialEq)]
enum Owner {
    Solid,
    /// Deleted in the foreground: waits for its dependents.
    Waiting,
    Gone,
}

fn judge(state: &mut State, kind: &Kind, object: &Value, refs: &[Value]) {
    let owners: Vec<Owner> = refs.iter().map(|r| owner(state, object, r)).collect();
    if owners.contains(&Owner::Solid) {
        drop_gone_references(state, kind, object, refs, &owners);
    } else if !is_deleting(object) {
        let options = json!({ "preconditions": { "uid": json::uid(object) } });
        // a refusal means that the object changed under us: the change brings the collector back
        let _ = delete::delete(
            state,
            kind,
            json::namespace(object),
            json::name(object),
            &options,
        );
    }
}

fn owner(state: &State, dependent: &Value, reference: &Value) -> Owner {
    let Some(kind) = state.kind_named(text(reference, "/apiVersion"), text(reference, "/kind"))
    else {
        return Owner::Solid; // of an unknown kind nobody can say that it is gone
    };
    let namespace = if kind.namespaced {
        json::namespace(dependent)
    } else {
        ""
    };
    let owner = state.store.get(
        &kind.resource,
        &Slot::new(namespace, text(reference, "/name")),
    );
    match owner.filter(|o| json::uid(o) == text(reference, "/uid")) {
        None => Owner::Gone,
        Some(owner) if is_deleting(&owner) && has_finalizer(&owner, FOREGROUND) => Owner::Waiting,
        Some(_) => Owner::Solid,
    }
}

fn drop_gone_references(
    state: &mut State,
    kind: &Kind,
    object: &Value,
    refs: &[Value],
    owners: &[Owner],
) {
    if !owners.contains(&Owner::Gone) {
        return;
    }
    let left: Vec<Value> = refs
        .iter()
        .zip(owners)
        .filter(|(_, o)| **o != Owner::Gone)
        .map(|(r, _)| r.clone())
        .collect();
    let mut object = object.clone();
    set(&mut object, &["metadata", "ownerReferences"], left);
    write::finish(state, kind, object);
}

fn end_foreground(state: &mut State, kind: &Kind, owner: &Object) {
    let blocks = |o: &Value| {
        let refs = list(o, "/metadata/ownerReferences").iter();
        refs.into_iter()
            .any(|r| r["uid"] == owner["metadata"]["uid"] && r["blockOwnerDeletion"] == true)
    };
    if everything(state).iter().any(|(_, o)| blocks(o)) {
        return;
    }
    drop_finalizer(state, kind, owner, FOREGROUND);
}

fn drop_finalizer(state: &mut State, kind: &Kind, object: &Value, finalizer: &str) {
    let mut object = object.clone();
    let left: Vec<Value> = list(&object, "/metadata/finalizers")
        .iter()
        .filter(|f| *f != finalizer)
        .cloned()
        .collect();
    let left = if left.is_empty() {
        Value::Null
    } else {
        left.into()
    };
    set(&mut object, &["metadata", "finalizers"], left);
    write::finish(state, kind, object);
}

/// Deletes what lives in namespaces and CRDs that are going.
fn clean_up(state: &mut State) {
    for (kind, object) in everything(state) {
        let space = state
            .store
            .get("namespaces", &Slot::new("", json::namespace(&object)));
        let doomed_space = kind.namespaced && space.is_some_and(|ns| is_deleting(&ns));
        let doomed_kind = kind.custom.as_ref().is_some_and(|c| c.terminating);
        if doomed_space || doomed_kind {
            let _ = delete::delete(
                state,
                &kind,
                json::namespace(&object),
                json::name(&object),
                &Value::Null,
            );
        }
    }
    release_the_emptied(state);
}

/// Lets namespaces and CRDs go that nothing lives in any more.
fn release_the_emptied(state: &mut State) {
    for (kind, object) in everything(state) {
        if !is_deleting(&object) {
            continue;
        }
        match kind.resource.as_str() {
            "namespaces"
                if !everything(state)
                    .iter()
                    .any(|(_, o)| json::namespace(o) == json::name(&object)) =>
            {
                let mut object = (*object).clone();
                set(&mut object, &["spec", "finalizers"], Value::Null);
                write::finish(state, &kind, object);
            }
            "customresourcedefinitions"
                if state
                    .store
                    .all(text(&object, "/spec/names/plural"))
                    .next()
                    .is_none() =>
            {
                drop_finalizer(
                    state,
                    &kind,
                    &object,
                    "customresourcecleanup.apiextensions.k8s.io",
                );
            }
            _ => {}
        }
    }
}
