//! `ReleaseEipAddress` (alibaba-api.md 1.5): `Releasing`, then gone.

use serde_json::{Value, json};

use super::{incorrect_status, not_busy, own_eip};
use crate::eip::{Eip, Status};
use crate::rpc::ApiError;
use crate::state::{Call, State};

/// Begins to release an EIP.
pub fn release(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.args.required("AllocationId")?;
    let eip = own_eip(state, call, id)?;
    not_busy(state, eip)?;
    if eip.status != Status::Available {
        return Err(incorrect_status());
    }
    check_releasable(state, eip)?;
    let settles = state.settles_at(call, state.settings.settle.release_ms);
    state
        .eips
        .enter(id, Status::Releasing, None, call.now, Some(settles));
    Ok(json!({}))
}

fn check_releasable(state: &State, eip: &Eip) -> Result<(), ApiError> {
    if eip.charge_type == "PrePaid" {
        return Err(ApiError::refused(
            "Forbidden.ChargeTypeIsPrepaid",
            "The charge type of the EIP is prepaid.",
        ));
    }
    if eip.deletion_protection {
        return Err(ApiError::refused(
            "InvalidOperation.DeletionProtection",
            "The EIP is protected from deletion.",
        ));
    }
    if eip.service_managed {
        return Err(ApiError::refused(
            "OperationUnsupported.ServiceManaged",
            "The EIP is managed by a cloud service.",
        ));
    }
    if eip.package_id.now().is_some() && !state.settings.open.release_from_package {
        return Err(incorrect_status());
    }
    Ok(())
}
