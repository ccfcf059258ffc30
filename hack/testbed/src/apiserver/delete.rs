//! Deletion: preconditions, grace for pods, finalizers.

use super::json::{self, at, has_finalizers, is_deleting, set, text};
use super::kind::Kind;
use super::refusal::Refusal;
use super::state::State;
use super::store::Object;
use super::time::stamp;
use super::write;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// What a DELETE left behind.
pub enum Deleted {
    /// The object is gone; this is its last form.
    Gone(Object),
    /// It stays until grace or finalizers are over.
    Pending(Object),
}

/// `options` is the body's `DeleteOptions`, or null.
pub fn delete(
    state: &mut State,
    kind: &Kind,
    namespace: &str,
    name: &str,
    options: &Value,
) -> Result<Deleted, Refusal> {
    let old = state.find(kind, namespace, name)?;
    if kind.resource == "namespaces" && matches!(name, "default" | "kube-system" | "kube-public") {
        return Err(Refusal::forbidden(
            kind,
            name,
            "this namespace may not be deleted",
        ));
    }
    preconditions(kind, &old, options)?;
    let mut new = (*old).clone();
    let grace = grace(kind, &old, options);
    if !mark(state, &mut new, grace) {
        return Ok(Deleted::Pending(old));
    }
    hold_dependents(options, &mut new);
    doom(kind, &mut new);
    if grace == 0 && !held(kind, &new) {
        return Ok(Deleted::Gone(remove(state, kind, &old, new)));
    }
    if new == *old {
        return Ok(Deleted::Pending(old));
    }
    Ok(Deleted::Pending(write::finish(state, kind, new)))
}

/// A pod is marked first and then removed, two changes; other kinds go as they were, without a deletionTimestamp.
fn remove(state: &mut State, kind: &Kind, old: &Value, marked: Value) -> Object {
    let mut last = old.clone();
    if kind.resource == "pods" {
        last = if marked == *old {
            marked
        } else {
            (*state.store.put(&kind.resource, marked)).clone()
        };
    }
    state.store.remove(&kind.resource, last)
}

fn held(kind: &Kind, object: &Value) -> bool {
    has_finalizers(object)
        || (kind.resource == "namespaces" && !json::list(object, "/spec/finalizers").is_empty())
}

fn preconditions(kind: &Kind, old: &Value, options: &Value) -> Result<(), Refusal> {
    let (uid, own) = (text(options, "/preconditions/uid"), json::uid(old));
    if !uid.is_empty() && uid != own {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({own}). The object might have been deleted and then recreated"
        );
        return Err(Refusal::precondition(kind, json::name(old), &why));
    }
    let (version, own) = (
        text(options, "/preconditions/resourceVersion"),
        text(old, "/metadata/resourceVersion"),
    );
    if !version.is_empty() && version != own {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({own}). The object might have been modified"
        );
        return Err(Refusal::precondition(kind, json::name(old), &why));
    }
    Ok(())
}

/// Seconds that a pod has to end its containers; 0 for every other kind.
fn grace(kind: &Kind, old: &Value, options: &Value) -> i64 {
    if kind.resource != "pods" {
        return 0;
    }
    let ended = matches!(text(old, "/status/phase"), "Failed" | "Succeeded");
    if ended || text(old, "/spec/nodeName").is_empty() {
        return 0;
    }
    let own = at(old, "/spec/terminationGracePeriodSeconds")
        .as_i64()
        .unwrap_or(30);
    let asked = at(options, "/gracePeriodSeconds").as_i64().unwrap_or(own);
    if asked < 0 { 1 } else { asked }
}

/// Sets or shortens the time of deletion; false where a deletion with no longer grace is already under way.
fn mark(state: &State, object: &mut Value, grace: i64) -> bool {
    if is_deleting(object) {
        let left = at(object, "/metadata/deletionGracePeriodSeconds")
            .as_i64()
            .unwrap_or(0);
        if left != 0 && grace >= left {
            return false;
        }
    } else if let Some(generation) = at(object, "/metadata/generation").as_i64() {
        set(object, &["metadata", "generation"], generation + 1);
    }
    if !is_deleting(object)
        || at(object, "/metadata/deletionGracePeriodSeconds")
            .as_i64()
            .unwrap_or(0)
            != 0
    {
        let when = state.clock.now() + SignedDuration::from_secs(grace);
        set(object, &["metadata", "deletionTimestamp"], stamp(when));
        set(object, &["metadata", "deletionGracePeriodSeconds"], grace);
    }
    true
}

/// Foreground deletion waits for the dependents that block it.
fn hold_dependents(options: &Value, object: &mut Value) {
    if text(options, "/propagationPolicy") != "Foreground" || has_finalizer(object, FOREGROUND) {
        return;
    }
    let mut finalizers = json::list(object, "/metadata/finalizers").to_vec();
    finalizers.push(FOREGROUND.into());
    set(object, &["metadata", "finalizers"], finalizers);
}

pub const FOREGROUND: &str = "foregroundDeletion";

pub fn has_finalizer(object: &Value, name: &str) -> bool {
    json::list(object, "/metadata/finalizers")
        .iter()
        .any(|f| f == name)
}

/// Namespaces and CRDs say that they are going.
fn doom(kind: &Kind, object: &mut Value) {
    match kind.resource.as_str() {
        "namespaces" => set(object, &["status", "phase"], "Terminating"),
        "customresourcedefinitions" => {
            let doomed = json!({ "conditions": [{ "type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress", "message": "CustomResource deletion is in progress" }] });
            super::patch::strategic(&mut object["status"], &doomed);
        }
        _ => {}
    }
}
