//! How long to wait when nothing may be done now.

use std::time::Duration;

use super::super::step::Pause;
use super::Name;
use crate::clock::Instant;
use crate::eip::memory::NO_PLACE;

/// The name of an earlier pod's record comes free within seconds; nothing tells us when.
const NAME_TAKEN: Duration = Duration::from_secs(1);
/// Another's work that ours waits for, told by nobody: asked for more and more rarely.
const OTHERS_WORK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));
/// What a person has to mend.
const BY_HAND: Duration = Duration::from_mins(1);
pub(super) const CRD_TERMINATING: Duration = Duration::from_secs(10);
const WRONG_ACCOUNT: Duration = Duration::from_mins(5);
/// Between two looks for a change that is not ours.
pub(super) const FOREIGN_CHANGE: Duration = Duration::from_secs(2);
pub(super) const LEAST: Duration = Duration::from_millis(100);

impl Name {
    /// Until when.
    pub(super) fn pause(
        &mut self,
        why: &Pause,
        now: Instant,
        crd: Option<(Instant, bool)>,
    ) -> Instant {
        match why {
            Pause::InsideTaken { .. } => {}
            _ => self.memory.waits_since = None,
        }
        match why {
            Pause::NameTaken => {
                self.memory.lost_record();
                now + NAME_TAKEN
            }
            Pause::NotOurs => {
                self.memory.lost_record();
                now + self.waits.longer(OTHERS_WORK)
            }
            Pause::InsideTaken { .. } => {
                self.memory.waits_since.get_or_insert(now);
                self.memory.look_again();
                now + self.waits.longer(OTHERS_WORK)
            }
            Pause::InFlight => self.memory.in_flight_until(now).unwrap_or(now),
            Pause::CrdTerminating => {
                if crd.is_some_and(|(asked, _)| now.duration_since(asked) >= CRD_TERMINATING) {
                    self.memory.crd_forget();
                }
                now + CRD_TERMINATING
            }
            Pause::HeldOff => self.memory.held_off_until(now).unwrap_or(now),
            Pause::SecondLook => self.memory.second_look_at().unwrap_or(now),
            Pause::Full { .. } => self.memory.full_until().unwrap_or(now + BY_HAND),
            Pause::OutsideTaken { .. } | Pause::AddressLost { .. } => {
                self.memory.look_again();
                now + BY_HAND
            }
            Pause::OthersRun => now + BY_HAND,
            Pause::NoPlace => now + NO_PLACE,
            Pause::WrongAccount { .. } => now + WRONG_ACCOUNT,
        }
    }
}
