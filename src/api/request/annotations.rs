//! One value from several keys: both prefixes and the older alias, by their precedence, with a word where they disagree.

use std::collections::BTreeMap;

use super::known::{self, K8S, NETWORK};
use super::notice::shown;
use super::{Notice, Parsed, Request};

/// Reads annotations and gathers what there is to say about them.
pub(super) struct Reader<'a> {
    annotations: &'a BTreeMap<String, String>,
    written: BTreeMap<&'static str, String>,
    pub(super) warnings: Vec<Notice>,
    pub(super) problems: Vec<Notice>,
}

/// An annotation as it stands on the pod.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(annotations: &'a BTreeMap<String, String>) -> Self {
        Self {
            annotations,
            written: BTreeMap::new(),
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The value of `name`, checked; `None` where it is absent or wrong.
    pub(super) fn value<T>(
        &mut self,
        name: &'static str,
        alias: Option<&str>,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let found = self.find(name, alias)?;
        self.check(found, check)
    }

    /// As [`Self::value`]; an empty value counts as absent, for that is what templates leave of a setting not made.
    pub(super) fn setting<T>(
        &mut self,
        name: &'static str,
        alias: Option<&str>,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let found = self
            .find(name, alias)
            .filter(|found| !found.value.is_empty())?;
        self.check(found, check)
    }

    /// The annotation that holds for `name`, with a warning for each other one that says something else.
    fn find(&mut self, name: &'static str, alias: Option<&str>) -> Option<Found<'a>> {
        let found = self.all(name, alias);
        let (winner, others) = found.split_first()?;
        self.written.insert(name, winner.key.to_owned());
        for other in others.iter().filter(|other| other.value != winner.value) {
            let text = format!("ignored, for {} is \"{}\"", winner.key, shown(winner.value));
            self.warnings
                .push(Notice::new(other.key, other.value, text));
        }
        Some(*winner)
    }

    /// Notes that the first of these keys that the pod carries can't be honoured.
    pub(super) fn refuse_first(&mut self, names: &[&str], text: &str) {
        let found = names.iter().find_map(|name| self.peek(name, None));
        self.problems
            .extend(found.map(|found| Notice::new(found.key, found.value, text)));
    }

    /// The annotation that holds for `name`, and no word about the others.
    pub(super) fn peek(&self, name: &str, alias: Option<&str>) -> Option<Found<'a>> {
        self.all(name, alias).into_iter().next()
    }

    /// Whether one of ECI's own keys is there.
    pub(super) fn has_eci(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(K8S, name).is_some())
    }

    /// The answer for a pod whose EIP is ECI's own business, with a warning for each key of ours that it carries.
    pub(super) fn finish_eci(mut self, ours: &[&str]) -> Parsed {
        let text = "ignored: on a virtual node the pod's k8s.aliyun.com/eci-* annotations leave its EIP to ECI; remove those or this one";
        let found = ours.iter().filter_map(|name| self.peek(name, None));
        let warnings: Vec<Notice> = found
            .map(|found| Notice::new(found.key, found.value, text))
            .collect();
        self.warnings.extend(warnings);
        self.finish(Request::Nothing)
    }

    pub(super) fn finish(self, request: Request) -> Parsed {
        Parsed {
            request,
            warnings: self.warnings,
            written: self.written,
        }
    }

    fn check<T>(
        &mut self,
        found: Found<'a>,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        check(found.value)
            .map_err(|text| {
                self.problems
                    .push(Notice::new(found.key, found.value, text));
            })
            .ok()
    }

    /// All annotations for `name`, the one that holds first.
    fn all(&self, name: &str, alias: Option<&str>) -> Vec<Found<'a>> {
        [
            self.get(NETWORK, name),
            self.get(K8S, name),
            alias.and_then(|alias| self.get(K8S, alias)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The annotation of that key. One that [`known`] does not list is not read, so the list cannot fall behind.
    fn get(&self, prefix: &str, name: &str) -> Option<Found<'a>> {
        if !known::is_known(prefix, name) {
            return None;
        }
        let (key, value) = self.annotations.get_key_value(&format!("{prefix}{name}"))?;
        Some(Found { key, value })
    }
}
