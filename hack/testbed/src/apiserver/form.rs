//! The forms an object is served in: whole, metadata only, or as rows of a table.

use super::json::{self, list, text};
use super::kind::Kind;
use super::store::Object;
use super::write::as_served;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the client's Accept header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Whole,
    Metadata,
    Table { with_metadata: bool },
}

impl Form {
    pub fn of(accept: &str, query: &BTreeMap<String, String>) -> Self {
        if accept.contains("as=PartialObjectMetadata") {
            return Self::Metadata;
        }
        if accept.contains("as=Table") {
            let with_metadata = query.get("includeObject").map(String::as_str) != Some("None");
            return Self::Table { with_metadata };
        }
        Self::Whole
    }

    pub fn one(self, kind: &Kind, object: &Object) -> Value {
        match self {
            Self::Whole => as_served(kind, object),
            Self::Metadata => metadata(object),
            Self::Table { .. } => {
                let meta = json!({ "resourceVersion": text(object, "/metadata/resourceVersion") });
                self.many(kind, std::slice::from_ref(object), &meta)
            }
        }
    }

    pub fn many(self, kind: &Kind, objects: &[Object], meta: &Value) -> Value {
        match self {
            Self::Table { with_metadata } => table(kind, objects, meta, with_metadata),
            Self::Whole => json!({
                "kind": format!("{}List", kind.object), "apiVersion": kind.api_version(), "metadata": meta,
                "items": objects.iter().map(|o| as_served(kind, o)).collect::<Vec<_>>(),
            }),
            Self::Metadata => json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                "items": objects.iter().map(|o| metadata(o)).collect::<Vec<_>>(),
            }),
        }
    }

    /// The object of a bookmark: nothing but a version.
    pub fn bookmark(self, kind: &Kind, meta: Value) -> Value {
        let (kind, api_version) = match self {
            Self::Metadata => (
                "PartialObjectMetadata".to_owned(),
                "meta.k8s.io/v1".to_owned(),
            ),
            _ => (kind.object.clone(), kind.api_version()),
        };
        let mut object = json!({ "kind": kind, "apiVersion": api_version });
        object["metadata"] = meta;
        object
    }
}

fn metadata(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn table(kind: &Kind, objects: &[Object], meta: &Value, with_metadata: bool) -> Value {
    let names: &[&str] = if kind.resource == "nodes" {
        &["Name", "Status", "Roles", "Age", "Version"]
    } else {
        &["Name", "Age"]
    };
    let columns: Vec<Value> = names.iter().map(|n| json!({ "name": n, "type": "string", "format": "", "description": "", "priority": 0 })).collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|o| row(kind, o, with_metadata))
        .collect();
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows })
}

fn row(kind: &Kind, object: &Value, with_metadata: bool) -> Value {
    let (name, age) = (
        json::name(object),
        text(object, "/metadata/creationTimestamp"),
    );
    let cells = match kind.resource.as_str() {
        "nodes" => json!([
            name,
            node_status(object),
            "<none>",
            age,
            text(object, "/status/nodeInfo/kubeletVersion")
        ]),
        _ => json!([name, age]),
    };
    let mut row = json!({ "cells": cells });
    if with_metadata {
        row["object"] = metadata(object);
    }
    row
}

/// As `kubectl get nodes` words it.
fn node_status(node: &Value) -> String {
    let ready = list(node, "/status/conditions")
        .iter()
        .find(|c| c["type"] == "Ready");
    let mut status = match ready.map(|c| text(c, "/status")) {
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    status
}
