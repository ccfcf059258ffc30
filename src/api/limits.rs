//! What a namespace may spend and name, as the administrator's configuration says: judged on the parsed request, before
//! anything is written or paid for.

mod pattern;

use std::collections::BTreeMap;

use super::request::settings::{
    BANDWIDTH, INTERNET_CHARGE_TYPE, ISP, PACKAGE, POOL, PROTECTION, RESOURCE_GROUP,
};
use super::request::{Auto, INSTANCE_ID, ISPS, Notice, Parsed, Request, known};
use crate::cloud::vpc::InternetChargeType;
use crate::domain::pod::Nameable;
pub use pattern::{Pattern, PatternError};

/// Who set this, so that the pod's owner knows whom to ask.
const WHOSE: &str = "limits in eipd's configuration";
/// Items of a list that a notice repeats: it has to fit into an Event.
const LISTED: usize = 8;

/// All limits of this cluster, in the order given. Without any, nothing is limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(Vec<Limit>);

/// What these namespaces may have. `None` limits nothing, an empty list allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    pub namespaces: Vec<Pattern>,
    /// Mbit/s.
    pub max_bandwidth: Option<u32>,
    pub charge_types: Option<Vec<InternetChargeType>>,
    pub isps: Option<Vec<String>>,
    pub protection_types: Option<Vec<String>>,
    pub packages: Option<Vec<String>>,
    pub pools: Option<Vec<String>>,
    pub resource_groups: Option<Vec<String>>,
    /// Which EIPs may be named by pod-eip-instanceid.
    pub nameable: Nameable,
}

/// Writes notices under the keys that the pod wrote.
struct Judge<'a> {
    written: &'a BTreeMap<&'static str, String>,
    notices: Vec<Notice>,
}

impl Limits {
    pub fn new(limits: Vec<Limit>) -> Self {
        Self(limits)
    }

    /// Everything that is beyond this namespace's limits; empty where it may have what it asks. A default counts as
    /// asked for. Which EIP it may name is only judged here where it may name none: see [`Self::nameable`].
    pub fn check(&self, namespace: &str, parsed: &Parsed) -> Vec<Notice> {
        let Some(limit) = self.of(namespace) else {
            return Vec::new();
        };
        let mut judge = Judge {
            written: &parsed.written,
            notices: Vec::new(),
        };
        match &parsed.request {
            Request::Nothing => {}
            Request::Auto(auto) => limit.judge(auto, &mut judge),
            Request::Static { eip, .. } => {
                if limit.nameable == Nameable::None {
                    let text = format!("this namespace may name no EIP ({WHOSE})");
                    judge.refuse(INSTANCE_ID, eip.as_str(), &text, "");
                }
            }
        }
        judge.notices
    }

    /// As [`Self::check`]: the request itself where it is within the limits.
    pub fn admit(&self, namespace: &str, parsed: Parsed) -> Result<Parsed, Vec<Notice>> {
        let beyond = self.check(namespace, &parsed);
        if beyond.is_empty() {
            Ok(parsed)
        } else {
            Err(beyond)
        }
    }

    /// Which EIPs this namespace may name.
    pub fn nameable(&self, namespace: &str) -> Nameable {
        self.of(namespace)
            .map_or(Nameable::Any, |limit| limit.nameable.clone())
    }

    /// The first whose namespaces match.
    fn of(&self, namespace: &str) -> Option<&Limit> {
        let matches = |limit: &&Limit| limit.namespaces.iter().any(|one| one.matches(namespace));
        self.0.iter().find(matches)
    }
}

impl Limit {
    fn judge(&self, auto: &Auto, judge: &mut Judge<'_>) {
        let args = &auto.args;
        judge.bandwidth(args.bandwidth, self.max_bandwidth);
        let charge = args.internet_charge_type.as_str();
        let charge_types: Option<Vec<_>> = self
            .charge_types
            .as_ref()
            .map(|types| types.iter().map(|one| one.as_str()).collect());
        judge.one_of(INTERNET_CHARGE_TYPE, charge, charge_types.as_deref());
        let isp = args.isp.as_deref().unwrap_or(ISPS[0]);
        judge.one_of(ISP, isp, self.isps.as_deref());
        for kind in &args.security_protection_types {
            judge.one_of(PROTECTION, kind, self.protection_types.as_deref());
        }
        for (name, value, allowed) in [
            (PACKAGE, &auto.package, &self.packages),
            (POOL, &args.pool, &self.pools),
            (RESOURCE_GROUP, &args.resource_group, &self.resource_groups),
        ] {
            if let Some(value) = value {
                judge.one_of(name, value, allowed.as_deref());
            }
        }
    }
}

impl Judge<'_> {
    fn bandwidth(&mut self, asked: u32, max: Option<u32>) {
        if let Some(max) = max.filter(|max| asked > *max) {
            let text = format!("this namespace may have at most {max} Mbit/s ({WHOSE})");
            let remedy = format!("; set it to at most {max}");
            self.refuse(BANDWIDTH, &asked.to_string(), &text, &remedy);
        }
    }

    fn one_of<S: AsRef<str>>(&mut self, name: &'static str, asked: &str, allowed: Option<&[S]>) {
        let Some(allowed) = allowed else { return };
        if allowed.iter().any(|one| one.as_ref() == asked) {
            return;
        }
        let (what, remedy) = match listed(allowed) {
            none if none.is_empty() => ("none".to_owned(), ""),
            only => (format!("only {only}"), "; set it to what is allowed"),
        };
        let text = format!("this namespace may have {what} ({WHOSE})");
        self.refuse(name, asked, &text, remedy);
    }

    /// A default stands on no pod: then the key to set is named, under the prefix that wins, and what to set.
    fn refuse(&mut self, name: &'static str, value: &str, text: &str, remedy: &str) {
        let notice = if let Some(key) = self.written.get(name) {
            Notice::new(key, value, text)
        } else {
            let key = format!("{}{name}", known::NETWORK);
            Notice::new(&key, value, format!("the default; {text}{remedy}"))
        };
        self.notices.push(notice);
    }
}

fn listed<S: AsRef<str>>(allowed: &[S]) -> String {
    let some: Vec<&str> = allowed.iter().take(LISTED).map(AsRef::as_ref).collect();
    match allowed.len().saturating_sub(LISTED) {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}

#[cfg(test)]
mod tests;
