//! A whole world: the simulated cloud, a control plane, nodes (real or played), eipd. Everything goes when it is dropped.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::agent::{Agent, AgentError, AgentSpec};
use crate::cgroup;
use crate::cloud::{Cloud, CloudError};
use crate::command::CommandError;
use crate::install::{self, InstallError};
use crate::net::Network;
use crate::node::{Instance, Node, NodeError, Wiring};
use crate::paths::{Paths, PathsError};
use crate::plane::{Plane, PlaneError, PlaneSpec};
use crate::played::{self, PlayError, PlayedPod, PodSpec};

mod claim;
pub use claim::{Claim, ClaimError};

/// What `kubectl apply -k` is given, if nothing else is asked for.
const OVERLAY: &str = "daemonset/overlays/demo";

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error(transparent)]
    Paths(#[from] PathsError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("real nodes need root: start a light world instead")]
    NotRoot,
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Plane(#[from] PlaneError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Play(#[from] PlayError),
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// What world to start.
#[derive(Debug, Clone)]
pub struct WorldSpec {
    /// Its name, at most six letters and digits; `None` for one that nobody has.
    pub tag: Option<String>,
    pub nodes: usize,
    /// Nodes and pods are played and agents are processes: no root needed, no kubelet, no packets.
    pub light: bool,
    /// Private IPs for pods on each node.
    pub addresses: usize,
    /// How pods are wired, node by node; shared ENIs where it says nothing.
    pub wirings: Vec<Wiring>,
    /// What `kubectl apply -k` is given: a folder of the clone.
    pub overlay: &'static str,
    /// Whether eipd is applied (in a light world without its agents: see [`World::agents`]).
    pub install: bool,
    /// Further arguments of kube-apiserver.
    pub api_arguments: Vec<String>,
    /// Further arguments of kube-controller-manager.
    pub manager_arguments: Vec<String>,
    /// Told about each part as it begins.
    pub progress: fn(&str),
}

impl WorldSpec {
    /// A world for tests: played nodes, agents as processes.
    #[must_use]
    pub fn light(nodes: usize) -> Self {
        Self {
            tag: None,
            nodes,
            light: true,
            addresses: 60,
            wirings: Vec::new(),
            overlay: OVERLAY,
            install: true,
            api_arguments: Vec::new(),
            manager_arguments: Vec::new(),
            progress: |_| {},
        }
    }

    /// A world of real nodes, each in a network namespace of its own, with eipd as a `DaemonSet`. Root only.
    #[must_use]
    pub fn real(nodes: usize) -> Self {
        Self {
            light: false,
            addresses: 10,
            ..Self::light(nodes)
        }
    }
}

/// A running world.
pub struct World {
    pub paths: Paths,
    pub network: Network,
    pub cloud: Cloud,
    pub plane: Plane,
    /// What the cloud says about each node.
    pub instances: Vec<Instance>,
    /// The real nodes; none in a light world.
    pub nodes: Vec<Node>,
    /// One agent per played node, not started; none in a world of real nodes.
    pub agents: Vec<Agent>,
    client: kube::Client,
    /// Addresses of each node that no played pod was given yet, or that came back.
    free: Mutex<Vec<VecDeque<Ipv4Addr>>>,
    // Last: it removes everything.
    claim: Claim,
}

impl World {
    /// Starts it. If this fails or is dropped half-way, nothing stays.
    pub async fn start(spec: &WorldSpec) -> Result<Self, WorldError> {
        let paths = Paths::from_environment()?;
        if !spec.light && !nix::unistd::geteuid().is_root() {
            return Err(WorldError::NotRoot);
        }
        cgroup::adopt_orphans();
        Claim::sweep(&paths.worlds);
        let claim = match &spec.tag {
            Some(tag) => Claim::take(&paths.worlds, tag)?,
            None => Claim::take_any(&paths.worlds)?,
        };
        (spec.progress)("starting the cloud and the control plane");
        let network = network(spec, claim.tag())?;
        let mut cloud = Cloud::start(&paths, claim.dir()).await?;
        cloud.create_vpc(&network).await?;
        let mut instances = Vec::new();
        for index in 0..spec.nodes {
            let wiring = spec.wirings.get(index).copied().unwrap_or_default();
            let made = cloud.create_instance(index, spec.addresses, wiring);
            instances.push(made.await?);
        }
        let plane =
            Plane::start(&paths, claim.dir(), &plane_spec(spec, &network, &instances)).await?;
        let client = plane.client().await?;
        let free = instances
            .iter()
            .map(|instance| instance.pod_addresses.iter().copied().collect())
            .collect();
        let (nodes, agents) = (Vec::new(), Vec::new());
        let free = Mutex::new(free);
        let mut world = Self {
            paths,
            network,
            cloud,
            plane,
            instances,
            nodes,
            agents,
            client,
            free,
            claim,
        };
        world.furnish(spec).await?;
        Ok(world)
    }

    async fn furnish(&mut self, spec: &WorldSpec) -> Result<(), WorldError> {
        (spec.progress)(if spec.light {
            "playing the nodes"
        } else {
            "starting the nodes"
        });
        if spec.light {
            for instance in &self.instances {
                played::create_node(&self.client, instance).await?;
            }
            played::wait_account(&self.client).await?;
        } else {
            self.start_nodes().await?;
        }
        if !spec.install {
            return Ok(());
        }
        (spec.progress)(&format!("applying {}", spec.overlay));
        install::apply(&self.paths, &self.plane.kubeconfig, spec.overlay).await?;
        if spec.light {
            self.make_agents().await?;
        } else {
            (spec.progress)("waiting for the agents");
            install::wait_agents(&self.client, spec.nodes, 90).await?;
        }
        Ok(())
    }

    async fn start_nodes(&mut self) -> Result<(), WorldError> {
        for instance in self.instances.clone() {
            let dir = self.claim.dir().to_owned();
            let node = Node::start(&self.paths, &dir, &self.network, &self.plane, instance).await?;
            self.cloud
                .serve_namespace(&node.instance, &node.netns)
                .await?;
            self.nodes.push(node);
        }
        for node in &self.nodes {
            node.wait_ready(&self.client).await?;
        }
        Ok(())
    }

    async fn make_agents(&mut self) -> Result<(), WorldError> {
        for index in 0..self.instances.len() {
            let agent = self.new_agent(index, &format!("agent-{index}")).await?;
            self.agents.push(agent);
        }
        Ok(())
    }

    /// A further agent for node `index` of a light world, not started: for tests with two on one node.
    pub async fn new_agent(&self, index: usize, name: &str) -> Result<Agent, WorldError> {
        let instance = &self.instances[index];
        let metadata = self.cloud.serve_metadata(instance).await?;
        let spec = AgentSpec {
            name,
            node: &instance.name,
            binary: &self.paths.agent,
            dir: self.claim.dir(),
            pki: &self.plane.pki,
            server: &self.plane.server,
            api: &self.cloud.api,
            metadata: &metadata,
        };
        Ok(Agent::new(&self.client, &spec).await?)
    }

    /// Starts all agents of a light world and waits until they are ready.
    pub async fn start_agents(&mut self) -> Result<(), WorldError> {
        for agent in &mut self.agents {
            agent.start()?;
        }
        for agent in &self.agents {
            agent.wait_ready().await?;
        }
        Ok(())
    }

    /// A client with the administrator's rights.
    #[must_use]
    pub fn kube(&self) -> kube::Client {
        self.client.clone()
    }

    /// The cloud's control door.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The agent of node `index` of a light world.
    pub fn agent(&mut self, index: usize) -> &mut Agent {
        &mut self.agents[index]
    }

    /// Its name.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.claim.tag()
    }

    /// Its folder: logs below `log/`, the administrator's kubeconfig below `pki/`.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.claim.dir().to_owned()
    }

    /// Creates a pod on played node `index`; nothing of it happens by itself.
    pub async fn play_pod(&self, index: usize, spec: &PodSpec) -> Result<PlayedPod, WorldError> {
        Ok(PlayedPod::create(&self.client, &self.instances[index], spec).await?)
    }

    /// A private IP of the node's ENI that no played pod has.
    pub fn take_address(&self, index: usize) -> Option<Ipv4Addr> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)[index].pop_front()
    }

    /// The address is given out again, next.
    pub fn return_address(&self, index: usize, ip: Ipv4Addr) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)[index].push_front(ip);
    }

    /// A pod that is created, taken, given an address and runs; what a test begins with that is about what comes later.
    pub async fn run_pod(&self, index: usize, spec: &PodSpec) -> Result<PlayedPod, WorldError> {
        let pod = self.play_pod(index, spec).await?;
        pod.take().await?;
        if let Some(ip) = self.take_address(index) {
            pod.give_ip(ip).await?;
        }
        pod.run().await?;
        Ok(pod)
    }

    /// The end of every log, for a test that failed.
    #[must_use]
    pub fn evidence(&self) -> String {
        let entries = std::fs::read_dir(self.claim.dir().join("log"))
            .into_iter()
            .flatten()
            .flatten();
        let tail = |path: PathBuf| {
            let log = std::fs::read(&path).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            format!(
                "--- {}\n{}\n",
                path.display(),
                lines[lines.len().saturating_sub(25)..].join("\n")
            )
        };
        entries
            .map(|entry| tail(entry.path()))
            .collect::<Vec<_>>()
            .concat()
    }

    /// Leaves it standing when this process ends.
    pub fn keep(&mut self) -> Result<(), WorldError> {
        Ok(self.claim.keep()?)
    }
}

fn network(spec: &WorldSpec, tag: &str) -> Result<Network, WorldError> {
    if spec.light {
        return Ok(Network {
            tag: tag.to_owned(),
            octet: 77,
        });
    }
    let network = Network::choose(tag)?;
    network.create()?;
    Ok(network)
}

fn plane_spec(spec: &WorldSpec, network: &Network, instances: &[Instance]) -> PlaneSpec {
    PlaneSpec {
        address: (!spec.light).then(|| network.gateway()),
        nodes: instances
            .iter()
            .map(|instance| instance.name.clone())
            .collect(),
        played: spec.light,
        api_arguments: spec.api_arguments.clone(),
        manager_arguments: spec.manager_arguments.clone(),
    }
}
