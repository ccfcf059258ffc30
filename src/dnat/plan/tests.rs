//! Single decisions, and the rules held against arbitrary facts.

use std::sync::Arc;

use super::*;
use crate::clock;
use crate::cloud::vpc::forward::EntryView;
use crate::dnat::facts::{Change, Table};
use crate::dnat::names;
use crate::dnat::step::{After, Scope};
use crate::domain::dnat::{Entry, Mapping};
use crate::domain::ids::{ClusterUid, EniId, Key, ResourceVersion, Uid};
use crate::domain::pod::{Ask, Outputs, Phase, Pod};
use crate::domain::ports::{
    Keeper, Outside, PortAsk, PortOutputs, PortWish, Ports, Protocol, Spot, Workload,
};
use crate::domain::record::Rev;
use crate::eip::facts::{Crd, Me, Policy};

mod case;
mod props;

use case::*;

#[test]
fn the_choice_stands_in_the_record_before_the_cloud_is_asked() {
    let mut case = Case::new(Some(pod()), None);
    assert_eq!(case.name(), "resolve");
    case.spot = Some(spot());
    assert_eq!(case.name(), "choose");
    case.chosen = Some(outside(512));
    assert_eq!(case.name(), "create_dnat");
    let mut case = Case::new(Some(pod()), Some(record()));
    case.sure = true;
    let step = case.plan();
    let Step::Make { entry, .. } = step else {
        panic!("{step:?}")
    };
    assert_eq!(entry.external, ([203, 0, 113, 4].into(), 512));
    assert_eq!(entry.name, names::name(&cluster(), &Uid::new("record"), 0));
}

#[test]
fn a_record_of_an_earlier_process_is_looked_up_first() {
    let case = Case::new(Some(pod()), Some(record()));
    let inside = Scope::Inside([10, 0, 0, 5].into());
    let look = Step::Look {
        table: "ftb-1".to_owned(),
        scope: inside,
        after: After::Nothing,
    };
    assert_eq!(case.plan(), look);
    let half = case.looking(table(vec![entry(0, "Available")]));
    let step = half.plan();
    assert!(
        matches!(&step, Step::Make { entry, .. } if entry.internal.1 == 443),
        "{step:?}"
    );
}

#[test]
fn all_are_shown_at_once_and_then_told() {
    let all = table(vec![entry(0, "Available"), entry(1, "Available")]);
    let case = Case::new(Some(pod()), Some(record())).looking(all.clone());
    let step = case.plan();
    assert!(
        matches!(&step, Step::WriteStatus { entries, .. } if *entries == shown()),
        "{step:?}"
    );
    let pending = table(vec![entry(0, "Available"), entry(1, "Pending")]);
    let case = Case::new(Some(pod()), Some(record())).looking(pending);
    assert_eq!(case.name(), "look_table");
    let done = DnatRecord {
        shown: shown(),
        ..record()
    };
    let mut case = Case::new(Some(pod()), Some(done)).looking(all);
    assert_eq!(case.name(), "annotate_ports");
    let told = Pod {
        port_outputs: PortOutputs {
            text: Some(mapping().text()),
            condition: crate::domain::pod::Condition::Bound,
        },
        ..pod()
    };
    case.pod = Some(told);
    (case.look, case.seen) = (None, None);
    assert_eq!(case.plan(), Step::Rest, "nothing is looked at at rest");
}

#[test]
fn what_another_has_is_chosen_again_once_nothing_of_ours_is_left() {
    let theirs = EntryView {
        id: "fwd-x".to_owned(),
        name: "by hand".to_owned(),
        internal_ip: "10.0.0.9".to_owned(),
        ..entry(1, "Available")
    };
    let both = table(vec![entry(0, "Available"), theirs.clone()]);
    let mut case = Case::new(Some(pod()), Some(record())).looking(both);
    case.blocked = true;
    case.spot = Some(spot());
    let step = case.plan();
    let ours = vec![("fwd-0".to_owned(), entry(0, "").name)];
    assert!(
        matches!(&step, Step::Remove { entries, .. } if *entries == ours),
        "{step:?}"
    );
    case = case.looking(table(vec![theirs]));
    assert_eq!(case.name(), "choose");
    case.chosen = Some(outside(600));
    assert_eq!(case.name(), "place_dnat");
    case.in_flight = true;
    assert_eq!(case.plan(), Step::Pause(Pause::InFlight));
}

#[test]
fn a_tombstone_goes_when_nothing_bears_its_name() {
    let gone = DnatRecord {
        tombstone: true,
        ..record()
    };
    let case = Case::new(None, Some(gone));
    let step = case.plan();
    assert!(
        matches!(
            step,
            Step::Look {
                scope: Scope::Own { ports: 2, .. },
                ..
            }
        ),
        "{step:?}"
    );
    let pending = case.clone().looking(table(vec![entry(0, "Pending")]));
    assert_eq!(pending.name(), "look_table");
    let there = case.clone().looking(table(vec![entry(0, "Available")]));
    assert_eq!(there.name(), "remove_entries");
    let mut none = case.clone().looking(table(Vec::new()));
    assert_eq!(none.name(), "drop_dnat_finalizer");
    none.unseen = true;
    assert_eq!(none.name(), "look_table", "what was accepted may show late");
    none.unseen = false;
    none.crd = Crd::Terminating;
    assert_eq!(none.plan(), Step::Pause(Pause::CrdTerminating));
}

#[test]
fn fixed_ports_rest_until_their_workload_is_over() {
    let fixed = DnatRecord {
        keeper: Some(keeper(true)),
        ..record()
    };
    let mut case = Case::new(None, Some(fixed)).looking(table(Vec::new()));
    case.owner_gone = true;
    assert_eq!(case.name(), "read_workload");
    case.workload_keeps = Some(true);
    assert_eq!(case.name(), "blank_dnat");
    case.workload_keeps = Some(false);
    assert_eq!(case.name(), "delete_dnat");
}

#[test]
fn a_resting_record_is_claimed_for_its_pod_and_by_a_sweep_when_it_is_over() {
    let resting = DnatRecord {
        node: None,
        owner: None,
        keeper: Some(keeper(true)),
        ..record()
    };
    let fixed = Pod {
        ports: PortAsk::Ports(wish(true)),
        ..pod()
    };
    let case = Case::new(Some(fixed), Some(resting.clone()));
    assert_eq!(case.name(), "claim_dnat");
    let mut case = Case::new(None, Some(resting));
    assert_eq!(case.plan(), Step::Rest);
    case.found = true;
    assert_eq!(case.name(), "read_workload");
    case.workload_keeps = Some(false);
    assert_eq!(case.name(), "claim_dnat");
}

#[test]
fn a_pod_that_changed_its_mind_in_favour_of_an_eip_loses_its_ports() {
    let changed = Pod {
        ports: PortAsk::EipInstead("an EIP".to_owned()),
        ..pod()
    };
    assert_eq!(
        Case::new(Some(changed.clone()), Some(record())).name(),
        "delete_dnat"
    );
    assert_eq!(Case::new(Some(changed), None).name(), "ports_condition");
    let bad = Pod {
        ports: PortAsk::Refused(["bad".to_owned()].into()),
        ..pod()
    };
    let all = table(vec![entry(0, "Available"), entry(1, "Available")]);
    let case = Case::new(Some(bad), Some(record())).looking(all);
    assert_eq!(
        case.name(),
        "write_dnat_status",
        "a request that went bad takes nothing away"
    );
}

#[test]
fn nothing_is_made_by_what_is_stale() {
    let mut case = Case::new(Some(pod()), Some(record()));
    case.sure = true;
    case.record_fresh = false;
    assert_eq!(case.name(), "read_both");
    case.record_fresh = true;
    case.pod_fresh = false;
    assert_eq!(case.name(), "read_pod");
    let _ = clock::now();
}
