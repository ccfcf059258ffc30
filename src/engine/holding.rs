//! A record of another node: whether that node is gone, and the record ours to take (rule Consent).

use std::time::Duration;

use crate::clock::Instant;

/// What a sweep has found is believed so long; everything is read live before a change.
const FOUND: Duration = Duration::from_secs(30);
/// How long a node that was read to be gone, or not, is believed to be so.
const BELIEVED: Duration = Duration::from_secs(10);

/// What is known of the node that has a record.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// When a sweep has found that something is due, and that it is a tombstone left lying.
    found: Option<(Instant, bool)>,
    /// The node's label, and whether it is there and Ready.
    read: Option<(Instant, String, bool)>,
}

/// What is to be done about another node's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in good hands, or still in use.
    Leave,
    ReadNode,
    ReadPod,
    Take,
}

/// What the verdict rests on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The record carries a deletionTimestamp: all that is left to do is to give back.
    pub tombstone: bool,
    /// It has been a tombstone for longer than any node that lives takes.
    pub left_lying: bool,
    pub node_lives: Option<bool>,
    /// The pod that it serves is gone, or it serves none, by a live read.
    pub unserved: Option<bool>,
}

impl Holding {
    /// A sweep has found that something is due.
    pub fn found(&mut self, left_lying: bool, now: Instant) {
        self.found = Some((now, left_lying));
    }

    /// Its node was read live.
    pub fn read(&mut self, label: &str, lives: bool, asked: Instant) {
        self.read = Some((asked, label.to_owned(), lives));
    }

    /// A sweep has found that something is due, a moment ago.
    pub fn is_found(&self, now: Instant) -> bool {
        self.recently_found(now).is_some()
    }

    /// And that it is a tombstone left lying.
    pub fn has_left_lying(&self, now: Instant) -> bool {
        self.recently_found(now) == Some(true)
    }

    /// Whether the node of that label lives, if that was read a moment ago.
    pub fn lives(&self, label: &str, now: Instant) -> Option<bool> {
        let recent = |at: &Instant| now.duration_since(*at) < BELIEVED;
        let read = self.read.as_ref();
        read.filter(|(at, of, _)| recent(at) && of == label)
            .map(|(_, _, lives)| *lives)
    }

    fn recently_found(&self, now: Instant) -> Option<bool> {
        let recent = |at: &Instant| now.duration_since(*at) < FOUND;
        self.found
            .filter(|(at, _)| recent(at))
            .map(|(_, left_lying)| left_lying)
    }
}

/// A node that is there and Ready keeps what it has. A node's absence proves nothing of its pods: each is asked for.
pub fn judge(it: Evidence) -> Verdict {
    if it.tombstone && it.left_lying {
        return Verdict::Take;
    }
    match (it.node_lives, it.unserved) {
        (None, _) => Verdict::ReadNode,
        (Some(false), _) if it.tombstone => Verdict::Take,
        (Some(false), None) => Verdict::ReadPod,
        (Some(false), Some(true)) => Verdict::Take,
        (Some(true), _) | (Some(false), Some(false)) => Verdict::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn verdict(
        tombstone: bool,
        left_lying: bool,
        node_lives: Option<bool>,
        unserved: Option<bool>,
    ) -> Verdict {
        judge(Evidence {
            tombstone,
            left_lying,
            node_lives,
            unserved,
        })
    }

    #[test]
    fn what_lives_is_left_and_what_is_over_and_nobodys_is_taken() {
        assert_eq!(verdict(false, false, None, None), Verdict::ReadNode);
        assert_eq!(
            verdict(false, false, Some(true), Some(true)),
            Verdict::Leave
        );
        assert_eq!(verdict(false, false, Some(false), None), Verdict::ReadPod);
        assert_eq!(
            verdict(false, false, Some(false), Some(true)),
            Verdict::Take
        );
        assert_eq!(
            verdict(false, false, Some(false), Some(false)),
            Verdict::Leave,
            "a node that is dead and not deleted keeps its pods' EIPs"
        );
    }

    #[test]
    fn a_tombstone_is_its_nodes_until_that_is_gone_or_it_has_lain_for_long() {
        assert_eq!(verdict(true, false, Some(true), None), Verdict::Leave);
        assert_eq!(verdict(true, false, Some(false), None), Verdict::Take);
        assert_eq!(verdict(true, true, Some(true), None), Verdict::Take);
        assert_eq!(
            verdict(false, true, Some(true), Some(true)),
            Verdict::Leave,
            "it is none any more"
        );
    }

    #[test]
    fn what_was_read_is_believed_for_a_moment_and_of_that_node_only() {
        let (mut holding, now) = (Holding::default(), clock::now());
        holding.read("a", false, now);
        holding.found(true, now);
        assert_eq!(holding.lives("a", now), Some(false));
        assert_eq!(holding.lives("b", now), None);
        assert_eq!(holding.lives("a", now + BELIEVED), None);
        assert!(holding.is_found(now) && holding.has_left_lying(now));
        assert!(!holding.is_found(now + FOUND) && !holding.has_left_lying(now + FOUND));
    }
}
