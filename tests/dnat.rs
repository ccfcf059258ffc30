//! Public ports, by the whole agent in one process and in virtual time: a double of the API server, the simulated cloud, real clients.

// A set-up that fails is to fail the test; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)] // shared with the tests of EIPs
#[path = "eip/world.rs"]
mod world;

#[path = "dnat/nat.rs"]
mod nat;

#[path = "dnat/asked.rs"]
mod asked;
#[path = "dnat/both.rs"]
mod both;
#[path = "dnat/chaos.rs"]
mod chaos;
#[path = "dnat/crash.rs"]
mod crash;
#[path = "dnat/drift.rs"]
mod drift;
#[path = "dnat/fixed.rs"]
mod fixed;
#[path = "dnat/gateways.rs"]
mod gateways;
#[path = "dnat/life.rs"]
mod life;
#[path = "dnat/permissions.rs"]
mod permissions;
#[path = "dnat/quota.rs"]
mod quota;
#[path = "dnat/stuck.rs"]
mod stuck;
#[path = "dnat/sweep.rs"]
mod sweep;
