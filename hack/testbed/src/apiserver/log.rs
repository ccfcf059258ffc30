//! The record of every request, and the patterns by which requests are picked.

use super::route::{Call, Verb};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Since the double was made, in virtual time.
    pub at: Duration,
    /// Which client sent it.
    pub client: String,
    pub call: Call,
    /// The HTTP status that was sent; None while it is on its way, held, or lost.
    pub answer: Option<u16>,
    /// Length of the answer's body; 0 for watches, whose bodies have no end.
    pub bytes: u64,
    /// Whether the server has worked on it, whatever became of the answer.
    pub worked: bool,
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            verb,
            resource,
            name,
            subresource,
            ..
        } = &self.call;
        let namespace = self.call.namespace.as_deref().unwrap_or_default();
        write!(
            f,
            "{:>10.3}s {} {verb} {resource}",
            self.at.as_secs_f64(),
            self.client
        )?;
        if !subresource.is_empty() {
            write!(f, "/{subresource}")?;
        }
        write!(f, " {namespace}/{name} -> ")?;
        match self.answer {
            Some(code) => write!(f, "{code}"),
            None if self.worked => f.write_str("done, no answer"),
            None => f.write_str("no answer"),
        }
    }
}

/// Picks requests; the default picks all. Built up by its methods.
#[derive(Clone, Debug, Default)]
pub struct When {
    client: Option<String>,
    verbs: Vec<Verb>,
    resource: Option<String>,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    body: Option<String>,
}

impl When {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this verb.
    pub fn verb(verb: Verb) -> Self {
        Self::any().or(verb)
    }

    /// Creations, updates, patches and deletions.
    pub fn writes() -> Self {
        let verbs = vec![
            Verb::Create,
            Verb::Update,
            Verb::Patch,
            Verb::Delete,
            Verb::DeleteCollection,
        ];
        Self {
            verbs,
            ..Self::default()
        }
    }

    /// This verb too.
    #[must_use]
    pub fn or(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Only from the client of this name.
    #[must_use]
    pub fn client(mut self, name: &str) -> Self {
        self.client = Some(name.to_owned());
        self
    }

    /// Only for this kind, by plural name ("pods", "podeips").
    #[must_use]
    pub fn resource(mut self, plural: &str) -> Self {
        self.resource = Some(plural.to_owned());
        self
    }

    /// Only for this subresource: "status", or "" for the object itself.
    #[must_use]
    pub fn subresource(mut self, name: &str) -> Self {
        self.subresource = Some(name.to_owned());
        self
    }

    #[must_use]
    pub fn namespace(mut self, name: &str) -> Self {
        self.namespace = Some(name.to_owned());
        self
    }

    /// Only for the object of this name (for creations, the name in the body).
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only with this text somewhere in the JSON of the body.
    #[must_use]
    pub fn body_has(mut self, text: &str) -> Self {
        self.body = Some(text.to_owned());
        self
    }

    pub fn picks(&self, client: &str, call: &Call) -> bool {
        let same = |want: &Option<String>, is: &str| want.as_deref().is_none_or(|w| w == is);
        let namespace = call.namespace.as_deref().unwrap_or_default();
        same(&self.client, client)
            && (self.verbs.is_empty() || self.verbs.contains(&call.verb))
            && same(&self.resource, &call.resource)
            && same(&self.subresource, &call.subresource)
            && same(&self.namespace, namespace)
            && same(&self.name, &call.name)
            && self
                .body
                .as_ref()
                .is_none_or(|text| call.body.to_string().contains(text))
    }

    /// Whether watches are among what it picks, as far as client and kind say so.
    pub(super) fn picks_watch(&self, client: &str, resource: &str) -> bool {
        let same = |want: &Option<String>, is: &str| want.as_deref().is_none_or(|w| w == is);
        same(&self.client, client) && same(&self.resource, resource)
    }
}

/// The bodies of the requests that a pattern picks.
pub fn bodies(log: &[Logged], when: &When) -> Vec<Value> {
    log.iter()
        .filter(|l| when.picks(&l.client, &l.call))
        .map(|l| l.call.body.clone())
        .collect()
}
