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

prop_compose! {
    fn any_pod()(
        own in any::<bool>(),
        here in any::<bool>(),
        phase in prop::sample::select(vec![Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed, Phase::Unknown]),
        ip in prop::option::of(4..7_u8),
        flags in any::<(bool, bool, bool)>(),
        ask in 0..3,
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
            ask: match ask { 0 => Ask::Nothing, 1 => Ask::Refused(["bad".to_owned()].into()), _ => pod().ask },
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
    ) -> Record {
        let target = target.map(place);
        Record {
            node: node.map(str::to_owned),
            eip: eip.then(|| id("eip-1")),
            shown: target.as_ref().filter(|_| shows).and_then(|target| shown(target).shown),
            target,
            tombstone: flags.0,
            finalizer: flags.1,
            edited: flags.2,
            ..record()
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
            ..Case::new(pod, record)
        }
    }
}

/// A pod that lives, asks, and owns the record.
fn has_a_claim(case: &Case) -> bool {
    case.pod_known
        && case
            .pod
            .as_ref()
            .is_some_and(|pod| pod.uid.as_str() == "pod" && pod.serves() && pod.ask != Ask::Nothing)
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
        let create = matches!(step, Step::Create { .. });
        rule(ours || create, "Consent: only our own record")?;
    }
    match step {
        Step::Allocate { .. } => {
            let empty = !record.tombstone && record.eip.is_none();
            rule(empty, "Intent: one EIP for life")?;
            rule(has_a_claim(case), "no EIP for a pod that is over")
        }
        Step::Associate { place, .. } => binds(case, record, place),
        Step::Unassociate { place, .. } => unbinds(case, record, place),
        Step::Release { id } => releases(case, record, id),
        Step::Delete { .. } => decides(case, record),
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
    let proven = record.target.as_ref() == Some(place) && (stands_at(case, place) || by_tag);
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
    let known = record.tombstone || case.owner_gone || case.pod_fresh;
    rule(known, "Freshness: the pod")?;
    rule(record.tombstone || !case.in_flight, "Freshness: open calls")
}

fn releases(case: &Case, record: &Record, id: &EipId) -> Held {
    rule(record.tombstone, "Tombstone")?;
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
        !has_a_claim(case),
        "Tombstone: never under a living pod that asks",
    )?;
    let own = |pod: &Pod| case.pod_known && pod.uid.as_str() == "pod";
    let over = case.owner_gone || case.pod.as_ref().is_some_and(own);
    rule(over, "Freshness: absence by a live read only")?;
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
