//! Public addresses for the pods of one Kubernetes node on Alibaba Cloud.

pub mod clock;
