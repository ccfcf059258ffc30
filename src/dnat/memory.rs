//! What this process knows of one name beyond what stands in the cluster: how fresh things are, what is in flight.
//!
//! Nothing here is needed for correctness after a crash: whatever is lost is read again.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::facts::{Change, Facts, Table};
use super::step::Step;
use crate::clock::Instant;
use crate::cloud::vpc::fresh_token;
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::Uid;
use crate::domain::pod::Pod;
use crate::domain::ports::{Outside, PortAsk, Spot};
use crate::eip::facts::{Crd, Me};
use crate::eip::memory::{IN_FLIGHT, NO_PLACE, SECOND_LOOK};
use crate::eip::outcome::Trouble;
use crate::eip::retry::Retry;
use crate::engine::hold_off::HoldOff;
use crate::engine::holding::Holding;
use crate::engine::known::{FRESH, Heard, Known};

mod absorb;
mod cloud;
#[cfg(test)]
mod tests;

/// A look may lag behind what the cloud has accepted.
const LAG: Duration = Duration::from_secs(15);
/// While there is no other gateway, the one that is stuck is asked again and again.
const NO_OTHER: Duration = Duration::from_mins(5);

#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
pub struct Memory {
    pod: Known<Pod>,
    record: Known<DnatRecord>,
    /// What the watches have said since the step in flight began: its answer may be older than that.
    pod_heard: Heard,
    record_heard: Heard,
    /// Owners that a live read has shown to be gone, the newest only: a record has one owner.
    gone_owner: Option<Uid>,
    spot: Option<Spot>,
    chosen: Option<(Instant, Outside)>,
    look: Option<(Instant, Table)>,
    /// When the cloud last answered a change of these entries.
    last_change: Option<Instant>,
    settling: Option<(Change, Instant)>,
    /// The latest look that came too early for what is settling.
    missed: Option<Duration>,
    /// Entries that the cloud has accepted and no look has shown, by name.
    made: BTreeMap<String, Instant>,
    sure: bool,
    blocked: bool,
    lost: bool,
    /// Until when a choice that was tried in vain is not tried again for an entry that is stuck.
    no_other_until: Option<Instant>,
    full_until: Option<Instant>,
    first_missing: Option<Instant>,
    no_table_twice: bool,
    token: String,
    /// The name of the entry that was last asked for, while its call has had no answer.
    asked: Option<String>,
    workload: Option<(Instant, bool)>,
    in_flight_until: Option<Instant>,
    /// The write without an answer, and until when it counts as in flight.
    open_write: Option<(Step, Instant)>,
    /// The record that all this belongs to, also while its state is not known.
    of: Option<Uid>,
    /// The record that we ourselves decided to give back.
    deleted: Option<Uid>,
    tombstone_since: Option<Instant>,
    /// The record that was last seen as a tombstone, and its owner: the watch may lose it before our last write is answered.
    tombstone: Option<(Uid, Option<Uid>)>,
    crd: Option<(Instant, bool)>,
    held_off: HoldOff,
    /// What is known of the node that has the record.
    holding: Holding,
    /// The pod and its address that is on no interface, as was found then.
    no_place: Option<(Uid, Ipv4Addr, Instant)>,
    record_read: bool,
    /// Since when what the pod waits for is in the way.
    pub waits_since: Option<Instant>,
    pub retry: Retry,
    /// The step whose failures `retry` counts.
    failed_step: Option<Step>,
    annotate: Retry,
    condition: Retry,
}

/// What is judged of a name from outside of it, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    pub others_run: bool,
    /// An entry keeps the record's table busy for too long.
    pub stuck: bool,
}

impl Memory {
    /// Nothing is known of the pod, and no record of ours is in the watch.
    pub fn new() -> Self {
        Self {
            record: Known::Absent { at: None },
            token: fresh_token(),
            ..Self::default()
        }
    }

    /// What `plan` decides on, judged at `now`.
    pub fn facts<'a>(&'a self, me: &'a Me, now: Instant, around: Around) -> Facts<'a> {
        let record = self.record.it();
        let seen = self.look.as_ref().filter(|(at, _)| self.counts(*at));
        let recent = |at: Instant, long: Duration| now.duration_since(at) < long;
        let spot = self.spot.as_ref().filter(|spot| {
            let ip = self.pod.it().and_then(|pod| pod.ip);
            ip == Some(spot.ip)
        });
        let chosen = self.chosen.as_ref().filter(|(at, _)| recent(*at, FRESH));
        Facts {
            me,
            pod: self.pod.sight(now),
            record: self.record.sight(now),
            owner_gone: record.is_some_and(|r| r.owner.is_some() && r.owner == self.gone_owner),
            spot,
            chosen: chosen.map(|(_, outside)| outside),
            look: seen.filter(|it| recent(it.0, FRESH)).map(|it| &it.1),
            seen: seen.map(|(_, table)| table),
            settling: self.settling.map(|(what, _)| what),
            unseen: self.made.values().any(|at| recent(*at, LAG)),
            sure: self.sure,
            blocked: self.blocked,
            lost: self.lost,
            stuck: around.stuck,
            no_other: self.no_other_until.is_some_and(|until| until > now),
            full: self.full_until.is_some_and(|until| until > now),
            no_table_twice: self.no_table_twice,
            token: &self.token,
            workload_keeps: self
                .workload
                .filter(|(at, _)| recent(*at, FRESH))
                .map(|(_, keeps)| keeps),
            in_flight: self.in_flight_until(now).is_some(),
            open_write: self
                .open_write
                .as_ref()
                .filter(|_| self.open_call_until(now).is_none())
                .map(|(write, _)| write),
            crd: self.crd_state(),
            held_off: self.held_off_until(now).is_some(),
            found: self.holding.is_found(now),
            left_lying: self.holding.has_left_lying(now),
            node_lives: record.and_then(|it| self.holding.lives(it.node.as_deref()?, now)),
            no_place: self.has_no_place(now),
            others_run: around.others_run,
            record_read: self.record_read,
            annotate_now: self.annotate.is_due(now),
            condition_now: self.condition.is_due(now),
        }
    }

    /// A look counts that was asked after the last own change was answered.
    fn counts(&self, asked: Instant) -> bool {
        self.last_change.is_none_or(|change| asked >= change)
    }

    pub fn pod(&self) -> Option<&Pod> {
        self.pod.it()
    }

    pub fn record(&self) -> Option<&DnatRecord> {
        self.record.it()
    }

    /// Until when a call or write of ours counts as in flight on the present record.
    pub fn in_flight_until(&self, now: Instant) -> Option<Instant> {
        let write = self.open_write.as_ref().map(|(_, until)| *until);
        let latest = self.in_flight_until.max(write);
        latest.filter(|until| *until > now)
    }

    fn open_call_until(&self, now: Instant) -> Option<Instant> {
        self.in_flight_until.filter(|until| *until > now)
    }

    pub fn held_off_until(&self, now: Instant) -> Option<Instant> {
        self.held_off.until(self.pod().map(|pod| &pod.uid), now)
    }

    pub fn full_until(&self) -> Option<Instant> {
        self.full_until
    }

    /// When to believe, at last, that the table is gone.
    pub fn second_look_at(&self) -> Option<Instant> {
        self.first_missing.map(|first| first + SECOND_LOOK)
    }

    /// What is settling, since when, and the latest look that came too early.
    pub fn settling(&self) -> Option<(Change, Instant, Option<Duration>)> {
        self.settling
            .map(|(what, since)| (what, since, self.missed))
    }

    /// Takes over what this agent knows of the CRD, if that is newer.
    pub fn crd_known(&mut self, crd: Option<(Instant, bool)>) {
        self.crd = self.crd.max(crd);
    }

    /// It was Terminating: that has to be read again.
    pub fn crd_forget(&mut self) {
        self.crd = None;
    }

    /// What has been seen may have changed: others' entries do.
    pub fn look_again(&mut self) {
        self.look = None;
        self.sure = false;
        self.lost = false;
    }

    /// Whether a look that counts was asked a moment ago.
    pub fn has_looked(&self, now: Instant) -> bool {
        let recent = |at: Instant| now.duration_since(at) < FRESH && self.counts(at);
        self.look.as_ref().is_some_and(|(at, _)| recent(*at))
    }

    /// A sweep has found that something is due: no more than a hint, so the record is read live first.
    pub fn found(&mut self, left_lying: bool, now: Instant) {
        self.holding.found(left_lying, now);
        self.lost_record();
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
            .is_some_and(|failed| failed.name() == step.name());
        self.retry.due().filter(|due| same && *due > now)
    }

    pub fn step_failed(&mut self, step: &Step, trouble: &Trouble, now: Instant) {
        let retry = match step {
            Step::Annotate { .. } => &mut self.annotate,
            Step::Condition { .. } => &mut self.condition,
            _ => {
                let before = self.failed_step.replace(step.clone());
                if before.is_none_or(|failed| failed.name() != step.name()) {
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
            Step::Annotate { .. } => self.annotate.failures(),
            Step::Condition { .. } => self.condition.failures(),
            _ => self.retry.failures(),
        }
    }

    pub fn step_succeeded(&mut self, step: &Step) {
        match step {
            Step::Annotate { .. } => self.annotate.succeeded(),
            Step::Condition { .. } => self.condition.succeeded(),
            _ => {
                let failed = self.failed_step.as_ref();
                if failed.is_some_and(|failed| failed.name() == step.name()) {
                    self.failed_step = None;
                    self.retry.succeeded();
                }
            }
        }
    }

    /// When to retry a write on the pod that was refused.
    pub fn outputs_due(&self, now: Instant) -> Option<Instant> {
        let waits = [self.annotate.due(), self.condition.due()];
        waits.into_iter().flatten().filter(|due| *due > now).min()
    }

    /// Nothing is left to do or to remember: no record of ours, and no pod that asks.
    pub fn is_idle(&self, me: &Me) -> bool {
        let here = |pod: &&Pod| pod.node.as_deref() == Some(me.node.as_str());
        let pod = self.pod().filter(here);
        let asks = pod.is_some_and(|pod| pod.ports != PortAsk::Nothing);
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
