//! What a sweep reads in a record, and whether somebody has to do something about it. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::keys;
use crate::domain::ids::Key;
use crate::kubeapi::nodes::Nodes;
use crate::kubeapi::pods::key_of;
use crate::shard::held::{self, Held, Why};

/// A record that somebody should look at. No more than a hint: everything is read live again before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub key: Key,
    pub what: What,
}

/// What comes first is handed on first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Its node is gone or not Ready: nothing but us keeps its entries from leading to the next pod of the address.
    NodeAway,
    /// Deleted, and its node, which lives, does not finish it.
    LeftLying,
    /// Deleted, and nobody's.
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
            Self::NodeAway => "ports_node_away",
            Self::LeftLying => "ports_left_lying",
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
    pub ours: bool,
    /// A node has it.
    pub held: Option<Held>,
    /// It is no node's.
    pub blank: bool,
    /// It was deleted, and the published finalizer still holds it.
    pub tombstone: bool,
    /// It outlives its pods, and a workload says for how long.
    pub kept: Option<bool>,
}

/// The facts of a record: its metadata says all.
pub fn read(meta: &ObjectMeta) -> Found {
    let note = |name| meta.annotations.as_ref().and_then(|all| all.get(name));
    let label = meta.labels.as_ref();
    let label = label.and_then(|all| all.get(keys::NODE_LABEL));
    let deleted = meta.deletion_timestamp.is_some();
    Found {
        key: key_of(meta),
        ours: note(keys::OWNER_ANNOTATION).is_some_and(|mark| mark == keys::OWNER),
        held: held::read(meta, keys::PODDNAT_FINALIZER),
        blank: label.is_none_or(String::is_empty),
        tombstone: deleted && held::has(meta, keys::PODDNAT_FINALIZER),
        kept: note(keys::FIXED_ANNOTATION).map(|_| note(keys::WORKLOAD_ANNOTATION).is_some()),
    }
}

/// What is due for this record at `now`, by the API server's clock; `nodes`: as far as they are known. From what it says
/// itself, never from what is missing beside it.
pub fn judge(found: &Found, nodes: Option<&Nodes>, now: Timestamp) -> Option<What> {
    if !found.ours {
        return None;
    }
    if !found.blank {
        return match held::judge(found.held.as_ref()?, nodes?, now)? {
            Why::NodeAway => Some(What::NodeAway),
            Why::LeftLying => Some(What::LeftLying),
        };
    }
    match (found.tombstone, found.kept) {
        (true, _) => Some(What::Tombstone),
        (false, None) => Some(What::Stray),
        (false, Some(true)) => Some(What::Kept),
        (false, Some(false)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn found() -> Found {
        Found {
            key: Key {
                namespace: "ns".to_owned(),
                name: "web-0".to_owned(),
            },
            ours: true,
            held: None,
            blank: true,
            tombstone: false,
            kept: None,
        }
    }

    fn due(found: &Found) -> Option<What> {
        judge(found, Some(&Nodes::from([("b", true)])), now())
    }

    #[test]
    fn what_a_node_has_is_due_when_that_is_away_and_what_is_not_ours_never() {
        let held = |node: &str| Found {
            blank: false,
            held: Some(Held {
                node: node.to_owned(),
                deleted: None,
            }),
            ..found()
        };
        assert_eq!(due(&held("a")), Some(What::NodeAway));
        assert_eq!(due(&held("b")), None);
        assert_eq!(judge(&held("a"), None, now()), None, "nobody knows");
        let others = Found {
            ours: false,
            tombstone: true,
            ..found()
        };
        assert_eq!(due(&others), None);
    }

    #[test]
    fn a_blank_one_is_due_where_somebody_can_say_that_it_is_over() {
        let blank = |tombstone, kept| Found {
            tombstone,
            kept,
            ..found()
        };
        assert_eq!(due(&blank(true, Some(false))), Some(What::Tombstone));
        assert_eq!(due(&blank(false, None)), Some(What::Stray));
        assert_eq!(due(&blank(false, Some(true))), Some(What::Kept));
        assert_eq!(due(&blank(false, Some(false))), None);
    }
}
