//! The facts of a record as it came over the wire: our own, and others'.

use crate::api::keys;
use crate::api::poddnat::{self, PodDnat, Spec};
use crate::domain::dnat::{DnatRecord, Entry, Mapping};
use crate::domain::ids::{ResourceVersion, Uid};
use crate::domain::ports::{Keeper, Protocol, Workload};
use crate::domain::record::Rev;
use crate::kubeapi::pods::key_of;

/// The facts of a record as it came over the wire.
pub fn read(wire: &PodDnat) -> DnatRecord {
    let meta = &wire.metadata;
    let note = |name| meta.annotations.as_ref().and_then(|all| all.get(name));
    let held_by = meta
        .labels
        .as_ref()
        .and_then(|all| all.get(keys::NODE_LABEL));
    let finalizers = || meta.finalizers.iter().flatten();
    let mut owners = meta.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.kind == "Pod");
    let table = note(keys::TABLE_ANNOTATION).map_or("", String::as_str);
    let status = wire.status.as_ref();
    DnatRecord {
        key: key_of(meta),
        rev: Rev {
            uid: Uid::new(meta.uid.clone().unwrap_or_default()),
            version: ResourceVersion::new(meta.resource_version.clone().unwrap_or_default()),
        },
        node: held_by.filter(|node| !node.is_empty()).cloned(),
        ours: note(keys::OWNER_ANNOTATION).is_some_and(|mark| mark == keys::OWNER),
        owner: note(keys::POD_ANNOTATION)
            .or_else(|| owner.map(|owner| &owner.uid))
            .map(Uid::new),
        keeper: note(keys::FIXED_ANNOTATION).map(|fixed| Keeper {
            workload: note(keys::WORKLOAD_ANNOTATION).and_then(|text| workload(text)),
            settled: fixed == "settled",
        }),
        mapping: mapping(&wire.spec, table),
        // What can't be read is shown all the same: it is replaced.
        shown: status.map_or_else(Vec::new, |it| it.entries.iter().map(entry).collect()),
        taken_from: note(keys::TAKEN_FROM_ANNOTATION).cloned(),
        account: note(keys::ACCOUNT_ANNOTATION).cloned(),
        tombstone: meta.deletion_timestamp.is_some(),
        finalizer: finalizers().any(|name| name == keys::PODDNAT_FINALIZER),
        other_finalizers: finalizers()
            .filter(|name| *name != keys::PODDNAT_FINALIZER)
            .cloned()
            .collect(),
    }
}

fn mapping(spec: &Spec, table: &str) -> Option<Mapping> {
    let ports = spec.port_mapping.iter();
    let ports: Option<Vec<_>> = ports
        .map(|it| {
            Some((
                it.external_port.parse().ok()?,
                it.internal_port.parse().ok()?,
            ))
        })
        .collect();
    Some(Mapping {
        gateway: spec.table_id.clone().filter(|id| !id.is_empty())?,
        table: (!table.is_empty()).then(|| table.to_owned())?,
        external: spec.external_ip.as_ref()?.parse().ok()?,
        internal: spec.internal_ip.as_ref().and_then(|ip| ip.parse().ok()),
        protocol: Protocol::read(spec.protocol.as_deref().unwrap_or("tcp"))?,
        ports: ports.filter(|all| !all.is_empty())?,
    })
}

fn entry(wire: &poddnat::Entry) -> Entry {
    let nowhere = [0, 0, 0, 0].into();
    let end = |ip: &str, port: &str| {
        let ip = ip.parse().unwrap_or(nowhere);
        (ip, port.parse().unwrap_or(0))
    };
    Entry {
        id: wire.forward_entry_id.clone(),
        external: end(&wire.external_ip, &wire.external_port),
        internal: end(&wire.internal_ip, &wire.internal_port),
        protocol: Protocol::read(&wire.ip_protocol).unwrap_or_default(),
    }
}

/// Reads back `apiVersion/name/uid`.
pub(super) fn workload(text: &str) -> Option<Workload> {
    let mut parts = text.rsplitn(3, '/');
    let (uid, name, api_version) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Workload {
        api_version: api_version.to_owned(),
        name: name.to_owned(),
        uid: Uid::new(uid),
    })
}
