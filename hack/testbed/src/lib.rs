//! Starts clusters, clouds and agents.

pub mod apiserver;
