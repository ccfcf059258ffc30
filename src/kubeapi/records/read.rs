//! The facts of a record as it came over the wire: our own, and others'.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::api::goduration::GoDuration;
use crate::api::keys;
use crate::api::podeip::{AllocationType, PodEip};
use crate::cloud::vpc::AllocateArgs;
use crate::domain::ids::{EipId, EniId, Place, ResourceVersion, Uid};
use crate::domain::keep::Keep;
use crate::domain::record::{Bandwidth, Kind, Made, Record, Rev, Shown};
use crate::kubeapi::pods::key_of;

/// The facts of a record as it came over the wire.
pub fn read(wire: &PodEip) -> Record {
    let meta = &wire.metadata;
    let label = |name| {
        meta.labels
            .as_ref()
            .and_then(|all| all.get(name))
            .filter(|value| !value.is_empty())
    };
    let note = |name| meta.annotations.as_ref().and_then(|all| all.get(name));
    let finalizers = || meta.finalizers.iter().flatten();
    let eip = label(keys::EIP_LABEL).map(EipId::new);
    let named = eip.as_ref().map_or("", EipId::as_str);
    let target = note(keys::TARGET_ANNOTATION);
    let request = note(keys::REQUEST_ANNOTATION);
    let owner = meta
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.kind == "Pod")
        .map(|owner| &owner.uid);
    Record {
        key: key_of(meta),
        rev: Rev {
            uid: Uid::new(meta.uid.clone().unwrap_or_default()),
            version: ResourceVersion::new(meta.resource_version.clone().unwrap_or_default()),
        },
        node: label(keys::NODE_LABEL).cloned(),
        ours: note(keys::OWNER_ANNOTATION).is_some_and(|mark| mark == keys::OWNER),
        created: meta.creation_timestamp.as_ref().map(|time| time.0),
        kind: match wire.spec.allocation_type.type_.as_str() {
            "Static" => Kind::Static,
            _ => Kind::Auto,
        },
        keep: keep(&wire.spec.allocation_type),
        owner: note(keys::POD_ANNOTATION).or(owner).map(Uid::new),
        owned: owner.is_some(),
        absent_since: note(keys::ABSENT_ANNOTATION).and_then(|text| text.parse().ok()),
        made_with: request.and_then(|text| made_with(text)),
        request: request.cloned(),
        edited: wire.spec.allocation_id != named,
        named: wire.spec.allocation_id.clone(),
        attempt: note(keys::ATTEMPT_ANNOTATION)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0),
        package: wire
            .spec
            .bandwidth_package_id
            .clone()
            .filter(|id| !id.is_empty()),
        bandwidth: note(keys::BANDWIDTH_ANNOTATION).and_then(|text| parse_bandwidth(text)),
        take: target.and_then(|text| parse_place(text.strip_prefix(TAKE)?)),
        taken_over: note(keys::TAKEN_OVER_ANNOTATION).is_some(),
        target: target.and_then(|text| parse_place(text)),
        shown: wire.status.as_ref().and_then(shown),
        taken_from: note(keys::TAKEN_FROM_ANNOTATION).cloned(),
        account: note(keys::ACCOUNT_ANNOTATION).cloned(),
        tombstone: meta.deletion_timestamp.is_some(),
        finalizer: finalizers().any(|name| name == keys::PODEIP_FINALIZER),
        other_finalizers: finalizers()
            .filter(|name| *name != keys::PODEIP_FINALIZER)
            .cloned()
            .collect(),
        eip,
    }
}

/// What is no strategy that we know is taken for the one that loses nothing.
fn keep(kind: &AllocationType) -> Keep {
    let after = kind.release_after.as_deref().unwrap_or_default();
    match kind.release_strategy.as_str() {
        "TTL" => match GoDuration::parse(after).map(|it| u64::try_from(it.nanos())) {
            Ok(Ok(nanos)) => Keep::Ttl {
                after: Duration::from_nanos(nanos),
                text: after.to_owned(),
            },
            _ => Keep::Never,
        },
        "Follow" | "" => Keep::Follow,
        _ => Keep::Never,
    }
}

/// What frozen Allocate arguments say of the bandwidth.
fn made_with(request: &str) -> Option<Made> {
    let request: AllocateArgs = serde_json::from_str(request).ok()?;
    Some(Made {
        mbit: request.bandwidth,
        most: request.internet_charge_type.most_bandwidth(),
    })
}

/// What stands before a place from which an EIP is to be taken.
const TAKE: &str = "take:";
/// What stands behind a bandwidth that the cloud has not accepted yet.
const PENDING: &str = " pending";

/// Reads back what [`bandwidth_form`] writes.
fn parse_bandwidth(text: &str) -> Option<Bandwidth> {
    let mbit = text.strip_suffix(PENDING);
    Some(Bandwidth {
        done: mbit.is_none(),
        mbit: mbit.unwrap_or(text).parse().ok()?,
    })
}

pub(super) fn bandwidth_form(bandwidth: Bandwidth) -> String {
    let pending = if bandwidth.done { "" } else { PENDING };
    format!("{}{pending}", bandwidth.mbit)
}

pub(super) fn take_form(from: &Place) -> String {
    format!("{TAKE}{from}")
}

fn shown(status: &crate::api::podeip::Status) -> Option<Shown> {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let shown = Shown {
        eip: some(&status.eip_address),
        eni: some(&status.network_interface_id),
        ip: some(&status.private_ip_address),
        package: some(&status.bandwidth_package_id),
    };
    let empty = shown.eip.is_empty() && shown.eni.is_empty() && shown.ip.is_empty();
    (!empty).then_some(shown)
}

/// Reads back what [`Place`] displays.
pub(super) fn parse_place(text: &str) -> Option<Place> {
    let (eni, ip) = text.split_once('/')?;
    let ip: Ipv4Addr = ip.parse().ok()?;
    (!eni.is_empty() && !text.starts_with(TAKE)).then(|| Place {
        eni: EniId::new(eni),
        ip,
    })
}
