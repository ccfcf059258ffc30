//! EIPs: from facts to one step at a time.
//!
//! ```text
//!  watch, live reads, looks --> Memory --> facts --> plan --> Step --> drive --> Outcome --+
//!                                 ^                                                        |
//!                                 +--------------------------------------------------------+
//! ```
//! `plan` is pure. A step carries all its inputs, so a crash anywhere only means planning again.

pub mod ask;
pub mod brakes;
pub mod drive;
pub mod engine;
pub mod facts;
pub mod memory;
pub mod outcome;
pub mod plan;
pub mod retry;
pub mod settle;
pub mod step;
