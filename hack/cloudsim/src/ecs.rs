//! The ECS product, 2014-05-26.

pub mod describe_enis;

use crate::router::Route;

/// The API version.
pub const VERSION: &str = "2014-05-26";

/// Finds an action.
pub fn route(action: &str) -> Option<Route> {
    let describe = Route {
        product: "ecs",
        takes_token: false,
        handler: describe_enis::describe,
    };
    (action == "DescribeNetworkInterfaces").then_some(describe)
}
