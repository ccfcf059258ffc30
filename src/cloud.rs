//! The edge to Alibaba Cloud: one signed call at a time, typed; no policy, no retry but for stale credentials.

pub mod credentials;
pub mod ecs;
pub mod endpoints;
pub mod error;
pub mod http;
mod loose;
pub mod rpc;
pub mod sign;
pub mod sts;
pub mod vpc;
pub mod watched;

pub use ecs::Ecs;
pub use error::{Class, CloudError};
pub use sts::Sts;
pub use vpc::Vpc;
