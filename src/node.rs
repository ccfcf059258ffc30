//! What the agent learns from and does on its own node: metadata service, identity, ENIs, the lock against a second agent.

pub mod eni;
pub mod identity;
pub mod lock;
pub mod metadata;
pub mod places;
pub mod role;
