//! How knowledge changes: by watch events, by live reads, by what steps come back with.

use super::super::outcome::{Outcome, Trouble, TroubleKind};
use super::super::step::Step;
use super::{Heard, IN_FLIGHT, Known, Memory};
use crate::clock::Instant;
use crate::domain::ids::Uid;
use crate::domain::pod::Pod;
use crate::domain::record::Record;
use crate::engine::known::is_older;

impl Memory {
    /// The watch shows the pod. An event that is older than what we know is dropped.
    pub fn watched_pod(&mut self, pod: Pod, now: Instant) {
        if self
            .pod
            .it()
            .is_some_and(|known| is_older(&pod.version, &known.version))
        {
            return;
        }
        if pod.ip.is_some()
            && self
                .pod
                .it()
                .is_none_or(|known| known.ip != pod.ip || known.uid != pod.uid)
        {
            self.address_since = Some(now);
        }
        self.pod_heard = Heard::Seen;
        self.pod.see(pod, |pod| &pod.version);
    }

    /// The watch shows the record. One that this process did not write may have been left open by its predecessor.
    pub fn watched_record(&mut self, record: Record, started: Instant, now: Instant) {
        if self
            .record
            .it()
            .is_some_and(|known| is_older(&record.rev.version, &known.rev.version))
        {
            return;
        }
        self.close_outrun(&record);
        let new = self.of.as_ref() != Some(&record.rev.uid);
        if new {
            self.of = Some(record.rev.uid.clone());
            self.forget_record();
            if record.shows_open_intent() {
                self.assume_open(&record, started + IN_FLIGHT);
            }
        }
        self.mark_tombstone(&record, now);
        self.record_heard = Heard::Seen;
        self.record.see(record, |record| &record.rev.version);
    }

    /// The watch says that the object left its selection. That is no proof of anything.
    pub fn pod_left(&mut self) {
        self.pod = Known::Unknown;
        self.pod_heard = Heard::Left;
        // The next one's outputs have not been refused yet.
        self.annotate.succeeded();
        self.condition.succeeded();
    }

    pub fn record_left(&mut self) {
        self.lost_record();
        self.record_heard = Heard::Left;
    }

    /// What is known of the record is to be read anew.
    pub fn lost_record(&mut self) {
        self.of = None;
        self.record = Known::Unknown;
    }

    /// Takes in what `step`, begun at `asked`, came back with.
    pub fn absorb(&mut self, step: &Step, outcome: Outcome, asked: Instant, now: Instant) {
        if step.changes_cloud() {
            self.cloud_answered(step, &outcome, now);
        }
        if step.writes_record() {
            self.write_answered(step, &outcome, now);
        }
        match outcome {
            Outcome::Pod(pod) => self.read_pod(pod, asked, now),
            Outcome::Record(record) => self.read_record(record, asked, now),
            Outcome::Both(pod, record) => {
                self.read_pod(pod, asked, now);
                self.read_record(record.map(|it| *it), asked, now);
            }
            Outcome::Wrote(record) => self.wrote(step, record, asked, now),
            Outcome::RecordGone => self.record_gone(now),
            Outcome::Conflict => {
                // Somebody else writes there too: what we know of the EIP has to be looked up.
                self.sure = false;
                self.record = Known::Unknown;
            }
            Outcome::CrdTerminating(terminating) => self.crd = Some((asked, terminating)),
            Outcome::NodeLives(lives) => self.read_node(step, lives, asked),
            Outcome::Resolved(place) => {
                self.no_place = None;
                self.place = Some(place);
            }
            Outcome::Looked(look) => self.looked(look, asked, now),
            Outcome::Tagged(seen) => self.tagged = Some((asked, seen)),
            Outcome::PodWrote(pod) if self.pod_heard != Heard::Left => {
                self.watched_pod(pod, now);
            }
            Outcome::PodGone => self.pod_gone(step),
            Outcome::Namers(namers) => self.namers = Some((asked, namers)),
            Outcome::Holder(holder) => self.holder = Some((asked, holder)),
            Outcome::Failed(trouble) => self.failed(step, &trouble, now),
            Outcome::Allocated(_)
            | Outcome::Accepted
            | Outcome::PodWrote(_)
            | Outcome::Later { .. } => {}
        }
    }

    fn failed(&mut self, step: &Step, trouble: &Trouble, now: Instant) {
        if let (Step::Resolve { ip, .. }, TroubleKind::Nowhere) = (step, trouble.kind) {
            self.no_place = self.pod.it().map(|pod| (pod.uid.clone(), *ip, now));
        }
    }

    fn read_node(&mut self, step: &Step, lives: bool, asked: Instant) {
        if let Step::ReadNode { label } = step {
            self.holding.read(label, lives, asked);
        }
    }

    fn read_pod(&mut self, pod: Option<Pod>, asked: Instant, now: Instant) {
        let owner = self.record.it().and_then(|record| record.owner.clone());
        if owner.is_some() && pod.as_ref().map(|pod| &pod.uid) != owner.as_ref() {
            self.gone_owner = owner;
        }
        match pod {
            // The watch says neither twice: that this one has come, that this one is gone.
            None if self.pod_heard == Heard::Seen => {}
            Some(_) if self.pod_heard == Heard::Left => {}
            None => self.pod = Known::Absent { at: Some(asked) },
            Some(pod) => {
                self.watched_pod(pod, now);
                self.pod.touch(asked);
            }
        }
    }

    fn read_record(&mut self, record: Option<Record>, asked: Instant, now: Instant) {
        let record = match (record, self.record_heard) {
            (None, Heard::Seen) | (Some(_), Heard::Left) => return,
            (None, _) => return self.record_gone(now),
            (Some(record), _) => record,
        };
        let version = record.rev.version.clone();
        // Read while running: what an earlier process left open is no younger than this.
        self.watched_record(record, now, now);
        if self
            .record
            .it()
            .is_some_and(|known| known.rev.version == version)
        {
            self.record.touch(asked);
        }
    }

    fn wrote(&mut self, step: &Step, record: Record, asked: Instant, now: Instant) {
        if let Step::Create { .. } = step {
            self.forget_eip();
            self.sure = true;
        }
        if let Step::NextAttempt { .. } = step {
            self.forget_eip();
        }
        if let Step::Delete { at } = step {
            self.deleted = Some(at.uid.clone());
        }
        if let Step::Take { .. } = step {
            // Whatever its node was about may still land (rule Consent).
            self.assume_open(&record, now + IN_FLIGHT);
        }
        if self.record_heard == Heard::Left {
            return; // it left us after that write, or by it
        }
        self.of = Some(record.rev.uid.clone());
        if self
            .record
            .it()
            .is_none_or(|known| !is_older(&record.rev.version, &known.rev.version))
        {
            // Not from an answer that the watch has outrun: it may show a tombstone by now.
            self.mark_tombstone(&record, now);
            self.record = Known::Seen {
                it: record,
                at: Some(asked),
            };
        }
    }

    /// Another pod of the name may have been seen meanwhile: that one is not gone.
    fn pod_gone(&mut self, step: &Step) {
        if self.pod.it().map(|pod| &pod.uid) == step.pod() {
            self.pod = Known::Unknown;
        }
    }

    /// The object has moved on: a write still under way must fail on its resourceVersion.
    fn close_outrun(&mut self, record: &Record) {
        let outrun = self
            .open_write
            .as_ref()
            .is_some_and(|(write, _)| write.at() != Some(&record.rev));
        if outrun {
            self.open_write = None;
        }
    }

    fn record_gone(&mut self, now: Instant) {
        let tombstone = self.tombstone.take();
        let ours = |(uid, _): &(Uid, Option<Uid>)| self.deleted.as_ref() == Some(uid);
        let by_hand = tombstone.as_ref().is_some_and(|it| !ours(it));
        let owner = tombstone.and_then(|(_, owner)| owner);
        // Its own pod lives on: somebody deleted the record by hand. Another pod of the name is just the next one.
        let widowed = self
            .pod
            .it()
            .filter(|pod| owner.as_ref() == Some(&pod.uid) && pod.serves() && !pod.deleting)
            .filter(|_| by_hand);
        if let Some(pod) = widowed {
            self.held_off.again(pod.uid.clone(), now);
        }
        self.forget_record();
        self.of = None;
        self.deleted = None;
        self.record_read = true;
        self.take_over_at = None;
        self.record = Known::Absent { at: None };
    }

    fn write_answered(&mut self, step: &Step, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::Failed(trouble) if trouble.kind == TroubleKind::NoAnswer => {
                self.open_write = Some((step.clone(), now + IN_FLIGHT));
                self.record.doubt();
            }
            Outcome::Failed(_) => {}
            // Answered: an open write of the same state has landed, or must fail on its resourceVersion.
            _ => self.open_write = None,
        }
    }

    /// All that belongs to one record, whose successor of the same name has nothing to do with it.
    fn forget_record(&mut self) {
        self.forget_eip();
        self.tombstone_since = None;
        self.unbound_since = None;
    }

    /// All that belongs to the record's present EIP.
    fn forget_eip(&mut self) {
        self.look = None;
        self.tagged = None;
        self.settling = None;
        self.missed = None;
        self.released = None;
        self.first_gone = None;
        self.gone_twice = false;
        self.first_untagged = None;
        self.untagged_twice = false;
        self.got = None;
        self.token_used = None;
        self.namers = None;
        self.holder = None;
        self.bandwidth_set = None;
        self.eip_since = None;
        self.sure = false;
        self.in_flight_until = None;
        self.open_allocate_until = None;
        self.open_write = None;
    }

    fn assume_open(&mut self, record: &Record, until: Instant) {
        match record.eip {
            None => self.open_allocate_until = Some(until),
            Some(_) => self.in_flight_until = Some(until),
        }
    }

    fn mark_tombstone(&mut self, record: &Record, now: Instant) {
        if record.eip.is_some() {
            self.eip_since.get_or_insert(now);
        }
        if record.tombstone {
            self.tombstone_since.get_or_insert(now);
            self.tombstone = Some((record.rev.uid.clone(), record.owner.clone()));
        } else {
            (self.tombstone_since, self.tombstone) = (None, None);
        }
    }
}
