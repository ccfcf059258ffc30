//! What the server says about itself: versions, groups, resources.

use super::kind::Kind;
use super::route::Call;
use super::state::State;
use serde_json::{Value, json};

/// None: nothing is served at this path.
pub fn answer(state: &State, call: &Call) -> Option<Value> {
    let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    match path.as_slice() {
        ["version"] => Some(
            json!({ "major": "1", "minor": "35", "gitVersion": "v1.35.4", "gitCommit": "", "gitTreeState": "clean", "buildDate": "", "goVersion": "", "compiler": "gc", "platform": "linux/amd64" }),
        ),
        ["healthz" | "livez" | "readyz"] => Some(Value::from("ok")),
        ["api"] => Some(
            json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }),
        ),
        ["apis"] => {
            Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups(state) }))
        }
        ["apis", name] => groups(state).into_iter().find(|g| g["name"] == *name),
        ["api", version] => resources(state, "", version),
        ["apis", group, version] => resources(state, group, version),
        _ => None,
    }
}

fn groups(state: &State) -> Vec<Value> {
    let mut names: Vec<&str> = state
        .kinds
        .iter()
        .map(|k| k.group.as_str())
        .filter(|g| !g.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| group(state, name)).collect()
}

fn group(state: &State, name: &str) -> Value {
    let mut versions: Vec<Value> = Vec::new();
    for kind in state.kinds.iter().filter(|k| k.group == name) {
        let version = json!({ "groupVersion": kind.api_version(), "version": kind.version });
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    let preferred = versions.first().cloned().unwrap_or_default();
    json!({ "kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred })
}

fn resources(state: &State, group: &str, version: &str) -> Option<Value> {
    let kinds: Vec<&Kind> = state
        .kinds
        .iter()
        .filter(|k| k.group == group && k.version == version)
        .collect();
    let first = kinds.first()?;
    let resources: Vec<Value> = kinds.iter().flat_map(|k| resource(k)).collect();
    Some(
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": first.api_version(), "resources": resources }),
    )
}

fn resource(kind: &Kind) -> Vec<Value> {
    let one = |name: String, verbs: &[&str]| json!({ "name": name, "singularName": kind.object.to_lowercase(), "namespaced": kind.namespaced, "kind": kind.object, "verbs": verbs });
    let all = [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ];
    let mut out = vec![one(kind.resource.clone(), &all)];
    if kind.has_status {
        out.push(one(
            format!("{}/status", kind.resource),
            &["get", "patch", "update"],
        ));
    }
    out
}
