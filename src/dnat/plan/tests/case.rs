//! One name's facts to change at will, and the objects that they are made of.

use super::*;

/// One name's facts, owned.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
pub(super) struct Case {
    pub(super) me: Me,
    pub(super) pod: Option<Pod>,
    pub(super) pod_fresh: bool,
    pub(super) record: Option<DnatRecord>,
    pub(super) record_fresh: bool,
    pub(super) owner_gone: bool,
    pub(super) spot: Option<Spot>,
    pub(super) chosen: Option<Outside>,
    pub(super) look: Option<Table>,
    pub(super) seen: Option<Table>,
    pub(super) settling: Option<Change>,
    pub(super) unseen: bool,
    pub(super) sure: bool,
    pub(super) blocked: bool,
    pub(super) lost: bool,
    pub(super) stuck: bool,
    pub(super) no_other: bool,
    pub(super) full: bool,
    pub(super) no_table_twice: bool,
    pub(super) workload_keeps: Option<bool>,
    pub(super) in_flight: bool,
    pub(super) crd: Crd,
    pub(super) held_off: bool,
    pub(super) found: bool,
    pub(super) left_lying: bool,
    pub(super) node_lives: Option<bool>,
    pub(super) no_place: bool,
    pub(super) others_run: bool,
    pub(super) record_read: bool,
}

pub(super) fn cluster() -> ClusterUid {
    ClusterUid::new("cluster")
}

pub(super) fn wish(fixed: bool) -> Arc<PortWish> {
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

pub(super) fn workload() -> Workload {
    Workload {
        api_version: "apps/v1".to_owned(),
        name: "web".to_owned(),
        uid: Uid::new("set"),
    }
}

pub(super) fn keeper(settled: bool) -> Keeper {
    Keeper {
        workload: Some(workload()),
        settled,
    }
}

pub(super) fn outside(first: u16) -> Outside {
    Outside {
        gateway: "ngw-1".to_owned(),
        table: "ftb-1".to_owned(),
        address: [203, 0, 113, 4].into(),
        ports: vec![first, first + 1],
    }
}

pub(super) fn key() -> Key {
    Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    }
}

pub(super) fn pod() -> Pod {
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

pub(super) fn mapping() -> Mapping {
    Mapping::new(&outside(512), [10, 0, 0, 5].into(), &wish(false).ports)
}

pub(super) fn record() -> DnatRecord {
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
        taken_from: None,
        account: None,
        tombstone: false,
        finalizer: true,
        other_finalizers: Vec::new(),
    }
}

/// Our n-th entry, as the cloud would show it.
pub(super) fn entry(n: usize, status: &str) -> EntryView {
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

pub(super) fn table(entries: Vec<EntryView>) -> Table {
    Table {
        entries,
        whole: true,
        own: true,
        missing: false,
    }
}

pub(super) fn shown() -> Vec<Entry> {
    let entry = |n| Entry {
        id: format!("fwd-{n}"),
        ..mapping().entry(n).unwrap()
    };
    vec![entry(0), entry(1)]
}

impl Case {
    /// Everything is known, fresh and quiet.
    pub(super) fn new(pod: Option<Pod>, record: Option<DnatRecord>) -> Self {
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
            no_other: false,
            full: false,
            no_table_twice: false,
            workload_keeps: None,
            in_flight: false,
            crd: Crd::Fine,
            held_off: false,
            found: false,
            left_lying: false,
            node_lives: None,
            no_place: false,
            others_run: false,
            record_read: true,
        }
    }

    /// A look just asked.
    pub(super) fn looking(mut self, table: Table) -> Self {
        self.look = Some(table.clone());
        self.seen = Some(table);
        self
    }

    pub(super) fn facts(&self) -> Facts<'_> {
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
            no_other: self.no_other,
            full: self.full,
            no_table_twice: self.no_table_twice,
            token: "token",
            workload_keeps: self.workload_keeps,
            in_flight: self.in_flight,
            open_write: None,
            crd: self.crd,
            held_off: self.held_off,
            found: self.found,
            left_lying: self.left_lying,
            node_lives: self.node_lives,
            no_place: self.no_place,
            others_run: self.others_run,
            record_read: self.record_read,
            annotate_now: true,
            condition_now: true,
        }
    }

    pub(super) fn plan(&self) -> Step {
        let facts = self.facts();
        guard(&facts, aim(&facts))
    }

    pub(super) fn name(&self) -> &'static str {
        self.plan().name()
    }
}

pub(super) fn spot() -> Spot {
    Spot {
        ip: [10, 0, 0, 5].into(),
        eni: EniId::new("eni-1"),
        vswitch: None,
        zone: None,
    }
}
