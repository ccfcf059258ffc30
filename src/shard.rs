//! What this node's agent has to know of the cluster around its shard.

pub mod rivals;
pub mod takeover;
