//! From an HTTP request to what it asks for.

use super::json;
use super::refusal::Refusal;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What a request does, in the words of RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    /// Discovery, version, health.
    Other,
}

impl Verb {
    pub fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch | Self::Other)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Call {
    pub verb: Verb,
    pub path: String,
    pub group: String,
    pub version: String,
    pub resource: String,
    pub namespace: Option<String>,
    /// "" where it names no object; for creations the name in the body.
    pub name: String,
    /// "status" or "".
    pub subresource: String,
    pub query: BTreeMap<String, String>,
    pub accept: String,
    pub content_type: String,
    /// Null where the request had none.
    pub body: Value,
}

impl Call {
    pub fn read(parts: &http::request::Parts, body: &[u8]) -> Result<Self, Refusal> {
        let body = match body {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .map_err(|e| Refusal::bad_request(format!("decoding body: {e}")))?,
        };
        let mut call = Self::bare(parts, body);
        let path = call.path.clone();
        let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
        match steps.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => call.place("", version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => {
                call.place(group, version, rest);
            }
            _ => return Ok(call),
        }
        call.verb = call.find_verb(&parts.method);
        if call.verb == Verb::Create {
            json::name(&call.body).clone_into(&mut call.name);
        }
        Ok(call)
    }

    fn bare(parts: &http::request::Parts, body: Value) -> Self {
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            verb: Verb::Other,
            path: decode(parts.uri.path()),
            group: String::new(),
            version: String::new(),
            resource: String::new(),
            namespace: None,
            name: String::new(),
            subresource: String::new(),
            query: pairs(parts.uri.query().unwrap_or_default()),
            accept: header("accept"),
            content_type: header("content-type"),
            body,
        }
    }

    fn place(&mut self, group: &str, version: &str, rest: &[&str]) {
        group.clone_into(&mut self.group);
        version.clone_into(&mut self.version);
        let (namespace, rest) = match rest {
            // status and finalize belong to the namespace itself
            ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, more @ ..] if !more.is_empty() => {
                (Some((*namespace).to_owned()), more)
            }
            _ => (None, rest),
        };
        self.namespace = namespace;
        let step = |n: usize| rest.get(n).copied().unwrap_or_default().to_owned();
        (self.resource, self.name, self.subresource) = (step(0), step(1), step(2));
    }

    fn find_verb(&self, method: &http::Method) -> Verb {
        let one = !self.name.is_empty();
        let watches = matches!(self.param("watch"), "true" | "1");
        match method.as_str() {
            "GET" if watches => Verb::Watch,
            "GET" if one => Verb::Get,
            "GET" => Verb::List,
            "POST" => Verb::Create,
            "PUT" => Verb::Update,
            "PATCH" => Verb::Patch,
            "DELETE" if one => Verb::Delete,
            "DELETE" => Verb::DeleteCollection,
            _ => Verb::Other,
        }
    }

    /// A query parameter, or "".
    pub fn param(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pair = |p: &str| {
        let (key, value) = p.split_once('=').unwrap_or((p, ""));
        (
            decode(&key.replace('+', " ")),
            decode(&value.replace('+', " ")),
        )
    };
    query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(pair)
        .collect()
}
