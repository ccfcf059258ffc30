//! The simulated Alibaba Cloud that eipd is tested against.
//!
//! One router, `http::Request` in and `http::Response` out, behind two doors: a function call
//! ([`Cloud::api`], [`Cloud::metadata`], [`Cloud::control`]) and HTTP listeners ([`listeners`]).
//! See the README for the control door, the open behaviours and what is not simulated.

pub mod calls;
pub mod clock;
pub mod cloud;
pub mod control;
pub mod ecs;
pub mod eip;
pub mod faults;
pub mod holds;
pub mod identity;
pub mod ids;
pub mod listeners;
pub mod metadata;
pub mod nat;
pub mod router;
pub mod rpc;
pub mod seed;
pub mod settings;
pub mod state;
pub mod sts;
pub mod vpc;
pub mod world;

pub use cloud::{Cloud, ListenerName, Lost};
pub use settings::Settings;

#[cfg(test)]
mod test_world;
#[cfg(test)]
mod tests;
