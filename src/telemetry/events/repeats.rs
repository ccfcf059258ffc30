//! Which Events are news: the first of its kind, and then one an hour. Pure: time comes in, decisions go out.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::clock::Instant;

/// How long an Event is not said again.
const QUIET: Duration = Duration::from_hours(1);

/// Notes that one pod hears for one reason within [`QUIET`]: some errors never say the same thing twice. A pod may well have
/// made more than ten mistakes in one manifest, one in each annotation.
const NOTES_PER_REASON: usize = 16;

/// Events remembered; a node has at most some hundred pods, each with an Event or two.
const REMEMBERED: usize = 1024;

/// What an Event is about: same pod, same reason, same note but for the cloud's `RequestId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Pod and reason.
    series: u64,
    /// Pod, reason and note.
    pub whole: u64,
}

#[derive(Debug)]
struct Said {
    series: u64,
    last: Instant,
    times: i32,
}

/// What was said, and when.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    said: HashMap<u64, Said>,
}

// === impl Kind ===

impl Kind {
    /// The kind of an Event; the same in every process, so that a restart does not say everything again.
    pub fn of(uid: &str, reason: &str, note: &str) -> Self {
        let note = without_request_ids(note);
        Self {
            series: digest(&[uid, reason]),
            whole: digest(&[uid, reason, &note]),
        }
    }
}

fn digest(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // Never in any of the parts: notes are escaped.
        hash.update([0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    bytes
        .iter()
        .take(8)
        .fold(0, |all, byte| (all << 8) | u64::from(*byte))
}

/// `note` without the words that follow "RequestId": they differ in every answer.
fn without_request_ids(note: &str) -> String {
    const MARK: &str = "RequestId";
    let mut parts = note.split(MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches([' ', ':', '=']);
        out.push_str(MARK);
        out.push_str(rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-'));
    }
    out
}

// === impl Repeats ===

impl Repeats {
    /// Whether to say it now: how many times it was said in a row, this one counted. None: it was said lately.
    pub fn admit(&mut self, kind: Kind, now: Instant) -> Option<i32> {
        let is_recent = |said: &Said| now.saturating_duration_since(said.last) < QUIET;
        let times = match self.said.get(&kind.whole) {
            Some(said) if is_recent(said) => return None,
            Some(said) => said.times.saturating_add(1),
            None => 1,
        };
        let others = self
            .said
            .values()
            .filter(|said| said.series == kind.series && is_recent(said));
        if others.count() >= NOTES_PER_REASON {
            return None;
        }
        self.make_room(kind);
        self.said.insert(
            kind.whole,
            Said {
                series: kind.series,
                last: now,
                times,
            },
        );
        Some(times)
    }

    /// Takes an admission back: the Event was not written after all.
    pub fn forget(&mut self, kind: Kind) {
        self.said.remove(&kind.whole);
    }

    fn make_room(&mut self, kind: Kind) {
        if self.said.len() < REMEMBERED || self.said.contains_key(&kind.whole) {
            return;
        }
        let oldest = self
            .said
            .iter()
            .min_by_key(|(_, said)| said.last)
            .map(|(whole, _)| *whole);
        if let Some(oldest) = oldest {
            self.said.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{now, sleep};

    fn kind(uid: &str, note: &str) -> Kind {
        Kind::of(uid, "AllocateFailed", note)
    }

    #[tokio::test(start_paused = true)]
    async fn first_and_then_hourly() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.admit(kind("a", "x"), now()), Some(1));
        sleep(QUIET.checked_sub(Duration::from_secs(1)).unwrap()).await;
        assert_eq!(repeats.admit(kind("a", "x"), now()), None);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(repeats.admit(kind("a", "x"), now()), Some(2));
        assert_eq!(repeats.admit(kind("a", "x"), now()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn other_pods_reasons_and_notes_are_news() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.admit(kind("a", "x"), now()), Some(1));
        assert_eq!(repeats.admit(kind("b", "x"), now()), Some(1));
        assert_eq!(repeats.admit(kind("a", "y"), now()), Some(1));
        assert_eq!(
            repeats.admit(Kind::of("a", "EIPBound", "x"), now()),
            Some(1)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn request_ids_make_no_news() {
        let note = |id: &str| {
            format!("Allocate: Oops: no (HTTP 400, RequestId {id}) and RequestId: {id}, retried")
        };
        let (one, two) = (note("0C1A-9B"), note("F00D"));
        assert_eq!(kind("a", &one), kind("a", &two));
        assert_eq!(
            without_request_ids(&one),
            "Allocate: Oops: no (HTTP 400, RequestId) and RequestId, retried"
        );
        assert_ne!(kind("a", &one), kind("a", &one.replace("400", "403")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_note_that_is_always_new_is_capped() {
        let mut repeats = Repeats::default();
        let mut said = |from: u32| {
            (from..from + 100)
                .filter(|n| repeats.admit(kind("a", &n.to_string()), now()).is_some())
                .count()
        };
        assert_eq!(said(0), NOTES_PER_REASON);
        sleep(QUIET).await;
        assert_eq!(said(100), NOTES_PER_REASON);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_written_may_be_said_again() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.admit(kind("a", "x"), now()), Some(1));
        repeats.forget(kind("a", "x"));
        assert_eq!(repeats.admit(kind("a", "x"), now()), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_keeps_the_newest() {
        let mut repeats = Repeats::default();
        for n in 0..REMEMBERED * 2 {
            assert_eq!(repeats.admit(kind(&n.to_string(), "x"), now()), Some(1));
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(repeats.said.len(), REMEMBERED);
        let newest = (REMEMBERED * 2 - 1).to_string();
        assert_eq!(repeats.admit(kind(&newest, "x"), now()), None);
        assert_eq!(repeats.admit(kind("0", "x"), now()), Some(1));
    }
}
