//! `AssociateEipAddress` (alibaba-api.md 1.3): `Associating`, then `InUse`.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{incorrect_status, not_busy, not_locked, own_eip, task_conflict};
use crate::eip::{Place, Status};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};
use crate::world::{Eni, EniType};

/// Instance types that the API knows; those not simulated find no instance.
pub const INSTANCE_TYPES: [&str; 6] = [
    "EcsInstance",
    "NetworkInterface",
    "Nat",
    "SlbInstance",
    "HaVip",
    "IpAddress",
];

/// Begins to bind an EIP.
pub fn associate(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.args.required("AllocationId")?;
    let instance = call.args.required("InstanceId")?;
    let kind = instance_type(&call.args)?;
    let eip = own_eip(state, call, id)?;
    not_locked(eip)?;
    not_busy(state, eip)?;
    if eip.status != Status::Available {
        return Err(incorrect_status());
    }
    if call.caller.account != state.settings.account_id {
        return Err(no_instance()); // every instance belongs to that account
    }
    let place = match kind {
        "NetworkInterface" => on_eni(state, call, instance)?,
        "EcsInstance" => on_instance(state, instance)?,
        "Nat" => on_gateway(state, call, instance)?,
        // The other kinds are not simulated.
        _ => return Err(no_instance()),
    };
    let settles = state.settles_at(call, state.settings.settle.associate_ms);
    state.eips.enter(
        id,
        Status::Associating,
        Some(place),
        call.now,
        Some(settles),
    );
    Ok(json!({}))
}

/// The `InstanceType`, checked; `EcsInstance` if not given.
pub fn instance_type(args: &Args) -> Result<&str, ApiError> {
    let kind = args.get("InstanceType").unwrap_or("EcsInstance");
    if INSTANCE_TYPES.contains(&kind) {
        return Ok(kind);
    }
    Err(ApiError::refused(
        "InvalidInstanceType.ValueNotSupported",
        "The specified value of InstanceType is not supported.",
    ))
}

fn no_instance() -> ApiError {
    ApiError::not_found(
        "InvalidInstanId.NotFound",
        "Specified instance does not exist.",
    )
}

fn on_instance(state: &State, instance: &str) -> Result<Place, ApiError> {
    if !state.world.instances.contains_key(instance) {
        return Err(no_instance());
    }
    let eni = state.world.primary_eni(instance).ok_or_else(no_instance)?;
    let ip = eni.primary_ip().ok_or_else(no_instance)?;
    check_free(state, eni, ip)?;
    Ok(Place {
        instance_id: instance.to_owned(),
        instance_type: "EcsInstance".to_owned(),
        eni_id: Some(eni.id.clone()),
        private_ip: Some(ip),
        at_primary_ip: true,
        mode: String::new(),
    })
}

/// A NAT gateway has any number of EIPs.
fn on_gateway(state: &State, call: &Call, id: &str) -> Result<Place, ApiError> {
    let eip = own_eip(state, call, call.args.required("AllocationId")?)?;
    let gateway = state.nats.gateways.get(id);
    let gateway = gateway.filter(|it| it.region == eip.region && it.network_type == "internet");
    let gateway = gateway.ok_or_else(no_instance)?;
    Ok(on_nat(&gateway.id))
}

/// The place of an EIP on a NAT gateway.
pub(crate) fn on_nat(gateway: &str) -> Place {
    Place {
        instance_id: gateway.to_owned(),
        instance_type: "Nat".to_owned(),
        eni_id: None,
        private_ip: None,
        at_primary_ip: false,
        mode: String::new(),
    }
}

/// An address that a forward entry leads to takes no EIP.
fn check_not_forwarded(state: &State, eni: &Eni, ip: Ipv4Addr) -> Result<(), ApiError> {
    let here = |table: &str| {
        let gateway = state.nats.of_table(table);
        gateway.is_some_and(|gateway| gateway.vpc_id == eni.vpc_id)
    };
    let mut entries = state.nats.entries();
    if !entries.any(|entry| entry.internal_ip == ip && here(&entry.table_id)) {
        return Ok(());
    }
    Err(ApiError::refused(
        "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP",
        "The instance has a port mapping or an EIP.",
    ))
}

fn on_eni(state: &State, call: &Call, id: &str) -> Result<Place, ApiError> {
    let eni = state.world.enis.get(id).ok_or_else(no_instance)?;
    check_region(state, call, eni)?;
    check_kind(state, eni)?;
    let mode = call.args.get("Mode").unwrap_or("NAT");
    check_mode(state, eni, mode)?;
    check_tasks(state, eni)?;
    check_count(state, eni)?;
    let ip = private_ip(state, call, eni)?;
    check_free(state, eni, ip)?;
    check_not_forwarded(state, eni, ip)?;
    Ok(Place {
        instance_id: eni.id.clone(),
        instance_type: "NetworkInterface".to_owned(),
        eni_id: Some(eni.id.clone()),
        private_ip: Some(ip),
        at_primary_ip: eni.primary_ip() == Some(ip),
        mode: mode.to_owned(),
    })
}

fn check_region(state: &State, call: &Call, eni: &Eni) -> Result<(), ApiError> {
    let eip = own_eip(state, call, call.args.required("AllocationId")?)?;
    if state.world.region_of_vpc(&eni.vpc_id) == eip.region {
        return Ok(());
    }
    Err(ApiError::refused(
        "InvalidParameter.Mismatch",
        "The EIP and the instance are not in the same region.",
    ))
}

fn check_kind(state: &State, eni: &Eni) -> Result<(), ApiError> {
    let open = &state.settings.open;
    let accepted = match eni.kind {
        EniType::Primary => open.primary_eni_accepted,
        EniType::Member => open.member_eni_accepted,
        EniType::Secondary | EniType::Trunk => true,
    };
    if !accepted {
        return Err(ApiError::refused(
            "InvalidParameter.EniInstanceId",
            "The specified network interface cannot be bound to an EIP.",
        ));
    }
    if !matches!(eni.status.as_str(), "InUse" | "Available") {
        return Err(ApiError::refused(
            "InvalidStatus.EniStatusNotSupport",
            "The status of the network interface does not support this operation.",
        ));
    }
    Ok(())
}

fn check_mode(state: &State, eni: &Eni, mode: &str) -> Result<(), ApiError> {
    match mode {
        "NAT" => {}
        "BINDED" => check_cut_through(eni)?,
        "MULTI_BINDED" => {
            return Err(ApiError::refused(
                "Mode.NotSupport",
                "The account may not use MULTI_BINDED: it is closed to new applicants.",
            ));
        }
        _ => {
            return Err(ApiError::refused(
                "IllegalParam.Mode",
                "The specified Mode is not valid.",
            ));
        }
    }
    let other = |place: &Place| place.mode != mode;
    if state
        .eips
        .on_eni(&eni.id)
        .any(|eip| eip.place.as_ref().is_some_and(other))
    {
        return Err(ApiError::refused(
            "OperationFailed.EipBindModeConflict",
            "The network interface has EIPs of another mode.",
        ));
    }
    Ok(())
}

fn check_cut_through(eni: &Eni) -> Result<(), ApiError> {
    if eni.instance_id.is_some() {
        return Err(ApiError::refused(
            "Eni.Attached",
            "The network interface must not be attached to an instance.",
        ));
    }
    if eni.ips.len() > 1 {
        return Err(ApiError::refused(
            "Eni.HasSubIp",
            "The network interface has secondary private IP addresses.",
        ));
    }
    Ok(())
}

fn check_tasks(state: &State, eni: &Eni) -> Result<(), ApiError> {
    let busy = state
        .eips
        .on_eni(&eni.id)
        .any(|eip| eip.status.is_passing());
    if state.settings.open.one_task_per_eni && busy {
        return Err(task_conflict());
    }
    Ok(())
}

/// NAT mode: no more EIPs than private IPs.
fn check_count(state: &State, eni: &Eni) -> Result<(), ApiError> {
    let most = state
        .settings
        .quotas
        .eips_per_eni
        .unwrap_or(usize::MAX)
        .min(eni.ips.len());
    if state.eips.on_eni(&eni.id).count() < most {
        return Ok(());
    }
    Err(ApiError::refused(
        "InvalidEip.EipQuotaExceeded",
        "The number of EIPs of the network interface exceeds the quota.",
    ))
}

fn private_ip(state: &State, call: &Call, eni: &Eni) -> Result<Ipv4Addr, ApiError> {
    let unknown = || {
        ApiError::refused(
            "InvalidParams.NotFound",
            "The specified PrivateIpAddress is not on the network interface.",
        )
    };
    let Some(text) = call.args.get("PrivateIpAddress") else {
        let mut free = eni.ips.iter().map(|ip| ip.ip);
        return free
            .find(|ip| state.eips.at(&eni.id, *ip).is_none())
            .ok_or_else(unknown);
    };
    let ip = text
        .parse()
        .map_err(|_| ApiError::invalid("PrivateIpAddress", "not an address"))?;
    if eni.has_ip(ip) {
        return Ok(ip);
    }
    if eni.has_prefix_ip(ip) {
        return Err(ApiError::refused(
            "UnsupportedFeature.EipBindPrefixIp",
            "An address of an IP prefix cannot be bound to an EIP.",
        ));
    }
    Err(unknown())
}

fn check_free(state: &State, eni: &Eni, ip: Ipv4Addr) -> Result<(), ApiError> {
    if state.eips.at(&eni.id, ip).is_none() {
        return Ok(());
    }
    Err(ApiError::refused(
        "InvalidAssociation.Duplicated",
        "Specified instance already is associated with another elastic IP.",
    ))
}
