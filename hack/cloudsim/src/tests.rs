//! Tests of the whole router, by capability.

mod auth;
mod bind;
mod console;
mod control;
mod describe;
mod eip;
mod enis;
mod faults;
mod forward;
mod forward_table;
mod http_door;
mod limits;
mod metadata;
mod nat;
mod oidc;
mod package;
mod quota;
mod tags;
mod token;
mod vswitch;
