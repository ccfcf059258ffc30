//! What eipd reads from and writes to the Kubernetes API: its records' wire types, the names on them, and pod annotations.

pub mod goduration;
pub mod kept;
pub mod keys;
pub mod limits;
pub mod poddnat;
pub mod podeip;
pub mod ports;
pub mod request;
mod wire;

#[cfg(test)]
mod tests;
