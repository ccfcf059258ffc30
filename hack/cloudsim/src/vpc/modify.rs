//! `ModifyEipAddressAttribute` (alibaba-api.md 1.7): at once, `PostPaid` only.

use serde_json::{Value, json};

use super::{incorrect_status, limits, not_busy, own_eip};
use crate::rpc::ApiError;
use crate::state::{Call, State};

/// Changes bandwidth, name or description.
pub fn modify(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.args.required("AllocationId")?;
    let eip = own_eip(state, call, id)?;
    not_busy(state, eip)?;
    if eip.charge_type == "PrePaid" {
        return Err(ApiError::invalid("AllocationId", "the EIP is PrePaid"));
    }
    let bandwidth = call.args.get("Bandwidth");
    let inside = eip.package_id.now().is_some();
    if bandwidth.is_some() && inside && !state.settings.open.bandwidth_within_package {
        return Err(incorrect_status());
    }
    let bandwidth = bandwidth
        .map(|text| limits::bandwidth(text, &eip.charge_type, &eip.internet_charge_type))
        .transpose()?;
    let (name, description) = (call.args.get("Name"), call.args.get("Description"));
    limits::text("Name", name.unwrap_or(""), 128)?;
    limits::text("Description", description.unwrap_or(""), 256)?;
    if let Some(eip) = state.eips.get_mut(id) {
        if let Some(bandwidth) = bandwidth {
            eip.bandwidth.set(bandwidth, call.now);
        }
        eip.name = name.map_or_else(|| eip.name.clone(), str::to_owned);
        eip.description = description.map_or_else(|| eip.description.clone(), str::to_owned);
    }
    Ok(json!({}))
}
