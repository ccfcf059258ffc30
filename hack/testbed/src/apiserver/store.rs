//! The objects and every change they went through, each with its resourceVersion, as etcd keeps them.

use super::json;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub type Object = Arc<Value>;

/// Where an object lives in its table; namespace is "" for cluster-wide kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    pub namespace: String,
    pub name: String,
}

impl Slot {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub fn of(object: &Value) -> Self {
        Self::new(json::namespace(object), json::name(object))
    }
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    pub resource: Arc<str>,
    pub version: u64,
    /// None: it was created by this change.
    pub old: Option<Object>,
    /// None: it was removed by this change.
    pub new: Option<Object>,
    /// The object as a watch shows it: the new one, or for a removal the last one with this change's version.
    pub shown: Object,
}

#[derive(Default)]
pub struct Table {
    objects: BTreeMap<Slot, Object>,
    log: Vec<Change>,
    /// Versions before this one can no longer be watched from, or paged through.
    oldest: u64,
}

impl Table {
    /// The changes after `version`, oldest first.
    pub fn since(&self, version: u64) -> &[Change] {
        let start = self.log.partition_point(|change| change.version <= version);
        &self.log[start..]
    }

    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// All objects as they were right after `version`.
    pub fn as_of(&self, version: u64) -> BTreeMap<Slot, Object> {
        let mut objects = self.objects.clone();
        for change in self.since(version).iter().rev() {
            let slot = Slot::of(&change.shown);
            match &change.old {
                Some(old) => objects.insert(slot, Arc::clone(old)),
                None => objects.remove(&slot),
            };
        }
        objects
    }
}

pub struct Store {
    version: u64,
    uids: u64,
    tables: BTreeMap<Arc<str>, Table>,
    /// Changes that the hooks have not seen.
    fresh: Vec<Change>,
}

impl Store {
    pub fn new() -> Self {
        Self {
            version: 1000, // a cluster that has lived a little: "0" and "1" are never real versions
            uids: 0,
            tables: BTreeMap::new(),
            fresh: Vec::new(),
        }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// A uid that was never used; the same sequence in every run.
    pub fn next_uid(&mut self) -> String {
        self.uids += 1;
        format!("{:08x}-eeee-4000-8000-{:012x}", self.uids, self.uids)
    }

    pub fn table(&mut self, resource: &str) -> &mut Table {
        self.tables.entry(resource.into()).or_default()
    }

    pub fn get(&self, resource: &str, slot: &Slot) -> Option<Object> {
        self.tables.get(resource)?.objects.get(slot).cloned()
    }

    /// All objects of a kind, by namespace and name.
    pub fn all(&self, resource: &str) -> impl Iterator<Item = &Object> {
        self.tables
            .get(resource)
            .into_iter()
            .flat_map(|table| table.objects.values())
    }

    /// Resources that hold objects, in order of name.
    pub fn resources(&self) -> Vec<Arc<str>> {
        self.tables
            .iter()
            .filter(|(_, t)| !t.objects.is_empty())
            .map(|(r, _)| Arc::clone(r))
            .collect()
    }

    /// Stores `object` under the next version.
    pub fn put(&mut self, resource: &str, mut object: Value) -> Object {
        let version = self.stamp(&mut object);
        let slot = Slot::of(&object);
        let object = Arc::new(object);
        let old = self
            .table(resource)
            .objects
            .insert(slot, Arc::clone(&object));
        self.note(
            resource,
            version,
            old,
            Some(Arc::clone(&object)),
            Arc::clone(&object),
        );
        object
    }

    /// Removes `last`, which is shown to watches as it is given here.
    pub fn remove(&mut self, resource: &str, mut last: Value) -> Object {
        let version = self.stamp(&mut last);
        let slot = Slot::of(&last);
        let last = Arc::new(last);
        let old = self.table(resource).objects.remove(&slot);
        self.note(resource, version, old, None, Arc::clone(&last));
        last
    }

    fn stamp(&mut self, object: &mut Value) -> u64 {
        self.version += 1;
        json::set(
            object,
            &["metadata", "resourceVersion"],
            self.version.to_string(),
        );
        self.version
    }

    fn note(
        &mut self,
        resource: &str,
        version: u64,
        old: Option<Object>,
        new: Option<Object>,
        shown: Object,
    ) {
        let change = Change {
            resource: resource.into(),
            version,
            old,
            new,
            shown,
        };
        self.fresh.push(change.clone());
        self.table(resource).log.push(change);
    }

    /// Moves the version on without a change, as writes of kinds that nobody here looks at do.
    pub fn skip(&mut self, versions: u64) {
        self.version += versions;
    }

    /// Forgets the history: watches and pages from before now are answered 410.
    pub fn compact(&mut self) {
        let version = self.version;
        self.tables
            .values_mut()
            .for_each(|table| table.oldest = version);
    }

    pub fn take_fresh(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.fresh)
    }
}
