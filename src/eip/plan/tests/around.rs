//! What is told to the pod, what waits for open calls, and records that are not ours.

use super::*;

#[test]
fn the_pod_is_told_by_two_writes_that_do_not_wait_for_each_other() {
    let mut case = Case::new(Some(living()), Some(shown(&place(5))));
    let annotate = Step::Annotate {
        pod: Uid::new("pod"),
        address: "203.0.113.1".to_owned(),
    };
    let condition = Step::Condition {
        pod: Uid::new("pod"),
        verdict: Verdict::Bound,
    };
    assert_eq!(case.plan(), annotate);
    case.annotate_now = false;
    assert_eq!(case.plan(), condition);
    case.condition_now = false;
    assert_eq!(case.plan(), Step::Rest);
    let told = Pod {
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    assert_eq!(
        Case::new(Some(told), Some(shown(&place(5)))).plan(),
        Step::Rest,
        "at rest nothing is asked or written"
    );
}

#[test]
fn an_address_copied_from_a_template_is_taken_away_at_first_sight() {
    let copied = Pod {
        outputs: Outputs {
            address: Some("198.51.100.9".to_owned()),
            condition: Condition::Absent,
        },
        ..pod()
    };
    assert_eq!(
        Case::new(Some(copied), None).plan(),
        Step::ClearAnnotations {
            pod: Uid::new("pod")
        }
    );
}

#[test]
fn an_open_call_freezes_the_record_but_not_allocate_and_the_same_write() {
    let mut case = Case {
        in_flight: true,
        place: Some(place(5)),
        ..Case::new(Some(living()), Some(named()))
    };
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
    case.open_write = Some(Step::WriteTarget {
        at: rev(),
        place: place(5),
    });
    assert_eq!(
        case.plan(),
        Step::WriteTarget {
            at: rev(),
            place: place(5)
        },
        "repeating it word for word fences it"
    );
    case.open_write = Some(Step::WriteTarget {
        at: rev(),
        place: place(6),
    });
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
    let empty = Case {
        in_flight: true,
        sure: true,
        ..Case::new(Some(pod()), Some(record()))
    };
    assert!(matches!(empty.plan(), Step::Allocate { .. }));
}

#[test]
fn a_record_of_another_account_is_not_touched() {
    let mut case = Case::gone(Record {
        account: Some("1/cn-beijing".to_owned()),
        ..tombstone(aimed(&place(5)))
    });
    case.me.account = Some("1/cn-hangzhou".to_owned());
    assert!(matches!(
        case.plan(),
        Step::Pause(Pause::WrongAccount { .. })
    ));
}

#[test]
fn the_name_of_anothers_record_is_waited_for() {
    let theirs = Record {
        node: Some("node-b".to_owned()),
        ..named()
    };
    let mut case = Case::new(Some(pod()), Some(theirs.clone()));
    case.node_lives = Some(true);
    assert_eq!(case.plan(), Step::Pause(Pause::NotOurs));
    case.record = Some(tombstone(theirs.clone()));
    assert_eq!(case.plan(), Step::Pause(Pause::NameTaken));
    assert_eq!(Case::new(None, Some(tombstone(theirs))).plan(), Step::Rest);
}
