//! Tags of a resource, with the moment of each change: what a reader sees may lag behind.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::clock::Ms;

/// Tags with their changes, oldest first; no value = removed.
#[derive(Clone, Debug, Default)]
pub struct Tags(BTreeMap<String, Vec<(Ms, Option<String>)>>);

impl Tags {
    /// Sets a tag.
    pub fn set(&mut self, key: &str, value: &str, now: Ms) {
        let changes = self.0.entry(key.to_owned()).or_default();
        changes.push((now, Some(value.to_owned())));
    }

    /// Removes a tag.
    pub fn remove(&mut self, key: &str, now: Ms) {
        if let Some(changes) = self.0.get_mut(key) {
            changes.push((now, None));
        }
    }

    /// The tags as a reader sees them who is `lag` late.
    pub fn seen(&self, now: Ms, lag: Ms) -> BTreeMap<&str, &str> {
        now.checked_sub(lag)
            .map_or_else(BTreeMap::new, |at| self.as_of(at))
    }

    /// The tags as they were at `at`.
    fn as_of(&self, at: Ms) -> BTreeMap<&str, &str> {
        let value =
            |changes: &'_ Vec<(Ms, Option<String>)>| changes.iter().rposition(|(ms, _)| *ms <= at);
        let visible = self.0.iter().filter_map(|(key, changes)| {
            let (_, text) = &changes[value(changes)?];
            Some((key.as_str(), text.as_deref()?))
        });
        visible.collect()
    }

    /// The tags as they are.
    pub fn now(&self) -> BTreeMap<&str, &str> {
        self.as_of(Ms::MAX)
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.now().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lagging_reader_sees_tags_as_they_were() {
        let mut tags = Tags::default();
        tags.set("k", "1", 10);
        tags.set("k", "2", 20);
        tags.remove("k", 30);
        let at = |ms| tags.as_of(ms).get("k").map(|value| (*value).to_owned());
        assert_eq!(at(9), None);
        assert_eq!(at(10).as_deref(), Some("1"));
        assert_eq!(at(29).as_deref(), Some("2"));
        assert_eq!(at(30), None);
    }
}
