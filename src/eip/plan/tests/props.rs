//! The rules, held against arbitrary facts.

use proptest::prelude::*;

use super::*;

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        Just(Standing::Free),
        Just(Standing::Moving),
        Just(Standing::Foreign("Nat ngw-1".to_owned())),
        Just(Standing::At {
            eni: EniId::new("eni-1"),
            ip: None
        }),
        (4..7_u8).prop_map(|last| at(&place(last))),
    ]
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let tag = |ours: &'static str| {
        prop_oneof![
            Just(None),
            Just(Some(ours.to_owned())),
            Just(Some("other".to_owned()))
        ]
    };
    (standing(), tag("cluster"), tag("record-0"), 1..3_u8).prop_map(
        |(standing, cluster_tag, record_tag, n)| Seen {
            id: id(&format!("eip-{n}")),
            cluster_tag,
            record_tag,
            ..seen(standing)
        },
    )
}

fn any_look() -> impl Strategy<Value = Option<Look>> {
    prop_oneof![
        Just(None),
        Just(Some(Look::Gone)),
        any_seen().prop_map(|seen| Some(Look::Seen(Box::new(Seen {
            id: id("eip-1"),
            ..seen
        })))),
    ]
}

fn any_ask(n: u8) -> Ask {
    let named = |id: &str| Which::Static {
        eip: EipId::new(id),
        nameable: crate::domain::pod::Nameable::Any,
    };
    let wish = match n {
        0 => return Ask::Nothing,
        1 => return Ask::Refused(["bad".to_owned()].into()),
        2 => Wish {
            which: named("eip-1"),
            ..wish()
        },
        3 => Wish {
            which: named("eip-2"),
            ..wish()
        },
        4 => Wish {
            keep: Keep::Never,
            ..wish()
        },
        5 => Wish {
            which: Which::Auto {
                request: "{}".to_owned(),
                package: Some("cbwp-1".to_owned()),
                bandwidth: 10,
            },
            ..wish()
        },
        _ => wish(),
    };
    Ask::Eip(Arc::new(wish))
}

prop_compose! {
    fn any_pod()(
        own in any::<bool>(),
        here in any::<bool>(),
        phase in prop::sample::select(vec![Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed, Phase::Unknown]),
        ip in prop::option::of(4..7_u8),
        flags in any::<(bool, bool, bool)>(),
        ask in 0..7_u8,
        address in prop::option::of(Just("203.0.113.1".to_owned())),
        condition in prop::sample::select(vec![Condition::Absent, Condition::Bound, Condition::Other("EIPNotBound".to_owned())]),
    ) -> Pod {
        Pod {
            uid: Uid::new(if own { "pod" } else { "successor" }),
            node: Some(if here { "node-a" } else { "node-b" }.to_owned()),
            phase,
            ip: ip.map(|last| place(last).ip),
            taken: flags.0,
            deleting: flags.1,
            running: flags.2,
            ask: any_ask(ask),
            outputs: Outputs { address, condition },
            ..pod()
        }
    }
}

prop_compose! {
    fn any_record()(
        node in prop::sample::select(vec![Some("node-a"), Some("node-a"), Some("node-b"), None]),
        eip in any::<bool>(),
        target in prop::option::of(4..7_u8),
        shows in any::<bool>(),
        flags in any::<(bool, bool, bool)>(),
        more in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        keep in prop::sample::select(vec![Keep::Follow, Keep::Never]),
        take in prop::option::of(4..7_u8),
        package in prop::option::of(Just("cbwp-1".to_owned())),
    ) -> Record {
        let (named, served, ours, taken_over) = more;
        let target = target.map(place);
        let target_free = target.is_none();
        Record {
            node: node.map(str::to_owned),
            eip: eip.then(|| id("eip-1")),
            shown: target.as_ref().filter(|_| shows).and_then(|target| shown(target).shown),
            target,
            tombstone: flags.0,
            finalizer: flags.1,
            edited: flags.2,
            kind: if named { Kind::Static } else { Kind::Auto },
            owner: served.then(|| Uid::new("pod")),
            owned: keep == Keep::Follow,
            keep,
            ours,
            taken_over,
            named: "eip-1".to_owned(),
            created: Some(jiff::Timestamp::UNIX_EPOCH),
            take: take.map(place).filter(|_| target_free && named),
            package,
            ..record()
        }
    }
}

prop_compose! {
    fn any_surroundings()(
        flags in any::<(bool, bool, bool, bool, bool, bool, bool, bool)>(),
        policy in any::<(bool, bool, bool)>(),
        namers in prop::option::of(prop::collection::vec((any::<bool>(), prop::option::of(4..7_u8)), 0..3)),
    ) -> Case {
        let (ttl_over, in_doubt, unused, address_first, storm, others_run, no_place, later) = flags;
        let mut case = Case::new(None, None);
        case.me.policy = Policy {
            vpc: Some("vpc-1".to_owned()),
            allow_rob: policy.0,
            live_bandwidth: policy.1,
            installed_at: policy.2.then_some(jiff::Timestamp::MAX),
        };
        let namer = |(n, (older, target)): (usize, (bool, Option<u8>))| Namer {
            key: key(),
            uid: Uid::new(format!("namer-{n}")),
            created: if older { Some(jiff::Timestamp::MIN) } else { Some(jiff::Timestamp::MAX) },
            target: target.map(place),
        };
        Case {
            ttl_over, in_doubt, unused, address_first, storm, others_run, no_place,
            take_over_later: later,
            record_read: !later,
            namers: namers.map(|all| all.into_iter().enumerate().map(namer).collect()),
            holder: Some(Holder { eni: EniId::new("eni-1"), vpc: "vpc-1".to_owned(), primary: Some(place(4).ip) }),
            ..case
        }
    }
}

prop_compose! {
    fn any_case()(
        pod in prop::option::of(any_pod()),
        record in prop::option::of(any_record()),
        known in any::<(bool, bool, bool, bool)>(),
        owner_gone in any::<bool>(),
        look in any_look(),
        settling in prop::sample::select(vec![None, Some(Settling::Associate), Some(Settling::Unassociate)]),
        flags in any::<(bool, bool, bool, bool, bool)>(),
        tagged in prop::option::of(prop::collection::vec(any_seen(), 0..3)),
        got in prop::option::of(Just(id("eip-1"))),
        spot in prop::option::of(4..7_u8),
        crd in prop::sample::select(vec![Crd::Fine, Crd::Unknown, Crd::Terminating]),
        more in any::<(bool, bool, bool)>(),
        around in any_surroundings(),
    ) -> Case {
        Case {
            pod_known: known.0,
            pod_fresh: known.1,
            record_known: known.2,
            record_fresh: known.3,
            owner_gone: owner_gone && pod.as_ref().is_none_or(|pod| pod.uid.as_str() != "pod"),
            look,
            settling,
            released: flags.0,
            gone_twice: flags.1,
            sure: flags.2,
            in_flight: flags.3,
            held_off: flags.4,
            tagged,
            got,
            place: spot.map(place),
            crd,
            waited_for_gc: more.0,
            annotate_now: more.1,
            condition_now: more.2,
            pod,
            record,
            ..around
        }
    }
}

/// A pod that lives, asks for what the record names, and is served by it.
fn has_a_claim(case: &Case) -> bool {
    let served = |record: &Record| {
        record
            .owner
            .as_ref()
            .is_some_and(|uid| uid.as_str() == "pod")
    };
    let fits = |record: &Record, pod: &Pod| match &pod.ask {
        Ask::Nothing => false,
        Ask::Refused(_) => true,
        Ask::Eip(wish) => match &wish.which {
            Which::Auto { .. } => record.kind == Kind::Auto,
            Which::Static { eip, .. } => {
                record.kind == Kind::Static && record.eip.as_ref() == Some(eip)
            }
        },
    };
    match (&case.record, &case.pod) {
        (Some(record), Some(pod)) => {
            let lives = case.pod_known && pod.uid.as_str() == "pod" && pod.serves();
            lives && served(record) && fits(record, pod)
        }
        _ => false,
    }
}

/// By a live read: what is told as absent is fresh.
fn absent(case: &Case) -> bool {
    case.pod_known && case.pod.is_none()
}

/// A pod that has a claim and yet can do nothing with its EIP.
fn wastes_it(case: &Case, record: &Record) -> bool {
    let Some(pod) = &case.pod else { return false };
    let waits = pod.ip.is_none() && case.unused;
    let nowhere = case.no_place && record.target.is_none();
    record.kind == Kind::Auto && record.shown.is_none() && (waits || nowhere)
        || (record.eip.is_none() && record.request.is_none())
}

type Held = Result<(), &'static str>;

fn rule(holds: bool, name: &'static str) -> Held {
    if holds { Ok(()) } else { Err(name) }
}

/// What every change has to hold, whatever the facts are; `Err` names the broken rule.
fn keeps_the_rules(case: &Case, step: &Step) -> Held {
    let Some(record) = &case.record else {
        let first = matches!(
            step,
            Step::Create { .. }
                | Step::Rest
                | Step::Pause(_)
                | Step::ReadRecord
                | Step::Resolve(_)
                | Step::Condition { .. }
                | Step::ClearAnnotations { .. }
        );
        return rule(first, "Intent: nothing but a record comes first");
    };
    let ours = record.node.as_deref() == Some("node-a");
    if step.changes_cloud() {
        rule(ours, "Consent: only on our own record")?;
        let fresh = case.record_known && case.record_fresh;
        rule(fresh, "Freshness: the record")?;
    }
    if step.writes_record() {
        let claim = matches!(step, Step::Claim { .. }) && record.node.is_none();
        rule(
            ours || claim,
            "Consent: only our own record, or a blank one",
        )?;
    }
    match step {
        Step::Allocate { .. } => {
            let empty = !record.tombstone && record.eip.is_none();
            rule(empty, "Intent: one EIP for life")?;
            let free = !case.others_run && case.brake.is_none();
            rule(free, "nothing new while another controller runs")?;
            rule(has_a_claim(case), "no EIP for a pod that is over")
        }
        Step::Associate { place, .. } => binds(case, record, place),
        Step::Unassociate { place, .. } => unbinds(case, record, place),
        Step::Release { id } => releases(case, record, id),
        Step::Delete { .. } => decides(case, record),
        Step::JoinPackage { .. } | Step::LeavePackage { .. } | Step::SetBandwidth { .. } => rule(
            record.kind == Kind::Auto,
            "a named EIP is never reconfigured",
        ),
        Step::Tag { .. } => {
            let other = matches!(&case.look, Some(Look::Seen(seen)) if seen.cluster_tag.is_none() && seen.record_tag.is_none());
            let old = record.taken_over && case.me.policy.installed_at.is_some();
            rule(
                record.kind == Kind::Auto && other && old,
                "only what was taken over is tagged",
            )
        }
        _ => writes(case, record, step),
    }
}

fn binds(case: &Case, record: &Record, place: &Place) -> Held {
    let aimed = record.target.as_ref() == Some(place);
    rule(aimed, "Intent: the target first")?;
    let claimed = !record.tombstone && has_a_claim(case) && case.pod_fresh;
    rule(claimed, "Freshness: the pod")?;
    let ip = case.pod.as_ref().and_then(|pod| pod.ip);
    rule(ip == Some(place.ip), "bound to the pod's own address")?;
    rule(!case.in_flight, "Freshness: open calls")
}

fn unbinds(case: &Case, record: &Record, place: &Place) -> Held {
    let by_tag = record.eip.is_none()
        && case
            .tagged
            .iter()
            .flatten()
            .any(|seen| seen.standing.is_at(place));
    let taken = record.take.as_ref() == Some(place) && case.me.policy.allow_rob;
    let aimed = record.target.as_ref() == Some(place) || taken;
    let proven = aimed && (stands_at(case, place) || by_tag);
    let successor = |namer: &Namer| namer.target.as_ref() == Some(place);
    let alone = case
        .namers
        .as_ref()
        .is_some_and(|all| !all.iter().any(successor));
    rule(
        record.kind == Kind::Auto || alone,
        "Proof: another record has it there",
    )?;
    rule(proven, "Proof: only what stands at the target")?;
    rule(
        record.shown.is_none(),
        "Intent: the status is cleared first",
    )?;
    let at_home = case.place.as_ref() == Some(place)
        && case
            .pod
            .as_ref()
            .is_some_and(|pod| pod.ip == Some(place.ip));
    let holder = has_a_claim(case) && at_home;
    rule(record.tombstone || !holder, "Proof: a living holder")?;
    let known = record.tombstone || case.owner_gone || case.pod_fresh || absent(case);
    rule(known, "Freshness: the pod")?;
    rule(record.tombstone || !case.in_flight, "Freshness: open calls")
}

fn releases(case: &Case, record: &Record, id: &EipId) -> Held {
    rule(record.tombstone, "Tombstone")?;
    rule(record.kind == Kind::Auto, "a named EIP is never released")?;
    rule(case.crd == Crd::Fine, "the CRD goes: touch nothing")?;
    let proof = |seen: &Seen| {
        seen.id == *id
            && seen.standing == Standing::Free
            && seen.cluster_tag.as_deref() == Some("cluster")
            && seen.record_tag.as_deref() == Some("record-0")
    };
    let proven = match (&record.eip, &case.look) {
        (Some(_), Some(Look::Seen(seen))) => proof(seen),
        (Some(_), _) => false,
        (None, _) => case.tagged.iter().flatten().any(proof),
    };
    rule(proven, "Proof: the record's own tags")
}

fn decides(case: &Case, record: &Record) -> Held {
    rule(
        !has_a_claim(case) || wastes_it(case, record),
        "Tombstone: never under a living pod that asks",
    )?;
    let own = |pod: &Pod| case.pod_known && pod.uid.as_str() == "pod";
    let served = record.owner.is_some();
    let over = case.owner_gone || case.pod.as_ref().is_some_and(own);
    let read = !served && (case.pod_known && (case.pod_fresh || case.pod.is_none()));
    let empty = !served && record.eip.is_none();
    rule(
        over || read || empty,
        "Freshness: absence by a live read only",
    )?;
    let asks_auto = |pod: &Pod| {
        pod.ask != Ask::Nothing
            && !matches!(&pod.ask, Ask::Eip(wish) if matches!(wish.which, Which::Static { .. }))
    };
    let next = case
        .pod
        .as_ref()
        .filter(|pod| case.pod_known && !own(pod) && asks_auto(pod));
    let lost = record.is_fixed() && record.eip.is_some() && next.is_some();
    rule(!lost, "a kept EIP is not given back under its next pod")?;
    let own_lives = case
        .pod
        .as_ref()
        .is_some_and(|pod| own(pod) && pod.serves());
    let other = case
        .pod
        .as_ref()
        .is_some_and(|pod| case.pod_known && pod.serves() && matches!(pod.ask, Ask::Eip(_)));
    let kept = record.is_fixed() && record.eip.is_some();
    rule(
        !kept || case.ttl_over || own_lives || other,
        "a kept EIP waits for its time",
    )?;
    rule(
        !stands_at_target(case, record),
        "unbound before it is given back",
    )?;
    rule(!case.in_flight, "Freshness: open calls")
}

fn writes(case: &Case, record: &Record, step: &Step) -> Held {
    match step {
        Step::DropFinalizer { .. } => {
            rule(record.tombstone && case.crd == Crd::Fine, "Tombstone")?;
            let loose = !stands_at_target(case, record) || case.released;
            rule(loose, "nothing stays bound without a record")
        }
        Step::WriteStatus { place, .. } => {
            let aimed = record.target.as_ref() == Some(place);
            rule(aimed, "the status shows the target")?;
            let said = stands_at(case, place) && !case.in_flight;
            rule(said, "the status only shows what the cloud says")
        }
        Step::Blank { .. } => {
            let loose = !stands_at_target(case, record) && !case.in_flight;
            rule(loose && !record.tombstone, "blank means unbound")
        }
        Step::WriteTarget { .. }
            if record.kind == Kind::Static && record.target.is_none() && record.take.is_none() =>
        {
            let first = |namer: &Namer| namer.target.is_some() || namer.created < record.created;
            let alone = case
                .namers
                .as_ref()
                .is_some_and(|all| !all.iter().any(first));
            rule(alone, "the older record has the EIP")?;
            rule(
                record.shown.is_none() && !case.in_flight,
                "hidden before it moves",
            )
        }
        Step::WriteTarget { .. } => {
            let hidden = record.shown.is_none() && !case.in_flight;
            rule(hidden, "hidden before it moves")
        }
        _ => Ok(()),
    }
}

fn stands_at(case: &Case, place: &Place) -> bool {
    matches!(&case.look, Some(Look::Seen(seen)) if seen.standing.is_at(place))
}

fn stands_at_target(case: &Case, record: &Record) -> bool {
    let target = record.target.as_ref().filter(|_| record.eip.is_some());
    target.is_some_and(|target| stands_at(case, target))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_step_breaks_a_rule(case in any_case()) {
        let step = case.plan();
        prop_assert!(keeps_the_rules(&case, &step).is_ok(), "{:?}: {step:?}", keeps_the_rules(&case, &step));
    }
}

#[test]
fn the_rules_here_can_be_broken() {
    let case = Case {
        look: look(Standing::Free),
        ..Case::new(Some(living()), Some(aimed(&place(5))))
    };
    let release = Step::Release { id: id("eip-1") };
    assert_eq!(keeps_the_rules(&case, &release), Err("Tombstone"));
    assert!(keeps_the_rules(&case, &Step::Delete { at: rev() }).is_err());
    let elsewhere = Step::Unassociate {
        id: id("eip-1"),
        place: place(6),
    };
    assert!(keeps_the_rules(&case, &elsewhere).is_err());
}
