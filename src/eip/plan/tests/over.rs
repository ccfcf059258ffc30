//! What a record must not let go of before it goes.

use super::*;

fn told() -> Pod {
    Pod {
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Absent,
        },
        ..living()
    }
}

/// A write on the pod was refused a moment ago; once the record is gone nobody would try it again.
#[test]
fn a_pod_that_asks_no_more_is_told_before_its_record_goes() {
    let mut case = Case {
        released: true,
        annotate_now: false,
        ..Case::new(
            Some(Pod {
                ask: Ask::Nothing,
                ..told()
            }),
            Some(tombstone(aimed(&place(5)))),
        )
    };
    assert_eq!(case.plan(), Step::Rest);
    case.annotate_now = true;
    assert!(matches!(case.plan(), Step::ClearAnnotations { .. }));
    case.annotate_now = false;
    case.pod = Some(told());
    assert!(
        matches!(case.plan(), Step::DropFinalizer { .. }),
        "its next record sees to it"
    );
    case.pod = Some(Pod {
        ask: Ask::Nothing,
        deleting: true,
        running: false,
        ..told()
    });
    assert!(matches!(case.plan(), Step::DropFinalizer { .. }));
}

/// A late Associate would bind it to an address that is another pod's by then, and nothing would undo that.
#[test]
fn a_named_eips_tombstone_waits_for_open_calls() {
    let mut free = seen(Standing::Free);
    (free.cluster_tag, free.record_tag) = (None, None);
    let mut case = Case {
        in_flight: true,
        look: Some(Look::Seen(Box::new(free))),
        ..Case::gone(Record {
            kind: Kind::Static,
            ..tombstone(aimed(&place(5)))
        })
    };
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
    case.in_flight = false;
    assert!(matches!(case.plan(), Step::DropFinalizer { .. }));
}

/// The unanswered join of a package may land after the name of the next one is written.
#[test]
fn a_package_is_not_changed_past_an_open_call() {
    let asks = |package: &str| Pod {
        ask: Ask::Eip(Arc::new(Wish {
            which: Which::Auto {
                request: "{}".to_owned(),
                package: Some(package.to_owned()),
                bandwidth: 5,
            },
            ..wish()
        })),
        ..living()
    };
    for named in [None, Some("cbwp-1"), Some("cbwp-2")] {
        let case = Case {
            in_flight: true,
            look: look(Standing::Free),
            ..Case::new(
                Some(asks("cbwp-2")),
                Some(Record {
                    package: named.map(str::to_owned),
                    ..aimed(&place(5))
                }),
            )
        };
        assert_eq!(case.plan(), Step::Pause(Pause::InFlight), "{named:?}");
    }
}
