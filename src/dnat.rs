//! Public ports on NAT gateways (DNAT). Not served yet: what is here is pure and decides which ports a pod gets.

pub mod choose;
