//! What an earlier pod, record or binding of the name must not leave behind.

use super::*;
use crate::eip::facts::Crd;

fn failed(kind: TroubleKind) -> Outcome {
    Outcome::Failed(Trouble {
        kind,
        text: String::new(),
        retry_after: None,
    })
}

/// The watch says once that an object is gone. A read that was under way then shows it once more.
#[test]
fn an_answer_that_the_watch_has_outrun_brings_no_object_back() {
    let now = long_ago();
    let answers = [
        (Step::ReadPod, Outcome::Pod(Some(pod("pod", "10")))),
        (
            Step::ReadBoth,
            Outcome::Both(Some(pod("pod", "10")), Some(Box::new(record("11")))),
        ),
        (
            Step::ClearAnnotations {
                pod: Uid::new("pod"),
            },
            Outcome::PodWrote(pod("pod", "10")),
        ),
    ];
    for (step, answer) in answers {
        let mut memory = known(now);
        memory.begins();
        memory.pod_left();
        memory.absorb(&step, answer.clone(), now, now);
        assert!(memory.pod().is_none(), "{step:?}");
        memory.begins();
        memory.absorb(&step, answer, now, now);
        assert!(memory.pod().is_some(), "{step:?}");
    }
    let answers = [
        (Step::ReadRecord, Outcome::Record(Some(record("11")))),
        (target("11"), Outcome::Wrote(record("12"))),
    ];
    for (step, answer) in answers {
        let mut memory = known(now);
        memory.begins();
        memory.record_left();
        memory.absorb(&step, answer.clone(), now, now);
        assert!(memory.record().is_none(), "{step:?}");
        memory.begins();
        memory.absorb(&step, answer, now, now);
        assert!(memory.record().is_some(), "{step:?}");
    }
}

/// Nor does the watch say twice that one has come: a read that was under way then still shows none.
#[test]
fn an_answer_that_the_watch_has_outrun_takes_no_object_away() {
    let now = long_ago();
    let mut memory = Memory::new();
    memory.begins();
    memory.watched_pod(pod("next", "20"), now);
    memory.watched_record(record("21"), now, now);
    let none = Outcome::Both(None, None);
    memory.absorb(&Step::ReadBoth, none.clone(), now, now);
    assert!(memory.pod().is_some() && memory.record().is_some());
    memory.begins();
    memory.absorb(&Step::ReadBoth, none, now, now);
    assert!(memory.pod().is_none() && memory.record().is_none());
    // The last one is gone, the next one has come, and the answer shows the last one.
    let mut memory = known(now);
    memory.begins();
    memory.pod_left();
    memory.watched_pod(pod("next", "20"), now);
    let last = Outcome::Pod(Some(pod("pod", "10")));
    memory.absorb(&Step::ReadPod, last, now, now);
    assert_eq!(memory.pod().map(|pod| pod.uid.as_str()), Some("next"));
}

#[test]
fn a_write_that_is_settled_does_not_settle_an_open_call() {
    let now = long_ago();
    let mut memory = known(now);
    memory.absorb(&associate(), unanswered(), now, now);
    let claim = Step::WriteId {
        at: record("11").rev,
        id: EipId::new("eip-1"),
    };
    memory.absorb(&claim, unanswered(), now, later(now, 5));
    assert!(
        memory.judged(&me(), later(now, 5)).open_write.is_none(),
        "to repeat the write does not fence the call"
    );
    memory.watched_record(record("12"), now, later(now, 6));
    assert!(memory.judged(&me(), later(now, 59)).in_flight);
    assert!(!memory.judged(&me(), later(now, 60)).in_flight);
}

/// 20 was accepted, then 10 was lost on its way, or not: 20 has to be asked for again.
#[test]
fn a_bandwidth_that_may_have_changed_since_is_not_known() {
    let now = long_ago();
    let mut memory = known(now);
    let set = |mbit| Step::SetBandwidth {
        id: EipId::new("eip-1"),
        mbit,
    };
    memory.absorb(&set(20), Outcome::Accepted, now, now);
    assert_eq!(memory.judged(&me(), now).bandwidth_set, Some(20));
    memory.absorb(&set(10), unanswered(), now, now);
    assert_eq!(memory.judged(&me(), now).bandwidth_set, None);
}

#[test]
fn an_address_without_an_interface_is_looked_for_again() {
    let now = long_ago();
    let mut memory = known(now);
    let resolve = Step::Resolve {
        pod: Uid::new("pod"),
        ip: [10, 0, 0, 5].into(),
    };
    memory.absorb(&resolve, failed(TroubleKind::Nowhere), now, now);
    assert!(memory.judged(&me(), later(now, 599)).no_place);
    assert!(!memory.judged(&me(), later(now, 600)).no_place);
    memory.pod_left();
    memory.watched_pod(pod("next", "20"), now);
    assert!(
        !memory.judged(&me(), now).no_place,
        "the next pod has the same address, on an interface perhaps"
    );
}

#[test]
fn the_next_pod_does_not_wait_for_what_was_refused_on_the_last_one() {
    let now = long_ago();
    let mut memory = known(now);
    let annotate = Step::Annotate {
        pod: Uid::new("pod"),
        address: "203.0.113.1".to_owned(),
    };
    let trouble = Trouble {
        kind: TroubleKind::Lasting,
        text: String::new(),
        retry_after: None,
    };
    memory.step_failed(&annotate, &trouble, now);
    assert!(!memory.judged(&me(), now).annotate_now);
    memory.pod_left();
    assert!(memory.judged(&me(), now).annotate_now);
}

/// Its predecessor's CRD was fine, and its predecessor was given back by us.
#[test]
fn a_tombstone_of_another_record_is_judged_anew() {
    let now = long_ago();
    let mut memory = known(now);
    let tombstone = |uid: &str, version: &str| Record {
        tombstone: true,
        rev: Rev {
            uid: Uid::new(uid),
            version: ResourceVersion::new(version),
        },
        ..record(version)
    };
    let delete = Step::Delete {
        at: record("11").rev,
    };
    let ours = Outcome::Wrote(tombstone("record", "12"));
    memory.absorb(&delete, ours, now, now);
    memory.crd_known(Some((later(now, 1), false)));
    assert_eq!(memory.judged(&me(), later(now, 1)).crd, Crd::Fine);
    assert!(memory.tombstone_of_living().is_none(), "our own doing");
    memory.watched_record(tombstone("another", "13"), now, later(now, 2));
    assert_eq!(memory.judged(&me(), later(now, 2)).crd, Crd::Unknown);
    assert!(memory.tombstone_of_living().is_some());
}
