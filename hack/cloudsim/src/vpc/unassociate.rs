//! `UnassociateEipAddress` (alibaba-api.md 1.4): `Unassociating`, then `Available`.

use serde_json::{Value, json};

use super::associate::instance_type;
use super::{incorrect_status, not_busy, not_locked, own_eip, task_conflict};
use crate::eip::{Eip, Place, Status};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};

/// Begins to unbind an EIP.
pub fn unassociate(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.args.required("AllocationId")?;
    instance_type(&call.args)?;
    call.args.boolean("Force")?;
    let eip = own_eip(state, call, id)?;
    not_locked(eip)?;
    not_busy(state, eip)?;
    let place = eip.place.clone().filter(|_| eip.status == Status::InUse);
    let place = place.ok_or_else(incorrect_status)?;
    if state.settings.open.unassociate_compares {
        check_place(&call.args, &place)?;
    }
    check_tasks(state, eip)?;
    let settles = state.settles_at(call, state.settings.settle.unassociate_ms);
    state.eips.enter(
        id,
        Status::Unassociating,
        Some(place),
        call.now,
        Some(settles),
    );
    Ok(json!({}))
}

/// Refuses when what the call names is not where the EIP is bound.
fn check_place(args: &Args, place: &Place) -> Result<(), ApiError> {
    let real = place
        .private_ip
        .map(|ip| ip.to_string())
        .unwrap_or_default();
    let named = [
        ("InstanceId", place.instance_id.as_str()),
        ("InstanceType", place.instance_type.as_str()),
        ("PrivateIpAddress", real.as_str()),
    ];
    let same = |(name, there): &(&str, &str)| args.get(name).is_none_or(|given| given == *there);
    if named.iter().all(same) {
        return Ok(());
    }
    Err(ApiError::not_found(
        "InvalidBindInstance.NotFound",
        "The specified instance is not bound to the EIP.",
    ))
}

fn check_tasks(state: &State, eip: &Eip) -> Result<(), ApiError> {
    let Some(eni) = eip.place.as_ref().and_then(|place| place.eni_id.as_ref()) else {
        return Ok(());
    };
    let busy = state
        .eips
        .on_eni(eni)
        .any(|other| other.status.is_passing());
    if state.settings.open.one_task_per_eni && busy {
        return Err(task_conflict());
    }
    Ok(())
}
