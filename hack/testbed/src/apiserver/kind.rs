//! The kinds that are served: the built-in ones, and one for each version of an installed CRD.

use super::json::{at, is_deleting, list, text};
use super::schema::Schema;
use serde_json::Value;
use std::sync::Arc;

/// One served kind at one version.
#[derive(Clone, Debug)]
pub struct Kind {
    pub group: String,
    pub version: String,
    /// Its plural name, as in the path: "pods".
    pub resource: String,
    /// What an object of it calls itself: "Pod".
    pub object: String,
    pub namespaced: bool,
    pub has_status: bool,
    /// Field selectors it knows.
    pub selectable: Vec<String>,
    /// What a CRD adds.
    pub custom: Option<Custom>,
}

#[derive(Clone, Debug)]
pub struct Custom {
    /// None keeps unknown fields and checks nothing.
    pub schema: Option<Arc<Schema>>,
    pub terminating: bool,
}

impl Kind {
    fn builtin(
        group: &str,
        version: &str,
        resource: &str,
        object: &str,
        namespaced: bool,
        has_status: bool,
    ) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource.to_owned(),
            object: object.to_owned(),
            namespaced,
            has_status,
            selectable: selectable(resource),
            custom: None,
        }
    }

    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.clone();
        }
        format!("{}/{}", self.group, self.version)
    }

    /// `podeips.alibabacloud.com`, as error messages name it.
    pub fn qualified(&self) -> String {
        join(&self.resource, &self.group)
    }

    /// `PodEIP.alibabacloud.com`, as validation errors name it.
    pub fn kind_and_group(&self) -> String {
        join(&self.object, &self.group)
    }
}

fn join(name: &str, group: &str) -> String {
    if group.is_empty() {
        return name.to_owned();
    }
    format!("{name}.{group}")
}

fn selectable(resource: &str) -> Vec<String> {
    let own: &[&str] = match resource {
        "pods" => &[
            "spec.nodeName",
            "status.phase",
            "status.podIP",
            "spec.restartPolicy",
            "spec.serviceAccountName",
        ],
        "namespaces" => &["status.phase"],
        "nodes" => &["spec.unschedulable"],
        _ => &[],
    };
    ["metadata.name", "metadata.namespace"]
        .iter()
        .chain(own)
        .map(|f| (*f).to_owned())
        .collect()
}

/// What every API server serves, as far as the agent looks at it.
pub fn builtins() -> Vec<Kind> {
    vec![
        Kind::builtin("", "v1", "pods", "Pod", true, true),
        Kind::builtin("", "v1", "namespaces", "Namespace", false, true),
        Kind::builtin("", "v1", "nodes", "Node", false, true),
        Kind::builtin("", "v1", "configmaps", "ConfigMap", true, false),
        Kind::builtin("apps", "v1", "daemonsets", "DaemonSet", true, true),
        Kind::builtin("apps", "v1", "statefulsets", "StatefulSet", true, true),
        Kind::builtin("apps", "v1", "replicasets", "ReplicaSet", true, true),
        Kind::builtin("batch", "v1", "jobs", "Job", true, true),
        Kind::builtin("events.k8s.io", "v1", "events", "Event", true, false),
        Kind::builtin("coordination.k8s.io", "v1", "leases", "Lease", true, false),
        Kind::builtin(
            "apiextensions.k8s.io",
            "v1",
            "customresourcedefinitions",
            "CustomResourceDefinition",
            false,
            true,
        ),
    ]
}

/// The kinds that a CRD object has served, its storage version first.
pub fn of_crd(crd: &Value) -> Vec<Kind> {
    let mut versions: Vec<&Value> = list(crd, "/spec/versions")
        .iter()
        .filter(|v| v["served"] == true)
        .collect();
    versions.sort_by_key(|v| v["storage"] != true);
    versions
        .into_iter()
        .map(|version| custom(crd, version))
        .collect()
}

fn custom(crd: &Value, version: &Value) -> Kind {
    Kind {
        group: text(crd, "/spec/group").to_owned(),
        version: text(version, "/name").to_owned(),
        resource: text(crd, "/spec/names/plural").to_owned(),
        object: text(crd, "/spec/names/kind").to_owned(),
        namespaced: text(crd, "/spec/scope") != "Cluster",
        has_status: !at(version, "/subresources/status").is_null(),
        selectable: selectable(""),
        custom: Some(Custom {
            schema: version
                .pointer("/schema/openAPIV3Schema")
                .map(|s| Arc::new(Schema::read(s))),
            terminating: is_deleting(crd),
        }),
    }
}
