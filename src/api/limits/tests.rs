//! Every limit: what it allows, what it refuses, and what is said then.

use proptest::prelude::*;

use super::*;
use crate::api::request::{self, PodTraits};

const ON: (&str, &str) = ("k8s.aliyun.com/pod-with-eip", "true");
const NAMED: (&str, &str) = ("network.alibabacloud.com/pod-eip-instanceid", "eip-bp14q");

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

fn parsed(pairs: &[(&str, &str)]) -> Parsed {
    request::parse(&map(pairs), &PodTraits::default()).unwrap()
}

#[allow(clippy::unnecessary_wraps)] // it is written where an Option stands
fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| (*item).to_owned()).collect())
}

/// Limits with one entry, for every namespace.
fn all(limit: Limit) -> Limits {
    Limits::new(vec![named("*", limit)])
}

fn named(pattern: &str, limit: Limit) -> Limit {
    Limit {
        namespaces: vec![Pattern::parse(pattern).unwrap()],
        ..limit
    }
}

fn at_most(max: u32) -> Limit {
    Limit {
        max_bandwidth: Some(max),
        ..Limit::default()
    }
}

/// What is said to a pod that asks for an EIP with this annotation too.
fn said(limit: Limit, pair: (&str, &str)) -> Vec<String> {
    let notices = all(limit).check("team-a", &parsed(&[ON, pair]));
    notices.iter().map(ToString::to_string).collect()
}

#[test]
fn without_limits_nothing_is_limited() {
    let everything = parsed(&[
        ON,
        ("k8s.aliyun.com/eip-bandwidth", "500"),
        ("k8s.aliyun.com/eip-charge-type", "PayByBandwidth"),
        ("k8s.aliyun.com/eip-isp", "ChinaTelecom"),
        (
            "k8s.aliyun.com/eip-security-protection-types",
            "AntiDDoS_Enhanced",
        ),
        ("k8s.aliyun.com/eip-common-bandwidth-package-id", "cbwp-1"),
        ("k8s.aliyun.com/eip-public-ip-address-pool-id", "pippool-1"),
        ("k8s.aliyun.com/eip-resource-group-id", "rg-1"),
    ]);
    let exempt = all(Limit::default());
    for limits in [Limits::default(), exempt] {
        assert_eq!(limits.check("team-a", &everything), []);
        assert_eq!(limits.check("team-a", &parsed(&[NAMED])), []);
        assert_eq!(limits.nameable("team-a"), Nameable::Any);
        assert_eq!(
            limits.admit("team-a", everything.clone()),
            Ok(everything.clone())
        );
    }
}

#[test]
fn bandwidth() {
    let key = "k8s.aliyun.com/eip-bandwidth";
    assert_eq!(said(at_most(20), (key, "20")), Vec::<String>::new());
    assert_eq!(
        said(at_most(20), (key, "21")),
        [
            "k8s.aliyun.com/eip-bandwidth \"21\": this namespace may have at most 20 Mbit/s (limits in eipd's configuration)"
        ]
    );
}

#[test]
fn a_default_counts_too() {
    let plain = parsed(&[ON]);
    assert_eq!(all(at_most(5)).check("a", &plain), []);
    let limit = Limit {
        charge_types: Some(vec![InternetChargeType::PayByBandwidth]),
        isps: list(&["BGP_PRO"]),
        ..at_most(3)
    };
    let beyond = all(limit).check("a", &plain);
    let texts: Vec<_> = beyond.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "network.alibabacloud.com/eip-bandwidth \"5\": the default; this namespace may have at most 3 Mbit/s (limits in eipd's configuration); set it to at most 3",
            "network.alibabacloud.com/eip-internet-charge-type \"PayByTraffic\": the default; this namespace may have only PayByBandwidth (limits in eipd's configuration); set it to what is allowed",
            "network.alibabacloud.com/eip-isp \"BGP\": the default; this namespace may have only BGP_PRO (limits in eipd's configuration); set it to what is allowed",
        ]
    );
}

#[test]
fn an_empty_annotation_is_a_default_under_its_own_key() {
    let text = said(at_most(3), ("k8s.aliyun.com/eip-bandwidth", "")).concat();
    assert!(
        text.starts_with("k8s.aliyun.com/eip-bandwidth \"5\": this namespace may have at most 3"),
        "{text}"
    );
}

#[test]
fn where_no_value_is_allowed_none_is_recommended() {
    let limit = Limit {
        charge_types: Some(vec![]),
        ..Limit::default()
    };
    let notices = all(limit).check("a", &parsed(&[ON]));
    assert_eq!(
        notices[0].text,
        "the default; this namespace may have none (limits in eipd's configuration)"
    );
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn a_list_allows_what_it_holds() {
    let traffic = Some(vec![InternetChargeType::PayByTraffic]);
    let cases: [(&str, &str, &str, Limit, Limit); 6] = [
        (
            "eip-charge-type",
            "PayByTraffic",
            "PayByBandwidth",
            Limit {
                charge_types: traffic,
                ..Limit::default()
            },
            Limit {
                charge_types: Some(vec![]),
                ..Limit::default()
            },
        ),
        (
            "eip-isp",
            "BGP",
            "BGP_PRO",
            Limit {
                isps: list(&["BGP"]),
                ..Limit::default()
            },
            Limit {
                isps: list(&[]),
                ..Limit::default()
            },
        ),
        (
            "eip-common-bandwidth-package-id",
            "cbwp-1",
            "cbwp-2",
            Limit {
                packages: list(&["cbwp-0", "cbwp-1"]),
                ..Limit::default()
            },
            Limit {
                packages: list(&[]),
                ..Limit::default()
            },
        ),
        (
            "eip-public-ip-address-pool-id",
            "pippool-1",
            "pippool-2",
            Limit {
                pools: list(&["pippool-1"]),
                ..Limit::default()
            },
            Limit {
                pools: list(&[]),
                ..Limit::default()
            },
        ),
        (
            "eip-resource-group-id",
            "rg-1",
            "rg-2",
            Limit {
                resource_groups: list(&["rg-1"]),
                ..Limit::default()
            },
            Limit {
                resource_groups: list(&[]),
                ..Limit::default()
            },
        ),
        (
            "eip-security-protection-types",
            "AntiDDoS_Enhanced",
            "AntiDDoS_Enhanced",
            Limit {
                protection_types: list(&["AntiDDoS_Enhanced"]),
                ..Limit::default()
            },
            Limit {
                protection_types: list(&[]),
                ..Limit::default()
            },
        ),
    ];
    for (name, good, bad, some, none) in cases {
        let key = format!("k8s.aliyun.com/{name}");
        assert_eq!(
            said(some.clone(), (&key, good)),
            Vec::<String>::new(),
            "{name}"
        );
        if bad != good {
            let text = said(some, (&key, bad)).concat();
            assert!(
                text.starts_with(&format!("{key} \"{bad}\": this namespace may have only ")),
                "{text}"
            );
            assert!(
                text.contains(good) && text.ends_with(" (limits in eipd's configuration)"),
                "{text}"
            );
        }
        let text = said(none, (&key, good)).concat();
        let want = format!(
            "{key} \"{good}\": this namespace may have none (limits in eipd's configuration)"
        );
        assert_eq!(text, want);
    }
}

#[test]
fn what_is_not_asked_for_needs_no_leave() {
    let nothing = Limit {
        protection_types: list(&[]),
        packages: list(&[]),
        pools: list(&[]),
        resource_groups: list(&[]),
        ..Limit::default()
    };
    assert_eq!(all(nothing).check("a", &parsed(&[ON])), []);
    let strictest = Limit {
        charge_types: Some(vec![]),
        ..at_most(1)
    };
    assert_eq!(all(strictest).check("a", &parsed(&[])), []);
}

#[test]
fn everything_beyond_is_told_at_once_under_the_keys_as_written() {
    let limit = Limit {
        charge_types: Some(vec![InternetChargeType::PayByTraffic]),
        pools: list(&[]),
        ..at_most(10)
    };
    let asked = parsed(&[
        ON,
        ("network.alibabacloud.com/eip-bandwidth", "11"),
        ("k8s.aliyun.com/eip-charge-type", "PayByBandwidth"),
        ("k8s.aliyun.com/eip-public-ip-address-pool-id", "pippool-1"),
    ]);
    let beyond = all(limit).admit("a", asked).unwrap_err();
    let keys: Vec<_> = beyond.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "network.alibabacloud.com/eip-bandwidth",
            "k8s.aliyun.com/eip-charge-type",
            "k8s.aliyun.com/eip-public-ip-address-pool-id",
        ]
    );
}

#[test]
fn the_first_entry_that_matches_holds() {
    let limits = Limits::new(vec![
        named("team-a", Limit::default()),
        named("team-*", at_most(10)),
        named("*", at_most(1)),
    ]);
    let asked = parsed(&[ON]);
    for (namespace, beyond) in [("team-a", 0), ("team-b", 0), ("default", 1)] {
        assert_eq!(limits.check(namespace, &asked).len(), beyond, "{namespace}");
    }
    let two = Limits::new(vec![named("team-*", at_most(1))]);
    assert_eq!(two.check("default", &asked), []);
}

#[test]
fn naming_an_eip_can_be_forbidden() {
    let none = Limit {
        nameable: Nameable::None,
        ..at_most(1)
    };
    let limits = all(none);
    let notices = limits.check("a", &parsed(&[NAMED]));
    assert_eq!(
        notices[0].to_string(),
        "network.alibabacloud.com/pod-eip-instanceid \"eip-bp14q\": this namespace may name no EIP (limits in eipd's configuration)"
    );
    assert_eq!(
        notices.len(),
        1,
        "a named EIP is not paid for by what the pod asks"
    );
    assert_eq!(limits.nameable("a"), Nameable::None);
}

#[test]
fn which_eips_may_be_named_is_judged_later_by_their_tags() {
    let nameable = Nameable::With(map(&[("team", "a")]));
    let limits = all(Limit {
        nameable: nameable.clone(),
        ..at_most(1)
    });
    assert_eq!(limits.check("a", &parsed(&[NAMED])), []);
    assert_eq!(limits.nameable("a"), nameable);
}

fn any_list() -> impl Strategy<Value = Option<Vec<String>>> {
    proptest::option::of(proptest::collection::vec("[a-zA-Z0-9_.-]{1,64}", 0..40))
}

proptest! {
    /// However long the lists of the configuration and the annotations are.
    #[test]
    fn every_message_names_key_value_and_limit_and_fits_into_an_event(
        max in proptest::option::of(1_u32..=500),
        bandwidth in 1_u32..=200,
        isps in any_list(),
        packages in any_list(),
        groups in any_list(),
        id in "[a-zA-Z0-9_.-]{1,64}",
    ) {
        let asked = parsed(&[
            ON,
            ("k8s.aliyun.com/eip-bandwidth", &bandwidth.to_string()),
            ("k8s.aliyun.com/eip-common-bandwidth-package-id", &id),
            ("network.alibabacloud.com/eip-resource-group-id", &id),
        ]);
        let within = |list: &Option<Vec<String>>, one: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|item| item == one))
        };
        let beyond = [
            max.is_some_and(|max| bandwidth > max),
            !within(&isps, "BGP"),
            !within(&packages, &id),
            !within(&groups, &id),
        ];
        let limit = Limit { max_bandwidth: max, isps, packages, resource_groups: groups, ..Limit::default() };
        let notices = all(limit).check("a", &asked);
        prop_assert_eq!(notices.len(), beyond.iter().filter(|one| **one).count());
        for notice in notices {
            let text = notice.to_string();
            prop_assert!(text.len() < 1024, "{}", text);
            prop_assert!(text.contains("eip-") && !notice.value.is_empty(), "{}", text);
            prop_assert!(text.contains("may have") && text.contains(WHOSE), "{}", text);
        }
    }
}
