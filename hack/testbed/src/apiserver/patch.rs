//! The three kinds of patch bodies: merge, strategic merge (built-in kinds only), JSON patch.

use super::json::fields;
use super::refusal::Refusal;
use serde_json::{Map, Value};

/// RFC 7386.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    let here = fields(target);
    for (key, change) in changes {
        if change.is_null() {
            here.remove(key);
        } else {
            merge(here.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Strategic merge: lists of known fields are merged by key, `$patch` directives obeyed.
pub fn strategic(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if patch["$patch"] == "replace" {
        *target = Value::Object(without_directives(changes));
        return;
    }
    let here = fields(target);
    if patch["$patch"] == "delete" {
        here.clear();
        return;
    }
    for (key, change) in changes {
        strategic_field(here, key, change);
    }
}

fn strategic_field(here: &mut Map<String, Value>, key: &str, change: &Value) {
    if let Some(field) = key.strip_prefix("$deleteFromPrimitiveList/") {
        if let (Some(Value::Array(items)), Value::Array(gone)) = (here.get_mut(field), change) {
            items.retain(|i| !gone.contains(i));
        }
        return;
    }
    if key.starts_with('$') {
        return; // ordering and retainKeys hints: no field the agent writes needs them
    }
    match (change, merge_key(key)) {
        (Value::Null, _) => drop(here.remove(key)),
        (Value::Array(changes), Some(by)) => {
            let slot = here.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(items) = slot {
                merge_items(items, changes, by);
            }
        }
        (Value::Object(_), _) => strategic(here.entry(key).or_insert(Value::Null), change),
        _ => drop(here.insert(key.to_owned(), change.clone())),
    }
}

/// How the items of a list field are told apart; "" for plain values that form a set; None for lists that are replaced.
fn merge_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "conditions" | "addresses" => "type",
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "resourceClaims"
        | "schedulingGates"
        | "resourceClaimStatuses" => "name",
        "ownerReferences" => "uid",
        "podIPs" | "hostIPs" | "hostAliases" => "ip",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "topologySpreadConstraints" => "topologyKey",
        "finalizers" | "podCIDRs" => "",
        _ => return None,
    })
}

fn merge_items(items: &mut Vec<Value>, changes: &[Value], by: &str) {
    if changes.iter().any(|c| c["$patch"] == "replace") {
        items.clear();
    }
    let mut fresh = 0; // new items come first, as the server orders them
    for change in changes.iter().filter(|c| c["$patch"] != "replace") {
        let same = |item: &Value| {
            if by.is_empty() {
                item == change
            } else {
                item[by] == change[by]
            }
        };
        if change["$patch"] == "delete" {
            items.retain(|item| !same(item));
        } else if let Some(item) = items.iter_mut().find(|item| same(item)) {
            strategic(item, change);
        } else {
            items.insert(fresh, change.clone());
            fresh += 1;
        }
    }
}

fn without_directives(changes: &Map<String, Value>) -> Map<String, Value> {
    changes
        .iter()
        .filter(|(key, _)| !key.starts_with('$'))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// RFC 6902.
pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), Refusal> {
    let steps = patch
        .as_array()
        .ok_or_else(|| Refusal::bad_request("a JSON patch is a list of operations"))?;
    steps.iter().try_for_each(|step| json_step(target, step))
}

fn json_step(target: &mut Value, step: &Value) -> Result<(), Refusal> {
    let path = super::json::text(step, "/path");
    match super::json::text(step, "/op") {
        "add" => insert(target, path, step["value"].clone()),
        "remove" => remove(target, path).map(drop),
        "replace" => {
            let slot = target.pointer_mut(path).ok_or_else(unfit)?;
            *slot = step["value"].clone();
            Ok(())
        }
        "test" if target.pointer(path).unwrap_or(&Value::Null) == &step["value"] => Ok(()),
        "test" => Err(unfit()),
        "copy" => {
            let value = target.pointer(super::json::text(step, "/from")).cloned();
            insert(target, path, value.ok_or_else(unfit)?)
        }
        "move" => {
            let value = remove(target, super::json::text(step, "/from"))?;
            insert(target, path, value)
        }
        other => Err(Refusal::bad_request(format!(
            "unexpected operation {other}"
        ))),
    }
}

/// Whatever is wrong with a JSON patch: the server says no more than this.
fn unfit() -> Refusal {
    Refusal::of_code(
        422,
        "the server rejected our request due to an error in our request",
    )
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn insert(target: &mut Value, path: &str, value: Value) -> Result<(), Refusal> {
    let (parent, last) = split(path).ok_or_else(unfit)?;
    match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.insert(last, value)),
        Some(Value::Array(items)) if last == "-" => items.push(value),
        Some(Value::Array(items)) => {
            let n = last
                .parse()
                .ok()
                .filter(|n| *n <= items.len())
                .ok_or_else(unfit)?;
            items.insert(n, value);
        }
        _ => return Err(unfit()),
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<Value, Refusal> {
    let (parent, last) = split(path).ok_or_else(unfit)?;
    match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).ok_or_else(unfit),
        Some(Value::Array(items)) => {
            let n = last
                .parse()
                .ok()
                .filter(|n| *n < items.len())
                .ok_or_else(unfit)?;
            Ok(items.remove(n))
        }
        _ => Err(unfit()),
    }
}
