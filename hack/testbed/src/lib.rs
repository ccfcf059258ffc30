//! Starts clusters, clouds and agents for eipd's tests, benchmarks and demo. Nothing of this is written twice.
//!
//! A [`world::World`] is a simulated cloud (a process of `hack/cloudsim`), a control plane (etcd, kube-apiserver,
//! controller manager, scheduler), nodes, and eipd. Two kinds:
//!
//! - [`WorldSpec::light`](world::WorldSpec::light): nodes and pods are *played*, agents are processes. No root.
//! - [`WorldSpec::real`](world::WorldSpec::real): kubelets on containerd, each in a network namespace of its own, eipd as a
//!   `DaemonSet`. Root.
//!
//! ```no_run
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use testbed::played::PodSpec;
//! use testbed::world::{World, WorldSpec};
//!
//! let mut world = World::start(&WorldSpec::light(1)).await?;      // agents are made, not started
//! world.cloud().set(&serde_json::json!({"settle": {"associate_ms": 2000}})).await?;
//! world.cloud().order_fault(&serde_json::json!({
//!     "action": "AllocateEipAddress", "count": 1, "fault": {"kind": "hold"},
//! })).await?;
//! world.agent(0).start()?;
//! world.agent(0).wait_ready().await?;                             // also: sigkill, sigterm, wait, logs, get("/metrics")
//!
//! let pod = world.play_pod(0, &PodSpec::with_eip("web-0")).await?; // created, bound to node 0
//! pod.take().await?;                                              // kubelet has taken it: startTime
//! let ip = world.take_address(0).ok_or("no address left")?;       // one of the node's ENI
//! pod.give_ip(ip).await?;
//! pod.run().await?;
//! world.agent(0).sigkill();
//! for hold in world.cloud().holds().await? {
//!     world.cloud().release_hold(hold["id"].as_u64().unwrap_or(0), "deliver").await?;
//! }
//! world.agent(0).start()?;
//! pod.wait_bound(30).await?;                                      // the condition k8s.aliyun.com/eip is True
//! assert_eq!(world.cloud().eips().await?.len(), 1);               // also: calls(), counts(), get, post
//! pod.delete_fully().await?;                                      // or: delete, end_containers, remove
//! # Ok(()) }                                                      // everything goes when `world` is dropped
//! ```
//!
//! `world.kube()` is a client with the administrator's rights; `world.new_agent(0, "second")` is a further agent for node
//! 0. The programs are found by variables that `hack/lib/setup.sh` sets ([`paths`]), so tests that need a world are run by
//! `hack/test`, not by `cargo test`. What a killed process leaves is removed by the next world's start and by
//! `testbed sweep`.

pub mod agent;
pub mod apiserver;
pub mod bench;
pub mod cases;
pub mod cgroup;
pub mod clock;
pub mod cloud;
pub mod command;
pub mod demo;
pub mod install;
pub mod net;
pub mod node;
pub mod page;
pub mod paths;
pub mod pki;
pub mod plane;
pub mod played;
pub mod process;
pub mod teardown;
pub mod world;
