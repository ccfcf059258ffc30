//! EIPs that the user named: whose turn it is, what may be named, and what is taken from whom.

use super::*;
use crate::domain::pod::Nameable;

fn timestamp(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(second).unwrap()
}

fn naming(nameable: Nameable) -> Pod {
    let which = Which::Static {
        eip: id("eip-1"),
        nameable,
    };
    Pod {
        ask: Ask::Eip(Arc::new(Wish { which, ..wish() })),
        ..living()
    }
}

/// A free EIP that nobody tagged, named by the record of second 10; the pod has its address.
fn case(nameable: Nameable) -> Case {
    let record = Record {
        kind: Kind::Static,
        request: None,
        created: Some(timestamp(10)),
        ..named()
    };
    Case {
        place: Some(place(5)),
        namers: Some(Vec::new()),
        look: Some(Look::Seen(Box::new(users(Standing::Free)))),
        ..Case::new(Some(naming(nameable)), Some(record))
    }
}

fn users(standing: Standing) -> Seen {
    Seen {
        cluster_tag: None,
        record_tag: None,
        ..seen(standing)
    }
}

fn namer(created: i64, target: Option<Place>) -> Vec<Namer> {
    vec![Namer {
        key: Key {
            name: "other".to_owned(),
            ..key()
        },
        uid: Uid::new("other"),
        created: Some(timestamp(created)),
        target,
    }]
}

#[test]
fn the_oldest_record_has_it_unless_another_has_aimed_already() {
    let aims = |step: &Step| matches!(step, Step::WriteTarget { .. });
    for (others, mine) in [
        (Vec::new(), true),
        (namer(11, None), true),
        (namer(9, None), false),
        (namer(11, Some(place(6))), false),
        (namer(9, Some(place(6))), false),
    ] {
        let case = Case {
            namers: Some(others.clone()),
            ..case(Nameable::Any)
        };
        let step = case.plan();
        assert_eq!(aims(&step), mine, "{others:?}: {step:?}");
        let waits = matches!(step, Step::Pause(Pause::Held { .. }));
        assert_eq!(waits, !mine, "{others:?}: {step:?}");
    }
}

#[test]
fn who_names_it_is_listed_before_anything_else() {
    let case = Case {
        namers: None,
        look: None,
        ..case(Nameable::Any)
    };
    assert_eq!(case.plan(), Step::ListNamers(id("eip-1")));
}

#[test]
fn any_tag_of_an_eipds_makes_it_somebodys() {
    for (cluster, record) in [
        (Some("cluster"), None),
        (Some("another cluster"), Some("record-9")),
        (None, Some("record-9")),
    ] {
        let tagged = Seen {
            cluster_tag: cluster.map(str::to_owned),
            record_tag: record.map(str::to_owned),
            ..seen(Standing::Free)
        };
        let case = Case {
            look: Some(Look::Seen(Box::new(tagged))),
            ..case(Nameable::Any)
        };
        let step = case.plan();
        assert!(
            matches!(step, Step::Pause(Pause::NotNameable { .. })),
            "{cluster:?} {record:?}: {step:?}"
        );
    }
}

#[test]
fn a_limit_by_tag_is_held_against_what_the_cloud_says() {
    let wanted = Nameable::With([("team".to_owned(), "games".to_owned())].into());
    for (tag, may) in [
        (None, false),
        (Some(("team", "web")), false),
        (Some(("team", "games")), true),
    ] {
        let tagged = Seen {
            tags: tag
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            ..users(Standing::Free)
        };
        let case = Case {
            look: Some(Look::Seen(Box::new(tagged))),
            ..case(wanted.clone())
        };
        let step = case.plan();
        let refused = matches!(step, Step::Pause(Pause::NotNameable { .. }));
        assert_eq!(refused, !may, "{tag:?}: {step:?}");
    }
}

#[test]
fn it_is_taken_from_an_interface_of_this_vpc_where_that_is_allowed() {
    let there = place(9);
    let holder = |vpc: &str| {
        Some(Holder {
            eni: there.eni.clone(),
            vpc: vpc.to_owned(),
            primary: None,
        })
    };
    for (allowed, vpc, taken) in [
        (false, "vpc-1", false),
        (true, "vpc-2", false),
        (true, "vpc-1", true),
    ] {
        let mut case = Case {
            look: Some(Look::Seen(Box::new(users(at(&there))))),
            holder: holder(vpc),
            ..case(Nameable::Any)
        };
        case.me.policy = Policy {
            vpc: Some("vpc-1".to_owned()),
            allow_rob: allowed,
            ..Policy::default()
        };
        let step = case.plan();
        let takes = matches!(&step, Step::WriteTake { place, .. } if *place == there);
        assert_eq!(takes, taken, "{allowed} {vpc}: {step:?}");
        assert_eq!(
            matches!(step, Step::Pause(Pause::Elsewhere { .. })),
            !taken,
            "{allowed} {vpc}: {step:?}"
        );
    }
}
