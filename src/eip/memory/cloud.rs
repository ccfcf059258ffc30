//! What the cloud's answers teach: looks, and the changes that it accepted, refused, or left without an answer.

use std::time::Duration;

use super::super::facts::Settling;
use super::super::outcome::{Outcome, Trouble, TroubleKind};
use super::super::step::Step;
use super::{IN_FLIGHT, Memory, SECOND_LOOK};
use crate::clock::Instant;
use crate::domain::eip::{Look, Standing};

/// How far Describe may lag behind what the cloud has accepted; past it, what it shows is believed.
const LAG: Duration = Duration::from_secs(15);

impl Memory {
    pub(super) fn looked(&mut self, look: Look, asked: Instant, now: Instant) {
        match &look {
            Look::Gone => {
                let first = *self.first_gone.get_or_insert(asked);
                self.gone_twice = asked.duration_since(first) >= SECOND_LOOK;
            }
            Look::Seen(seen) => {
                self.first_gone = None;
                self.gone_twice = false;
                if seen.cluster_tag.is_none() && seen.record_tag.is_none() {
                    let first = *self.first_untagged.get_or_insert(asked);
                    self.untagged_twice = asked.duration_since(first) >= SECOND_LOOK;
                } else {
                    self.first_untagged = None;
                    self.untagged_twice = false;
                }
            }
        }
        if let Some((what, since)) = self.settling {
            if is_end(what, &look, asked.duration_since(since)) {
                self.settling = None;
                self.missed = None;
            } else {
                self.missed = Some(asked.duration_since(since));
            }
        }
        // Still moving: the look has said what it can, the next one is asked in its time.
        let counts = self.settling.is_none();
        self.look = counts.then_some((asked.min(now), look));
    }

    pub(super) fn cloud_answered(&mut self, step: &Step, outcome: &Outcome, now: Instant) {
        self.look = None;
        self.tagged = None;
        self.last_change = Some(now);
        let open =
            matches!(outcome, Outcome::Failed(trouble) if trouble.kind == TroubleKind::NoAnswer);
        match (step, outcome) {
            (
                Step::Allocate {
                    record, attempt, ..
                },
                Outcome::Allocated(id),
            ) => {
                self.open_allocate_until = None;
                self.eip_since = Some(now);
                self.got = Some((record.clone(), *attempt, id.clone()));
            }
            (Step::Allocate { .. }, Outcome::Failed(trouble)) => self.allocate_failed(trouble, now),
            (Step::Associate { .. }, Outcome::Accepted) => self.settles(Settling::Associate, now),
            // Perhaps the place is not there any more: find it anew.
            (Step::Associate { .. }, Outcome::Failed(_)) => self.place = None,
            (Step::Unassociate { .. }, Outcome::Accepted) => {
                self.settles(Settling::Unassociate, now);
            }
            (Step::Release { id }, Outcome::Accepted) => self.released = Some(id.clone()),
            (Step::JoinPackage { .. }, Outcome::Accepted) => self.settles(Settling::Join, now),
            (Step::LeavePackage { .. }, Outcome::Accepted) => self.settles(Settling::Leave, now),
            // Without an answer it may be either.
            (Step::SetBandwidth { mbit, .. }, _) => {
                self.bandwidth_set = Some(*mbit).filter(|_| *outcome == Outcome::Accepted);
            }
            _ => {}
        }
        if !matches!(step, Step::Allocate { .. }) {
            self.sure = false;
            if open {
                self.in_flight_until = Some(now + IN_FLIGHT);
            }
        }
    }

    fn allocate_failed(&mut self, trouble: &Trouble, now: Instant) {
        if trouble.kind == TroubleKind::NoAnswer {
            self.open_allocate_until = Some(now + IN_FLIGHT);
        }
        if trouble.kind == TroubleKind::TokenUsed {
            self.token_used.get_or_insert(now);
        }
        // A server that stumbled (HTTP 500) may have done its work.
        if matches!(
            trouble.kind,
            TroubleKind::NoAnswer | TroubleKind::TokenUsed | TroubleKind::Passing
        ) {
            self.sure = false;
        }
    }

    fn settles(&mut self, what: Settling, now: Instant) {
        self.settling = Some((what, now));
        self.missed = None;
    }
}

/// Whether a look shows the end of a change that the cloud accepted so long ago. What it showed before, or nothing, may
/// be an answer that lags behind.
fn is_end(what: Settling, look: &Look, after: Duration) -> bool {
    let Look::Seen(seen) = look else {
        return after >= LAG;
    };
    match (what, &seen.standing) {
        (_, Standing::Moving) => false,
        (Settling::Associate, Standing::Free) | (Settling::Unassociate, Standing::At { .. }) => {
            after >= LAG
        }
        (Settling::Join, _) => !seen.package.is_empty() || after >= LAG,
        (Settling::Leave, _) => seen.package.is_empty() || after >= LAG,
        _ => true,
    }
}
