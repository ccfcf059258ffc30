//! What is remembered, and for how long it counts.

use crate::domain::eip::Standing;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock;
use crate::domain::eip::Seen;
use crate::domain::ids::{EipId, EniId, Key, Place, ResourceVersion, Uid};
use crate::domain::keep::Keep;
use crate::domain::pod::{Ask, Outputs, Phase, Pod, Which, Wish};
use crate::domain::ports::{PortAsk, PortOutputs};
use crate::domain::record::{Kind, Made, Record, Rev};
use crate::eip::outcome::{Outcome, Trouble, TroubleKind};

mod ends;
mod lives;

fn key() -> Key {
    Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    }
}

fn pod(uid: &str, version: &str) -> Pod {
    Pod {
        key: key(),
        uid: Uid::new(uid),
        version: ResourceVersion::new(version),
        created: None,
        node: Some("node-a".to_owned()),
        controller: None,
        phase: Phase::Running,
        ip: Some([10, 0, 0, 5].into()),
        taken: true,
        deleting: false,
        running: true,
        ask: Ask::Eip(Arc::new(Wish {
            which: Which::Auto {
                request: "{}".to_owned(),
                package: None,
                bandwidth: 5,
            },
            keep: Keep::Follow,
            warnings: Vec::new(),
        })),
        outputs: Outputs::default(),
        ports: PortAsk::Nothing,
        port_outputs: PortOutputs::default(),
    }
}

fn record(version: &str) -> Record {
    Record {
        key: key(),
        rev: Rev {
            uid: Uid::new("record"),
            version: ResourceVersion::new(version),
        },
        node: Some("node-a".to_owned()),
        ours: true,
        created: None,
        kind: Kind::Auto,
        keep: Keep::Follow,
        owner: Some(Uid::new("pod")),
        owned: true,
        absent_since: None,
        request: Some("{}".to_owned()),
        made_with: Some(Made { mbit: 5, most: 200 }),
        eip: Some(EipId::new("eip-1")),
        edited: false,
        named: String::new(),
        package: None,
        bandwidth: None,
        take: None,
        taken_over: false,
        attempt: 0,
        target: Some(place()),
        shown: None,
        taken_from: None,
        account: None,
        tombstone: false,
        finalizer: true,
        other_finalizers: Vec::new(),
    }
}

fn place() -> Place {
    Place {
        eni: EniId::new("eni-1"),
        ip: [10, 0, 0, 5].into(),
    }
}

fn me() -> Me {
    Me {
        node: "node-a".to_owned(),
        label: "node-a".to_owned(),
        cluster: crate::domain::ids::ClusterUid::new("cluster"),
        account: None,
        policy: crate::eip::facts::Policy::default(),
    }
}

impl Memory {
    /// The facts with nothing in the way.
    fn judged<'a>(&'a self, me: &'a Me, now: Instant) -> Facts<'a> {
        self.facts(me, now, Around::quiet(jiff::Timestamp::UNIX_EPOCH))
    }
}

fn associate() -> Step {
    Step::Associate {
        id: EipId::new("eip-1"),
        place: place(),
    }
}

fn target(version: &str) -> Step {
    Step::WriteTarget {
        at: record(version).rev,
        place: place(),
    }
}

fn free() -> Look {
    Look::Seen(Box::new(Seen {
        id: EipId::new("eip-1"),
        address: "203.0.113.1".to_owned(),
        standing: Standing::Free,
        cluster_tag: None,
        record_tag: None,
        isp: String::new(),
        internet_charge_type: String::new(),
        resource_group: String::new(),
        name: String::new(),
        pool: String::new(),
        package: String::new(),
        bandwidth: None,
        tags: std::collections::BTreeMap::new(),
    }))
}

fn unanswered() -> Outcome {
    Outcome::Failed(Trouble {
        kind: TroubleKind::NoAnswer,
        text: String::new(),
        retry_after: None,
    })
}

/// A memory of a record and its pod, both by the watch, long after the process began.
fn known(now: Instant) -> Memory {
    let mut memory = Memory::new();
    memory.watched_pod(pod("pod", "10"), now);
    memory.watched_record(record("11"), now - Duration::from_hours(1), now);
    memory
}

fn later(now: Instant, seconds: u64) -> Instant {
    now + Duration::from_secs(seconds)
}

fn long_ago() -> Instant {
    clock::now() + Duration::from_hours(2) // room to look back
}

#[test]
fn a_live_read_is_fresh_for_five_seconds_and_a_watch_event_never() {
    let now = long_ago();
    let mut memory = known(now);
    assert!(!memory.judged(&me(), now).record.is_fresh());
    memory.absorb(
        &Step::ReadRecord,
        Outcome::Record(Some(record("11"))),
        now,
        now,
    );
    assert!(memory.judged(&me(), later(now, 4)).record.is_fresh());
    assert!(!memory.judged(&me(), later(now, 5)).record.is_fresh());
    memory.watched_record(record("12"), now, now);
    assert!(
        !memory.judged(&me(), now).record.is_fresh(),
        "another state was not read live"
    );
}

#[test]
fn an_older_event_than_what_is_known_is_dropped() {
    let now = long_ago();
    let mut memory = known(now);
    memory.watched_record(
        Record {
            tombstone: true,
            ..record("9")
        },
        now,
        now,
    );
    assert!(!memory.record().unwrap().tombstone);
    memory.watched_pod(
        Pod {
            phase: Phase::Failed,
            ..pod("pod", "9")
        },
        now,
    );
    assert_eq!(memory.pod().unwrap().phase, Phase::Running);
}

#[test]
fn a_look_counts_only_if_asked_after_the_last_change_was_answered() {
    let now = long_ago();
    let mut memory = known(now);
    let look = Step::Look(EipId::new("eip-1"), crate::eip::step::LookFor::Now);
    memory.absorb(&associate(), Outcome::Accepted, now, later(now, 1));
    memory.absorb(&look, Outcome::Looked(free()), now, later(now, 2));
    assert!(
        memory.judged(&me(), later(now, 2)).look.is_none(),
        "asked before the answer"
    );
    memory.absorb(&look, Outcome::Looked(free()), later(now, 2), later(now, 3));
    assert!(
        memory.judged(&me(), later(now, 3)).look.is_none(),
        "it may lag behind"
    );
    memory.absorb(
        &look,
        Outcome::Looked(free()),
        later(now, 16),
        later(now, 17),
    );
    assert!(memory.judged(&me(), later(now, 17)).look.is_some());
    assert!(
        memory.judged(&me(), later(now, 21)).look.is_none(),
        "over 5 s old"
    );
}

#[test]
fn a_call_without_an_answer_is_in_flight_for_a_minute() {
    let now = long_ago();
    let mut memory = known(now);
    memory.absorb(&associate(), unanswered(), now, now);
    assert!(memory.judged(&me(), later(now, 59)).in_flight);
    assert!(!memory.judged(&me(), later(now, 60)).in_flight);
}

#[test]
fn a_write_without_an_answer_is_over_as_soon_as_the_object_has_moved_on() {
    let now = long_ago();
    for outrun in [record("12"), record("13")] {
        let mut memory = known(now);
        memory.absorb(&target("11"), unanswered(), now, now);
        memory.absorb(
            &Step::ReadRecord,
            Outcome::Record(Some(record("11"))),
            now,
            now,
        );
        assert!(
            memory.judged(&me(), now).in_flight,
            "it may still land on this state"
        );
        memory.absorb(&Step::ReadRecord, Outcome::Record(Some(outrun)), now, now);
        assert!(!memory.judged(&me(), now).in_flight);
    }
}

#[test]
fn an_open_intent_of_an_earlier_process_counts_as_in_flight_for_its_first_minute() {
    let now = long_ago();
    let mut memory = Memory::new();
    memory.watched_record(record("11"), now, now);
    assert!(memory.judged(&me(), later(now, 59)).in_flight);
    assert!(!memory.judged(&me(), later(now, 61)).in_flight);
    let mut quiet = Memory::new();
    quiet.watched_record(
        Record {
            target: None,
            ..record("11")
        },
        now,
        now,
    );
    assert!(
        !quiet.judged(&me(), now).in_flight,
        "nothing was about to happen"
    );
}

#[test]
fn only_a_live_read_shows_that_the_owner_is_gone() {
    let now = long_ago();
    let mut memory = known(now);
    memory.pod_left();
    assert!(!memory.judged(&me(), now).owner_gone);
    memory.begins();
    memory.watched_pod(pod("successor", "20"), now);
    assert!(!memory.judged(&me(), now).owner_gone);
    memory.absorb(
        &Step::ReadPod,
        Outcome::Pod(Some(pod("successor", "20"))),
        now,
        now,
    );
    assert!(
        memory.judged(&me(), later(now, 3_000)).owner_gone,
        "a uid never comes back"
    );
}

#[test]
fn the_allocated_id_belongs_to_its_record_and_attempt() {
    let now = long_ago();
    let mut memory = known(now);
    let allocate = |attempt| Step::Allocate {
        record: Uid::new("record"),
        attempt,
        request: "{}".to_owned(),
    };
    memory.absorb(
        &allocate(1),
        Outcome::Allocated(EipId::new("eip-9")),
        now,
        now,
    );
    assert!(
        memory.judged(&me(), now).got.is_none(),
        "of another attempt"
    );
    memory.absorb(
        &allocate(0),
        Outcome::Allocated(EipId::new("eip-9")),
        now,
        now,
    );
    assert!(memory.judged(&me(), now).got.is_some());
}
