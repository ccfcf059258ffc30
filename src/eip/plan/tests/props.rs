//! The rules, held against arbitrary facts.

use proptest::prelude::*;

use super::*;

mod rules;
use rules::keeps_the_rules;

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
        condition in prop::sample::select(vec![Condition::Absent, Condition::Bound, Condition::Other { reason: "EIPNotBound".to_owned(), message: String::new() }]),
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
        holding in any::<(bool, bool, Option<bool>)>(),
        around in any_surroundings(),
    ) -> Case {
        Case {
            found: holding.0,
            left_lying: holding.1,
            node_lives: holding.2,
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
