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

mod props;

/// One name's facts, owned.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
struct Case {
    me: Me,
    pod: Option<Pod>,
    pod_fresh: bool,
    record: Option<DnatRecord>,
    record_fresh: bool,
    owner_gone: bool,
    spot: Option<Spot>,
    chosen: Option<Outside>,
    look: Option<Table>,
    seen: Option<Table>,
    settling: Option<Change>,
    unseen: bool,
    sure: bool,
    blocked: bool,
    lost: bool,
    stuck: bool,
    full: bool,
    no_table_twice: bool,
    workload_keeps: Option<bool>,
    in_flight: bool,
    crd: Crd,
    held_off: bool,
    found: bool,
    no_place: bool,
    others_run: bool,
    record_read: bool,
}

fn cluster() -> ClusterUid {
    ClusterUid::new("cluster")
}

fn wish(fixed: bool) -> Arc<PortWish> {
    Arc::new(PortWish {
        ports: Ports {
            inside: vec![80, 443],
            protocol: Protocol::Tcp,
            fixed,
        },
        workload: fixed.then(workload),
        warnings: Vec::new(),
    })
}

fn workload() -> Workload {
    Workload {
        api_version: "apps/v1".to_owned(),
        name: "web".to_owned(),
        uid: Uid::new("set"),
    }
}

fn keeper(settled: bool) -> Keeper {
    Keeper {
        workload: Some(workload()),
        settled,
    }
}

fn outside(first: u16) -> Outside {
    Outside {
        gateway: "ngw-1".to_owned(),
        table: "ftb-1".to_owned(),
        address: [203, 0, 113, 4].into(),
        ports: vec![first, first + 1],
    }
}

fn key() -> Key {
    Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    }
}

fn pod() -> Pod {
    Pod {
        key: key(),
        uid: Uid::new("pod"),
        version: ResourceVersion::new("3"),
        created: None,
        node: Some("node-a".to_owned()),
        controller: None,
        phase: Phase::Running,
        ip: Some([10, 0, 0, 5].into()),
        taken: true,
        deleting: false,
        running: true,
        ask: Ask::Nothing,
        outputs: Outputs::default(),
        ports: PortAsk::Ports(wish(false)),
        port_outputs: PortOutputs::default(),
    }
}

fn mapping() -> Mapping {
    Mapping::new(&outside(512), [10, 0, 0, 5].into(), &wish(false).ports)
}

fn record() -> DnatRecord {
    DnatRecord {
        key: key(),
        rev: Rev {
            uid: Uid::new("record"),
            version: ResourceVersion::new("7"),
        },
        node: Some("node-a".to_owned()),
        ours: true,
        owner: Some(Uid::new("pod")),
        keeper: None,
        mapping: Some(mapping()),
        shown: Vec::new(),
        account: None,
        tombstone: false,
        finalizer: true,
        other_finalizers: Vec::new(),
    }
}

/// Our n-th entry, as the cloud would show it.
fn entry(n: usize, status: &str) -> EntryView {
    let (outside, inside) = mapping().ports[n];
    EntryView {
        id: format!("fwd-{n}"),
        name: names::name(&cluster(), &Uid::new("record"), n),
        external_ip: "203.0.113.4".to_owned(),
        external_port: outside.to_string(),
        internal_ip: "10.0.0.5".to_owned(),
        internal_port: inside.to_string(),
        protocol: "tcp".to_owned(),
        status: status.to_owned(),
    }
}

fn table(entries: Vec<EntryView>) -> Table {
    Table {
        entries,
        whole: true,
        missing: false,
    }
}

fn shown() -> Vec<Entry> {
    let entry = |n| Entry {
        id: format!("fwd-{n}"),
        ..mapping().entry(n).unwrap()
    };
    vec![entry(0), entry(1)]
}

impl Case {
    /// Everything is known, fresh and quiet.
    fn new(pod: Option<Pod>, record: Option<DnatRecord>) -> Self {
        Self {
            me: Me {
                node: "node-a".to_owned(),
                label: "node-a".to_owned(),
                cluster: cluster(),
                account: None,
                policy: Policy::default(),
            },
            pod,
            pod_fresh: true,
            record,
            record_fresh: true,
            owner_gone: false,
            spot: None,
            chosen: None,
            look: None,
            seen: None,
            settling: None,
            unseen: false,
            sure: false,
            blocked: false,
            lost: false,
            stuck: false,
            full: false,
            no_table_twice: false,
            workload_keeps: None,
            in_flight: false,
            crd: Crd::Fine,
            held_off: false,
            found: false,
            no_place: false,
            others_run: false,
            record_read: true,
        }
    }

    /// A look just asked.
    fn looking(mut self, table: Table) -> Self {
        self.look = Some(table.clone());
        self.seen = Some(table);
        self
    }

    fn facts(&self) -> Facts<'_> {
        fn sight<T>(it: Option<&T>, fresh: bool) -> Sight<'_, T> {
            it.map_or(Sight::Absent, |it| Sight::Seen { it, fresh })
        }
        Facts {
            me: &self.me,
            pod: sight(self.pod.as_ref(), self.pod_fresh),
            record: sight(self.record.as_ref(), self.record_fresh),
            owner_gone: self.owner_gone,
            spot: self.spot.as_ref(),
            chosen: self.chosen.as_ref(),
            look: self.look.as_ref(),
            seen: self.seen.as_ref(),
            settling: self.settling,
            unseen: self.unseen,
            sure: self.sure,
            blocked: self.blocked,
            lost: self.lost,
            stuck: self.stuck,
            full: self.full,
            no_table_twice: self.no_table_twice,
            token: "token",
            workload_keeps: self.workload_keeps,
            in_flight: self.in_flight,
            open_write: None,
            crd: self.crd,
            held_off: self.held_off,
            found: self.found,
            no_place: self.no_place,
            others_run: self.others_run,
            record_read: self.record_read,
            annotate_now: true,
            condition_now: true,
        }
    }

    fn plan(&self) -> Step {
        plan(&self.facts())
    }

    fn name(&self) -> &'static str {
        self.plan().name()
    }
}

fn spot() -> Spot {
    Spot {
        ip: [10, 0, 0, 5].into(),
        eni: EniId::new("eni-1"),
        vswitch: None,
        zone: None,
    }
}

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
    assert!(matches!(&step, Step::Make { entry, .. } if entry.internal.1 == 443), "{step:?}");
}

#[test]
fn all_are_shown_at_once_and_then_told() {
    let all = table(vec![entry(0, "Available"), entry(1, "Available")]);
    let case = Case::new(Some(pod()), Some(record())).looking(all.clone());
    let step = case.plan();
    assert!(matches!(&step, Step::WriteStatus { entries, .. } if *entries == shown()), "{step:?}");
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
    assert!(matches!(&step, Step::Remove { entries, .. } if *entries == ours), "{step:?}");
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
    assert!(matches!(step, Step::Look { scope: Scope::Whole, .. }), "{step:?}");
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
    assert_eq!(Case::new(Some(changed.clone()), Some(record())).name(), "delete_dnat");
    assert_eq!(Case::new(Some(changed), None).name(), "ports_condition");
    let bad = Pod {
        ports: PortAsk::Refused(["bad".to_owned()].into()),
        ..pod()
    };
    let all = table(vec![entry(0, "Available"), entry(1, "Available")]);
    let case = Case::new(Some(bad), Some(record())).looking(all);
    assert_eq!(case.name(), "write_dnat_status", "a request that went bad takes nothing away");
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
