//! Each setting, its default, and the texts.

use proptest::prelude::*;

use super::*;
use crate::cloud::vpc::InternetChargeType;

fn args() -> AllocateArgs {
    AllocateArgs::new(5, InternetChargeType::PayByTraffic)
}

fn full() -> AllocateArgs {
    AllocateArgs {
        isp: Some("BGP_PRO".to_owned()),
        pool: Some("pippool-1".to_owned()),
        resource_group: Some("rg-1".to_owned()),
        name: Some("ns/pod".to_owned()),
        description: Some("d".to_owned()),
        security_protection_types: vec!["AntiDDoS_Enhanced".to_owned()],
        tags: tagged(&[("team", "a"), ("stage", "x")]).tags,
        ..AllocateArgs::new(10, InternetChargeType::PayByBandwidth)
    }
}

fn tagged(tags: &[(&str, &str)]) -> AllocateArgs {
    AllocateArgs {
        tags: tags
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        ..args()
    }
}

/// The one setting that differs, as (key, kept, asked).
fn only(frozen: &AllocateArgs, asked: &AllocateArgs) -> (&'static str, String, String) {
    let mut changes = changes(frozen, asked);
    assert_eq!(changes.settings.len(), 1, "{changes:?}");
    assert_eq!(changes.bandwidth, None);
    let Change { key, kept, asked } = changes.settings.remove(0);
    (key, kept, asked)
}

#[test]
fn each_setting_is_told_by_its_annotation_in_both_directions() {
    type Set = fn(&mut AllocateArgs);
    let cases: [(&str, Set, &str, &str); 8] = [
        (
            "eip-internet-charge-type",
            |args| args.internet_charge_type = InternetChargeType::PayByBandwidth,
            "PayByTraffic",
            "PayByBandwidth",
        ),
        (
            "eip-isp",
            |args| args.isp = Some("BGP_PRO".to_owned()),
            "BGP",
            "BGP_PRO",
        ),
        (
            "eip-public-ip-address-pool-id",
            |args| args.pool = Some("pippool-1".to_owned()),
            "",
            "pippool-1",
        ),
        (
            "eip-resource-group-id",
            |args| args.resource_group = Some("rg-1".to_owned()),
            "",
            "rg-1",
        ),
        (
            "eip-name",
            |args| args.name = Some("ns/pod".to_owned()),
            "",
            "ns/pod",
        ),
        (
            "eip-description",
            |args| args.description = Some("d".to_owned()),
            "",
            "d",
        ),
        (
            "eip-security-protection-types",
            |args| args.security_protection_types = vec!["AntiDDoS_Enhanced".to_owned()],
            "",
            "AntiDDoS_Enhanced",
        ),
        (
            "eip-tags",
            |args| args.tags = tagged(&[("team", "a")]).tags,
            "",
            r#"{"team":"a"}"#,
        ),
    ];
    for (key, set, plain, other) in cases {
        let mut changed = args();
        set(&mut changed);
        assert_eq!(
            only(&args(), &changed),
            (key, plain.to_owned(), other.to_owned())
        );
        assert_eq!(
            only(&changed, &args()),
            (key, other.to_owned(), plain.to_owned())
        );
    }
}

#[test]
fn all_that_differ_are_told_at_once() {
    assert_eq!(changes(&full(), &full()), Changes::default());
    let changes = changes(&args(), &full());
    let keys: Vec<_> = changes.settings.iter().map(|change| change.key).collect();
    assert_eq!(
        keys,
        [
            "eip-internet-charge-type",
            "eip-isp",
            "eip-public-ip-address-pool-id",
            "eip-resource-group-id",
            "eip-name",
            "eip-description",
            "eip-security-protection-types",
            "eip-tags",
        ]
    );
    assert_eq!(changes.bandwidth, Some((5, 10)));
}

#[test]
fn bandwidth_is_apart_and_has_the_same_text_where_it_stays() {
    let faster = AllocateArgs {
        bandwidth: 50,
        ..args()
    };
    let changes = changes(&args(), &faster);
    assert_eq!(changes.settings, []);
    assert_eq!(changes.bandwidth, Some((5, 50)));
    assert_eq!(
        changes.bandwidth_stays().map(|change| change.to_string()),
        Some("eip-bandwidth \"50\": acts when the EIP is created; this EIP keeps \"5\"; delete the PodEIP to get another".to_owned())
    );
    assert_eq!(Changes::default().bandwidth_stays(), None);
}

#[test]
fn defaults_and_empty_values_written_out_are_no_change() {
    let empty = || Some(String::new());
    let written = AllocateArgs {
        isp: Some("BGP".to_owned()),
        pool: empty(),
        resource_group: empty(),
        name: empty(),
        description: empty(),
        ..args()
    };
    assert_eq!(changes(&args(), &written), Changes::default());
    assert_eq!(changes(&written, &args()), Changes::default());
    let no_isp = AllocateArgs {
        isp: empty(),
        ..args()
    };
    assert_eq!(changes(&no_isp, &written), Changes::default());
}

#[test]
fn order_and_repetition_are_no_change() {
    let types = |types: &[&str]| AllocateArgs {
        security_protection_types: types.iter().map(|t| (*t).to_owned()).collect(),
        ..args()
    };
    let (one, other) = (types(&["a", "b"]), types(&["b", "a", "b"]));
    assert_eq!(changes(&one, &other), Changes::default());
    let (one, other) = (
        tagged(&[("a", "1"), ("b", "2")]),
        tagged(&[("b", "2"), ("a", "1")]),
    );
    assert_eq!(changes(&one, &other), Changes::default());
}

#[test]
fn of_tags_only_those_that_differ_are_told_and_never_our_own() {
    let kept = tagged(&[("a", "1"), ("b", "2"), ("c", "3"), ("eipd-record", "u-1")]);
    let asked = tagged(&[("a", "1"), ("b", "4"), ("d", "5")]);
    assert_eq!(
        only(&kept, &asked),
        (
            "eip-tags",
            r#"{"b":"2","c":"3"}"#.to_owned(),
            r#"{"b":"4","d":"5"}"#.to_owned()
        )
    );
    let ours = tagged(&[("eipd-record", "u-1"), ("eipd-cluster", "c")]);
    assert_eq!(changes(&ours, &args()), Changes::default());
}

#[test]
fn the_texts_are_those_of_an_event() {
    let asked = AllocateArgs {
        isp: Some("BGP_PRO".to_owned()),
        name: Some("evil\nname".to_owned()),
        ..args()
    };
    let texts: Vec<_> = changes(&args(), &asked)
        .settings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        texts,
        [
            "eip-isp \"BGP_PRO\": acts when the EIP is created; this EIP keeps \"BGP\"; delete the PodEIP to get another",
            "eip-name \"evil\\nname\": acts when the EIP is created; this EIP has none; delete the PodEIP to get another",
        ]
    );
}

proptest! {
    #[test]
    fn whatever_they_hold_texts_are_short_and_on_one_line(kept in ".*", asked in ".*") {
        let named = |name: &str| AllocateArgs { description: Some(name.to_owned()), ..args() };
        let changes = changes(&named(&kept), &named(&asked));
        prop_assert_eq!(changes.settings.is_empty(), kept == asked);
        for change in changes.settings {
            prop_assert!(!change.to_string().contains(char::is_control));
            prop_assert!(change.to_string().len() < 1024, "an Event's note");
        }
    }
}
