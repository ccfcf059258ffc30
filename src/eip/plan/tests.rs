//! The plan by examples, in the order of a pod's life; `props` holds the rules against arbitrary facts.

use std::sync::Arc;

use super::plan;
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{ClusterUid, EipId, EniId, Key, Place, ResourceVersion, Uid};
use crate::domain::keep::Keep;
use crate::domain::pod::{Ask, Condition, Outputs, Phase, Pod, Which, Wish};
use crate::domain::ports::{PortAsk, PortOutputs};
use crate::domain::record::{Kind, Made, Record, Rev, Shown};
use crate::eip::facts::{Crd, Facts, Me, Policy, Settling, Sight};
use crate::eip::outcome::{Holder, Namer};
use crate::eip::step::{Brake, LookFor, Pause, Step, Verdict};

mod around;
mod by_user;
mod going;
mod over;
mod props;
mod serving;
mod taking;

/// Facts that own what they speak of; each test bends what it is about.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // as in Facts
struct Case {
    me: Me,
    pod: Option<Pod>,
    pod_known: bool,
    pod_fresh: bool,
    record: Option<Record>,
    record_known: bool,
    record_fresh: bool,
    owner_gone: bool,
    look: Option<Look>,
    settling: Option<Settling>,
    released: bool,
    gone_twice: bool,
    tagged: Option<Vec<Seen>>,
    got: Option<EipId>,
    token_spent: bool,
    sure: bool,
    place: Option<Place>,
    in_flight: bool,
    open_write: Option<Step>,
    crd: Crd,
    held_off: bool,
    waited_for_gc: bool,
    found: bool,
    left_lying: bool,
    node_lives: Option<bool>,
    namers: Option<Vec<Namer>>,
    holder: Option<Holder>,
    bandwidth_set: Option<u32>,
    ttl_over: bool,
    in_doubt: bool,
    brake: Option<Brake>,
    unused: bool,
    address_first: bool,
    storm: bool,
    others_run: bool,
    no_place: bool,
    record_read: bool,
    take_over_later: bool,
    annotate_now: bool,
    condition_now: bool,
}

fn id(name: &str) -> EipId {
    EipId::new(name)
}

fn place(last: u8) -> Place {
    Place {
        eni: EniId::new("eni-1"),
        ip: [10, 0, 0, last].into(),
    }
}

fn at(place: &Place) -> Standing {
    Standing::At {
        eni: place.eni.clone(),
        ip: Some(place.ip),
    }
}

fn seen(standing: Standing) -> Seen {
    Seen {
        id: id("eip-1"),
        address: "203.0.113.1".to_owned(),
        standing,
        cluster_tag: Some("cluster".to_owned()),
        record_tag: Some("record-0".to_owned()),
        isp: String::new(),
        internet_charge_type: String::new(),
        resource_group: String::new(),
        name: String::new(),
        pool: String::new(),
        package: String::new(),
        bandwidth: None,
        tags: std::collections::BTreeMap::new(),
    }
}

#[allow(clippy::unnecessary_wraps)] // it is written where an Option stands
fn look(standing: Standing) -> Option<Look> {
    Some(Look::Seen(Box::new(seen(standing))))
}

fn rev() -> Rev {
    Rev {
        uid: Uid::new("record"),
        version: ResourceVersion::new("7"),
    }
}

fn key() -> Key {
    Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    }
}

fn wish() -> Wish {
    Wish {
        which: Which::Auto {
            request: "{}".to_owned(),
            package: None,
            bandwidth: 5,
        },
        keep: Keep::Follow,
        warnings: Vec::new(),
    }
}

/// A pod that asks, taken by the kubelet, without an address yet.
fn pod() -> Pod {
    Pod {
        key: key(),
        uid: Uid::new("pod"),
        version: ResourceVersion::new("3"),
        created: None,
        node: Some("node-a".to_owned()),
        controller: None,
        phase: Phase::Pending,
        ip: None,
        taken: true,
        deleting: false,
        running: false,
        ask: Ask::Eip(Arc::new(wish())),
        outputs: Outputs::default(),
        ports: PortAsk::Nothing,
        port_outputs: PortOutputs::default(),
    }
}

/// The same with its address, running.
fn living() -> Pod {
    Pod {
        phase: Phase::Running,
        ip: Some(place(5).ip),
        running: true,
        ..pod()
    }
}

/// A record just made: no EIP, no target.
fn record() -> Record {
    Record {
        key: key(),
        rev: rev(),
        node: Some("node-a".to_owned()),
        ours: true,
        created: None,
        kind: Kind::Auto,
        keep: Keep::Follow,
        owner: Some(Uid::new("pod")),
        owned: true,
        absent_since: None,
        request: Some("{}".to_owned()),
        made_with: Some(Made { mbit: 5, most: 200 }),
        eip: None,
        edited: false,
        named: String::new(),
        package: None,
        bandwidth: None,
        take: None,
        taken_over: false,
        attempt: 0,
        target: None,
        shown: None,
        taken_from: None,
        account: None,
        tombstone: false,
        finalizer: true,
        other_finalizers: Vec::new(),
    }
}

fn named() -> Record {
    Record {
        eip: Some(id("eip-1")),
        ..record()
    }
}

fn aimed(target: &Place) -> Record {
    Record {
        target: Some(target.clone()),
        ..named()
    }
}

fn shown(target: &Place) -> Record {
    Record {
        shown: Some(Shown {
            eip: "203.0.113.1".to_owned(),
            eni: target.eni.to_string(),
            ip: target.ip.to_string(),
            package: String::new(),
        }),
        ..aimed(target)
    }
}

fn tombstone(record: Record) -> Record {
    Record {
        tombstone: true,
        ..record
    }
}

impl Case {
    /// Everything is known, fresh and quiet.
    fn new(pod: Option<Pod>, record: Option<Record>) -> Self {
        Self {
            me: Me {
                node: "node-a".to_owned(),
                label: "node-a".to_owned(),
                cluster: ClusterUid::new("cluster"),
                account: None,
                policy: Policy::default(),
            },
            pod,
            pod_known: true,
            pod_fresh: true,
            record,
            record_known: true,
            record_fresh: true,
            owner_gone: false,
            look: None,
            settling: None,
            released: false,
            gone_twice: false,
            tagged: None,
            got: None,
            token_spent: false,
            sure: false,
            place: None,
            in_flight: false,
            open_write: None,
            crd: Crd::Fine,
            held_off: false,
            waited_for_gc: false,
            found: false,
            left_lying: false,
            node_lives: None,
            namers: None,
            holder: None,
            bandwidth_set: None,
            ttl_over: false,
            in_doubt: false,
            brake: None,
            unused: false,
            address_first: false,
            storm: false,
            others_run: false,
            no_place: false,
            record_read: true,
            take_over_later: false,
            annotate_now: true,
            condition_now: true,
        }
    }

    /// The pod is gone by a live read.
    fn gone(record: Record) -> Self {
        Self {
            owner_gone: true,
            ..Self::new(None, Some(record))
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            me: &self.me,
            pod: sight(self.pod.as_ref(), self.pod_known, self.pod_fresh),
            record: sight(self.record.as_ref(), self.record_known, self.record_fresh),
            owner_gone: self.owner_gone,
            look: self.look.as_ref(),
            settling: self.settling,
            released: self.released,
            gone_twice: self.gone_twice,
            untagged_twice: self.gone_twice,
            tagged: self.tagged.as_deref(),
            got: self.got.as_ref(),
            token_spent: self.token_spent,
            sure: self.sure,
            place: self.place.as_ref(),
            in_flight: self.in_flight,
            open_write: self.open_write.as_ref(),
            crd: self.crd,
            held_off: self.held_off,
            waited_for_gc: self.waited_for_gc,
            found: self.found,
            left_lying: self.left_lying,
            node_lives: self.node_lives,
            namers: self.namers.as_deref(),
            holder: self.holder.as_ref(),
            bandwidth_set: self.bandwidth_set,
            ttl_over: self.ttl_over,
            in_doubt: self.in_doubt,
            brake: self.brake,
            unused: self.unused,
            address_first: self.address_first,
            storm: self.storm,
            others_run: self.others_run,
            no_place: self.no_place,
            record_read: self.record_read,
            take_over_later: self.take_over_later,
            annotate_now: self.annotate_now,
            condition_now: self.condition_now,
        }
    }

    fn plan(&self) -> Step {
        plan(&self.facts())
    }
}

fn sight<T>(it: Option<&T>, known: bool, fresh: bool) -> Sight<'_, T> {
    match it {
        _ if !known => Sight::Unknown,
        None => Sight::Absent,
        Some(it) => Sight::Seen { it, fresh },
    }
}
