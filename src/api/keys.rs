//! Names that eipd shares with others: labels, annotations, finalizers, the condition and the tags on EIPs.

use sha2::{Digest, Sha256};

use crate::domain::ids::Uid;

/// What all labels of ours begin with.
pub const LABEL_PREFIX: &str = "eipd.io/";
/// Whose the record is: [`node_label`] of its node; empty or absent = nobody's.
pub const NODE_LABEL: &str = "eipd.io/node";
/// The one EIP that the record names for life.
pub const EIP_LABEL: &str = "eipd.io/eip";
/// [`bucket`] of the record, for sweeps that look at a sixteenth of all records.
pub const BUCKET_LABEL: &str = "eipd.io/bucket";
/// The NAT gateway of a `PodDNAT` record.
pub const GATEWAY_LABEL: &str = "eipd.io/gateway";

/// The request as it was when the record was made.
pub const REQUEST_ANNOTATION: &str = "eipd.io/request";
/// Where the record's EIP is to stand, written before it is bound there.
pub const TARGET_ANNOTATION: &str = "eipd.io/target";
/// Count of EIPs this record has asked for; part of `ClientToken` and tag.
pub const ATTEMPT_ANNOTATION: &str = "eipd.io/attempt";
/// Account and region that the record's EIP lives in.
pub const ACCOUNT_ANNOTATION: &str = "eipd.io/account";
/// Uid of the pod that the record serves; absent while it serves none.
pub const POD_ANNOTATION: &str = "eipd.io/pod";
/// Since when the pod of a kept record is known to be away, RFC 3339.
pub const ABSENT_ANNOTATION: &str = "eipd.io/absent-since";
/// Mbit/s that the record's EIP was changed to; with `pending` behind it, before the cloud has accepted it.
pub const BANDWIDTH_ANNOTATION: &str = "eipd.io/bandwidth";
/// The node that the record was taken from, until it rests or serves a pod again.
pub const TAKEN_FROM_ANNOTATION: &str = "eipd.io/taken-from";
/// Stands on a record that was another controller's.
pub const TAKEN_OVER_ANNOTATION: &str = "eipd.io/taken-over";
/// The owner mark; ack-extend-network-controller writes its own name there, not always.
pub const OWNER_ANNOTATION: &str = "k8s.aliyun.com/eip-controller";
/// Our value of [`OWNER_ANNOTATION`].
pub const OWNER: &str = "eipd";

/// The published finalizer of `PodEIP`.
pub const PODEIP_FINALIZER: &str = "podeip-controller.alibabacloud.com/finalizer";
/// The published finalizer of `PodDNAT`.
pub const PODDNAT_FINALIZER: &str = "natgw-controller";

/// Outputs on the pod, both with the same value; init containers grep for the first.
pub const ADDRESS_ANNOTATIONS: [&str; 2] = [
    "k8s.aliyun.com/allocated-eipAddress",
    "network.alibabacloud.com/allocated-eipAddress",
];
/// The pod condition, for the readiness gate of that name.
pub const CONDITION_TYPE: &str = "k8s.aliyun.com/eip";
/// The condition's reason when it is "True", exactly as published.
pub const CONDITION_REASON: &str = "Associate eip succeed";

/// The annotation on the pod that says where its ports are.
pub const DNAT_ANNOTATION: &str = "eipd.io/dnat";
/// The pod condition of its ports, for the readiness gate of that name.
pub const DNAT_CONDITION: &str = "eipd.io/dnat";
/// That condition's reason when it is "True".
pub const DNAT_REASON: &str = "DNAT ready";
/// The forward table of that gateway, `ftb-...`.
pub const TABLE_ANNOTATION: &str = "eipd.io/table";
/// What a `PodDNAT` has chosen, for `kubectl get`: a column shows one value of a list only.
pub const PORTS_ANNOTATION: &str = "eipd.io/ports";
/// Stands on a `PodDNAT` whose ports outlive the pod: `new` until a pod has had them, then `settled`.
pub const FIXED_ANNOTATION: &str = "eipd.io/fixed";
/// The `StatefulSet` of such a one, as `apiVersion/name/uid`.
pub const WORKLOAD_ANNOTATION: &str = "eipd.io/workload";

/// Tag on our EIPs: the cluster's uid.
pub const CLUSTER_TAG: &str = "eipd-cluster";
/// Tag on our EIPs: [`record_tag`].
pub const RECORD_TAG: &str = "eipd-record";
/// Tag on EIPs that look like orphans: when that was first seen.
pub const ORPHAN_TAG: &str = "eipd-orphan-since";
/// Tags that the cloud allows on one EIP.
pub const TAGS_PER_EIP: usize = 20;
/// Tags that are left to the user, ours taken off.
pub const USER_TAGS: usize = TAGS_PER_EIP - [CLUSTER_TAG, RECORD_TAG, ORPHAN_TAG].len();

/// What a hashed node name begins with.
pub const LABEL_HASH_PREFIX: &str = "sha256_";

/// Longest label value that Kubernetes takes, in bytes.
const LABEL_MAX: usize = 63;
/// How many values [`BUCKET_LABEL`] has.
pub const BUCKETS: u8 = 16;

/// The value of [`NODE_LABEL`] for a node: its name where that is a label value, else a hash.
///
/// Node names reach 253 bytes. The hash form has an underscore, which no node name has, so the two never meet.
pub fn node_label(node: &str) -> String {
    if is_label_value(node) {
        node.to_owned()
    } else {
        format!("{LABEL_HASH_PREFIX}{}", hex(&Sha256::digest(node)[..20]))
    }
}

/// Whether Kubernetes takes this as a label value; empty ones are left out, for blank means "nobody's" here.
pub fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    bytes.len() <= LABEL_MAX
        && ends
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// The record's bucket, 0 to 15: the same in every agent and every release.
pub fn bucket(namespace: &str, name: &str) -> u8 {
    Sha256::digest(format!("{namespace}/{name}"))[0] % BUCKETS
}

/// The value of [`RECORD_TAG`]: it proves whose an EIP is, so it names the record and which of its attempts this was.
pub fn record_tag(record: &Uid, attempt: u32) -> String {
    format!("{record}-{attempt}")
}

/// Reads [`record_tag`] back; `None` for anything that it does not write.
pub fn parse_record_tag(value: &str) -> Option<(Uid, u32)> {
    let (uid, attempt) = value.rsplit_once('-')?;
    let attempt: u32 = attempt.parse().ok()?;
    let uid = Uid::new(uid);
    (!uid.as_str().is_empty() && record_tag(&uid, attempt) == value).then_some((uid, attempt))
}

/// Lower-case hex, for hashes in names.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

#[cfg(test)]
mod tests;
