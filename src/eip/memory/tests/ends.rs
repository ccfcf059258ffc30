//! When something is believed to be over.

use super::*;

#[test]
fn gone_is_believed_after_two_looks_a_minute_apart() {
    let now = long_ago();
    let mut memory = known(now);
    let look = Step::Look(EipId::new("eip-1"), crate::eip::step::LookFor::Now);
    memory.absorb(&look, Outcome::Looked(Look::Gone), now, now);
    memory.absorb(
        &look,
        Outcome::Looked(Look::Gone),
        later(now, 59),
        later(now, 59),
    );
    assert!(!memory.judged(&me(), later(now, 59)).gone_twice);
    memory.absorb(
        &look,
        Outcome::Looked(Look::Gone),
        later(now, 60),
        later(now, 60),
    );
    assert!(memory.judged(&me(), later(now, 60)).gone_twice);
    memory.absorb(
        &look,
        Outcome::Looked(free()),
        later(now, 61),
        later(now, 61),
    );
    assert!(!memory.judged(&me(), later(now, 61)).gone_twice);
}

#[test]
fn a_deletion_by_hand_holds_off_the_same_pod_and_no_successor() {
    let now = long_ago();
    let drop = Step::DropFinalizer {
        at: record("12").rev,
        keep: Vec::new(),
    };
    let tombstone = Record {
        tombstone: true,
        ..record("12")
    };
    let mut memory = known(now);
    memory.watched_record(tombstone.clone(), now, now);
    memory.absorb(&drop, Outcome::RecordGone, now, now);
    assert!(memory.judged(&me(), later(now, 29)).held_off);
    assert!(!memory.judged(&me(), later(now, 30)).held_off);
    let mut succeeded = known(now);
    succeeded.watched_record(tombstone, now, now);
    succeeded.watched_pod(pod("successor", "20"), now);
    succeeded.absorb(&drop, Outcome::RecordGone, now, now);
    assert!(
        !succeeded.judged(&me(), now).held_off,
        "the next pod of the name has done nothing wrong"
    );
}

#[test]
fn a_crd_read_counts_only_after_the_tombstone_was_seen() {
    let now = long_ago();
    let mut memory = known(now);
    memory.crd_known(Some((now, false)));
    memory.watched_record(
        Record {
            tombstone: true,
            ..record("12")
        },
        later(now, 1),
        later(now, 1),
    );
    assert_eq!(memory.judged(&me(), later(now, 1)).crd, Crd::Unknown);
    memory.crd_known(Some((later(now, 2), true)));
    assert_eq!(memory.judged(&me(), later(now, 2)).crd, Crd::Terminating);
}

#[test]
fn an_open_allocate_counts_as_in_flight_while_the_record_is_empty() {
    let now = long_ago();
    let empty = Record {
        eip: None,
        target: None,
        ..record("11")
    };
    let allocate = Step::Allocate {
        record: Uid::new("record"),
        attempt: 0,
        request: "{}".to_owned(),
    };
    let mut memory = known(now);
    memory.watched_record(
        Record {
            rev: Rev {
                uid: Uid::new("another"),
                version: ResourceVersion::new("12"),
            },
            ..empty.clone()
        },
        now,
        now,
    );
    assert!(
        memory.judged(&me(), later(now, 59)).in_flight,
        "an earlier process may have asked"
    );
    let mut asked = Memory::new();
    asked.watched_record(empty, now - Duration::from_hours(1), now);
    assert!(!asked.judged(&me(), now).in_flight);
    asked.absorb(&allocate, unanswered(), now, now);
    assert!(asked.judged(&me(), later(now, 59)).in_flight);
    asked.watched_record(record("13"), now, now);
    assert!(
        !asked.judged(&me(), now).in_flight,
        "a named record waits for no Allocate"
    );
}
