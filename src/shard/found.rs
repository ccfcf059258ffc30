//! What a sweep reads in a record that is no node's, and whether somebody has to do something about it.

use jiff::{SignedDuration, Timestamp};

use crate::api::goduration;
use crate::api::keys;
use crate::api::podeip::{AllocationType, PodEip};
use crate::domain::ids::Key;
use crate::kubeapi::pods::key_of;

/// A record as a sweep sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // five independent facts
pub struct Found {
    pub key: Key,
    /// It carries a label of ours. Others' records have none.
    pub labelled: bool,
    /// It is a node's after all.
    pub held: bool,
    pub tombstone: bool,
    /// The published finalizer, ours and ack-extend-network-controller's, still stands.
    pub finalizer: bool,
    /// It names an EIP, in our label or in its spec.
    pub names_eip: bool,
    pub kept: Kept,
    /// Since when its pod is known to be away.
    pub absent_since: Option<Timestamp>,
}

/// For how long a record may rest without a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Follow, and EIPs that the user named, whatever the strategy says.
    Not,
    For(SignedDuration),
    /// Never given back but by hand.
    Forever,
    /// No strategy that eipd knows: it stays as it is.
    Unclear,
}

/// A record that somebody should look at. No more than a hint: everything is read live again before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub key: Key,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Deleted, and no node finishes it.
    Tombstone,
    /// Its pod has been away for longer than it is kept.
    Expired,
    /// It is kept for a time, and nothing says since when: the time would never be over.
    Undated,
    /// It should be a node's or gone: it is not kept, or it names no EIP.
    Stray,
    /// Its node is gone or not Ready.
    NodeAway,
    /// Deleted, and its node, which lives, does not finish it.
    LeftLying,
    /// No label of ours: whether to take it over is judged elsewhere.
    Foreign,
}

impl What {
    /// As a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::Expired => "expired",
            Self::Undated => "undated",
            Self::Stray => "stray",
            Self::NodeAway => "node_away",
            Self::LeftLying => "left_lying",
            Self::Foreign => "foreign",
        }
    }
}

/// The facts of a record as it came over the wire.
pub fn read(wire: &PodEip) -> Found {
    let meta = &wire.metadata;
    let label = |name: &str| meta.labels.as_ref().and_then(|all| all.get(name));
    let has = |name: &str| label(name).is_some_and(|value| !value.is_empty());
    let note = |name: &str| meta.annotations.as_ref().and_then(|all| all.get(name));
    let ours = [keys::NODE_LABEL, keys::EIP_LABEL, keys::BUCKET_LABEL];
    Found {
        key: key_of(meta),
        labelled: ours.iter().any(|name| label(name).is_some()),
        held: has(keys::NODE_LABEL),
        tombstone: meta.deletion_timestamp.is_some(),
        finalizer: meta
            .finalizers
            .iter()
            .flatten()
            .any(|name| name == keys::PODEIP_FINALIZER),
        names_eip: has(keys::EIP_LABEL) || !wire.spec.allocation_id.is_empty(),
        kept: kept(&wire.spec.allocation_type),
        absent_since: note(keys::ABSENT_ANNOTATION).and_then(|text| text.parse().ok()),
    }
}

fn kept(how: &AllocationType) -> Kept {
    if how.type_ == "Static" {
        return Kept::Not;
    }
    match how.release_strategy.as_str() {
        "Follow" => Kept::Not,
        "Never" => Kept::Forever,
        "TTL" => time(how.release_after.as_deref().unwrap_or_default()),
        _ => Kept::Unclear,
    }
}

/// A text that is no duration, or a negative one, was not written by eipd: no reason to give anything back.
fn time(text: &str) -> Kept {
    match goduration::parse_nanos(text) {
        Ok(nanos) if nanos >= 0 => Kept::For(SignedDuration::from_nanos(nanos)),
        _ => Kept::Unclear,
    }
}

/// What is due for this record at `now`, by the API server's clock. From what it says itself, never from what is missing
/// beside it: so a list that is empty, stale or cut off costs nothing but time.
pub fn judge(found: &Found, now: Timestamp) -> Option<What> {
    // Another program's finalizer is that program's affair.
    if found.held || (found.tombstone && !found.finalizer) {
        return None;
    }
    if !found.labelled {
        return Some(What::Foreign);
    }
    if found.tombstone {
        return Some(What::Tombstone);
    }
    if !found.names_eip {
        return Some(What::Stray);
    }
    match (found.kept, found.absent_since) {
        (Kept::Not, _) => Some(What::Stray),
        (Kept::Forever | Kept::Unclear, _) => None,
        (Kept::For(_), None) => Some(What::Undated),
        (Kept::For(time), Some(since)) => {
            // Beyond what a timestamp can hold: not in our time.
            let end = since.checked_add(time).ok()?;
            (end <= now).then_some(What::Expired)
        }
    }
}

#[cfg(test)]
mod tests;
