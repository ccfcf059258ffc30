//! Create, update and patch, with the API server's rules for metadata, status and finalizers.

use super::check;
use super::json::{self, at, has_finalizers, is_deleting, set, text};
use super::kind::Kind;
use super::patch;
use super::refusal::Refusal;
use super::state::State;
use super::store::{Object, Slot};
use serde_json::{Value, json};

const NOT_THE_USERS: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

pub fn create(
    state: &mut State,
    kind: &Kind,
    namespace: &str,
    mut object: Value,
) -> Result<Object, Refusal> {
    check::named(kind, namespace, &mut object)?;
    if let Some(prefix) = generated(&object) {
        let name = format!("{prefix}{:05x}", state.store.version());
        set(&mut object, &["metadata", "name"], name);
    }
    let name = json::name(&object).to_owned();
    check::may_create(state, kind, namespace, &name)?;
    if state
        .store
        .get(&kind.resource, &Slot::new(namespace, &name))
        .is_some()
    {
        return Err(Refusal::exists(kind, &name));
    }
    for field in NOT_THE_USERS
        .into_iter()
        .chain(["managedFields", "resourceVersion"])
    {
        set(&mut object, &["metadata", field], Value::Null);
    }
    prepare_new(kind, &mut object);
    check::shape(kind, &mut object)?;
    check::whole(kind, None, &object)?;
    found_metadata(state, kind, &mut object);
    let object = state
        .store
        .put(&kind.resource, as_stored(state, kind, object));
    settle(state, kind);
    Ok(object)
}

fn generated(object: &Value) -> Option<String> {
    let prefix = text(object, "/metadata/generateName");
    (json::name(object).is_empty() && !prefix.is_empty()).then(|| prefix.to_owned())
}

fn found_metadata(state: &mut State, kind: &Kind, object: &mut Value) {
    let uid = state.store.next_uid();
    set(object, &["metadata", "uid"], uid);
    set(
        object,
        &["metadata", "creationTimestamp"],
        state.clock.stamp(),
    );
    if counts_generations(kind) {
        set(object, &["metadata", "generation"], 1);
    }
}

fn counts_generations(kind: &Kind) -> bool {
    kind.custom.is_some()
        || matches!(
            kind.resource.as_str(),
            "pods" | "daemonsets" | "statefulsets" | "customresourcedefinitions"
        )
}

/// What a new object's status and standing fields begin with.
fn prepare_new(kind: &Kind, object: &mut Value) {
    match kind.resource.as_str() {
        "pods" => set(
            object,
            &["status"],
            json!({ "phase": "Pending", "qosClass": "BestEffort" }),
        ),
        "namespaces" => {
            set(object, &["spec", "finalizers"], json!(["kubernetes"]));
            set(object, &["status"], json!({ "phase": "Active" }));
            let name = json::name(object).to_owned();
            set(
                object,
                &["metadata", "labels", "kubernetes.io/metadata.name"],
                name,
            );
        }
        "customresourcedefinitions" => establish(object),
        "nodes" => {} // a kubelet registers itself with its status
        _ if kind.has_status => set(object, &["status"], Value::Null),
        _ => {}
    }
}

fn establish(crd: &mut Value) {
    set(
        crd,
        &["metadata", "finalizers"],
        json!(["customresourcecleanup.apiextensions.k8s.io"]),
    );
    let status = json!({
        "acceptedNames": crd["spec"]["names"],
        "storedVersions": [],
        "conditions": [
            { "type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found" },
            { "type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted" },
        ],
    });
    set(crd, &["status"], status);
}

pub fn update(
    state: &mut State,
    kind: &Kind,
    call: Target<'_>,
    mut object: Value,
) -> Result<Object, Refusal> {
    let old = state.find(kind, call.namespace, call.name)?;
    check::named(kind, call.namespace, &mut object)?;
    if json::name(&object) != call.name {
        return Err(check::other_name(json::name(&object), call.name));
    }
    let (uid, own) = (json::uid(&object), json::uid(&old));
    if !uid.is_empty() && uid != own {
        let why =
            format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {own}");
        return Err(Refusal::conflict(kind, call.name, &why));
    }
    if text(&object, "/metadata/resourceVersion").is_empty() && needs_version(kind) {
        let why = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
        return Err(Refusal::invalid(kind, call.name, why));
    }
    replace(state, kind, call.subresource, &old, object)
}

fn needs_version(kind: &Kind) -> bool {
    kind.custom.is_some()
        || matches!(
            kind.resource.as_str(),
            "leases" | "customresourcedefinitions"
        )
}

/// What a write on one object is aimed at.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub subresource: &'a str,
}

pub fn patch(
    state: &mut State,
    kind: &Kind,
    call: Target<'_>,
    how: &str,
    body: &Value,
) -> Result<Object, Refusal> {
    let how = how.split(';').next().unwrap_or_default().trim();
    if how == "application/strategic-merge-patch+json" && kind.custom.is_some() {
        return Err(unknown_format());
    }
    let old = state.find(kind, call.namespace, call.name)?;
    let mut new = as_served(kind, &old);
    match how {
        "application/merge-patch+json" => patch::merge(&mut new, body),
        "application/strategic-merge-patch+json" => patch::strategic(&mut new, body),
        "application/json-patch+json" => patch::json_patch(&mut new, body)?,
        _ => return Err(unknown_format()),
    }
    if json::name(&new) != call.name {
        return Err(check::other_name(json::name(&new), call.name));
    }
    check::named(kind, call.namespace, &mut new)?;
    let undecodable = |r: Refusal| {
        if r.code == 400 {
            Refusal {
                code: 422,
                reason: "Invalid".to_owned(),
                ..r
            }
        } else {
            r
        }
    };
    replace(state, kind, call.subresource, &old, new).map_err(undecodable)
}

fn unknown_format() -> Refusal {
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json";
    Refusal::of_code(415, message)
}

/// The common end of update and patch: `new` takes the place of `old`.
fn replace(
    state: &mut State,
    kind: &Kind,
    sub: &str,
    old: &Object,
    mut new: Value,
) -> Result<Object, Refusal> {
    let name = json::name(old).to_owned();
    let version = text(&new, "/metadata/resourceVersion");
    if !version.is_empty() && version != text(old, "/metadata/resourceVersion") {
        return Err(Refusal::stale(kind, &name));
    }
    let uid = json::uid(&new);
    if !uid.is_empty() && uid != json::uid(old) {
        let why = format!("metadata.uid: Invalid value: \"{uid}\": field is immutable");
        return Err(Refusal::invalid(kind, &name, &why));
    }
    keep_what_is_not_written(kind, sub, old, &mut new);
    check::shape(kind, &mut new)?;
    check::whole(kind, Some(old), &new)?;
    let mut new = as_stored(state, kind, new);
    keep(&mut new, old, &["metadata", "resourceVersion"]);
    if new == **old {
        return Ok(Object::clone(old));
    }
    count_generation(kind, old, &mut new);
    Ok(finish(state, kind, new))
}

/// The whole object takes the place of the old one, status and all: for changes that are no requests.
pub fn replace_all(
    state: &mut State,
    kind: &Kind,
    old: &Object,
    mut new: Value,
) -> Result<Object, Refusal> {
    for field in NOT_THE_USERS.into_iter().chain(["resourceVersion"]) {
        keep(&mut new, old, &["metadata", field]);
    }
    check::shape(kind, &mut new)?;
    if new == **old {
        return Ok(Object::clone(old));
    }
    count_generation(kind, old, &mut new);
    Ok(finish(state, kind, new))
}

/// Stores an object that was changed, or removes it if nothing holds it any more.
pub fn finish(state: &mut State, kind: &Kind, new: Value) -> Object {
    let due = at(&new, "/metadata/deletionGracePeriodSeconds")
        .as_i64()
        .unwrap_or(0)
        == 0;
    let held = has_finalizers(&new)
        || (kind.resource == "namespaces" && !json::list(&new, "/spec/finalizers").is_empty());
    let object = if is_deleting(&new) && due && !held {
        // watches are shown the last form that was stored, its last finalizer included
        let last = state.store.get(&kind.resource, &Slot::of(&new));
        let last = last.map_or_else(|| new.clone(), |l| (*l).clone());
        state.store.remove(&kind.resource, last);
        Object::new(new)
    } else {
        state.store.put(&kind.resource, new)
    };
    settle(state, kind);
    object
}

fn settle(state: &mut State, kind: &Kind) {
    if kind.resource == "customresourcedefinitions" {
        state.learn_kinds();
    }
}

/// Status writes leave the rest alone, and the other way round.
fn keep_what_is_not_written(kind: &Kind, sub: &str, old: &Value, new: &mut Value) {
    if sub == "status" && kind.custom.is_some() {
        let status = new["status"].take();
        *new = old.clone();
        set(new, &["status"], status);
    } else if sub == "status" {
        keep(new, old, &["spec"]);
        keep(new, old, &["metadata", "ownerReferences"]);
    } else if kind.has_status {
        keep(new, old, &["status"]);
    }
    for field in NOT_THE_USERS {
        keep(new, old, &["metadata", field]);
    }
    set(new, &["metadata", "managedFields"], Value::Null);
}

fn keep(new: &mut Value, old: &Value, path: &[&str]) {
    let pointer = format!("/{}", path.join("/"));
    set(new, path, at(old, &pointer).clone());
}

/// Custom kinds count every change outside the metadata (and a status of its own), built-in ones those of the spec.
fn count_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if !counts_generations(kind) {
        return;
    }
    let changed = if kind.custom.is_some() {
        rest(kind, old) != rest(kind, new)
    } else {
        old["spec"] != new["spec"]
    };
    if changed {
        let generation = at(old, "/metadata/generation").as_i64().unwrap_or(0);
        set(new, &["metadata", "generation"], generation + 1);
    }
}

fn rest(kind: &Kind, object: &Value) -> Value {
    let mut object = object.clone();
    let fields = json::fields(&mut object);
    fields.remove("metadata");
    fields.remove("apiVersion");
    if kind.has_status {
        fields.remove("status");
    }
    object
}

/// With the type of the version that is asked for.
pub fn as_served(kind: &Kind, object: &Value) -> Value {
    let mut object = object.clone();
    set(&mut object, &["apiVersion"], kind.api_version());
    set(&mut object, &["kind"], kind.object.clone());
    object
}

fn as_stored(state: &State, kind: &Kind, object: Value) -> Value {
    match state.stored_kind(&kind.resource) {
        Some(stored) => as_served(&stored, &object),
        None => object,
    }
}
