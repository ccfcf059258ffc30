//! Starts clusters, clouds and agents.
