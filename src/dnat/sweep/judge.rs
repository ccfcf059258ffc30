//! What a sweep reads in a record, and whether somebody has to do something about it. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::api::keys::{self, LABEL_HASH_PREFIX};
use crate::api::poddnat::PodDnat;
use crate::domain::ids::{Key, Uid};
use crate::kubeapi::pods::key_of;

/// A record that somebody should look at. No more than a hint: everything is read live again before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub key: Key,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Deleted, and its node is gone: nothing but us keeps its entries from leading to the next pod of the address.
    NodeGone,
    /// Deleted, and no node finishes it.
    Tombstone,
    /// It should be a node's or gone: it is not kept.
    Stray,
    /// Kept for a workload, which may be over.
    Kept,
}

impl What {
    /// As a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::NodeGone => "ports_node_gone",
            Self::Tombstone => "ports_tombstone",
            Self::Stray => "ports_stray",
            Self::Kept => "ports_kept",
        }
    }
}

/// A record as a sweep sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub key: Key,
    pub uid: Uid,
    pub ours: bool,
    pub node: Option<String>,
    /// When it was deleted, if the published finalizer still holds it.
    pub tombstone: Option<Timestamp>,
    /// It outlives its pods, and a workload says for how long.
    pub kept: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Due(What),
    /// Due if there is no such node any more.
    IfGone(String),
}

/// A node that lives finishes its own within this time, or is very busy.
const LEFT_LYING: SignedDuration = SignedDuration::from_mins(5);
/// What was deleted just now is in good hands.
const YOUNG: SignedDuration = SignedDuration::from_mins(1);

/// The facts of a record as it came over the wire.
pub fn read(wire: &PodDnat) -> Found {
    let meta = &wire.metadata;
    let note = |name| meta.annotations.as_ref().and_then(|all| all.get(name));
    let held_by = meta
        .labels
        .as_ref()
        .and_then(|all| all.get(keys::NODE_LABEL));
    let mut finalizers = meta.finalizers.iter().flatten();
    let held = finalizers.any(|name| name == keys::PODDNAT_FINALIZER);
    Found {
        key: key_of(meta),
        uid: Uid::new(meta.uid.clone().unwrap_or_default()),
        ours: note(keys::OWNER_ANNOTATION).is_some_and(|mark| mark == keys::OWNER),
        node: held_by.filter(|node| !node.is_empty()).cloned(),
        tombstone: meta
            .deletion_timestamp
            .as_ref()
            .map(|at| at.0)
            .filter(|_| held),
        kept: note(keys::FIXED_ANNOTATION).map(|_| note(keys::WORKLOAD_ANNOTATION).is_some()),
    }
}

/// What is due for this record at `now`, by the API server's clock. From what it says itself, never from what is missing
/// beside it.
pub fn judge(found: &Found, now: Timestamp) -> Option<Verdict> {
    if !found.ours {
        return None;
    }
    match (found.tombstone, &found.node, found.kept) {
        (Some(_), None, _) => Some(Verdict::Due(What::Tombstone)),
        (Some(since), Some(node), _) => {
            let age = now.duration_since(since);
            let told = !node.starts_with(LABEL_HASH_PREFIX);
            match () {
                () if age >= LEFT_LYING => Some(Verdict::Due(What::Tombstone)),
                () if age >= YOUNG && told => Some(Verdict::IfGone(node.clone())),
                () => None,
            }
        }
        (None, None, None) => Some(Verdict::Due(What::Stray)),
        (None, None, Some(true)) => Some(Verdict::Due(What::Kept)),
        (None, None, Some(false)) | (None, Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn found() -> Found {
        Found {
            key: Key {
                namespace: "ns".to_owned(),
                name: "web-0".to_owned(),
            },
            uid: Uid::new("u"),
            ours: true,
            node: Some("node-a".to_owned()),
            tombstone: None,
            kept: None,
        }
    }

    #[test]
    fn a_tombstone_is_its_nodes_until_that_is_gone_or_it_has_lain_for_long() {
        let deleted = Found {
            tombstone: Some(at(0)),
            ..found()
        };
        assert_eq!(judge(&deleted, at(59)), None);
        let gone = Verdict::IfGone("node-a".to_owned());
        assert_eq!(judge(&deleted, at(60)), Some(gone));
        let lying = Some(Verdict::Due(What::Tombstone));
        assert_eq!(judge(&deleted, at(300)), lying);
        let nobodys = Found {
            node: None,
            ..deleted.clone()
        };
        assert_eq!(judge(&nobodys, at(0)), lying);
        let hashed = Found {
            node: Some("sha256_1".to_owned()),
            ..deleted
        };
        assert_eq!(
            judge(&hashed, at(60)),
            None,
            "whether it is gone can't be asked"
        );
    }

    #[test]
    fn what_a_node_has_and_what_is_not_ours_is_left_alone() {
        assert_eq!(judge(&found(), at(0)), None);
        let others = Found {
            ours: false,
            node: None,
            tombstone: Some(at(-9_000)),
            ..found()
        };
        assert_eq!(judge(&others, at(0)), None);
    }

    #[test]
    fn a_blank_one_is_due_where_somebody_can_say_that_it_is_over() {
        let blank = |kept| Found {
            node: None,
            kept,
            ..found()
        };
        let due = |kept| judge(&blank(kept), at(0));
        assert_eq!(due(None), Some(Verdict::Due(What::Stray)));
        assert_eq!(due(Some(true)), Some(Verdict::Due(What::Kept)));
        assert_eq!(due(Some(false)), None);
    }
}
