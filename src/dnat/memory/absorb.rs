//! How knowledge changes: by watch events, by live reads, by what steps come back with.

use super::{Heard, IN_FLIGHT, Known, Memory, NO_OTHER, Step, fresh_token};
use crate::clock::Instant;
use crate::dnat::outcome::Outcome;
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::Uid;
use crate::domain::pod::Pod;
use crate::eip::outcome::{Trouble, TroubleKind};
use crate::engine::known::is_older;

impl Memory {
    /// The watch shows the pod. An event that is older than what we know is dropped.
    pub fn watched_pod(&mut self, pod: Pod) {
        let known = self.pod.it();
        if known.is_some_and(|known| is_older(&pod.version, &known.version)) {
            return;
        }
        self.pod_heard = Heard::Seen;
        self.pod.see(pod, |pod| &pod.version);
    }

    /// The watch shows the record. One that this process did not write may have been left open by its predecessor.
    pub fn watched_record(&mut self, record: DnatRecord, started: Instant, now: Instant) {
        let known = self.record.it();
        if known.is_some_and(|known| is_older(&record.rev.version, &known.rev.version)) {
            return;
        }
        self.close_outrun(&record);
        if self.of.as_ref() != Some(&record.rev.uid) {
            self.of = Some(record.rev.uid.clone());
            self.forget_record();
            let led = record.mapping.as_ref().and_then(|it| it.internal);
            let open = led.is_some() && !record.shows_all();
            if open || record.taken_from.is_some() {
                self.in_flight_until = Some(started + IN_FLIGHT);
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
            Outcome::Pod(pod) => self.read_pod(pod, asked),
            Outcome::Record(record) => self.read_record(record, asked, now),
            Outcome::Both(pod, record) => {
                self.read_pod(pod, asked);
                self.read_record(record.map(|it| *it), asked, now);
            }
            Outcome::Wrote(record) => self.wrote(step, *record, asked, now),
            Outcome::RecordGone => self.record_gone(now),
            Outcome::Conflict => {
                // Somebody else writes there too: what we know of the entries has to be looked up.
                self.sure = false;
                self.record = Known::Unknown;
            }
            Outcome::CrdTerminating(terminating) => self.crd = Some((asked, terminating)),
            Outcome::WorkloadKeeps(keeps) => self.workload = Some((asked, keeps)),
            Outcome::NodeLives(lives) => self.read_node(step, lives, asked),
            Outcome::Resolved(spot) => {
                self.no_place = None;
                self.spot = Some(spot);
            }
            Outcome::Chosen(outside) => self.chosen = Some((now, outside)),
            Outcome::Looked(table) => self.looked(table, asked),
            Outcome::PodWrote(pod) if self.pod_heard != Heard::Left => self.watched_pod(pod),
            Outcome::PodGone => self.pod = Known::Unknown,
            Outcome::Failed(trouble) => self.failed(step, &trouble, now),
            Outcome::Accepted | Outcome::PodWrote(_) | Outcome::Refused(..) | Outcome::Numbered => {
            }
        }
    }

    fn failed(&mut self, step: &Step, trouble: &Trouble, now: Instant) {
        if let Step::Choose { .. } = step {
            self.no_other_until = Some(now + NO_OTHER);
        }
        if let (Step::Resolve { pod, ip }, TroubleKind::Nowhere) = (step, trouble.kind) {
            self.no_place = Some((pod.clone(), *ip, now));
        }
    }

    fn read_node(&mut self, step: &Step, lives: bool, asked: Instant) {
        if let Step::ReadNode { label } = step {
            self.holding.read(label, lives, asked);
        }
    }

    fn read_pod(&mut self, pod: Option<Pod>, asked: Instant) {
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
                self.watched_pod(pod);
                self.pod.touch(asked);
            }
        }
    }

    fn read_record(&mut self, record: Option<DnatRecord>, asked: Instant, now: Instant) {
        let record = match (record, self.record_heard) {
            (None, Heard::Seen) | (Some(_), Heard::Left) => return,
            (None, _) => return self.record_gone(now),
            (Some(record), _) => record,
        };
        let version = record.rev.version.clone();
        // Read while running: what an earlier process left open is no younger than this.
        self.watched_record(record, now, now);
        let known = self.record.it();
        if known.is_some_and(|known| known.rev.version == version) {
            self.record.touch(asked);
        }
    }

    fn wrote(&mut self, step: &Step, record: DnatRecord, asked: Instant, now: Instant) {
        match step {
            Step::Create { .. } => {
                self.forget_entries();
                self.sure = true;
            }
            // Another choice, of which nothing can have been asked for yet.
            Step::Place { outside, .. } => {
                self.forget_entries();
                self.sure = outside.is_some();
                // What was refused was the other choice.
                self.retry.succeeded();
                self.failed_step = None;
            }
            Step::Delete { at } => self.deleted = Some(at.uid.clone()),
            // Whatever its node was about may still land (rule Consent).
            Step::Take { .. } => self.in_flight_until = Some(now + IN_FLIGHT),
            _ => {}
        }
        if self.record_heard == Heard::Left {
            return; // it left us after that write, or by it
        }
        self.of = Some(record.rev.uid.clone());
        let known = self.record.it();
        if known.is_none_or(|known| !is_older(&record.rev.version, &known.rev.version)) {
            // Not from an answer that the watch has outrun: it may show a tombstone by now.
            self.mark_tombstone(&record, now);
            self.record = Known::Seen {
                it: record,
                at: Some(asked),
            };
        }
    }

    /// The object has moved on: a write still under way must fail on its resourceVersion.
    fn close_outrun(&mut self, record: &DnatRecord) {
        let open = self.open_write.as_ref();
        if open.is_some_and(|(write, _)| write.at() != Some(&record.rev)) {
            self.open_write = None;
        }
    }

    fn record_gone(&mut self, now: Instant) {
        let tombstone = self.tombstone.take();
        let ours = |(uid, _): &(Uid, Option<Uid>)| self.deleted.as_ref() == Some(uid);
        let by_hand = tombstone.as_ref().is_some_and(|it| !ours(it));
        let owner = tombstone.and_then(|(_, owner)| owner);
        // Its own pod lives on: somebody deleted the record by hand. Another pod of the name is just the next one.
        let own = |pod: &&Pod| owner.as_ref() == Some(&pod.uid) && pod.serves() && !pod.deleting;
        let widowed = self
            .pod
            .it()
            .filter(own)
            .filter(|pod| pod.ports.keeps() && by_hand);
        if let Some(uid) = widowed.map(|pod| pod.uid.clone()) {
            self.held_off.again(uid, now);
        }
        self.forget_record();
        self.of = None;
        self.deleted = None;
        self.record_read = true;
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
        self.forget_entries();
        self.tombstone_since = None;
        self.workload = None;
        self.open_write = None;
    }

    /// All that belongs to the record's present choice.
    fn forget_entries(&mut self) {
        self.chosen = None;
        self.look = None;
        self.last_change = None;
        self.settling = None;
        self.missed = None;
        self.made.clear();
        (self.sure, self.blocked, self.lost) = (false, false, false);
        self.full_until = None;
        self.first_missing = None;
        self.no_table_twice = false;
        self.in_flight_until = None;
        self.asked = None;
        self.token = fresh_token();
    }

    fn mark_tombstone(&mut self, record: &DnatRecord, now: Instant) {
        if record.tombstone {
            self.tombstone_since.get_or_insert(now);
            self.tombstone = Some((record.rev.uid.clone(), record.owner.clone()));
        } else {
            (self.tombstone_since, self.tombstone) = (None, None);
        }
    }
}
