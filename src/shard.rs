//! What is no node's: found at random times by any agent, so that nobody leads and nothing is forgotten.

pub mod audit;
pub mod found;
pub mod pulse;
mod sample;
pub mod sweep;
