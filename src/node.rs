//! What the agent learns from and does on its own node: metadata service, identity, ENIs, addresses, the lock against a second agent.

pub mod eni;
pub mod identity;
pub mod kernel;
pub mod lock;
pub mod metadata;
pub mod places;
pub mod role;
