//! What an object has to fulfil before it is stored.

use super::json::{self, at, is_deleting, set, text};
use super::kind::Kind;
use super::refusal::Refusal;
use super::state::State;
use super::store::Slot;
use k8s_openapi::api::{apps, coordination, core, events};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// All annotations of one object together, in bytes.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Its namespace is the request's; sets it where the body says nothing.
pub fn named(kind: &Kind, namespace: &str, object: &mut Value) -> Result<(), Refusal> {
    if !object.is_object() {
        return Err(Refusal::bad_request("the object provided is unrecognized"));
    }
    let own = json::namespace(object);
    if kind.namespaced && !own.is_empty() && own != namespace {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let wanted = (text(object, "/apiVersion"), text(object, "/kind"));
    if !wanted.0.is_empty() && (wanted.0 != kind.api_version() || wanted.1 != kind.object) {
        let message = format!(
            "the API version in the data ({}) does not match the expected API version ({})",
            wanted.0,
            kind.api_version()
        );
        return Err(Refusal::bad_request(message));
    }
    set(
        object,
        &["metadata", "namespace"],
        if kind.namespaced {
            Value::from(namespace)
        } else {
            Value::Null
        },
    );
    Ok(())
}

pub fn other_name(body: &str, url: &str) -> Refusal {
    Refusal::bad_request(format!(
        "the name of the object ({body}) does not match the name on the URL ({url})"
    ))
}

/// The namespace and the CRD let new objects in.
pub fn may_create(state: &State, kind: &Kind, namespace: &str, name: &str) -> Result<(), Refusal> {
    if kind.namespaced {
        let space = state
            .stored_kind("namespaces")
            .map(|k| state.find(&k, "", namespace))
            .transpose()?;
        if space.is_some_and(|ns| is_deleting(&ns)) {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            );
            return Err(Refusal::forbidden(kind, name, &why));
        }
    }
    if kind.custom.as_ref().is_some_and(|c| c.terminating) {
        return Err(Refusal::forbidden(
            kind,
            name,
            "create not allowed while custom resource definition is terminating",
        ));
    }
    if state
        .store
        .get("namespaces", &Slot::new("", name))
        .is_none()
        && !is_name(name)
    {
        let why = format!(
            "metadata.name: Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
        );
        return Err(Refusal::invalid(kind, name, &why));
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(|c| plain(c) || c == '-' || c == '.')
        && name.starts_with(plain)
        && name.ends_with(plain)
}

/// Decodes as the kind's own type, so that fields it does not know go: by the CRD's schema or by the Go type.
pub fn shape(kind: &Kind, object: &mut Value) -> Result<(), Refusal> {
    if let Some(custom) = &kind.custom {
        json::drop_nulls(&mut object["metadata"]);
        if !json::has_finalizers(object) {
            set(object, &["metadata", "finalizers"], Value::Null); // an empty list is stored as none
        }
        if let Some(schema) = &custom.schema {
            schema.shape(object);
        }
        return Ok(());
    }
    json::drop_nulls(object);
    match kind.resource.as_str() {
        "pods" => decode::<core::v1::Pod>(kind, object),
        "namespaces" => decode::<core::v1::Namespace>(kind, object),
        "nodes" => decode::<core::v1::Node>(kind, object),
        "configmaps" => decode::<core::v1::ConfigMap>(kind, object),
        "daemonsets" => decode::<apps::v1::DaemonSet>(kind, object),
        "statefulsets" => decode::<apps::v1::StatefulSet>(kind, object),
        "events" => decode::<events::v1::Event>(kind, object),
        "leases" => decode::<coordination::v1::Lease>(kind, object),
        _ => Ok(()),
    }
}

fn decode<T: Serialize + DeserializeOwned>(kind: &Kind, object: &mut Value) -> Result<(), Refusal> {
    let what = |e: serde_json::Error| {
        let (kind, version) = (&kind.object, &kind.version);
        Refusal::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {e}"
        ))
    };
    let typed = T::deserialize(&*object).map_err(what)?;
    *object = serde_json::to_value(typed).map_err(what)?;
    Ok(())
}

/// The rules that need the whole object, and the one it replaces.
pub fn whole(kind: &Kind, old: Option<&Value>, new: &Value) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    labels(new, &mut wrong);
    annotations(new, &mut wrong);
    if let Some(old) = old.filter(|o| is_deleting(o)) {
        no_new_finalizers(old, new, &mut wrong);
    }
    if let Some(schema) = kind.custom.as_ref().and_then(|c| c.schema.as_ref()) {
        wrong.extend(schema.complaints(new));
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(Refusal::invalid(kind, json::name(new), one)),
        many => Err(Refusal::invalid(
            kind,
            json::name(new),
            &format!("[{}]", many.join(", ")),
        )),
    }
}

fn labels(object: &Value, wrong: &mut Vec<String>) {
    let Value::Object(labels) = at(object, "/metadata/labels") else {
        return;
    };
    for value in labels.values().filter_map(Value::as_str) {
        if value.len() > 63 {
            wrong.push(format!(
                "metadata.labels: Invalid value: \"{value}\": must be no more than 63 bytes"
            ));
        } else if !is_label_value(value) {
            wrong.push(format!("metadata.labels: Invalid value: \"{value}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }
}

fn is_label_value(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let inside = |c: char| plain(c) || matches!(c, '-' | '_' | '.');
    value.is_empty()
        || (value.starts_with(plain) && value.ends_with(plain) && value.chars().all(inside))
}

fn annotations(object: &Value, wrong: &mut Vec<String>) {
    let Value::Object(notes) = at(object, "/metadata/annotations") else {
        return;
    };
    let size: usize = notes
        .iter()
        .map(|(k, v)| k.len() + v.as_str().map_or(0, str::len))
        .sum();
    if size > ANNOTATIONS_LIMIT {
        wrong.push(format!(
            "metadata.annotations: Too long: may not be more than {ANNOTATIONS_LIMIT} bytes"
        ));
    }
    if let Some((key, _)) = notes.iter().find(|(_, v)| !v.is_string()) {
        wrong.push(format!(
            "metadata.annotations.{key}: Invalid value: must be a string"
        ));
    }
}

fn no_new_finalizers(old: &Value, new: &Value, wrong: &mut Vec<String>) {
    let had = json::list(old, "/metadata/finalizers");
    let fresh: Vec<String> = json::list(new, "/metadata/finalizers")
        .iter()
        .filter(|f| !had.contains(f))
        .map(ToString::to_string)
        .collect();
    if !fresh.is_empty() {
        let names = fresh.join(", ");
        wrong.push(format!("metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{names}}}"));
    }
}
