//! Each setting of a new EIP, under both prefixes.

use super::*;

/// `name: value` under either prefix.
fn both(name: &str, value: &str) -> [Auto; 2] {
    ["k8s.aliyun.com/", "network.alibabacloud.com/"]
        .map(|prefix| auto(&[(&format!("{prefix}{name}"), value)]))
}

fn refused(name: &str, value: &str) -> String {
    let key = format!("k8s.aliyun.com/{name}");
    let text = problem(&[(&key, value)]);
    assert!(text.starts_with(&format!("{key} \"")), "{text}");
    text
}

#[test]
fn defaults_are_five_megabits_by_traffic() {
    let plain = auto(&[]);
    assert_eq!(
        plain.args,
        AllocateArgs::new(5, InternetChargeType::PayByTraffic)
    );
    assert_eq!((plain.package, plain.strategy), (None, Strategy::Follow));
}

#[test]
fn an_empty_setting_counts_as_not_made() {
    for name in [
        "eip-bandwidth",
        "eip-internet-charge-type",
        "eip-instance-charge-type",
        "eip-common-bandwidth-package-id",
        "eip-isp",
        "eip-public-ip-address-pool-id",
        "eip-resource-group-id",
        "eip-name",
        "eip-description",
        "eip-security-protection-types",
        "eip-tags",
        "pod-eip-release-strategy",
    ] {
        assert_eq!(both(name, ""), [auto(&[]), auto(&[])], "{name}");
    }
}

#[test]
fn bandwidth_is_limited_by_charge_type() {
    for (charge, max) in [("PayByTraffic", 200), ("PayByBandwidth", 500)] {
        let charge = ("k8s.aliyun.com/eip-internet-charge-type", charge);
        for good in [1, 5, max] {
            let pair = ("k8s.aliyun.com/eip-bandwidth", &*good.to_string());
            assert_eq!(auto(&[charge, pair]).args.bandwidth, good);
        }
        let text = problem(&[
            charge,
            ("k8s.aliyun.com/eip-bandwidth", &(max + 1).to_string()),
        ]);
        assert!(
            text.ends_with(&format!(
                "a whole number of Mbit/s, 1 to {max} with {}",
                charge.1
            )),
            "{text}"
        );
    }
    assert_eq!(
        both("eip-bandwidth", "7").map(|auto| auto.args.bandwidth),
        [7, 7]
    );
    for wrong in [
        "0",
        "-1",
        "+5",
        "5.5",
        "5M",
        "1e2",
        " 5",
        "99999999999",
        "\u{0665}",
    ] {
        refused("eip-bandwidth", wrong);
    }
}

#[test]
fn charge_types() {
    for name in ["eip-internet-charge-type", "eip-charge-type"] {
        for (value, expected) in [
            ("PayByTraffic", InternetChargeType::PayByTraffic),
            ("PayByBandwidth", InternetChargeType::PayByBandwidth),
        ] {
            let key = format!("k8s.aliyun.com/{name}");
            assert_eq!(auto(&[(&key, value)]).args.internet_charge_type, expected);
        }
        assert!(refused(name, "paybytraffic").ends_with("must be PayByTraffic or PayByBandwidth"));
    }
}

#[test]
fn only_pay_as_you_go() {
    assert_eq!(
        both("eip-instance-charge-type", "PostPaid"),
        [auto(&[]), auto(&[])]
    );
    assert!(refused("eip-instance-charge-type", "PrePaid").contains("PrePaid is not supported"));
    assert!(refused("eip-instance-charge-type", "Free").ends_with("must be PostPaid"));
}

#[test]
fn line_types() {
    for isp in [
        "BGP",
        "BGP_PRO",
        "ChinaTelecom",
        "ChinaUnicom",
        "ChinaMobile",
        "ChinaTelecom_L2",
        "ChinaUnicom_L2",
        "ChinaMobile_L2",
        "BGP_FinanceCloud",
    ] {
        for auto in both("eip-isp", isp) {
            assert_eq!(auto.args.isp.as_deref(), Some(isp));
        }
    }
    assert!(refused("eip-isp", "bgp").contains("must be one of BGP, BGP_PRO"));
}

#[test]
fn ids_are_passed_on() {
    for auto in both("eip-public-ip-address-pool-id", "pippool-1") {
        assert_eq!(auto.args.pool.as_deref(), Some("pippool-1"));
    }
    for auto in both("eip-resource-group-id", "rg-1") {
        assert_eq!(auto.args.resource_group.as_deref(), Some("rg-1"));
    }
    for auto in both("eip-common-bandwidth-package-id", "cbwp-1") {
        assert_eq!(auto.package.as_deref(), Some("cbwp-1"));
    }
    for name in [
        "eip-public-ip-address-pool-id",
        "eip-resource-group-id",
        "eip-common-bandwidth-package-id",
    ] {
        assert!(refused(name, "a b").contains("must be an id"));
        refused(name, &"a".repeat(65));
    }
}

#[test]
fn names_keep_their_slash_and_are_cut_with_a_hash() {
    for auto in both("eip-name", "game/gs-0") {
        assert_eq!(auto.args.name.as_deref(), Some("game/gs-0"));
    }
    let names = [
        "a".repeat(128),
        "a".repeat(129),
        format!("{}b", "a".repeat(128)),
    ]
    .map(|name| {
        auto(&[("k8s.aliyun.com/eip-name", &name)])
            .args
            .name
            .unwrap()
    });
    assert_eq!(names[0], "a".repeat(128));
    assert_eq!(names[1].chars().count(), 128);
    assert!(names[1].starts_with(&format!("{}-", "a".repeat(117))));
    assert_ne!(names[1], names[2]);
    let wide = auto(&[("k8s.aliyun.com/eip-name", &"\u{540d}".repeat(200))]);
    assert_eq!(wide.args.name.unwrap().chars().count(), 128);
    refused("eip-name", "http://a");
    refused("eip-name", "https://a");
    refused("eip-name", "a\nb");
}

#[test]
fn descriptions() {
    let long = "d".repeat(256);
    for text in ["of the game, see http://a", &long] {
        for auto in both("eip-description", text) {
            assert_eq!(auto.args.description.as_deref(), Some(text));
        }
    }
    assert!(refused("eip-description", &"d".repeat(257)).ends_with("at most 256 characters"));
    refused("eip-description", "https://a");
    refused("eip-description", "a\u{1b}[31m");
}

#[test]
fn protection() {
    for value in ["AntiDDoS_Enhanced", " AntiDDoS_Enhanced,AntiDDoS_Enhanced"] {
        for auto in both("eip-security-protection-types", value) {
            assert_eq!(auto.args.security_protection_types, ["AntiDDoS_Enhanced"]);
        }
    }
    assert!(
        refused("eip-security-protection-types", "AntiDDoS_Enhanced,Basic")
            .ends_with("must be one of AntiDDoS_Enhanced")
    );
    refused("eip-security-protection-types", ",");
}

#[test]
fn tags() {
    for auto in both("eip-tags", r#"{"foo":"bar","empty":""}"#) {
        assert_eq!(auto.args.tags, map(&[("foo", "bar"), ("empty", "")]));
    }
    assert_eq!(
        auto(&[("k8s.aliyun.com/eip-tags", "{}")]).args.tags,
        map(&[])
    );
    for wrong in [
        "foo=bar",
        "[]",
        "null",
        r#"{"a":1}"#,
        r#"{"a":null}"#,
        r#"{"a":{"b":"c"}}"#,
        "{",
    ] {
        assert!(refused("eip-tags", wrong).contains("must be a JSON object of strings"));
    }
    for key in [
        "eipd-record",
        "eipd",
        "EIPD-cluster",
        "aliyun",
        "aliyunx",
        "acs:rm",
        "",
        "http://a",
        "a\\nb",
    ] {
        refused("eip-tags", &format!(r#"{{"{key}":"v"}}"#));
    }
    refused("eip-tags", r#"{"a":"see https://b"}"#);
}

#[test]
fn tags_are_limited_in_number_and_length() {
    let object = |n: usize| {
        serde_json::to_string(
            &(0..n)
                .map(|i| (format!("t{i}"), "v"))
                .collect::<BTreeMap<_, _>>(),
        )
        .unwrap()
    };
    assert_eq!(
        auto(&[("k8s.aliyun.com/eip-tags", &object(17))])
            .args
            .tags
            .len(),
        17
    );
    assert!(refused("eip-tags", &object(18)).contains("at most 17 tags, not 18"));
    let fits = format!(r#"{{"{0}":"{0}"}}"#, "k".repeat(128));
    assert_eq!(
        auto(&[("k8s.aliyun.com/eip-tags", &fits)]).args.tags.len(),
        1
    );
    refused("eip-tags", &format!(r#"{{"{}":""}}"#, "k".repeat(129)));
    refused("eip-tags", &format!(r#"{{"a":"{}"}}"#, "v".repeat(129)));
    refused("eip-tags", &" ".repeat(70_000));
}
