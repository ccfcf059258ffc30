//! A CRD's structural schema: unknown fields are pruned, defaults set, types, enums and required fields checked.

use serde_json::Value;
use std::collections::BTreeMap;

/// One node of `openAPIV3Schema`.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    kind: String,
    properties: BTreeMap<String, Self>,
    items: Option<Box<Self>>,
    additional: Option<Box<Self>>,
    required: Vec<String>,
    allowed: Vec<Value>,
    default: Option<Value>,
    nullable: bool,
    keeps_unknown: bool,
}

impl Schema {
    pub fn read(schema: &Value) -> Self {
        let child = |key: &str| {
            schema
                .get(key)
                .filter(|v| v.is_object())
                .map(|v| Box::new(Self::read(v)))
        };
        let flag = |key: &str| schema.get(key) == Some(&Value::Bool(true));
        let strings = |key: &str| {
            super::json::list(schema, key)
                .iter()
                .filter_map(|v| v.as_str().map(str::to_owned))
        };
        Self {
            kind: super::json::text(schema, "/type").to_owned(),
            properties: properties(schema),
            items: child("items"),
            additional: child("additionalProperties"),
            required: strings("/required").collect(),
            allowed: super::json::list(schema, "/enum").to_vec(),
            default: schema.get("default").cloned(),
            nullable: flag("nullable"),
            keeps_unknown: flag("x-kubernetes-preserve-unknown-fields"),
        }
    }

    /// Prunes and defaults a whole object; its type and metadata are the server's own.
    pub fn shape(&self, object: &mut Value) {
        let Value::Object(fields) = object else {
            return;
        };
        fields.retain(|key, _| {
            is_root(key) || self.keeps_unknown || self.properties.contains_key(key)
        });
        for (key, schema) in self.properties.iter().filter(|(key, _)| !is_root(key)) {
            schema.shape_field(fields, key);
        }
    }

    fn shape_field(&self, fields: &mut serde_json::Map<String, Value>, key: &str) {
        if fields.get(key).is_some_and(Value::is_null) && !self.nullable {
            fields.remove(key);
        }
        if let (None, Some(default)) = (fields.get(key), &self.default) {
            fields.insert(key.to_owned(), default.clone());
        }
        if let Some(value) = fields.get_mut(key) {
            self.shape_value(value);
        }
    }

    fn shape_value(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if let Some(each) = &self.additional {
                    return fields.values_mut().for_each(|v| each.shape_value(v));
                }
                fields.retain(|key, _| self.keeps_unknown || self.properties.contains_key(key));
                for (key, schema) in &self.properties {
                    schema.shape_field(fields, key);
                }
            }
            Value::Array(items) => {
                if let Some(each) = &self.items {
                    for item in items {
                        each.shape_value(item);
                    }
                }
            }
            _ => {}
        }
    }

    /// What is wrong with an object, worded as the server does.
    pub fn complaints(&self, object: &Value) -> Vec<String> {
        let mut out = Vec::new();
        self.complain_fields(object, "", &mut out);
        out
    }

    fn complain_fields(&self, value: &Value, path: &str, out: &mut Vec<String>) {
        for key in &self.required {
            if value.get(key).is_none() {
                out.push(format!("{}: Required value", join(path, key)));
            }
        }
        for (key, schema) in self
            .properties
            .iter()
            .filter(|(key, _)| !path.is_empty() || !is_root(key))
        {
            if let Some(value) = value.get(key) {
                schema.complain(value, &join(path, key), out);
            }
        }
    }

    fn complain(&self, value: &Value, path: &str, out: &mut Vec<String>) {
        if value.is_null() && self.nullable {
            return;
        }
        if !self.kind.is_empty() && !has_type(value, &self.kind) {
            let (is, want) = (type_of(value), &self.kind);
            out.push(format!(
                "{path}: Invalid value: \"{is}\": {path} in body must be of type {want}: \"{is}\""
            ));
            return;
        }
        if !self.allowed.is_empty() && !self.allowed.contains(value) {
            let any: Vec<String> = self.allowed.iter().map(ToString::to_string).collect();
            out.push(format!(
                "{path}: Unsupported value: {value}: supported values: {}",
                any.join(", ")
            ));
        }
        self.complain_fields(value, path, out);
        if let (Some(each), Value::Object(fields)) = (&self.additional, value) {
            fields
                .iter()
                .for_each(|(key, v)| each.complain(v, &join(path, key), out));
        }
        if let (Some(each), Value::Array(items)) = (&self.items, value) {
            items
                .iter()
                .enumerate()
                .for_each(|(n, v)| each.complain(v, &format!("{path}[{n}]"), out));
        }
    }
}

fn properties(schema: &Value) -> BTreeMap<String, Schema> {
    let Some(Value::Object(fields)) = schema.get("properties") else {
        return BTreeMap::new();
    };
    fields
        .iter()
        .map(|(key, v)| (key.clone(), Schema::read(v)))
        .collect()
}

fn is_root(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        return key.to_owned();
    }
    format!("{path}.{key}")
}

fn has_type(value: &Value, want: &str) -> bool {
    match want {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
