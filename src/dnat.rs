//! Public ports on NAT gateways (DNAT): what is decided (`plan`, pure), what is done (`drive`), and the loop around them.

pub mod ask;
pub mod choose;
pub mod drive;
pub mod engine;
pub mod facts;
pub mod gateways;
pub mod memory;
pub mod names;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod step;
mod stuck;
pub mod sweep;
pub mod turns;
