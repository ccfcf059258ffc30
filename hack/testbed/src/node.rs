//! A real node: a network namespace, a control group, containerd and a kubelet of its own.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::Node as KubeNode;
use kube::Api;

use crate::command::{CommandError, run_long};
use crate::net::Network;
use crate::paths::Paths;
use crate::plane::{API_PORT, Plane};
use crate::process::{Process, ProcessError, Program};
use crate::{cgroup, clock, pki};

mod cni;
mod containerd;
mod kubelet;
pub mod pool;

/// Why a node did not come up.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Pki(#[from] pki::PkiError),
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("node {name} is not Ready after {seconds} s; see {log}", log = log.display())]
    NotReady {
        name: String,
        seconds: u64,
        log: PathBuf,
    },
}

/// What the cloud says about the instance that a node is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Instance {
    /// 0, 1, ... in this world.
    pub index: usize,
    /// The Node object's name, as ACK forms it: `REGION.ADDRESS`.
    pub name: String,
    /// `i-...`
    pub instance_id: String,
    pub region: String,
    pub zone: String,
    /// The primary ENI's own address: the node's.
    pub address: Ipv4Addr,
    /// The primary ENI's MAC.
    pub mac: String,
    /// How its pods get at the VPC.
    pub wiring: Wiring,
    /// The ENI that holds the pods' addresses, where they share one.
    pub pod_eni: String,
    /// Its secondary private IPs: the CNI hands out exactly these.
    pub pod_addresses: Vec<Ipv4Addr>,
    /// The ENIs that pods get whole, elsewhere.
    pub own_enis: Vec<OwnEni>,
}

/// What Terway gives to a pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Wiring {
    /// A secondary private IP of an ENI that stays on the node.
    #[default]
    Shared,
    /// An ENI of its own, moved into it.
    Exclusive,
    /// A member of the node's trunk ENI, moved into it: not in the metadata service. A link like any other here, for want of
    /// VLANs in some kernels.
    Member,
}

/// An ENI that one pod gets whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OwnEni {
    pub id: String,
    pub mac: String,
    /// Its primary private IP, and its only one.
    pub address: Ipv4Addr,
}

impl Instance {
    /// The labels that the cloud controller manager would have put on the node.
    #[must_use]
    pub fn labels(&self) -> Vec<(String, String)> {
        let pairs = [
            ("topology.kubernetes.io/region", &self.region),
            ("topology.kubernetes.io/zone", &self.zone),
            ("topology.diskplugin.csi.alibabacloud.com/zone", &self.zone),
        ];
        pairs
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .to_vec()
    }

    /// `REGION.INSTANCE`, as in ACK.
    #[must_use]
    pub fn provider_id(&self) -> String {
        format!("{}.{}", self.region, self.instance_id)
    }
}

/// A node that runs.
#[derive(Debug)]
pub struct Node {
    pub instance: Instance,
    /// Its network namespace's name.
    pub netns: String,
    /// containerd's socket.
    pub socket: PathBuf,
    pub containerd: Process,
    pub kubelet: Process,
}

impl Node {
    /// Starts everything; it registers itself and becomes Ready some seconds later (see [`Node::wait_ready`]).
    pub async fn start(
        paths: &Paths,
        dir: &Path,
        network: &Network,
        plane: &Plane,
        instance: Instance,
    ) -> Result<Self, NodeError> {
        let netns = network.netns(instance.index);
        network.create_node(instance.index, instance.address, &instance.mac, API_PORT)?;
        let home = dir.join(format!("n{}", instance.index));
        let procs = cgroup::create(&netns).map_err(|source| NodeError::File {
            path: PathBuf::from("/sys/fs/cgroup").join(&netns),
            source,
        })?;
        for (number, eni) in instance.own_enis.iter().enumerate() {
            network.create_eni(instance.index, number, &eni.mac)?;
        }
        cni::write_configuration(&home, network, &instance)?;
        let plugins = cni::plugins(&home, &instance)?;
        let socket = containerd::configure(&home, &plugins)?;
        let containerd = Program {
            netns: Some(netns.clone()),
            cgroup: Some(procs.clone()),
            ..containerd::program(&home, instance.index)
        };
        let containerd = containerd.start(dir)?;
        containerd::load_images(paths, &socket).await?;
        let kubeconfig = plane.pki.kubeconfig(&instance.name, &plane.server)?;
        kubelet::configure(&home, &plane.pki, &netns, &socket, &instance)?;
        let kubelet = Program {
            netns: Some(netns.clone()),
            cgroup: Some(procs),
            ..kubelet::program(paths, &home, &kubeconfig, &instance)
        };
        Ok(Self {
            kubelet: kubelet.start(dir)?,
            instance,
            netns,
            socket,
            containerd,
        })
    }

    /// Waits for the condition Ready, 90 s at most.
    pub async fn wait_ready(&self, client: &kube::Client) -> Result<(), NodeError> {
        let nodes: Api<KubeNode> = Api::all(client.clone());
        for _ in 0..450 {
            if nodes
                .get(&self.instance.name)
                .await
                .is_ok_and(|node| is_ready(&node))
            {
                return Ok(());
            }
            clock::sleep(Duration::from_millis(200)).await;
        }
        let log = self.kubelet.log.clone();
        Err(NodeError::NotReady {
            name: self.instance.name.clone(),
            seconds: 90,
            log,
        })
    }

    /// Loads an image tar into this node's containerd.
    pub async fn load_image(&self, tar: &Path) -> Result<(), NodeError> {
        containerd::import(&self.socket, tar).await
    }
}

/// Whether the node says Ready.
#[must_use]
pub fn is_ready(node: &KubeNode) -> bool {
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one.type_ == "Ready" && one.status == "True")
    })
}

/// Runs a program of Debian's by its full path or by its name in the usual folders.
async fn ctr(socket: &Path, args: &[&str]) -> Result<String, NodeError> {
    let socket = socket.to_string_lossy();
    Ok(run_long("ctr", &[&["-a", &socket, "-n", "k8s.io"], args].concat()).await?)
}

fn write(path: &Path, text: &str) -> Result<(), NodeError> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text))
        .map_err(|source| NodeError::File {
            path: path.to_owned(),
            source,
        })
}
