//! Public addresses for the pods of one Kubernetes node on Alibaba Cloud.
//!
//! Layers, arrows one way: `domain` <- `eip::plan` (pure) <- `eip::drive` (one step) <- `agent` (wiring).
//! See `docs/design.md`.

pub mod agent;
pub mod api;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod dnat;
pub mod doctor;
pub mod domain;
pub mod eip;
mod engine;
pub mod inspect;
pub mod kubeapi;
pub mod node;
pub mod pace;
pub mod shard;
pub mod shutdown;
pub mod telemetry;
