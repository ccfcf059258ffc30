//! What the agent tells the outside: logs, metrics, Kubernetes Events, and the health endpoint.

pub mod escape;
pub mod events;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod readiness;
