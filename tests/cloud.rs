//! The agent's cloud and metadata clients against the simulated cloud, in one process and in virtual time.

#[path = "cloud/world.rs"]
mod world;

#[path = "cloud/calls.rs"]
mod cloud;

#[path = "cloud/node.rs"]
mod node;
