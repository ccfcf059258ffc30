//! Whatever stands in the annotations: no panic, and nothing long or unprintable comes out.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{ON, PodTraits, Request, parse};

const NAMES: [&str; 17] = [
    "pod-with-eip",
    "pod-eip-instanceid",
    "pod-eip-release-strategy",
    "eci-with-eip",
    "eci-eip-instanceid",
    "eip-bandwidth",
    "eip-charge-type",
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
];

fn annotation() -> impl Strategy<Value = (String, String)> {
    let prefix = prop_oneof![Just("k8s.aliyun.com/"), Just("network.alibabacloud.com/")];
    let name = proptest::sample::select(NAMES.as_slice());
    let value = prop_oneof![
        Just("true".to_owned()),
        "eip-[a-z0-9]{0,70}",
        "[0-9]{1,4}",
        "[0-9]{1,3}[a-z]{1,2}",
        r#"\{("[a-z:]{0,9}":"[ -~]{0,9}",?){0,3}\}"#,
        ".{0,400}",
        any::<String>(),
    ];
    (prefix, name, value).prop_map(|(prefix, name, value)| (format!("{prefix}{name}"), value))
}

proptest! {
    #[test]
    fn no_input_panics_or_grows(
        annotations in proptest::collection::btree_map("[a-z]{0,9}", annotation(), 0..12),
        on: bool,
        host_network: bool,
        virtual_node: bool,
    ) {
        let mut annotations: BTreeMap<String, String> = annotations.into_values().collect();
        if on {
            annotations.insert(ON.0.into(), ON.1.into());
        }
        let pod = PodTraits { host_network, virtual_node, ..PodTraits::default() };
        let notices = match parse(&annotations, &pod) {
            Ok(parsed) => {
                if let Request::Auto(auto) = &parsed.request {
                    prop_assert!(serde_json::to_string(&auto.args).unwrap().len() < 64 * 1024);
                }
                parsed.warnings
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                problems
            }
        };
        for notice in notices {
            let text = notice.to_string();
            prop_assert!(text.len() < 1024, "an Event's note is at most 1 KiB: {text}");
            prop_assert!(!text.contains(char::is_control), "{text:?}");
            prop_assert!(annotations.contains_key(&notice.key));
        }
    }
}
