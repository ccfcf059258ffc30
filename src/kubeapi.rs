//! The API server: narrow watches, reads and writes with a deadline each, and typed refusals.

pub mod client;
pub mod crd;
pub mod dnats;
pub mod error;
pub mod health;
pub mod lists;
pub mod nodes;
pub mod podenis;
pub mod pods;
pub mod records;
pub mod watch;
pub mod workloads;
