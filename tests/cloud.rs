//! The agent's cloud and metadata clients against the simulated cloud, in one process and in virtual time.

// A set-up that fails is to fail the test; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used)]

#[path = "cloud/world.rs"]
mod world;

mod cloud {
    mod calls;
    mod credentials;
    mod interfaces;
    mod living;
    mod rrsa;
}

#[path = "cloud/node.rs"]
mod node;
