//! The rules, held against arbitrary facts.

use proptest::prelude::*;

use super::*;

fn any_entry() -> impl Strategy<Value = EntryView> {
    let status = prop::sample::select(vec!["Available", "Pending", "Modifying", "Deleting"]);
    (0..2_usize, status, 0..5_u8).prop_map(|(n, status, whose)| {
        let ours = entry(n, status);
        match whose {
            0 | 1 => ours,
            2 => EntryView {
                internal_ip: "10.0.0.9".to_owned(),
                ..ours
            },
            3 => EntryView {
                id: format!("fwd-x{n}"),
                name: "by hand".to_owned(),
                internal_ip: "10.0.0.9".to_owned(),
                ..ours
            },
            _ => EntryView {
                id: format!("fwd-y{n}"),
                name: names::name(&cluster(), &Uid::new("another"), n),
                external_port: "999".to_owned(),
                ..ours
            },
        }
    })
}

fn any_table() -> impl Strategy<Value = Table> {
    let entries = prop::collection::vec(any_entry(), 0..4);
    (entries, any::<bool>(), any::<bool>(), 0..9_u8).prop_map(
        |(mut entries, whole, own, missing)| {
            entries.dedup_by_key(|it| it.id.clone());
            let missing = whole && missing == 0;
            if missing {
                entries.clear();
            }
            Table {
                entries,
                whole,
                own: whole || own,
                missing,
            }
        },
    )
}

prop_compose! {
    fn any_pod()(
        own in any::<bool>(),
        here in any::<bool>(),
        phase in prop::sample::select(vec![Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed]),
        ip in prop::option::of(4..7_u8),
        flags in any::<(bool, bool)>(),
        ask in 0..6_u8,
        told in any::<bool>(),
    ) -> Pod {
        Pod {
            uid: Uid::new(if own { "pod" } else { "successor" }),
            node: Some(if here { "node-a" } else { "node-b" }.to_owned()),
            phase,
            ip: ip.map(|last| [10, 0, 0, last].into()),
            deleting: flags.0,
            running: flags.1,
            ports: match ask {
                0 => PortAsk::Nothing,
                1 => PortAsk::EipInstead("an EIP".to_owned()),
                2 => PortAsk::Refused(["bad".to_owned()].into()),
                3 => PortAsk::Ports(wish(true)),
                _ => PortAsk::Ports(wish(false)),
            },
            port_outputs: PortOutputs { text: told.then(|| mapping().text()), ..PortOutputs::default() },
            ..pod()
        }
    }
}

prop_compose! {
    fn any_record()(
        node in prop::sample::select(vec![None, Some("node-a"), Some("node-b")]),
        flags in any::<(bool, bool, bool, bool)>(),
        fixed in prop::option::of(any::<bool>()),
        inside in prop::option::of(4..7_u8),
        is_shown in any::<bool>(),
        bare in 0..8_u8,
    ) -> DnatRecord {
        DnatRecord {
            node: node.map(str::to_owned),
            ours: flags.0 || flags.1,
            owner: flags.2.then(|| Uid::new("pod")),
            keeper: fixed.map(keeper),
            mapping: (bare > 0).then(|| Mapping { internal: inside.map(|last| [10, 0, 0, last].into()), ..mapping() }),
            shown: if is_shown { shown() } else { Vec::new() },
            tombstone: flags.3,
            ..record()
        }
    }
}

prop_compose! {
    fn any_case()(
        pod in prop::option::of(any_pod()),
        record in prop::option::weighted(0.9, any_record()),
        look in prop::option::of(any_table()),
        seen in prop::option::of(any_table()),
        a in any::<(bool, bool, bool, bool, bool, bool, bool)>(),
        b in any::<(bool, bool, bool, bool, bool, bool, bool)>(),
        workload_keeps in any::<Option<bool>>(),
        crd in prop::sample::select(vec![Crd::Fine, Crd::Fine, Crd::Unknown, Crd::Terminating]),
        settling in prop::sample::select(vec![None, Some(Change::Make), Some(Change::Remove)]),
        known in any::<(bool, bool)>(),
        holding in any::<(bool, Option<bool>)>(),
    ) -> Case {
        let mut case = Case::new(pod, record);
        (case.left_lying, case.node_lives) = holding;
        // The newest look that counts is the newest look.
        case.seen = look.clone().or(seen);
        case.look = look;
        (case.pod_fresh, case.record_fresh, case.owner_gone, case.unseen, case.sure, case.blocked, case.lost) = a;
        (case.stuck, case.full, case.in_flight, case.held_off, case.found, case.no_place, case.others_run) = b;
        // Nothing has been asked for: so nothing can be there, and nothing is on its way.
        case.sure &= case.look.is_none() && case.seen.is_none() && !case.unseen && !case.in_flight;
        case.workload_keeps = workload_keeps;
        case.crd = crd;
        case.settling = settling;
        case.spot = known.0.then(spot);
        case.chosen = known.1.then(|| outside(600));
        case
    }
}

type Held = Result<(), &'static str>;

fn rule(holds: bool, name: &'static str) -> Held {
    if holds { Ok(()) } else { Err(name) }
}

/// A look that counts shows no entry of this record, or there was never anything to be asked for.
fn nothing_leads(case: &Case, record: &DnatRecord) -> bool {
    let facts = case.facts();
    let by_look = case.look.as_ref().is_some_and(|table| {
        let none = facts.mine(record, table).is_empty() && !case.unseen && !case.in_flight;
        table.own
            && (if table.missing {
                case.no_table_twice
            } else {
                none
            })
    });
    case.sure || record.mapping.is_none() || by_look
}

/// The record's own pod lives, asks (or did), and is known by a fresh read where that is needed.
fn has_a_claim(case: &Case, record: &DnatRecord) -> bool {
    let own = case
        .pod
        .as_ref()
        .filter(|pod| record.owner.as_ref() == Some(&pod.uid));
    own.is_some_and(|pod| pod.serves() && pod.ports.keeps())
}

fn keeps_the_rules(case: &Case, step: &Step) -> Held {
    let Some(record) = &case.record else {
        return rule(
            !step.changes_cloud() && (!step.writes_record() || matches!(step, Step::Create { .. })),
            "Intent: nothing but a record comes first",
        );
    };
    let own = record.ours && record.node.as_deref() == Some("node-a");
    if step.changes_cloud() {
        rule(own, "Consent: only on our own record")?;
        rule(case.record_fresh, "Freshness: the record")?;
    }
    if step.writes_record() {
        let claim = matches!(step, Step::Claim { .. }) && record.node.is_none();
        let over = record.tombstone || record.owner.is_none() || case.owner_gone;
        let away = case.node_lives == Some(false) && over;
        let left = away || (record.tombstone && case.left_lying);
        let take = matches!(step, Step::Take { .. }) && record.node.is_some() && left;
        rule(
            own || ((claim || take) && record.ours),
            "Consent: only our own record, a blank one, or one that a gone node has left",
        )?;
        let waits = !case.in_flight || matches!(step, Step::Claim { .. } | Step::Take { .. });
        rule(waits, "Freshness: open calls")?;
    }
    match step {
        Step::Make { entry, .. } => {
            let wanted = (0..2).filter_map(|n| record.mapping.as_ref()?.entry(n));
            let intended = wanted
                .into_iter()
                .any(|it| it.external == entry.external && it.internal == entry.internal);
            rule(intended && !record.tombstone, "Intent: the choice first")?;
            rule(
                has_a_claim(case, record) && case.pod_fresh,
                "Freshness: the pod",
            )?;
            let there = case.pod.as_ref().and_then(|pod| pod.ip) == Some(entry.internal.0);
            rule(there, "an entry leads to the pod's own address")
        }
        Step::Remove { entries, .. } => {
            let mut table = case.look.iter().flat_map(|it| &it.entries);
            let ours = |(id, name): &(String, String)| {
                let seen = table.find(|it| it.id == *id && it.name == *name);
                let (uid, _) = names::parse(&cluster(), name).unwrap();
                seen.is_some() && uid == record.rev.uid
            };
            rule(
                entries.iter().all(ours),
                "Proof: only what bears the record's name",
            )?;
            rule(
                record.shown.is_empty(),
                "Intent: the status is cleared first",
            )
        }
        Step::DropFinalizer { .. } => {
            rule(record.tombstone, "Tombstone")?;
            rule(
                case.crd == Crd::Fine,
                "a definition that goes gives nothing back",
            )?;
            rule(nothing_leads(case, record), "the finalizer goes last")
        }
        Step::Blank { .. } => {
            rule(
                record.keeper.is_some() && !has_a_claim(case, record),
                "kept, and its pod over",
            )?;
            rule(
                nothing_leads(case, record),
                "blank means that nothing leads anywhere",
            )
        }
        Step::Place {
            outside: Some(_), ..
        } => {
            rule(!record.is_settled(), "fixed ports stay")?;
            rule(
                nothing_leads(case, record),
                "one record has one choice at a time",
            )
        }
        Step::WriteStatus { entries, .. } if !entries.is_empty() => {
            let all = case.look.as_ref().is_some_and(|table| {
                let mine = case.facts().mine(record, table).len();
                let there = |it: &Entry| {
                    table
                        .entries
                        .iter()
                        .any(|one| one.id == it.id && one.status == "Available")
                };
                mine == 2 && entries.iter().all(there)
            });
            rule(all && entries.len() == 2, "shown when all of them work")
        }
        Step::Delete { .. } => rule(!record.tombstone, "one DELETE"),
        _ => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn every_step_keeps_the_rules(case in any_case()) {
        let step = case.plan();
        prop_assert_eq!(keeps_the_rules(&case, &step), Ok(()), "{:?}", step);
    }
}
