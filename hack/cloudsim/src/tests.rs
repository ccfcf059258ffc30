//! Tests of the whole router, by capability.

mod eip;
