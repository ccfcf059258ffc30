//! `CreateForwardEntry` and `DeleteForwardEntry` (alibaba-api.md 1.12): one change at a time for each table.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::task_conflict;
use crate::eip::Status;
use crate::nat::{EntryStatus, ForwardEntry, NatGateway, Ports};
use crate::rpc::{ApiError, Args};
use crate::settings::ForwardBusyCode;
use crate::state::{Call, State};

/// SNAT uses the ports above this one.
const SNAT_PORTS_ABOVE: u16 = 1024;

/// Begins to make an entry.
pub fn create(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let gateway = gateway(state, call)?.clone();
    let entry = read(&call.args, &gateway)?;
    check_gateway(&gateway)?;
    check_external(state, call, &gateway, &entry)?;
    check_internal(state, &gateway, &entry)?;
    let blocks = |entry: &ForwardEntry| {
        matches!(entry.status, EntryStatus::Pending | EntryStatus::Modifying)
    };
    let waits = state.settings.open.forward_create_waits_for_deletions;
    not_busy(state, &gateway, |entry| {
        blocks(entry) || waits && entry.status == EntryStatus::Deleting
    })?;
    check_unique(state, &entry)?;
    let count = state.nats.table(&gateway.forward_table_id).count();
    if count >= state.settings.quotas.forward_entries {
        return Err(ApiError::refused(
            "QuotaExceeded",
            "The number of forward entries exceeds the quota.",
        ));
    }
    if call.args.boolean("DryRun")? == Some(true) {
        return Err(ApiError::refused(
            "DryRunOperation",
            "Request validation has been passed.",
        ));
    }
    let settles = state.settles_at(call, state.settings.settle.forward_create_ms);
    let mut entry = entry;
    entry.id = state.ids.resource("fwd");
    entry.enter(EntryStatus::Pending, call.now, Some(settles));
    let id = entry.id.clone();
    state.nats.insert(entry);
    Ok(json!({"ForwardEntryId": id}))
}

/// Begins to delete an entry.
pub fn delete(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let gateway = gateway(state, call)?.clone();
    let id = call.args.required("ForwardEntryId")?;
    let table = &gateway.forward_table_id;
    let entry = state.nats.entry(id).filter(|it| it.table_id == *table);
    let Some(entry) = entry else {
        return Err(unknown(state));
    };
    if entry.status == EntryStatus::Deleting {
        return Err(ApiError::refused(
            "IncorrectStatus.ForwardEntry",
            "The status of the forward entry is not valid.",
        ));
    }
    check_gateway(&gateway)?;
    not_busy(state, &gateway, |entry| {
        matches!(entry.status, EntryStatus::Pending | EntryStatus::Modifying)
    })?;
    let settles = state.settles_at(call, state.settings.settle.forward_delete_ms);
    let (id, status) = (id.to_owned(), EntryStatus::Deleting);
    state
        .nats
        .change(&id, status, call.now, Some(settles), |_| {});
    Ok(json!({}))
}

fn unknown(state: &State) -> ApiError {
    if state.settings.open.forward_unknown_is_status {
        return ApiError::refused(
            "IncorretForwardEntryStatus",
            "The forward entry does not exist.",
        );
    }
    ApiError::not_found(
        "InvalidForwardEntryId.NotFound",
        "The specified ForwardEntryId is not found.",
    )
}

/// The gateway of the table that is named.
pub(super) fn gateway<'a>(state: &'a State, call: &Call) -> Result<&'a NatGateway, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let table = call.args.required("ForwardTableId")?;
    let mine =
        |gateway: &&NatGateway| gateway.account == call.caller.account && gateway.region == region;
    state.nats.of_table(table).filter(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidForwardTableId.NotFound",
            "The specified ForwardTableId is not found.",
        )
    })
}

/// What is asked for, in its form.
fn read(args: &Args, gateway: &NatGateway) -> Result<ForwardEntry, ApiError> {
    let external_port = port(args, "ExternalPort", "InvalidExternalPort.Malformed")?;
    let internal_port = port(args, "InternalPort", "InvalidInternalPort.Malformed")?;
    if external_port.count() != internal_port.count() {
        return Err(malformed("InvalidInternalPort.Malformed", "InternalPort"));
    }
    let protocol = args.required("IpProtocol")?.to_lowercase();
    let all = protocol == "any";
    if !["tcp", "udp", "any"].contains(&&*protocol) || all != (external_port == Ports::Any) {
        return Err(ApiError::refused(
            "InvalidProtocal.ValueNotSupported",
            "The specified IpProtocol is not supported.",
        ));
    }
    Ok(ForwardEntry {
        id: String::new(),
        table_id: gateway.forward_table_id.clone(),
        name: name(args)?,
        external_ip: ip(args, "ExternalIp", "InvalidExternalIp.Malformed")?,
        external_port,
        internal_ip: ip(args, "InternalIp", "InvalidInternalIp.Malformed")?,
        internal_port,
        protocol,
        status: EntryStatus::Pending,
        settles_ms: None,
        history: Vec::new(),
    })
}

fn malformed(code: &'static str, name: &str) -> ApiError {
    ApiError::refused(code, format!("The specified {name} is not valid."))
}

fn port(args: &Args, name: &str, code: &'static str) -> Result<Ports, ApiError> {
    Ports::parse(args.required(name)?).ok_or_else(|| malformed(code, name))
}

fn ip(args: &Args, name: &str, code: &'static str) -> Result<Ipv4Addr, ApiError> {
    let parsed = args.required(name)?.parse();
    parsed.map_err(|_| malformed(code, name))
}

/// 2 to 128 characters, a letter first, no address of a page.
fn name(args: &Args) -> Result<String, ApiError> {
    let name = args.get("ForwardEntryName").unwrap_or_default();
    let length = name.chars().count();
    let letter = name.chars().next().is_none_or(char::is_alphabetic);
    let page = ["http://", "https://"]
        .iter()
        .any(|start| name.starts_with(start));
    if name.is_empty() || (2..=128).contains(&length) && letter && !page {
        return Ok(name.to_owned());
    }
    Err(malformed(
        "InvalidParameter.Name.Malformed",
        "ForwardEntryName",
    ))
}

fn check_gateway(gateway: &NatGateway) -> Result<(), ApiError> {
    if gateway.status == "Available" {
        return Ok(());
    }
    Err(ApiError::refused(
        "IncorrectStatus.NATGW",
        "The status of the NAT gateway is not valid.",
    ))
}

/// The EIP has to be the gateway's, and not SNAT's above port 1024.
fn check_external(
    state: &State,
    call: &Call,
    gateway: &NatGateway,
    entry: &ForwardEntry,
) -> Result<(), ApiError> {
    let mine =
        |eip: &&crate::eip::Eip| eip.ip == entry.external_ip && eip.account == call.caller.account;
    let eip = state.eips.iter().find(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidExternalIp.NotFound",
            "The specified ExternalIp is not found.",
        )
    })?;
    let place = eip.place.as_ref();
    if place.is_none_or(|place| place.instance_id != gateway.id) {
        return Err(ApiError::refused(
            "InvalidIp.NotInNatgw",
            "The specified ExternalIp is not bound to the NAT gateway.",
        ));
    }
    if eip.status != Status::InUse {
        return Err(ApiError::refused(
            "OperationUnsupported.EipInBinding",
            "The EIP is being bound to the NAT gateway.",
        ));
    }
    let high = match entry.external_port {
        Ports::Range(_, last) => last > SNAT_PORTS_ABOVE,
        Ports::Any => true,
    };
    let breaks = call.args.boolean("PortBreak")? == Some(true) && entry.external_port != Ports::Any;
    if high && !breaks && state.nats.is_snat(entry.external_ip) {
        return Err(ApiError::refused(
            "Forbidden.ExternalIp.UsedInSnatTable",
            "The specified ExternalIp is used in the SNAT table.",
        ));
    }
    Ok(())
}

/// An address of the VPC without an EIP of its own.
fn check_internal(
    state: &State,
    gateway: &NatGateway,
    entry: &ForwardEntry,
) -> Result<(), ApiError> {
    let vpc = state.world.vpcs.get(&gateway.vpc_id);
    if vpc.is_none_or(|vpc| !vpc.cidr.contains(entry.internal_ip)) {
        return Err(ApiError::refused(
            "Forbidden.InternalIpOutOfVpcCIDR",
            "The specified InternalIp is not in the CIDR block of the VPC.",
        ));
    }
    let enis = state.world.enis.values();
    let mut enis = enis.filter(|eni| eni.vpc_id == gateway.vpc_id);
    let has_eip = enis.any(|eni| state.eips.at(&eni.id, entry.internal_ip).is_some());
    if has_eip {
        return Err(ApiError::refused(
            "Forbindden",
            "The instance of the specified InternalIp has an EIP.",
        ));
    }
    Ok(())
}

fn not_busy(
    state: &State,
    gateway: &NatGateway,
    blocks: impl Fn(&ForwardEntry) -> bool,
) -> Result<(), ApiError> {
    let mut table = state.nats.table(&gateway.forward_table_id);
    if !table.any(blocks) {
        return Ok(());
    }
    let text = "Another forward entry of the table is being changed.";
    Err(match state.settings.open.forward_busy_code {
        ForwardBusyCode::Entry => ApiError::refused("IncorretForwardEntryStatus", text),
        ForwardBusyCode::Gateway => ApiError::refused("IncorrectStatus.NATGW", text),
        ForwardBusyCode::TaskConflict => task_conflict(),
        ForwardBusyCode::Operation => ApiError::refused("OperationConflict", text),
    })
}

/// Both sides are unique, also against what is being deleted; so is the address of an entry for all ports.
fn check_unique(state: &State, entry: &ForwardEntry) -> Result<(), ApiError> {
    let mut others = state.nats.entries();
    if others.any(|other| other.clashes_outside(entry)) {
        let code = match state.settings.open.forward_taken_is_bounded {
            true => "Forbidden.Already.Bounded",
            false => "OperationUnsupported.ForwardEntry",
        };
        return Err(ApiError::refused(
            code,
            "The specified ExternalIp and ExternalPort are in use by another forward entry.",
        ));
    }
    let mut others = state.nats.table(&entry.table_id);
    if others.any(|other| other.clashes_inside(entry)) {
        return Err(ApiError::refused(
            "OperationUnsupported.ForwardEntry",
            "The specified InternalIp and InternalPort are in use by another forward entry.",
        ));
    }
    Ok(())
}
