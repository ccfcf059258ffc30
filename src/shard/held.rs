//! A record that a node has: whether somebody else should see to it. Pure, and the same for EIPs and for ports.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::keys;
use crate::kubeapi::nodes::Nodes;

/// A node that lives finishes its own within this time, or is very busy.
const LEFT_LYING: SignedDuration = SignedDuration::from_mins(5);
/// What was deleted just now is in good hands.
const YOUNG: SignedDuration = SignedDuration::from_mins(1);

/// Why. No more than a hint: node, record and pod are read live before anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The node is gone, or not Ready.
    NodeAway,
    /// A tombstone that its node, which lives, does not finish.
    LeftLying,
}

/// What a sweep reads of it; the rest of the record is not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The node's label.
    pub node: String,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
}

/// `None`: it is nobody's, another controller's, or held by somebody else's finalizer alone.
pub fn read(meta: &ObjectMeta, finalizer: &str) -> Option<Held> {
    let label = meta.labels.as_ref()?.get(keys::NODE_LABEL)?;
    let mark = meta.annotations.as_ref()?.get(keys::OWNER_ANNOTATION)?;
    let deleted = meta.deletion_timestamp.as_ref().map(|at| at.0);
    let finished = deleted.is_some() && !has(meta, finalizer);
    let ours = mark == keys::OWNER && !label.is_empty() && !finished;
    ours.then(|| Held {
        node: label.clone(),
        deleted,
    })
}

pub fn has(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.iter().flatten().any(|it| it == finalizer)
}

/// What is due for this record at `now`, by the API server's clock.
pub fn judge(held: &Held, nodes: &Nodes, now: Timestamp) -> Option<Why> {
    let age = held.deleted.map(|at| now.duration_since(at));
    let lives = nodes.is_ready(&held.node);
    match age {
        Some(age) if age >= LEFT_LYING => Some(Why::LeftLying),
        Some(age) if age < YOUNG => None,
        _ => (!lives).then_some(Why::NodeAway),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn meta(node: &str, deleted: bool, finalizer: Option<&str>) -> ObjectMeta {
        let one = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
        ObjectMeta {
            labels: Some(one(keys::NODE_LABEL, node)),
            annotations: Some(one(keys::OWNER_ANNOTATION, keys::OWNER)),
            deletion_timestamp: deleted.then(|| Time(at(0))),
            finalizers: finalizer.map(|name| vec![name.to_owned()]),
            ..ObjectMeta::default()
        }
    }

    fn due(deleted: bool, ready: bool, second: i64) -> Option<Why> {
        let held = read(&meta("a", deleted, Some("f")), "f").unwrap();
        judge(&held, &Nodes::from([("a", ready)]), at(second))
    }

    #[test]
    fn a_tombstone_is_its_nodes_until_that_is_gone_or_it_has_lain_for_long() {
        assert_eq!(due(true, false, 59), None);
        assert_eq!(due(true, false, 60), Some(Why::NodeAway));
        assert_eq!(due(true, true, 299), None);
        assert_eq!(due(true, true, 300), Some(Why::LeftLying));
    }

    #[test]
    fn any_record_of_a_node_that_is_away_is_looked_at() {
        assert_eq!(due(false, true, 9_000), None);
        assert_eq!(due(false, false, 0), Some(Why::NodeAway));
        let gone = read(&meta("b", false, None), "f").unwrap();
        let nodes = Nodes::from([("a", true)]);
        assert_eq!(judge(&gone, &nodes, at(0)), Some(Why::NodeAway));
    }

    #[test]
    fn what_is_nobodys_or_not_ours_or_finished_is_left_alone() {
        assert_eq!(read(&meta("", false, Some("f")), "f"), None);
        assert_eq!(read(&meta("a", true, Some("other")), "f"), None);
        let mut others = meta("a", false, Some("f"));
        others.annotations = None;
        assert_eq!(read(&others, "f"), None);
    }
}
