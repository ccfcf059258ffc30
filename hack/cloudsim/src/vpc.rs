//! The VPC product, 2016-04-28.

pub mod allocate;
pub mod associate;
pub mod bandwidth;
pub mod describe_eips;
pub mod forward;
pub mod forward_entries;
pub mod limits;
pub mod modify;
pub mod nat_gateways;
pub mod page;
pub mod release;
pub mod routes;
pub mod tag_calls;
pub mod tag_rules;
pub mod unassociate;
pub mod vswitches;

use crate::eip::Eip;
use crate::router::{Handler, Route};
use crate::rpc::ApiError;
use crate::settings::BusyCode;
use crate::state::{Call, State};

/// The API version.
pub const VERSION: &str = "2016-04-28";

/// Finds an action.
pub fn route(action: &str) -> Option<Route> {
    let (takes_token, handler): (bool, Handler) = match action {
        "AllocateEipAddress" => (true, allocate::allocate),
        "AssociateEipAddress" => (true, associate::associate),
        "UnassociateEipAddress" => (true, unassociate::unassociate),
        "ReleaseEipAddress" => (false, release::release),
        "DescribeEipAddresses" => (false, describe_eips::describe),
        "ModifyEipAddressAttribute" => (false, modify::modify),
        "TagResources" => (false, tag_calls::tag),
        "UnTagResources" => (false, tag_calls::untag),
        "ListTagResources" => (false, tag_calls::list),
        "AddCommonBandwidthPackageIp" => (true, bandwidth::add),
        "RemoveCommonBandwidthPackageIp" => (true, bandwidth::remove),
        "DescribeNatGateways" => (false, nat_gateways::describe),
        "CreateForwardEntry" => (true, forward::create),
        "DeleteForwardEntry" => (true, forward::delete),
        "DescribeForwardTableEntries" => (false, forward_entries::describe),
        "DescribeRouteTableList" => (false, routes::tables),
        "DescribeRouteEntryList" => (false, routes::entries),
        "DescribeVSwitches" => (false, vswitches::describe),
        _ => return None,
    };
    Some(Route {
        product: "vpc",
        takes_token,
        handler,
    })
}

/// The EIP of that id, if it is the caller's and in the region named (if one is named).
pub fn own_eip<'a>(state: &'a State, call: &Call, id: &str) -> Result<&'a Eip, ApiError> {
    let region = call.region(state, "Forbidden.RegionNotFound")?;
    let mine = |eip: &&Eip| {
        eip.account == call.caller.account && region.as_ref().is_none_or(|r| *r == eip.region)
    };
    state.eips.get(id).filter(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidAllocationId.NotFound",
            "Specified allocation ID is not found",
        )
    })
}

/// Refuses a change of an EIP that is in a passing state: one change at a time.
pub fn not_busy(state: &State, eip: &Eip) -> Result<(), ApiError> {
    if !eip.status.is_passing() {
        return Ok(());
    }
    match state.settings.open.busy_code {
        BusyCode::IncorrectEipStatus => Err(incorrect_status()),
        BusyCode::TaskConflict => Err(task_conflict()),
    }
}

/// `IncorrectEipStatus`.
pub fn incorrect_status() -> ApiError {
    ApiError::refused(
        "IncorrectEipStatus",
        "Current elastic IP status does not support this operation.",
    )
}

/// `TaskConflict`.
pub fn task_conflict() -> ApiError {
    ApiError::refused(
        "TaskConflict",
        "The operation is too frequent. Another task is in progress.",
    )
}

/// Refuses an EIP that is locked for money or security.
pub fn not_locked(eip: &Eip) -> Result<(), ApiError> {
    match eip.locks.first().map(String::as_str) {
        None => Ok(()),
        Some("financial") => Err(ApiError::refused(
            "Forbidden.FinancialLocked",
            "The specified EIP is locked because of overdue payment.",
        )),
        Some(_) => Err(ApiError::refused(
            "InvalidEIPStatus.BizDisabled",
            "The specified EIP is locked for security reasons.",
        )),
    }
}
