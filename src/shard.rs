//! What this node's agent has to know of the cluster around its shard: what is no node's, found at random times by any
//! agent so that nobody leads and nothing is forgotten, and who else gives pods EIPs.

pub mod audit;
pub mod found;
pub mod held;
pub mod mine;
pub mod pulse;
pub mod rivals;
pub(crate) mod sample;
pub mod sweep;
