//! Which key switches an EIP on, and which of several keys holds.

use super::*;

#[test]
fn a_pod_without_annotations_asks_for_nothing() {
    let nothing = Parsed {
        request: Request::Nothing,
        warnings: vec![],
        written: BTreeMap::new(),
    };
    assert_eq!(ask(&[]).unwrap(), nothing);
    assert_eq!(
        ask(&[("k8s.aliyun.com/eip-bandwidth", "x")]).unwrap(),
        nothing
    );
    assert_eq!(
        ask(&[("example.com/pod-with-eip", "true")]).unwrap(),
        nothing
    );
}

#[test]
fn each_switch_switches() {
    for key in [
        "k8s.aliyun.com/pod-with-eip",
        "network.alibabacloud.com/pod-with-eip",
        "k8s.aliyun.com/eci-with-eip",
    ] {
        let on = ask(&[(key, "true")]).unwrap();
        assert!(matches!(on.request, Request::Auto(_)), "{key}");
        assert_eq!(
            ask(&[(key, "false")]).unwrap().request,
            Request::Nothing,
            "{key}"
        );
        for wrong in ["", "True", "yes", "1", " true", "true\n"] {
            let text = only(&ask(&[(key, wrong)]).unwrap_err());
            assert!(text.starts_with(key), "{text}");
            assert!(
                text.ends_with("must be \"true\" for an EIP or \"false\" for none"),
                "{text}"
            );
        }
    }
    assert!(
        ask(&[("network.alibabacloud.com/eci-with-eip", "true")])
            .unwrap()
            .request
            == Request::Nothing
    );
}

#[test]
fn each_key_can_name_an_eip() {
    for key in [
        "k8s.aliyun.com/pod-eip-instanceid",
        "network.alibabacloud.com/pod-eip-instanceid",
        "k8s.aliyun.com/eci-eip-instanceid",
    ] {
        let named = ask(&[(key, "eip-bp14q")]).unwrap();
        let expected = Request::Static {
            eip: EipId::new("eip-bp14q"),
            strategy: Strategy::Follow,
        };
        assert_eq!(named.request, expected, "{key}");
        assert_eq!(
            ask(&[(key, "eip-bp14q"), ON]).unwrap().request,
            expected,
            "{key}"
        );
        let off = ask(&[(key, "eip-bp14q"), (ON.0, "false")]).unwrap();
        assert_eq!(off.request, Request::Nothing, "{key}");
    }
}

#[test]
fn a_named_eip_has_to_be_one() {
    for wrong in [
        "",
        "eip-",
        "bp14q",
        "eip-a,eip-b",
        "eip-a b",
        "<youreipInstanceId>",
        &format!("eip-{}", "a".repeat(60)),
    ] {
        let text = only(&ask(&[(NAMED.0, wrong)]).unwrap_err());
        assert!(
            text.ends_with("must be the id of one EIP, eip-..."),
            "{text}"
        );
    }
}

#[test]
fn the_newer_prefix_wins_and_that_is_said() {
    let parsed = ask(&[
        ON,
        ("network.alibabacloud.com/eip-bandwidth", "10"),
        ("k8s.aliyun.com/eip-bandwidth", "20"),
    ])
    .unwrap();
    let Request::Auto(auto) = parsed.request else {
        panic!()
    };
    assert_eq!(auto.args.bandwidth, 10);
    assert_eq!(
        only(&parsed.warnings),
        "k8s.aliyun.com/eip-bandwidth \"20\": ignored, for network.alibabacloud.com/eip-bandwidth is \"10\""
    );
}

#[test]
fn a_key_wins_over_its_alias() {
    for (winner, alias, value, other) in [
        ("pod-with-eip", "eci-with-eip", "true", "false"),
        ("pod-eip-instanceid", "eci-eip-instanceid", "eip-a", "eip-b"),
        (
            "eip-internet-charge-type",
            "eip-charge-type",
            "PayByBandwidth",
            "PayByTraffic",
        ),
    ] {
        let alias = format!("k8s.aliyun.com/{alias}");
        for prefix in ["k8s.aliyun.com/", "network.alibabacloud.com/"] {
            let key = format!("{prefix}{winner}");
            let switch = if ON.0.ends_with(winner) {
                &[][..]
            } else {
                &[("network.alibabacloud.com/pod-with-eip", "true")]
            };
            let agree = [switch, &[(&*key, value), (&*alias, value)]].concat();
            let differ = [switch, &[(&*key, value), (&*alias, other)]].concat();
            let (agree, differ) = (ask(&agree).unwrap(), ask(&differ).unwrap());
            assert_eq!(agree.request, differ.request, "{key}");
            assert_eq!(agree.warnings, [], "{key}");
            assert_eq!(
                only(&differ.warnings),
                format!("{alias} \"{other}\": ignored, for {key} is \"{value}\"")
            );
        }
    }
}

#[test]
fn prefixes_that_agree_are_fine() {
    let both = auto(&[
        ("network.alibabacloud.com/pod-with-eip", "true"),
        ("network.alibabacloud.com/eip-isp", "BGP_PRO"),
        ("k8s.aliyun.com/eip-isp", "BGP_PRO"),
    ]);
    assert_eq!(both.args.isp.as_deref(), Some("BGP_PRO"));
}

#[test]
fn a_pod_on_the_hosts_network_is_refused() {
    let host = PodTraits {
        host_network: true,
        ..PodTraits::default()
    };
    for (key, value) in [ON, NAMED, ("k8s.aliyun.com/eci-with-eip", "true")] {
        let text = only(&parse(&map(&[(key, value)]), &host).unwrap_err());
        assert!(
            text.starts_with(&format!("{key} \"{value}\": a pod with hostNetwork")),
            "{text}"
        );
    }
    assert_eq!(parse(&map(&[]), &host).unwrap().request, Request::Nothing);
    assert_eq!(
        parse(&map(&[(ON.0, "false")]), &host).unwrap().request,
        Request::Nothing
    );
}

#[test]
fn on_a_virtual_node_ecis_own_keys_are_ecis() {
    let virtual_node = PodTraits {
        virtual_node: true,
        ..PodTraits::default()
    };
    let eci = ("k8s.aliyun.com/eci-with-eip", "true");
    let alone = parse(&map(&[eci]), &virtual_node).unwrap();
    assert_eq!((alone.request, alone.warnings.len()), (Request::Nothing, 0));
    let both = parse(
        &map(&[("k8s.aliyun.com/eci-eip-instanceid", "eip-a"), ON]),
        &virtual_node,
    )
    .unwrap();
    assert_eq!(both.request, Request::Nothing);
    assert!(
        only(&both.warnings)
            .starts_with("k8s.aliyun.com/pod-with-eip \"true\": ignored: on a virtual node")
    );
    for pair in [ON, ("network.alibabacloud.com/pod-with-eip", "true")] {
        let ours = parse(&map(&[pair]), &virtual_node).unwrap();
        assert!(matches!(ours.request, Request::Auto(_)));
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let problems = ask(&[
        ON,
        ("k8s.aliyun.com/eip-bandwidth", "fast"),
        ("k8s.aliyun.com/eip-isp", "Pigeon"),
        ("k8s.aliyun.com/pod-eip-release-strategy", "later"),
    ])
    .unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|notice| &*notice.key).collect();
    assert_eq!(
        keys,
        [
            "k8s.aliyun.com/eip-bandwidth",
            "k8s.aliyun.com/eip-isp",
            "k8s.aliyun.com/pod-eip-release-strategy"
        ]
    );
}

#[test]
fn a_named_eip_is_never_reconfigured_and_that_is_said() {
    let parsed = ask(&[NAMED, ("k8s.aliyun.com/eip-bandwidth", "nonsense")]).unwrap();
    assert!(matches!(parsed.request, Request::Static { .. }));
    assert_eq!(
        only(&parsed.warnings),
        "k8s.aliyun.com/eip-bandwidth \"nonsense\": ignored: an EIP named by pod-eip-instanceid is never reconfigured"
    );
}

/// Each with a value that nothing takes: whoever reads it says so.
#[test]
fn every_known_key_is_read() {
    for key in known::keys() {
        let alone = ["with-eip", "instanceid"]
            .iter()
            .any(|end| key.ends_with(end));
        let wrong = [(&*key, "\u{7}")];
        let asked = if alone {
            ask(&wrong)
        } else {
            ask(&[&[ON], &wrong[..]].concat())
        };
        let text = only(&asked.unwrap_err());
        assert!(text.starts_with(&key), "{key}: {text}");
    }
}
