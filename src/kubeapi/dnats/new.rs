//! What is written into records: everything that a successor needs, before anything is asked of the cloud.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::api::keys;
use crate::api::poddnat::{self, PodDnat, PortMapping, Spec, Version};
use crate::domain::dnat::Entry;
use crate::domain::ids::{Key, Uid};
use crate::domain::ports::{Keeper, Outside, PortWish, Ports, Spot, Workload};
use crate::eip::facts::Me;

/// The record of that pod with its choice.
pub(super) fn record(
    version: Version,
    key: &Key,
    pod: &Uid,
    wish: &PortWish,
    spot: &Spot,
    outside: &Outside,
    me: &Me,
) -> PodDnat {
    let spec = Spec {
        eni: Some(spot.eni.to_string()),
        vswitch: spot.vswitch.clone(),
        zone_id: spot.zone.clone(),
        external_ip: Some(outside.address.to_string()),
        internal_ip: Some(spot.ip.to_string()),
        protocol: Some(wish.ports.protocol.to_string()),
        table_id: Some(outside.gateway.clone()),
        port_mapping: mapping(outside, &wish.ports),
        ..Spec::default()
    };
    let keeper = wish.keeper();
    let mut record = PodDnat::new(version, &key.namespace, &key.name, spec);
    let bucket = keys::bucket(&key.namespace, &key.name).to_string();
    let labels = [
        (keys::NODE_LABEL, me.label.clone()),
        (keys::BUCKET_LABEL, bucket),
        (keys::GATEWAY_LABEL, gateway_label(&outside.gateway)),
    ];
    let mut annotations = vec![
        (keys::OWNER_ANNOTATION, keys::OWNER.to_owned()),
        (keys::POD_ANNOTATION, pod.to_string()),
        (keys::TABLE_ANNOTATION, outside.table.clone()),
        (keys::PORTS_ANNOTATION, ports(outside, &wish.ports)),
    ];
    annotations.extend(me.account.clone().map(|it| (keys::ACCOUNT_ANNOTATION, it)));
    if let Some(keeper) = &keeper {
        annotations.push((keys::FIXED_ANNOTATION, fixed(false).to_owned()));
        let kept_for = keeper.workload.as_ref().map(workload);
        annotations.extend(kept_for.map(|it| (keys::WORKLOAD_ANNOTATION, it)));
    }
    record.metadata.finalizers = Some(vec![keys::PODDNAT_FINALIZER.to_owned()]);
    record.metadata.labels = Some(texts(labels));
    record.metadata.annotations = Some(texts(annotations));
    record.metadata.owner_references = Some(owners(key, pod, keeper.as_ref()));
    record
}

fn texts(pairs: impl IntoIterator<Item = (&'static str, String)>) -> BTreeMap<String, String> {
    let own = |(name, value): (&str, String)| (name.to_owned(), value);
    pairs.into_iter().map(own).collect()
}

/// Who takes the record along: the pod, or, of fixed ports, the `StatefulSet`; of a pod without one nobody.
pub fn owners(key: &Key, pod: &Uid, keeper: Option<&Keeper>) -> Vec<OwnerReference> {
    let Some(keeper) = keeper else {
        return vec![OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: key.name.clone(),
            uid: pod.to_string(),
            block_owner_deletion: Some(true),
            ..OwnerReference::default()
        }];
    };
    let owner = keeper.workload.iter().map(|workload| OwnerReference {
        api_version: workload.api_version.clone(),
        kind: "StatefulSet".to_owned(),
        name: workload.name.clone(),
        uid: workload.uid.to_string(),
        ..OwnerReference::default()
    });
    owner.collect()
}

pub(super) fn mapping(outside: &Outside, ports: &Ports) -> Vec<PortMapping> {
    let pairs = outside.ports.iter().zip(&ports.inside);
    let text = |(outside, inside): (&u16, &u16)| PortMapping {
        external_port: outside.to_string(),
        internal_port: inside.to_string(),
    };
    pairs.map(text).collect()
}

/// `512->80,513->443`
pub(super) fn ports(outside: &Outside, ports: &Ports) -> String {
    let pairs = outside.ports.iter().zip(&ports.inside);
    let all: Vec<_> = pairs
        .map(|(out, inside)| format!("{out}->{inside}"))
        .collect();
    all.join(",")
}

pub(super) fn entry(entry: &Entry) -> poddnat::Entry {
    poddnat::Entry {
        external_ip: entry.external.0.to_string(),
        external_port: entry.external.1.to_string(),
        internal_ip: entry.internal.0.to_string(),
        internal_port: entry.internal.1.to_string(),
        forward_entry_id: entry.id.clone(),
        ip_protocol: entry.protocol.to_string(),
    }
}

/// The value of [`keys::FIXED_ANNOTATION`].
pub(super) fn fixed(settled: bool) -> &'static str {
    match settled {
        true => "settled",
        false => "new",
    }
}

/// The value of [`keys::WORKLOAD_ANNOTATION`]; the version has one slash, the others have none.
pub(super) fn workload(workload: &Workload) -> String {
    let Workload {
        api_version,
        name,
        uid,
    } = workload;
    format!("{api_version}/{name}/{uid}")
}

/// A gateway's id as a label value: the cloud's ids are short and plain, and anything else is told by a hash.
pub fn gateway_label(gateway: &str) -> String {
    keys::node_label(gateway)
}
