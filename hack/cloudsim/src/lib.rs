//! The simulated Alibaba Cloud.
