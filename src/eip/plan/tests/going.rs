//! From a pod that is over to a record that is gone.

use super::*;

fn leaving() -> Pod {
    Pod {
        deleting: true,
        running: false,
        ..living()
    }
}

#[test]
fn a_pod_that_left_the_watch_is_read_before_anything_is_believed() {
    let case = Case {
        pod_known: false,
        ..Case::new(None, Some(shown(&place(5))))
    };
    assert_eq!(case.plan(), Step::ReadPod);
    let stale_successor = Pod {
        uid: Uid::new("another"),
        ..living()
    };
    assert_eq!(
        Case::new(Some(stale_successor), Some(shown(&place(5)))).plan(),
        Step::ReadPod
    );
}

#[test]
fn a_terminating_pod_keeps_its_address_while_containers_run() {
    let terminating = Pod {
        deleting: true,
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    assert_eq!(
        Case::new(Some(terminating), Some(shown(&place(5)))).plan(),
        Step::Rest
    );
}

#[test]
fn a_crashing_pod_keeps_its_address_between_two_runs() {
    let crashing = Pod {
        running: false,
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    assert_eq!(
        Case::new(Some(crashing), Some(shown(&place(5)))).plan(),
        Step::Rest
    );
}

#[test]
fn a_leaving_pod_is_hidden_looked_at_unbound_and_left_to_the_garbage_collector() {
    let mut case = Case::new(Some(leaving()), Some(shown(&place(5))));
    assert_eq!(case.plan(), Step::ClearStatus { at: rev() });
    case.record = Some(aimed(&place(5)));
    assert_eq!(case.plan(), Step::Look(id("eip-1"), LookFor::Now));
    case.look = look(at(&place(5)));
    case.pod_fresh = false;
    assert_eq!(case.plan(), Step::ReadPod);
    case.pod_fresh = true;
    case.record_fresh = false;
    assert_eq!(case.plan(), Step::ReadBoth);
    case.record_fresh = true;
    assert_eq!(
        case.plan(),
        Step::Unassociate {
            id: id("eip-1"),
            place: place(5)
        }
    );
    case.look = None;
    case.settling = Some(Settling::Unassociate);
    assert_eq!(case.plan(), Step::Look(id("eip-1"), LookFor::Unbound));
    case.look = look(Standing::Free);
    assert_eq!(case.plan(), Step::Pause(Pause::AwaitTombstone));
    case.waited_for_gc = true;
    assert_eq!(case.plan(), Step::Delete { at: rev() });
}

#[test]
fn a_finished_pod_gives_up_its_eip_though_its_object_stays() {
    let finished = Pod {
        phase: Phase::Succeeded,
        running: false,
        ..living()
    };
    let case = Case {
        look: look(Standing::Free),
        ..Case::new(Some(finished), Some(aimed(&place(5))))
    };
    assert_eq!(case.plan(), Step::Delete { at: rev() });
}

#[test]
fn a_pod_that_asks_no_more_is_unbound_then_told_then_given_back() {
    let told = Pod {
        ask: Ask::Nothing,
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    let mut case = Case {
        look: look(at(&place(5))),
        ..Case::new(Some(told.clone()), Some(aimed(&place(5))))
    };
    assert_eq!(
        case.plan(),
        Step::Unassociate {
            id: id("eip-1"),
            place: place(5)
        }
    );
    case.look = look(Standing::Free);
    assert_eq!(
        case.plan(),
        Step::ClearAnnotations {
            pod: Uid::new("pod")
        }
    );
    case.pod = Some(Pod {
        outputs: Outputs::default(),
        ..told
    });
    assert_eq!(case.plan(), Step::Delete { at: rev() });
}

#[test]
fn a_changed_address_leaves_the_old_place_before_it_takes_the_new_one() {
    let mut case = Case {
        place: Some(place(5)),
        ..Case::new(Some(living()), Some(shown(&place(4))))
    };
    assert_eq!(case.plan(), Step::ClearStatus { at: rev() });
    case.record = Some(aimed(&place(4)));
    assert_eq!(case.plan(), Step::Look(id("eip-1"), LookFor::Now));
    case.look = look(at(&place(4)));
    assert_eq!(
        case.plan(),
        Step::Unassociate {
            id: id("eip-1"),
            place: place(4)
        }
    );
    case.look = look(Standing::Free);
    assert_eq!(
        case.plan(),
        Step::WriteTarget {
            at: rev(),
            place: place(5)
        }
    );
    case.look = look(at(&place(9)));
    assert!(matches!(case.plan(), Step::Pause(Pause::Elsewhere { .. })));
}

#[test]
fn a_tombstone_is_worked_off_after_a_look_at_the_crd() {
    let mut case = Case {
        crd: Crd::Unknown,
        ..Case::gone(tombstone(shown(&place(5))))
    };
    assert_eq!(case.plan(), Step::ReadCrd);
    case.crd = Crd::Terminating;
    assert_eq!(case.plan(), Step::Pause(Pause::CrdTerminating));
    case.crd = Crd::Fine;
    assert_eq!(case.plan(), Step::Look(id("eip-1"), LookFor::Now));
    case.look = look(at(&place(5)));
    assert_eq!(case.plan(), Step::ClearStatus { at: rev() });
    case.record = Some(tombstone(aimed(&place(5))));
    assert_eq!(
        case.plan(),
        Step::Unassociate {
            id: id("eip-1"),
            place: place(5)
        }
    );
    case.look = look(Standing::Free);
    assert_eq!(case.plan(), Step::Release { id: id("eip-1") });
    case.look = None;
    case.released = true;
    assert_eq!(
        case.plan(),
        Step::DropFinalizer {
            at: rev(),
            keep: Vec::new()
        }
    );
}

#[test]
fn a_release_needs_the_tags_of_this_record_and_attempt() {
    let foreign = [
        Seen {
            record_tag: None,
            ..seen(Standing::Free)
        },
        Seen {
            cluster_tag: None,
            ..seen(Standing::Free)
        },
        Seen {
            record_tag: Some("record-1".to_owned()),
            ..seen(Standing::Free)
        },
        Seen {
            record_tag: Some("other-0".to_owned()),
            ..seen(Standing::Free)
        },
        Seen {
            cluster_tag: Some("other".to_owned()),
            ..seen(Standing::Free)
        },
    ];
    for seen in foreign {
        let case = Case {
            look: Some(Look::Seen(Box::new(seen.clone()))),
            ..Case::gone(tombstone(aimed(&place(5))))
        };
        assert_eq!(
            case.plan(),
            Step::DropFinalizer {
                at: rev(),
                keep: Vec::new()
            },
            "{seen:?}"
        );
    }
}

#[test]
fn what_stands_elsewhere_is_left_alone() {
    for standing in [at(&place(6)), Standing::Foreign("Nat ngw-1".to_owned())] {
        let case = Case {
            look: look(standing),
            ..Case::gone(tombstone(aimed(&place(5))))
        };
        assert_eq!(
            case.plan(),
            Step::DropFinalizer {
                at: rev(),
                keep: Vec::new()
            }
        );
    }
}

#[test]
fn a_tombstone_that_names_its_eip_does_not_wait_for_open_calls() {
    let case = Case {
        in_flight: true,
        look: look(Standing::Free),
        ..Case::gone(tombstone(aimed(&place(5))))
    };
    assert_eq!(case.plan(), Step::Release { id: id("eip-1") });
}

#[test]
fn an_empty_tombstone_waits_for_an_open_allocate_and_looks_by_tag() {
    let mut case = Case {
        in_flight: true,
        ..Case::gone(tombstone(record()))
    };
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
    case.in_flight = false;
    assert!(matches!(case.plan(), Step::LookByTag { .. }));
    case.tagged = Some(vec![seen(Standing::Free)]);
    assert_eq!(case.plan(), Step::Release { id: id("eip-1") });
    case.tagged = Some(Vec::new());
    assert_eq!(
        case.plan(),
        Step::DropFinalizer {
            at: rev(),
            keep: Vec::new()
        }
    );
}

#[test]
fn a_record_for_which_nothing_was_asked_goes_without_a_cloud_call() {
    let refused = Pod {
        phase: Phase::Failed,
        ..pod()
    };
    let mut case = Case {
        sure: true,
        ..Case::new(Some(refused), Some(record()))
    };
    assert_eq!(case.plan(), Step::Delete { at: rev() });
    case.record = Some(tombstone(record()));
    assert_eq!(
        case.plan(),
        Step::DropFinalizer {
            at: rev(),
            keep: Vec::new()
        }
    );
}

#[test]
fn a_living_pod_shows_no_address_when_its_deleted_record_goes() {
    let told = Pod {
        outputs: Outputs {
            address: Some("203.0.113.1".to_owned()),
            condition: Condition::Bound,
        },
        ..living()
    };
    let mut case = Case {
        released: true,
        ..Case::new(Some(told), Some(tombstone(aimed(&place(5)))))
    };
    assert_eq!(
        case.plan(),
        Step::ClearAnnotations {
            pod: Uid::new("pod")
        }
    );
    case.annotate_now = false;
    assert!(matches!(
        case.plan(),
        Step::Condition {
            verdict: Verdict::Not { .. },
            ..
        }
    ));
    case.condition_now = false;
    assert_eq!(
        case.plan(),
        Step::DropFinalizer {
            at: rev(),
            keep: Vec::new()
        },
        "a refused write on the pod holds nothing up"
    );
}

#[test]
fn others_finalizers_stay() {
    let case = Case {
        released: true,
        ..Case::gone(Record {
            other_finalizers: vec!["example.com/theirs".to_owned()],
            ..tombstone(aimed(&place(5)))
        })
    };
    assert_eq!(
        case.plan(),
        Step::DropFinalizer {
            at: rev(),
            keep: vec!["example.com/theirs".to_owned()]
        }
    );
}

#[test]
fn a_tombstone_that_only_others_hold_is_left_to_them() {
    let case = Case::gone(Record {
        finalizer: false,
        ..tombstone(aimed(&place(5)))
    });
    assert_eq!(case.plan(), Step::Rest);
}

#[test]
fn a_successor_that_waits_is_not_kept_waiting_for_the_garbage_collector() {
    let successor = Pod {
        uid: Uid::new("successor"),
        ..pod()
    };
    let case = Case {
        owner_gone: true,
        look: look(Standing::Free),
        ..Case::new(Some(successor), Some(aimed(&place(5))))
    };
    assert_eq!(case.plan(), Step::Delete { at: rev() });
}
