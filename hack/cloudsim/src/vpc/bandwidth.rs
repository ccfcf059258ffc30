//! `AddCommonBandwidthPackageIp`, `RemoveCommonBandwidthPackageIp` (alibaba-api.md 1.9).

use serde_json::{Value, json};

use super::not_locked;
use crate::clock::Ms;
use crate::eip::Eip;
use crate::rpc::ApiError;
use crate::settings::{BusyCode, PackageBusyCode};
use crate::state::{Call, State};
use crate::world::BandwidthPackage;

/// Puts an EIP into a package.
pub fn add(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    call.required_region(state, "InvalidRegionId.NotFound")?;
    let package = package(state, call)?;
    if call.args.get("IpType").is_some_and(|kind| kind != "EIP") {
        return Err(ApiError::refused(
            "OperationUnsupported.IpType",
            "The specified IpType is not supported.",
        ));
    }
    let eip = eip(state, call)?;
    check_add(state, call, eip, package)?;
    dry_run(call)?;
    let (id, package) = (eip.id.clone(), package.id.clone());
    let bound = bind(state, call, &package);
    let shows = match state.settings.open.package_shows_at_once {
        true => call.now,
        false => bound,
    };
    if let Some(eip) = state.eips.get_mut(&id) {
        eip.package_id.set(Some(package), shows);
    }
    Ok(json!({}))
}

/// Takes an EIP out of a package.
pub fn remove(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    call.required_region(state, "InvalidRegionId.NotFound")?;
    let package = package(state, call)?;
    let eip = eip(state, call)?;
    not_locked(eip)?;
    not_busy(state, eip)?;
    if eip.package_id.now().as_ref() != Some(&package.id) {
        return Err(ApiError::refused(
            "OperationUnsupported.IpNotInCbwp",
            "The specified IP is not in the bandwidth package.",
        ));
    }
    not_binding(state, package, call)?;
    dry_run(call)?;
    let (id, package) = (eip.id.clone(), package.id.clone());
    let shows = match state.settings.open.package_leave_is_slow {
        true => bind(state, call, &package),
        false => call.now,
    };
    if let Some(eip) = state.eips.get_mut(&id) {
        eip.package_id.set(None, shows);
    }
    Ok(json!({}))
}

/// The package is `BINDING` now; gives the end of that.
fn bind(state: &mut State, call: &Call, package: &str) -> Ms {
    let until = state.settles_at(call, state.settings.settle.package_ms);
    if let Some(package) = state.world.packages.get_mut(package) {
        package.binding_until_ms = until;
    }
    until
}

fn check_add(
    state: &State,
    call: &Call,
    eip: &Eip,
    package: &BandwidthPackage,
) -> Result<(), ApiError> {
    let refuse = |code, text: &str| Err(ApiError::refused(code, text));
    if eip.package_id.now().is_some() {
        return refuse(
            "IpInstanceId.AlreadyInBandwidthPackage",
            "The specified IpInstanceId is already in a bandwidth package.",
        );
    }
    if eip.charge_type != "PostPaid" {
        return refuse(
            "IpInstanceId.ChargeType.NotSupport",
            "The charge type of the EIP is not supported.",
        );
    }
    if !eip.locks.is_empty() {
        return refuse("IpInstanceId.BizStatusInvalid", "The EIP is locked.");
    }
    if eip.isp != package.isp {
        return Err(ApiError::not_found(
            "BandwidthPackageId.InvalidBandwidth",
            "The bandwidth package is of another line than the EIP.",
        ));
    }
    not_busy(state, eip)?;
    not_binding(state, package, call)?;
    let inside = state
        .eips
        .iter()
        .filter(|other| other.package_id.now().as_ref() == Some(&package.id));
    if inside.count() >= state.settings.quotas.eips_per_package {
        return refuse(
            "IpInstanceId.QuotaExceeded",
            "The bandwidth package is full.",
        );
    }
    Ok(())
}

fn not_busy(state: &State, eip: &Eip) -> Result<(), ApiError> {
    if !eip.status.is_passing() {
        return Ok(());
    }
    Err(match state.settings.open.busy_code {
        BusyCode::IncorrectEipStatus => {
            ApiError::refused("IncorrectStatus.Eip", "The status of the EIP is not valid.")
        }
        BusyCode::TaskConflict => super::task_conflict(),
    })
}

fn not_binding(state: &State, package: &BandwidthPackage, call: &Call) -> Result<(), ApiError> {
    if !state.settings.open.one_task_per_package || package.binding_until_ms <= call.now {
        return Ok(());
    }
    let code = match state.settings.open.package_busy_code {
        PackageBusyCode::Conflict => "BandwidthPackageOperation.conflict",
        PackageBusyCode::Lock => "OperationFailed.DistibuteLock",
        PackageBusyCode::TaskConflict => return Err(super::task_conflict()),
        PackageBusyCode::TooFrequently => "EipOperation.TooFrequently",
    };
    Err(ApiError::refused(
        code,
        "Another operation on the bandwidth package is in progress.",
    ))
}

fn dry_run(call: &Call) -> Result<(), ApiError> {
    if call.args.boolean("DryRun")? == Some(true) {
        return Err(ApiError::refused(
            "DryRunOperation",
            "Request validation has been passed.",
        ));
    }
    Ok(())
}

fn package<'a>(state: &'a State, call: &Call) -> Result<&'a BandwidthPackage, ApiError> {
    let id = call.args.required("BandwidthPackageId")?;
    let region = call.args.get("RegionId").unwrap_or_default();
    let mine = |p: &&BandwidthPackage| p.account == call.caller.account && p.region == region;
    state.world.packages.get(id).filter(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidBandwidthPackageId.NotFound",
            "The specified BandwidthPackageId is not found.",
        )
    })
}

fn eip<'a>(state: &'a State, call: &Call) -> Result<&'a Eip, ApiError> {
    let id = call.args.required("IpInstanceId")?;
    let region = call.args.get("RegionId").unwrap_or_default();
    let mine = |eip: &&Eip| eip.account == call.caller.account && eip.region == region;
    state.eips.get(id).filter(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidIpInstanceId.NotFound",
            "The specified IpInstanceId is not found.",
        )
    })
}
