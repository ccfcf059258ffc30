//! Another node's record: waited for while that node lives, taken when it is gone and nobody lives by the record.

use super::*;

/// A pod of ours that waits for the record of node-b's pod.
fn waiting() -> Case {
    let mut next = living();
    next.uid = Uid::new("successor");
    let mut case = Case::new(Some(next), Some(record()));
    case.record.as_mut().unwrap().node = Some("node-b".to_owned());
    case
}

fn take() -> Step {
    Step::Take {
        at: rev(),
        from: "node-b".to_owned(),
    }
}

fn read_node() -> Step {
    Step::ReadNode {
        label: "node-b".to_owned(),
    }
}

#[test]
fn the_next_pods_node_asks_whether_the_last_ones_lives_and_waits_while_it_does() {
    let mut case = waiting();
    assert_eq!(case.plan(), read_node());
    case.node_lives = Some(true);
    case.owner_gone = true;
    assert_eq!(case.plan(), Step::Pause(Pause::NotOurs));
}

#[test]
fn a_gone_nodes_record_is_taken_when_its_pod_is_gone_by_a_live_read() {
    let mut case = waiting();
    case.node_lives = Some(false);
    assert_eq!(case.plan(), Step::ReadPod);
    case.owner_gone = true;
    assert_eq!(case.plan(), take());
}

#[test]
fn a_record_whose_pod_still_stands_on_a_dead_node_is_left() {
    let mut case = waiting();
    let own = case.pod.as_mut().unwrap();
    own.uid = Uid::new("pod");
    own.node = Some("node-b".to_owned());
    case.found = true;
    case.node_lives = Some(false);
    case.pod_fresh = true;
    assert_eq!(case.plan(), Step::Rest);
    case.pod_fresh = false;
    assert_eq!(
        case.plan(),
        Step::ReadPod,
        "what the watch said is no proof"
    );
}

#[test]
fn without_a_pod_of_ours_only_what_a_sweep_has_found_is_asked_about() {
    let mut case = waiting();
    case.pod = None;
    assert_eq!(case.plan(), Step::Rest);
    case.found = true;
    assert_eq!(case.plan(), read_node());
    case.node_lives = Some(false);
    case.owner_gone = true;
    assert_eq!(case.plan(), take());
}

#[test]
fn a_tombstone_of_a_gone_node_or_one_left_lying_is_taken_and_not_its_nodes_own() {
    let mut case = waiting();
    let record = case.record.as_mut().unwrap();
    (record.tombstone, case.found) = (true, true);
    case.node_lives = Some(true);
    assert_eq!(case.plan(), Step::Pause(Pause::NameTaken));
    case.left_lying = true;
    assert_eq!(case.plan(), take());
    (case.left_lying, case.node_lives) = (false, Some(false));
    assert_eq!(case.plan(), take());
    case.record.as_mut().unwrap().finalizer = false;
    assert_eq!(
        case.plan(),
        Step::Pause(Pause::NameTaken),
        "another's finalizer holds it"
    );
}

#[test]
fn what_is_not_eipds_or_of_another_account_is_never_taken() {
    let mut case = waiting();
    (case.found, case.node_lives, case.owner_gone) = (true, Some(false), true);
    case.record.as_mut().unwrap().ours = false;
    assert_eq!(case.plan(), Step::Pause(Pause::NotOurs));
    case.record.as_mut().unwrap().ours = true;
    case.me.account = Some("1/cn-hangzhou".to_owned());
    case.record.as_mut().unwrap().account = Some("2/cn-hangzhou".to_owned());
    assert_eq!(case.plan(), Step::Pause(Pause::NotOurs));
}

#[test]
fn what_was_taken_is_unbound_as_soon_as_nothing_of_its_node_can_land() {
    let mut record = shown(&place(5));
    record.node = Some("node-a".to_owned());
    record.taken_from = Some("node-b".to_owned());
    record.keep = Keep::Never;
    let mut case = Case::new(None, Some(record));
    (case.owner_gone, case.in_flight) = (true, true);
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
    case.in_flight = false;
    assert_eq!(case.plan(), Step::ClearStatus { at: rev() });
}
