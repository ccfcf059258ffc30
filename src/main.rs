//! The `eipd` binary.
fn main() {}
