//! Plain types that every layer shares: no I/O, no clock, no kube, no HTTP.

pub mod dnat;
pub mod eip;
pub mod ids;
pub mod keep;
pub mod pod;
pub mod ports;
pub mod record;
