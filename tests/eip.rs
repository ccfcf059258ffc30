//! The whole agent in one process and in virtual time: a double of the API server, the simulated cloud, real clients.

// A set-up that fails is to fail the test; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "eip/world.rs"]
mod world;

#[path = "eip/attack.rs"]
mod attack;

#[path = "eip/brakes.rs"]
mod brakes;
#[path = "eip/changeover.rs"]
mod changeover;
#[path = "eip/crash.rs"]
mod crash;
#[path = "eip/doctor.rs"]
mod doctor;
#[path = "eip/drift.rs"]
mod drift;
#[path = "eip/edges.rs"]
mod edges;
#[path = "eip/faults.rs"]
mod faults;
#[path = "eip/kept.rs"]
mod kept;
#[path = "eip/kernel.rs"]
mod kernel;
#[path = "eip/life.rs"]
mod life;
#[path = "eip/limits.rs"]
mod limits;
#[path = "eip/movement.rs"]
mod movement;
#[path = "eip/named.rs"]
mod named;
#[path = "eip/nodes.rs"]
mod nodes;
#[path = "eip/others.rs"]
mod others;
#[path = "eip/pace.rs"]
mod pace;
#[path = "eip/package.rs"]
mod package;
#[path = "eip/permissions.rs"]
mod permissions;
#[path = "eip/quiet.rs"]
mod quiet;
#[path = "eip/rob.rs"]
mod rob;
#[path = "eip/settings.rs"]
mod settings;
#[path = "eip/start.rs"]
mod start;
#[path = "eip/wiring.rs"]
mod wiring;
