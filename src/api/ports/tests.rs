//! Each annotation for DNAT: the values that are allowed and some that are not.

use proptest::prelude::*;

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

/// What these annotations ask on a bare pod.
fn ask(pairs: &[(&str, &str)]) -> Result<Parsed, Vec<Notice>> {
    parse(&map(pairs), &PodTraits::default())
}

/// The ports that `pairs` beside the switch and port 80 ask for.
fn ports(pairs: &[(&str, &str)]) -> Ports {
    let parsed = ask(&[&[(DNAT, ""), (PORT, "80")], pairs].concat()).unwrap();
    assert_eq!(parsed.warnings, []);
    parsed.ports.unwrap()
}

/// The one problem that `pairs` beside the switch and port 80 have.
fn problem(pairs: &[(&str, &str)]) -> String {
    let wrong = ask(&[&[(DNAT, ""), (PORT, "80")], pairs].concat()).unwrap_err();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    wrong[0].to_string()
}

#[test]
fn the_switch_alone_decides_whether_ports_are_asked_for() {
    for (value, on) in [("", true), ("true", true), ("false", false)] {
        let parsed = ask(&[(DNAT, value), (PORT, "80")]).unwrap();
        assert_eq!(parsed.ports.is_some(), on, "{value:?}");
    }
    assert_eq!(ask(&[(PORT, "80"), (FIXED, "")]).unwrap().ports, None);
    assert_eq!(
        ask(&[(DNAT, "false"), (PORT, "no")]).unwrap().ports,
        None,
        "what is not asked for is not judged"
    );
    let told = problem(&[(DNAT, "yes")]);
    assert!(
        told.starts_with("k8s.aliyun.com/pod-dnat \"yes\": must be \"\" or \"true\""),
        "{told}"
    );
}

#[test]
fn ports_are_one_or_many_in_the_order_given() {
    for (text, expected) in [
        ("80", vec![80]),
        ("80,443", vec![80, 443]),
        ("443, 80 ,65535", vec![443, 80, 65535]),
        ("1", vec![1]),
    ] {
        assert_eq!(ports(&[(PORT, text)]).inside, expected, "{text:?}");
    }
}

#[test]
fn a_wrong_port_is_told_with_what_is_allowed() {
    for text in [
        "0", "65536", "-1", "+80", "http", "80,", ",80", "80;443", "80 443", "8e1",
    ] {
        let told = problem(&[(PORT, text)]);
        assert!(told.contains("ports from 1 to 65535"), "{text:?}: {told}");
        assert!(told.starts_with(PORT), "{told}");
    }
    assert!(problem(&[(PORT, "80,443,80")]).contains("names 80 twice"));
    for empty in ["", " "] {
        assert!(problem(&[(PORT, empty)]).contains("such as \"80,443\""));
    }
    let missing = ask(&[(DNAT, "true")]).unwrap_err();
    assert_eq!(missing[0].key, PORT);
}

#[test]
fn the_protocol_is_tcp_or_udp_in_any_case() {
    for (text, expected) in [
        ("tcp", Protocol::Tcp),
        ("TCP", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("Udp", Protocol::Udp),
        ("", Protocol::Tcp),
    ] {
        assert_eq!(ports(&[(PROTOCOL, text)]).protocol, expected, "{text:?}");
    }
    assert_eq!(ports(&[]).protocol, Protocol::Tcp);
    for text in ["any", "sctp", "tcp,udp", " tcp"] {
        let told = problem(&[(PROTOCOL, text)]);
        assert!(told.contains("must be tcp or udp"), "{told}");
    }
}

#[test]
fn fixed_is_for_pods_that_come_back() {
    assert!(ports(&[(FIXED, "")]).fixed && ports(&[(FIXED, "true")]).fixed);
    assert!(!ports(&[(FIXED, "false")]).fixed && !ports(&[]).fixed);
    assert!(problem(&[(FIXED, "always")]).contains("to keep the ports"));
    let of_deployment = PodTraits {
        owner_kinds: vec!["ReplicaSet"],
        ..PodTraits::default()
    };
    let pairs = map(&[(DNAT, ""), (PORT, "80"), (FIXED, "")]);
    let parsed = parse(&pairs, &of_deployment).unwrap();
    assert!(!parsed.ports.unwrap().fixed);
    assert_eq!(parsed.warnings[0].key, FIXED);
}

#[test]
fn a_pod_on_the_hosts_network_is_refused() {
    let host = PodTraits {
        host_network: true,
        ..PodTraits::default()
    };
    let wrong = parse(&map(&[(DNAT, ""), (PORT, "80")]), &host).unwrap_err();
    assert!(wrong[0].text.contains("hostNetwork"));
    assert!(parse(&map(&[(DNAT, "false")]), &host).is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let wrong = ask(&[(DNAT, ""), (PORT, "no"), (PROTOCOL, "no"), (FIXED, "no")]).unwrap_err();
    let keys: Vec<_> = wrong.iter().map(|notice| notice.key.as_str()).collect();
    assert_eq!(keys, [PORT, PROTOCOL, FIXED]);
}

proptest! {
    #[test]
    fn no_annotation_panics_and_what_is_asked_is_whole(
        port in "[0-9, ]{0,20}|\\PC{0,20}",
        protocol in "tcp|UDP|\\PC{0,6}",
        fixed in "|true|false|\\PC{0,6}",
    ) {
        let pairs = [(DNAT, ""), (PORT, &*port), (PROTOCOL, &*protocol), (FIXED, &*fixed)];
        if let Ok(parsed) = ask(&pairs) {
            let ports = parsed.ports.unwrap();
            let differ: BTreeSet<_> = ports.inside.iter().collect();
            prop_assert!(!ports.inside.is_empty() && !ports.inside.contains(&0));
            prop_assert_eq!(differ.len(), ports.inside.len());
        }
    }
}
