//! The `eip` section: what it stands for, and which error a mistake in the limits gives.

use super::*;
use crate::api::limits::{Limit, Pattern};
use crate::cloud::vpc::InternetChargeType;
use crate::domain::pod::Nameable;

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts
        .iter()
        .map(|text| Pattern::parse(text).unwrap())
        .collect()
}

#[allow(clippy::unnecessary_wraps)] // it is written where an Option stands
fn list(items: &[&str]) -> Option<Vec<String>> {
    Some(items.iter().map(|item| (*item).to_owned()).collect())
}

#[test]
fn both_switches_are_off_until_set() {
    let off = parse("eip: {allowRob: false, liveBandwidth: false}").eip;
    assert_eq!((off.allow_rob, off.live_bandwidth), (false, false));
    let rob = parse("eip: {allowRob: true}").eip;
    assert_eq!((rob.allow_rob, rob.live_bandwidth), (true, false));
    let live = parse("eip:\n  liveBandwidth: true\n").eip;
    assert_eq!((live.allow_rob, live.live_bandwidth), (false, true));
}

#[test]
fn the_environment_sets_both_switches() {
    let pairs = [
        ("EIPD_EIP_ALLOW_ROB", "true"),
        ("EIPD_EIP_LIVE_BANDWIDTH", "true"),
    ];
    for (n, pair) in pairs.iter().enumerate() {
        let eip = parse_with("", &[*pair]).unwrap().eip;
        assert_eq!([eip.allow_rob, eip.live_bandwidth], [n == 0, n == 1]);
    }
    let off = parse_with("eip: {allowRob: true}", &[("EIPD_EIP_ALLOW_ROB", "false")]);
    assert!(!off.unwrap().eip.allow_rob);
    let odd = parse_with("", &[("EIPD_EIP_LIVE_BANDWIDTH", "1")]).unwrap_err();
    assert_eq!(
        odd.to_string(),
        "environment variable EIPD_EIP_LIVE_BANDWIDTH: eip.liveBandwidth: expected true or false, found \"1\""
    );
}

#[test]
fn every_limit_there_is() {
    let config = parse(
        "eip:\n  limits:\n  - namespaces: [team-a, 'game-*']\n    maxBandwidth: 20\n    chargeTypes: [PayByTraffic]\n    \
         isps: [BGP, BGP_PRO]\n    protectionTypes: []\n    packages: [cbwp-1, cbwp-2]\n    pools: [pippool-1]\n    \
         resourceGroups: [rg-1]\n    eipTags: {team: a, floor: 1, spare: ''}\n  - namespaces: ['*']\n    nameEips: false\n",
    );
    let tags = [("team", "a"), ("floor", "1"), ("spare", "")];
    let first = Limit {
        namespaces: patterns(&["team-a", "game-*"]),
        max_bandwidth: Some(20),
        charge_types: Some(vec![InternetChargeType::PayByTraffic]),
        isps: list(&["BGP", "BGP_PRO"]),
        protection_types: list(&[]),
        packages: list(&["cbwp-1", "cbwp-2"]),
        pools: list(&["pippool-1"]),
        resource_groups: list(&["rg-1"]),
        nameable: Nameable::With(env(&tags)),
    };
    let second = Limit {
        namespaces: patterns(&["*"]),
        nameable: Nameable::None,
        ..Limit::default()
    };
    assert_eq!(config.eip.limits, Limits::new(vec![first, second]));
}

#[test]
fn what_is_left_out_limits_nothing() {
    for (keys, nameable) in [("", Nameable::Any), (", nameEips: true", Nameable::Any)] {
        let config = parse(&format!("eip: {{limits: [{{namespaces: [a]{keys}}}]}}"));
        let limit = Limit {
            namespaces: patterns(&["a"]),
            nameable,
            ..Limit::default()
        };
        assert_eq!(config.eip.limits, Limits::new(vec![limit]));
    }
    for none in ["eip: {limits: []}", "eip:\n  limits:\n", "eip:\n"] {
        assert_eq!(parse(none).eip, EipSettings::default(), "{none}");
    }
}

/// The entry, and how its error goes on behind `eip.limits[0]`; the entry begins in line 3.
const MISTAKES: &[(&str, &str)] = &[
    ("{}", ":2: eip.limits[0]: namespaces is not set"),
    ("", ":2: eip.limits[0]: expected a mapping, found nothing"),
    (
        "team-a",
        ":2: eip.limits[0]: expected a mapping, found \"team-a\"",
    ),
    (
        "{namespaces: team-a}",
        ":3: eip.limits[0].namespaces: expected a list, found \"team-a\"",
    ),
    (
        "{namespaces: []}",
        ":3: eip.limits[0].namespaces: has no namespace; write \"*\" for all",
    ),
    (
        "{namespaces: }",
        ":3: eip.limits[0].namespaces: expected a list, found nothing",
    ),
    (
        "{namespaces: [a, '*-b']}",
        ":3: eip.limits[0].namespaces[1]: expected a namespace's name, or its beginning and then *, or * alone, found \"*-b\"",
    ),
    (
        "{namespaces: [true]}",
        ":3: eip.limits[0].namespaces[0]: expected text (put it in quotes), found true",
    ),
    (
        "{namespaces: [a], maxBandwith: 3}",
        ":3: eip.limits[0].maxBandwith: unknown key; there are namespaces, maxBandwidth, chargeTypes, isps,",
    ),
    (
        "namespaces: [a]\n    maxBandwidth: 501",
        ":4: eip.limits[0].maxBandwidth: expected a whole number from 1 to 500, found 501",
    ),
    (
        "{namespaces: [a], maxBandwidth: 0}",
        ":3: eip.limits[0].maxBandwidth: expected a whole number from 1 to 500, found 0",
    ),
    (
        "{namespaces: [a], maxBandwidth: '5'}",
        ":3: eip.limits[0].maxBandwidth: expected a whole number from 1 to 500, found \"5\"",
    ),
    (
        "{namespaces: [a], maxBandwidth: }",
        ":3: eip.limits[0].maxBandwidth: expected a whole number from 1 to 500, found nothing",
    ),
    (
        "{namespaces: [a], chargeTypes: [PayByTraffic, Free]}",
        ":3: eip.limits[0].chargeTypes[1]: \"Free\" must be PayByTraffic or PayByBandwidth",
    ),
    (
        "{namespaces: [a], chargeTypes: PayByTraffic}",
        ":3: eip.limits[0].chargeTypes: expected a list, found \"PayByTraffic\"",
    ),
    (
        "{namespaces: [a], isps: [bgp]}",
        ":3: eip.limits[0].isps[0]: \"bgp\" must be one of BGP, BGP_PRO,",
    ),
    (
        "{namespaces: [a], protectionTypes: [Basic]}",
        ":3: eip.limits[0].protectionTypes[0]: \"Basic\" must be one of AntiDDoS_Enhanced",
    ),
    (
        "{namespaces: [a], packages: }",
        ":3: eip.limits[0].packages: expected a list, found nothing",
    ),
    (
        "{namespaces: [a], packages: ''}",
        ":3: eip.limits[0].packages: expected a list, found \"\"",
    ),
    (
        "{namespaces: [a], packages: ['']}",
        ":3: eip.limits[0].packages[0]: expected text, found \"\"",
    ),
    (
        "{namespaces: [a], packages: [a b]}",
        ":3: eip.limits[0].packages[0]: \"a b\" must be an id: at most 64 letters",
    ),
    (
        "{namespaces: [a], pools: [[b]]}",
        ":3: eip.limits[0].pools[0]: expected text, found a list",
    ),
    (
        "{namespaces: [a], resourceGroups: {rg: 1}}",
        ":3: eip.limits[0].resourceGroups: expected a list, found a mapping",
    ),
    (
        "{namespaces: [a], nameEips: none}",
        ":3: eip.limits[0].nameEips: expected true or false, found \"none\"",
    ),
    (
        "{namespaces: [a], eipTags: {}}",
        ":3: eip.limits[0].eipTags: has no tag; remove it to let every EIP be named, or set nameEips to false",
    ),
    (
        "{namespaces: [a], eipTags: }",
        ":3: eip.limits[0].eipTags: expected a mapping, found nothing",
    ),
    (
        "{namespaces: [a], eipTags: [team]}",
        ":3: eip.limits[0].eipTags: expected a mapping, found a list",
    ),
    (
        "{namespaces: [a], eipTags: {team: }}",
        ":3: eip.limits[0].eipTags.team: expected text, found nothing",
    ),
    (
        "{namespaces: [a], eipTags: {prod: true}}",
        ":3: eip.limits[0].eipTags.prod: expected text (put it in quotes), found true",
    ),
    (
        "{namespaces: [a], eipTags: {'': a}}",
        ":3: eip.limits[0].eipTags.: a tag must have a key",
    ),
    (
        "{namespaces: [a], eipTags: {eipd-record: a}}",
        ":3: eip.limits[0].eipTags.eipd-record: an EIP with a tag of eipd's can't be named",
    ),
    (
        "{namespaces: [a], nameEips: false, eipTags: {team: a}}",
        ":3: eip.limits[0].eipTags: nameEips is false, so no EIP may be named whatever its tags; remove one of the two",
    ),
];

#[test]
fn mistakes_in_the_limits_are_named_with_file_line_and_key() {
    for (entry, want) in MISTAKES {
        let text = error(&format!("eip:\n  limits:\n  - {entry}\n"));
        assert!(
            text.starts_with(&format!("config.yaml{want}")),
            "\n{entry}\n gave {text}\n not {want}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
    assert_eq!(
        error("eip: {limits: {namespaces: [a]}}"),
        "config.yaml:1: eip.limits: expected a list, found a mapping"
    );
    assert!(error("eip: {limit: []}").starts_with("config.yaml:1: eip.limit: unknown key"));
    assert!(
        error("eip: {allowRob: yes please}")
            .starts_with("config.yaml:1: eip.allowRob: expected true or false")
    );
}

#[test]
fn an_entry_that_never_holds_is_a_mistake() {
    let entries = |first: &str, second: &str| {
        format!(
            "eip:\n  limits:\n  - namespaces: ['x', '{first}']\n  - namespaces: ['y', '{second}']\n"
        )
    };
    for (first, second) in [("*", "a"), ("team-*", "team-a"), ("a", "a"), ("*", "*")] {
        assert_eq!(
            error(&entries(first, second)),
            if first == "*" {
                "config.yaml:4: eip.limits[1].namespaces[0]: never holds, for eip.limits[0] stands before it and has the same namespaces; move it up".to_owned()
            } else {
                "config.yaml:4: eip.limits[1].namespaces[1]: never holds, for eip.limits[0] stands before it and has the same namespaces; move it up".to_owned()
            }
        );
    }
    for (first, second) in [("a", "*"), ("team-a", "team-*"), ("a", "b")] {
        parse(&entries(first, second));
    }
}

#[test]
fn a_file_with_our_section_is_in_our_form() {
    let text = "clusterID: c1\nreplicaCount: 2\neip: {allowRob: false}\n";
    assert!(error(text).contains("replicaCount: unknown key"));
}
