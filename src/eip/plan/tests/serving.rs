//! From a pod that asks to a pod that shows its address.

use super::*;

#[test]
fn the_record_comes_before_the_cloud() {
    let create = Step::Create {
        pod: Uid::new("pod"),
        wish: Arc::new(wish()),
    };
    assert_eq!(Case::new(Some(pod()), None).plan(), create);
}

#[test]
fn nothing_is_begun_for_pods_that_do_not_want_or_cannot_use_it() {
    let cases = [
        Pod {
            ask: Ask::Nothing,
            ..living()
        },
        Pod {
            phase: Phase::Failed,
            ..pod()
        },
        Pod {
            phase: Phase::Succeeded,
            ..living()
        },
        Pod {
            deleting: true,
            ..pod()
        },
        Pod {
            deleting: true,
            ..living()
        },
        Pod {
            node: Some("node-b".to_owned()),
            ..living()
        },
        Pod {
            node: None,
            ..pod()
        },
    ];
    for pod in cases {
        assert_eq!(
            Case::new(Some(pod.clone()), None).plan(),
            Step::Rest,
            "{pod:?}"
        );
    }
}

#[test]
fn a_refused_request_is_said_in_the_condition_once_and_costs_nothing() {
    let refused = Pod {
        ask: Ask::Refused(["bad".to_owned()].into()),
        ..pod()
    };
    let step = Case::new(Some(refused.clone()), None).plan();
    assert!(
        matches!(&step, Step::Condition { verdict: Verdict::Not { reason: "InvalidRequest", message }, .. } if message == "bad"),
        "{step:?}"
    );
    let told = |message: &str| Pod {
        outputs: Outputs {
            condition: Condition::Other {
                reason: "InvalidRequest".to_owned(),
                message: message.to_owned(),
            },
            ..Outputs::default()
        },
        ..refused.clone()
    };
    assert_eq!(Case::new(Some(told("bad")), None).plan(), Step::Rest);
    // One of two mistakes was corrected: the other one alone is to stand there.
    let half = Case::new(Some(told("bad; worse")), None).plan();
    assert!(matches!(half, Step::Condition { .. }), "{half:?}");
}

#[test]
fn a_request_that_goes_bad_takes_nothing_away() {
    let pod = Pod {
        ask: Ask::Refused(["bad".to_owned()].into()),
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    assert_eq!(
        Case::new(Some(pod), Some(shown(&place(5)))).plan(),
        Step::Rest
    );
}

#[test]
fn a_recreation_after_a_deletion_by_hand_waits() {
    let case = Case {
        held_off: true,
        ..Case::new(Some(living()), None)
    };
    assert_eq!(case.plan(), Step::Pause(Pause::HeldOff));
}

#[test]
fn allocate_waits_for_the_kubelet() {
    let case = |pod| Case {
        sure: true,
        ..Case::new(Some(pod), Some(record()))
    };
    assert_eq!(
        case(Pod {
            taken: false,
            ..pod()
        })
        .plan(),
        Step::Rest
    );
    assert_eq!(
        case(Pod {
            deleting: true,
            running: true,
            ..pod()
        })
        .plan(),
        Step::Rest
    );
    let allocate = Step::Allocate {
        record: Uid::new("record"),
        attempt: 0,
        request: "{}".to_owned(),
    };
    assert_eq!(case(pod()).plan(), allocate);
}

#[test]
fn an_inherited_empty_record_is_looked_up_by_tag_first() {
    let mut case = Case::new(Some(pod()), Some(record()));
    let by_tag = Step::LookByTag {
        record: Uid::new("record"),
        attempt: 0,
    };
    assert_eq!(case.plan(), by_tag);
    case.tagged = Some(vec![seen(Standing::Free)]);
    assert_eq!(
        case.plan(),
        Step::WriteId {
            at: rev(),
            id: id("eip-1")
        }
    );
    case.tagged = Some(vec![Seen {
        record_tag: Some("record-1".to_owned()),
        ..seen(Standing::Free)
    }]);
    assert!(
        matches!(case.plan(), Step::Allocate { .. }),
        "another attempt's EIP is not this one's"
    );
    case.tagged = Some(vec![Seen {
        cluster_tag: Some("other".to_owned()),
        ..seen(Standing::Free)
    }]);
    assert!(
        matches!(case.plan(), Step::Allocate { .. }),
        "another cluster's EIP is not ours"
    );
}

#[test]
fn of_twins_the_same_one_is_taken_by_everybody() {
    let twin = |name| Seen {
        id: id(name),
        ..seen(Standing::Free)
    };
    for order in [["eip-1", "eip-2"], ["eip-2", "eip-1"]] {
        let case = Case {
            tagged: Some(order.map(twin).to_vec()),
            ..Case::new(Some(pod()), Some(record()))
        };
        assert_eq!(
            case.plan(),
            Step::WriteId {
                at: rev(),
                id: id("eip-1")
            }
        );
    }
}

#[test]
fn the_allocated_id_is_written_at_once() {
    let case = Case {
        got: Some(id("eip-9")),
        record_fresh: false,
        ..Case::new(Some(pod()), Some(record()))
    };
    assert_eq!(
        case.plan(),
        Step::WriteId {
            at: rev(),
            id: id("eip-9")
        }
    );
}

#[test]
fn no_cloud_change_on_a_record_that_is_not_fresh() {
    let case = Case {
        sure: true,
        record_fresh: false,
        ..Case::new(Some(pod()), Some(record()))
    };
    assert_eq!(case.plan(), Step::ReadRecord);
}

#[test]
fn the_target_is_written_before_associate_and_the_pod_read_live() {
    let mut case = Case {
        sure: true,
        got: Some(id("eip-1")),
        ..Case::new(Some(living()), Some(named()))
    };
    let (pod, ip) = (living().uid, place(5).ip);
    assert_eq!(case.plan(), Step::Resolve { pod, ip });
    case.place = Some(place(5));
    assert_eq!(
        case.plan(),
        Step::WriteTarget {
            at: rev(),
            place: place(5)
        }
    );
    case.record = Some(aimed(&place(5)));
    case.pod_fresh = false;
    assert_eq!(case.plan(), Step::ReadPod);
    case.pod_fresh = true;
    assert_eq!(
        case.plan(),
        Step::Associate {
            id: id("eip-1"),
            place: place(5)
        }
    );
}

#[test]
fn a_target_of_an_earlier_process_is_looked_at_before_associate() {
    let case = Case {
        place: Some(place(5)),
        ..Case::new(Some(living()), Some(aimed(&place(5))))
    };
    assert_eq!(case.plan(), Step::Look(id("eip-1"), LookFor::Now));
}

#[test]
fn after_associate_the_look_decides() {
    let case = |look| Case {
        place: Some(place(5)),
        settling: Some(Settling::Associate),
        look,
        ..Case::new(Some(living()), Some(aimed(&place(5))))
    };
    assert_eq!(case(None).plan(), Step::Look(id("eip-1"), LookFor::Bound));
    assert_eq!(
        case(look(Standing::Moving)).plan(),
        Step::Look(id("eip-1"), LookFor::Bound)
    );
    assert!(
        matches!(case(look(at(&place(5)))).plan(), Step::WriteStatus { place: p, .. } if p == place(5))
    );
    assert!(
        matches!(
            case(look(at(&place(6)))).plan(),
            Step::Pause(Pause::Elsewhere { .. })
        ),
        "never fought over"
    );
    assert!(matches!(
        case(look(Standing::Foreign("Nat ngw-1".to_owned()))).plan(),
        Step::Pause(Pause::Elsewhere { .. })
    ));
    assert!(matches!(
        case(look(Standing::Free)).plan(),
        Step::Associate { .. }
    ));
}

#[test]
fn an_address_reported_empty_is_the_interfaces_primary_one() {
    let primary = Standing::At {
        eni: EniId::new("eni-1"),
        ip: None,
    };
    let case = Case {
        place: Some(place(5)),
        look: look(primary),
        ..Case::new(Some(living()), Some(aimed(&place(5))))
    };
    assert!(matches!(case.plan(), Step::WriteStatus { .. }));
}

#[test]
fn an_eip_that_somebody_released_is_believed_gone_after_two_looks() {
    let mut case = Case {
        place: Some(place(5)),
        look: Some(Look::Gone),
        ..Case::new(Some(living()), Some(aimed(&place(5))))
    };
    assert_eq!(case.plan(), Step::Pause(Pause::SecondLook));
    case.gone_twice = true;
    assert_eq!(
        case.plan(),
        Step::NextAttempt {
            at: rev(),
            attempt: 1
        }
    );
}

#[test]
fn a_token_that_was_used_otherwise_gives_way_to_the_next_attempt() {
    let mut case = Case {
        token_spent: true,
        ..Case::new(Some(pod()), Some(record()))
    };
    assert!(matches!(case.plan(), Step::LookByTag { .. }));
    case.tagged = Some(vec![seen(Standing::Free)]);
    assert!(matches!(case.plan(), Step::WriteId { .. }));
    case.tagged = Some(Vec::new());
    assert_eq!(
        case.plan(),
        Step::NextAttempt {
            at: rev(),
            attempt: 1
        }
    );
}
