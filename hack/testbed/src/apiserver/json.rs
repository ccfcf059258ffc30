//! Reading and writing fields of untyped objects: a missing field reads as empty, never as an error.

use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// The value at a JSON pointer, or null.
pub fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object.pointer(pointer).unwrap_or(&NULL)
}

/// The string at a JSON pointer, or "".
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).as_str().unwrap_or_default()
}

/// The list at a JSON pointer, or an empty one.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).as_array().map_or(&[], Vec::as_slice)
}

pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion")
        .parse()
        .unwrap_or(0)
}

pub fn is_deleting(object: &Value) -> bool {
    at(object, "/metadata/deletionTimestamp").is_string()
}

pub fn has_finalizers(object: &Value) -> bool {
    !list(object, "/metadata/finalizers").is_empty()
}

/// Sees `value` as an object, whatever it was before.
pub fn fields(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("made an object above"),
    }
}

/// Sets the field at `path`, making the objects on the way; null removes it.
pub fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    let Some((last, way)) = path.split_last() else {
        return;
    };
    let value = value.into();
    let mut here = object;
    for step in way {
        if value.is_null() && here.get(*step).is_none() {
            return;
        }
        here = fields(here).entry(*step).or_insert(Value::Null);
    }
    if value.is_null() {
        fields(here).remove(*last);
    } else {
        fields(here).insert((*last).to_owned(), value);
    }
}

/// Drops nulls at every depth of objects, as a decoder into Go structs does.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
