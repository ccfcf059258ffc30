//! What this process knows of one name beyond what stands in the cluster: how fresh things are, what is in flight.
//!
//! Nothing here is needed for correctness after a crash: whatever is lost is read again.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::facts::{Around, Crd, Facts, Me, Settling};
use super::outcome::{Holder, Namer, Trouble};
use super::retry::Retry;
use super::step::Step;
use crate::clock::Instant;
use crate::domain::eip::{Look, Seen};
use crate::domain::ids::{EipId, Place, Uid};
use crate::domain::keep::Keep;
use crate::domain::pod::{Ask, Pod};
use crate::domain::record::{Kind, Record};
use crate::engine::hold_off::HoldOff;
use crate::engine::holding::Holding;
use crate::engine::known::{FRESH, Heard, Known};

mod absorb;
mod cloud;
#[cfg(test)]
mod tests;

/// How long a call or write without an answer counts as in flight; longer than any deadline.
pub const IN_FLIGHT: Duration = Duration::from_mins(1);
/// Between two looks that must agree that an EIP is gone.
pub const SECOND_LOOK: Duration = Duration::from_mins(1);
/// How long an EIP of a used token may take to show by its tag.
const TOKEN_PATIENCE: Duration = Duration::from_mins(10);
/// How long an interface that an EIP stands on is believed to be what it was.
const HOLDER: Duration = Duration::from_mins(1);
/// How long an address on no interface is believed to stay that: an interface may have come late.
pub const NO_PLACE: Duration = Duration::from_mins(10);
/// How long Kubernetes' garbage collector has to write the tombstone of a pod that is gone.
pub const GC_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
pub struct Memory {
    pod: Known<Pod>,
    record: Known<Record>,
    /// What the watches have said since the step in flight began: its answer may be older than that.
    pod_heard: Heard,
    record_heard: Heard,
    /// Owners that a live read has shown to be gone, the newest only: a record has one owner.
    gone_owner: Option<Uid>,
    look: Option<(Instant, Look)>,
    tagged: Option<(Instant, Vec<Seen>)>,
    /// When the cloud last answered a change of this EIP.
    last_change: Option<Instant>,
    settling: Option<(Settling, Instant)>,
    /// The latest look that came too early for what is settling.
    missed: Option<Duration>,
    released: Option<EipId>,
    first_gone: Option<Instant>,
    gone_twice: bool,
    /// The first of the looks in a row that showed the EIP without any tag of ours.
    first_untagged: Option<Instant>,
    untagged_twice: bool,
    got: Option<(Uid, u32, EipId)>,
    /// Since when the cloud says that Allocate's token was used with other arguments.
    token_used: Option<Instant>,
    sure: bool,
    /// The record that all this belongs to, also while its state is not known.
    of: Option<Uid>,
    place: Option<Place>,
    in_flight_until: Option<Instant>,
    open_allocate_until: Option<Instant>,
    /// The write without an answer, and until when it counts as in flight.
    open_write: Option<(Step, Instant)>,
    namers: Option<(Instant, Vec<Namer>)>,
    holder: Option<(Instant, Holder)>,
    bandwidth_set: Option<u32>,
    eip_since: Option<Instant>,
    /// The pod and its address that no EIP can be bound to, as was found then.
    no_place: Option<(Uid, Ipv4Addr, Instant)>,
    /// A live read has shown that there is no record.
    record_read: bool,
    /// The record whose EIP we ourselves decided to give back.
    deleted: Option<Uid>,
    /// When another controller's record is to be taken over.
    take_over_at: Option<Instant>,
    tombstone_since: Option<Instant>,
    /// The record that was last seen as a tombstone, and its owner: the watch may lose it before our last write is answered.
    tombstone: Option<(Uid, Option<Uid>)>,
    crd: Option<(Instant, bool)>,
    unbound_since: Option<Instant>,
    held_off: HoldOff,
    /// What is known of the node that has the record.
    holding: Holding,
    /// Since when this pod's address is known, for the time from address to bound.
    pub address_since: Option<Instant>,
    pub retry: Retry,
    /// The step whose failures `retry` counts.
    failed_step: Option<Step>,
    pub annotate: Retry,
    pub condition: Retry,
}

impl Memory {
    /// Nothing is known of the pod, and no record of ours is in the watch.
    pub fn new() -> Self {
        Self {
            record: Known::Absent { at: None },
            ..Self::default()
        }
    }

    /// What `plan` decides on, judged at `now`.
    pub fn facts<'a>(&'a self, me: &'a Me, now: Instant, around: Around) -> Facts<'a> {
        let counts = |at: Instant| {
            now.duration_since(at) < FRESH && self.last_change.is_none_or(|change| at >= change)
        };
        let record = self.record.it();
        let eip = record.and_then(|record| record.eip.as_ref());
        Facts {
            me,
            pod: self.pod.sight(now),
            record: self.record.sight(now),
            owner_gone: record.is_some_and(|r| r.owner.is_some() && r.owner == self.gone_owner),
            look: self
                .look
                .as_ref()
                .filter(|(at, _)| counts(*at))
                .map(|(_, look)| look),
            settling: self.settling.map(|(what, _)| what),
            released: self.released.is_some() && (eip.is_none() || self.released.as_ref() == eip),
            gone_twice: self.gone_twice,
            untagged_twice: self.untagged_twice,
            tagged: self
                .tagged
                .as_ref()
                .filter(|(at, _)| counts(*at))
                .map(|(_, seen)| seen.as_slice()),
            got: self
                .got
                .as_ref()
                .filter(|(uid, attempt, _)| {
                    record.is_some_and(|r| r.rev.uid == *uid && r.attempt == *attempt)
                })
                .map(|(_, _, id)| id),
            token_spent: self
                .token_used
                .is_some_and(|since| now.duration_since(since) >= TOKEN_PATIENCE),
            sure: self.sure,
            place: self.place.as_ref(),
            in_flight: self.in_flight_until(now).is_some(),
            open_write: self
                .open_write
                .as_ref()
                .filter(|_| self.open_call_until(now).is_none())
                .map(|(write, _)| write),
            crd: self.crd_state(),
            held_off: self.held_off_until(now).is_some(),
            waited_for_gc: self
                .unbound_since
                .is_some_and(|since| now.duration_since(since) >= GC_PATIENCE),
            found: self.holding.is_found(now),
            left_lying: self.holding.has_left_lying(now),
            node_lives: record.and_then(|record| self.holding.lives(record.node.as_deref()?, now)),
            namers: self
                .namers
                .as_ref()
                .filter(|(asked, _)| now.duration_since(*asked) < FRESH)
                .map(|(_, namers)| namers.as_slice()),
            holder: self
                .holder
                .as_ref()
                .filter(|(asked, _)| now.duration_since(*asked) < HOLDER)
                .map(|(_, holder)| holder),
            bandwidth_set: self.bandwidth_set,
            ttl_over: record.is_some_and(|record| is_ttl_over(record, around.wall)),
            in_doubt: self.first_gone.is_some() && !self.gone_twice,
            brake: around.brake,
            unused: around.unused,
            address_first: around.address_first,
            storm: around.storm,
            others_run: around.others_run,
            no_place: self.has_no_place(now),
            record_read: self.record_read,
            take_over_later: self.take_over_at.is_none_or(|at| at > now),
            annotate_now: self.annotate.is_due(now),
            condition_now: self.condition.is_due(now),
        }
    }

    pub fn pod(&self) -> Option<&Pod> {
        self.pod.it()
    }

    pub fn record(&self) -> Option<&Record> {
        self.record.it()
    }

    /// Until when a call or write of ours counts as in flight on the present record.
    pub fn in_flight_until(&self, now: Instant) -> Option<Instant> {
        let write = self.open_write.as_ref().map(|(_, until)| *until);
        self.open_call_until(now)
            .max(write)
            .filter(|until| *until > now)
    }

    fn open_call_until(&self, now: Instant) -> Option<Instant> {
        let empty = self.record().is_none_or(|record| record.eip.is_none());
        let allocate = self.open_allocate_until.filter(|_| empty);
        self.in_flight_until
            .max(allocate)
            .filter(|until| *until > now)
    }

    pub fn held_off_until(&self, now: Instant) -> Option<Instant> {
        self.held_off.until(self.pod().map(|pod| &pod.uid), now)
    }

    /// When to believe, at last, that the EIP is gone.
    pub fn second_look_at(&self) -> Option<Instant> {
        self.first_gone
            .or(self.first_untagged)
            .map(|first| first + SECOND_LOOK)
    }

    /// Notes that the plan now waits for Kubernetes to write the tombstone; gives the end of its patience.
    pub fn await_tombstone(&mut self, now: Instant) -> Instant {
        *self.unbound_since.get_or_insert(now) + GC_PATIENCE
    }

    /// Since when this process knows of the record's EIP; not of one that is kept or that the user named.
    pub fn eip_since(&self) -> Option<Instant> {
        let own = self
            .record()
            .is_none_or(|record| record.kind == Kind::Auto && !record.is_fixed());
        self.eip_since.filter(|_| own)
    }

    /// Since when the record of a pod that lives and would keep it is a tombstone, as somebody else wanted.
    pub fn tombstone_of_living(&self) -> Option<Instant> {
        let (record, pod) = (self.record()?, self.pod()?);
        let keeps = record.owner.as_ref() == Some(&pod.uid)
            && pod.serves()
            && !pod.deleting
            && pod.ask != Ask::Nothing;
        self.tombstone_since
            .filter(|_| keeps && record.tombstone && self.deleted.as_ref() != Some(&record.rev.uid))
    }

    /// When another controller's record is taken over; `at` where that was not decided yet.
    pub fn take_over_at(&mut self, at: Instant) -> Instant {
        *self.take_over_at.get_or_insert(at)
    }

    /// What is settling, since when, and the latest look that came too early.
    pub fn settling(&self) -> Option<(Settling, Instant, Option<Duration>)> {
        self.settling
            .map(|(what, since)| (what, since, self.missed))
    }

    /// A sweep has found that something is due: no more than a hint, so the record is read live first.
    pub fn found(&mut self, left_lying: bool, now: Instant) {
        self.holding.found(left_lying, now);
        self.lost_record();
    }

    /// Takes over what this agent knows of the CRD, if that is newer.
    pub fn crd_known(&mut self, crd: Option<(Instant, bool)>) {
        self.crd = self.crd.max(crd);
    }

    /// It was Terminating: that has to be read again.
    pub fn crd_forget(&mut self) {
        self.crd = None;
    }

    /// A step begins: what it brings back is newer than all that the watches have said so far.
    pub fn begins(&mut self) {
        (self.pod_heard, self.record_heard) = (Heard::Nothing, Heard::Nothing);
    }

    /// When the step may be tried, if not now: after a failure of the same step.
    pub fn not_before(&self, step: &Step, now: Instant) -> Option<Instant> {
        let same = self
            .failed_step
            .as_ref()
            .is_some_and(|failed| failed.is_again(step));
        self.retry.due().filter(|due| same && *due > now)
    }

    pub fn step_failed(&mut self, step: &Step, trouble: &Trouble, now: Instant) {
        let retry = match step {
            Step::Annotate { .. } | Step::ClearAnnotations { .. } => &mut self.annotate,
            Step::Condition { .. } => &mut self.condition,
            _ => {
                let before = self.failed_step.replace(step.clone());
                if !before.is_some_and(|failed| failed.is_again(step)) {
                    self.retry.succeeded();
                }
                &mut self.retry
            }
        };
        retry.failed(trouble.kind, trouble.retry_after, now);
    }

    /// How often this step has failed in a row.
    pub fn failures_of(&self, step: &Step) -> u32 {
        match step {
            Step::Annotate { .. } | Step::ClearAnnotations { .. } => self.annotate.failures(),
            Step::Condition { .. } => self.condition.failures(),
            _ => self.retry.failures(),
        }
    }

    pub fn step_succeeded(&mut self, step: &Step) {
        match step {
            Step::Annotate { .. } | Step::ClearAnnotations { .. } => self.annotate.succeeded(),
            Step::Condition { .. } => self.condition.succeeded(),
            _ if self
                .failed_step
                .as_ref()
                .is_some_and(|failed| failed.is_again(step)) =>
            {
                self.failed_step = None;
                self.retry.succeeded();
            }
            _ => {}
        }
    }

    /// When to retry a write on the pod that was refused.
    pub fn outputs_due(&self, now: Instant) -> Option<Instant> {
        let waits = [self.annotate.due(), self.condition.due()]
            .into_iter()
            .flatten();
        waits.filter(|due| *due > now).min()
    }

    /// Nothing is left to do or to remember: no record of ours, and no pod that asks.
    pub fn is_idle(&self, me: &Me) -> bool {
        let here = |pod: &&Pod| pod.node.as_deref() == Some(me.node.as_str());
        let asks = self
            .pod()
            .filter(here)
            .is_some_and(|pod| pod.ask != Ask::Nothing);
        let none = match &self.record {
            Known::Unknown => false,
            Known::Absent { .. } => true,
            Known::Seen { it, .. } => it.node.as_deref() != Some(me.label.as_str()),
        };
        none && !asks
    }

    fn has_no_place(&self, now: Instant) -> bool {
        let found = |(uid, ip, at): &(Uid, Ipv4Addr, Instant)| {
            let same = |pod: &Pod| pod.uid == *uid && pod.ip == Some(*ip);
            self.pod().is_some_and(same) && now.duration_since(*at) < NO_PLACE
        };
        self.no_place.as_ref().is_some_and(found)
    }

    fn crd_state(&self) -> Crd {
        match (self.crd, self.tombstone_since) {
            (Some((asked, terminating)), Some(since)) if asked >= since => match terminating {
                true => Crd::Terminating,
                false => Crd::Fine,
            },
            _ => Crd::Unknown,
        }
    }
}

/// Whether a kept record's time has passed: it counts the absence of the pod's object that was seen.
fn is_ttl_over(record: &Record, wall: Timestamp) -> bool {
    let (Keep::Ttl { after, .. }, Some(since)) = (&record.keep, record.absent_since) else {
        return false;
    };
    since.checked_add(*after).is_ok_and(|end| end <= wall)
}
