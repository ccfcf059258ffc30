//! What is remembered of calls without an answer, of looks that lag, and of records that come and go.

use super::*;
use crate::clock;
use crate::cloud::vpc::forward::{EntryView, ForwardArgs};
use crate::dnat::outcome::{Outcome, Refusal};
use crate::dnat::step::{After, Scope};
use crate::domain::dnat::Mapping;
use crate::domain::ids::{ClusterUid, Key, ResourceVersion};
use crate::domain::ports::Protocol;
use crate::domain::record::Rev;
use crate::eip::facts::Policy;
use crate::eip::outcome::TroubleKind;

fn me() -> Me {
    Me {
        node: "node-a".to_owned(),
        label: "node-a".to_owned(),
        cluster: ClusterUid::new("cluster"),
        account: None,
        policy: Policy::default(),
    }
}

fn record(version: &str) -> DnatRecord {
    DnatRecord {
        key: Key {
            namespace: "ns".to_owned(),
            name: "web".to_owned(),
        },
        rev: Rev {
            uid: Uid::new("record"),
            version: ResourceVersion::new(version),
        },
        node: Some("node-a".to_owned()),
        ours: true,
        owner: Some(Uid::new("pod")),
        keeper: None,
        mapping: Some(Mapping {
            gateway: "ngw-1".to_owned(),
            table: "ftb-1".to_owned(),
            external: [203, 0, 113, 4].into(),
            internal: Some([10, 0, 0, 5].into()),
            protocol: Protocol::Tcp,
            ports: vec![(512, 80)],
        }),
        shown: Vec::new(),
        taken_from: None,
        account: None,
        tombstone: false,
        finalizer: true,
        other_finalizers: Vec::new(),
    }
}

fn make() -> Step {
    Step::Make {
        table: "ftb-1".to_owned(),
        entry: ForwardArgs {
            name: "eipd-cluster-record-0".to_owned(),
            external: ([203, 0, 113, 4].into(), 512),
            internal: ([10, 0, 0, 5].into(), 80),
            protocol: "tcp",
        },
        token: String::new(),
    }
}

fn look() -> Step {
    Step::Look {
        table: "ftb-1".to_owned(),
        scope: Scope::Whole,
        after: After::Nothing,
    }
}

fn seen(status: &str) -> Outcome {
    let entry = EntryView {
        id: "fwd-1".to_owned(),
        name: "eipd-cluster-record-0".to_owned(),
        external_ip: String::new(),
        external_port: String::new(),
        internal_ip: String::new(),
        internal_port: String::new(),
        protocol: String::new(),
        status: status.to_owned(),
    };
    Outcome::Looked(Table {
        entries: vec![entry],
        whole: true,
        own: true,
        missing: false,
    })
}

fn nothing() -> Outcome {
    Outcome::Looked(Table {
        whole: true,
        own: true,
        ..Table::default()
    })
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble {
        kind,
        text: String::new(),
        retry_after: None,
    }
}

const AROUND: Around = Around {
    others_run: false,
    stuck: false,
};

/// A record that this process has just made.
fn made(now: Instant) -> Memory {
    let mut memory = Memory::new();
    let create = Step::Place {
        at: record("1").rev,
        spot: Spot {
            ip: [10, 0, 0, 5].into(),
            eni: crate::domain::ids::EniId::new("eni-1"),
            vswitch: None,
            zone: None,
        },
        outside: None,
    };
    memory.absorb(&create, Outcome::Wrote(Box::new(record("2"))), now, now);
    memory
}

#[test]
fn a_call_without_an_answer_keeps_its_token_until_it_is_known_to_have_been_done() {
    let now = clock::now();
    let mut memory = made(now);
    let token = memory.token.clone();
    let lost = Outcome::Failed(trouble(TroubleKind::NoAnswer));
    memory.absorb(&make(), lost, now, now);
    assert_eq!(memory.token, token);
    assert!(memory.facts(&me(), now, AROUND).in_flight);
    let later = now + Duration::from_secs(2);
    memory.absorb(&look(), nothing(), later, later);
    assert!(
        memory.facts(&me(), later, AROUND).in_flight,
        "it may land yet"
    );
    memory.absorb(&look(), seen("Available"), later, later);
    assert!(!memory.facts(&me(), later, AROUND).in_flight);
    assert_ne!(memory.token, token);
}

#[test]
fn what_was_accepted_and_not_seen_is_waited_for_a_while() {
    let now = clock::now();
    let mut memory = made(now);
    memory.absorb(&make(), Outcome::Accepted, now, now);
    let later = now + Duration::from_secs(3);
    memory.absorb(&look(), nothing(), later, later);
    assert!(memory.facts(&me(), later, AROUND).unseen);
    let end = now + LAG;
    assert!(!memory.facts(&me(), end, AROUND).unseen);
    memory.absorb(&look(), seen("Pending"), later, later);
    let me = me();
    let facts = memory.facts(&me, later, AROUND);
    assert!(!facts.unseen && facts.settling.is_some());
    memory.absorb(&look(), seen("Available"), later, later);
    assert!(memory.settling().is_none());
}

#[test]
fn a_refusal_makes_what_was_seen_worthless() {
    let now = clock::now();
    let mut memory = made(now);
    memory.absorb(&look(), nothing(), now, now);
    let taken = Outcome::Refused(Refusal::Taken, trouble(TroubleKind::PlaceTaken));
    memory.absorb(&make(), taken, now, now);
    let me = me();
    let facts = memory.facts(&me, now, AROUND);
    assert!(facts.blocked && facts.seen.is_none());
    let gone = Outcome::Refused(Refusal::NotThere, trouble(TroubleKind::WrongState));
    memory.absorb(&make(), gone, now, now);
    assert!(memory.facts(&me, now, AROUND).lost);
}

#[test]
fn a_record_that_an_earlier_process_left_half_done_may_have_a_call_under_way() {
    let now = clock::now();
    let mut memory = Memory::new();
    memory.watched_record(record("5"), now, now);
    assert!(memory.facts(&me(), now, AROUND).in_flight);
    let later = now + IN_FLIGHT;
    assert!(!memory.facts(&me(), later, AROUND).in_flight);
    let mut blank = record("6");
    blank.rev.uid = Uid::new("other");
    blank.mapping.as_mut().unwrap().internal = None;
    memory.watched_record(blank, later, later);
    assert!(
        !memory.facts(&me(), later, AROUND).in_flight,
        "it led nowhere"
    );
}

#[test]
fn a_table_that_is_not_there_is_believed_after_a_minute() {
    let now = clock::now();
    let mut memory = made(now);
    let missing = || {
        Outcome::Looked(Table {
            whole: true,
            own: true,
            missing: true,
            ..Table::default()
        })
    };
    memory.absorb(&look(), missing(), now, now);
    assert!(!memory.facts(&me(), now, AROUND).no_table_twice);
    let later = memory.second_look_at().unwrap();
    memory.absorb(&look(), missing(), later, later);
    assert!(memory.facts(&me(), later, AROUND).no_table_twice);
}

#[test]
fn the_watch_may_lose_a_tombstone_before_our_last_write_is_answered() {
    let now = clock::now();
    let mut memory = made(now);
    let tombstone = DnatRecord {
        tombstone: true,
        ..record("9")
    };
    memory.watched_record(tombstone, now, now);
    memory.record_left();
    assert!(memory.tombstone.is_some(), "whose it was is still known");
    memory.absorb(&Step::ReadRecord, Outcome::Record(None), now, now);
    assert!(memory.tombstone.is_none());
}
