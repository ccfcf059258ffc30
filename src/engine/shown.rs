//! Which names a watch has shown, so that a list tells what has left it.

use std::collections::BTreeSet;

use crate::domain::ids::Key;
use crate::kubeapi::watch::Change;

#[derive(Default)]
pub struct Shown {
    keys: BTreeSet<Key>,
    listed: bool,
}

impl Shown {
    /// The watch has listed once: what it has not shown it does not have.
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// Takes in a change: the object that the watch shows, and the names that have left it.
    pub fn take<T>(
        &mut self,
        change: Change<T>,
        key: impl Fn(&T) -> &Key,
    ) -> (Option<T>, Vec<Key>) {
        match change {
            Change::Seen(it) => {
                self.keys.insert(key(&it).clone());
                (Some(it), Vec::new())
            }
            Change::Left(key) => {
                self.keys.remove(&key);
                (None, vec![key])
            }
            Change::Listed(keys) => {
                self.listed = true;
                let left = self.keys.difference(&keys).cloned().collect();
                self.keys.retain(|key| keys.contains(key));
                (None, left)
            }
        }
    }
}
