//! Which code serves which action of which product.

use serde_json::Value;

use crate::rpc::ApiError;
use crate::state::{Call, State};
use crate::{ecs, sts, vpc};

/// Does the work of an action.
pub type Handler = fn(&mut State, &Call) -> Result<Value, ApiError>;

/// An action that is served.
#[derive(Clone, Copy)]
pub struct Route {
    /// `vpc`, `ecs`, `sts`: also the first part of its RAM action.
    pub product: &'static str,
    /// Takes a `ClientToken`.
    pub takes_token: bool,
    /// Does the work.
    pub handler: Handler,
}

/// Finds an action; the error is the gateway's.
pub fn find(version: &str, action: &str) -> Result<Route, ApiError> {
    let route = match version {
        vpc::VERSION => vpc::route(action),
        ecs::VERSION => ecs::route(action),
        sts::VERSION => sts::route(action),
        "" => return Err(ApiError::missing("Version")),
        _ => {
            let text = "Specified parameter Version is not valid.";
            return Err(ApiError::not_found("InvalidVersion", text));
        }
    };
    if action.is_empty() {
        return Err(ApiError::missing("Action"));
    }
    route.ok_or_else(|| {
        let text = "Specified api is not found, please check your url and method.";
        ApiError::not_found("InvalidAction.NotFound", text)
    })
}

/// The product of an API version; empty if unknown.
pub fn product_of(version: &str) -> &'static str {
    match version {
        vpc::VERSION => "vpc",
        ecs::VERSION => "ecs",
        sts::VERSION => "sts",
        _ => "",
    }
}
