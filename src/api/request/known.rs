//! Every annotation of the contract for EIPs: the parser reads these and no other, and the reference page has a row for each.

/// The newer prefix; it wins.
pub const NETWORK: &str = "network.alibabacloud.com/";
/// The older prefix; aliases exist under this one only.
pub const K8S: &str = "k8s.aliyun.com/";

/// Names that exist under both prefixes.
const NAMES: [&str; 14] = [
    "pod-with-eip",
    "pod-eip-instanceid",
    "pod-eip-release-strategy",
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
];

/// Older names for some of them.
const ALIASES: [&str; 3] = ["eci-with-eip", "eci-eip-instanceid", "eip-charge-type"];

/// All keys, prefix included.
pub fn keys() -> impl Iterator<Item = String> {
    let both = NAMES.iter().flat_map(|name| [(NETWORK, name), (K8S, name)]);
    both.chain(ALIASES.iter().map(|name| (K8S, name)))
        .map(|(prefix, name)| format!("{prefix}{name}"))
}

/// Whether there is such an annotation.
pub(super) fn is_known(prefix: &str, name: &str) -> bool {
    NAMES.contains(&name) || prefix == K8S && ALIASES.contains(&name)
}
