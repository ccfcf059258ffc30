//! A cluster with one node or more in a simulated cloud, and agents to start and to kill.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloudsim::eip::{Eip, Status};
use cloudsim::faults::{FaultKind, NewFault};
use cloudsim::identity::NewAccessKey;
use cloudsim::world::{Eni, NewEni, NewInstance, NewVSwitch, NewVpc};
use cloudsim::{Cloud, Settings};
use eipd::agent::{self, Doors};
use eipd::clock::{self, Clock};
use eipd::cloud::http::{Exchange, TransportError};
use eipd::config::Config;
use eipd::domain::ids::Uid;
use eipd::node::kernel::{Kernel, Link};
use eipd::shutdown::{self, Trigger};
use futures::FutureExt;
use http::Request;
use serde_json::Value;
use testbed::apiserver::{ApiServer, Overdue, PodSpec, When, Workload, WorkloadKind};
use tokio::task::JoinHandle;

pub const NS: &str = "default";
/// Long enough for everything that has no reason to wait.
pub const SOON: Duration = Duration::from_secs(30);
/// Longer than a call without an answer counts as in flight.
pub const LATER: Duration = Duration::from_mins(5);

/// The API server, the cloud, and one node whose ENI has 10.0.0.11 to .60 for pods; [`World::add_node`] adds more.
pub struct World {
    pub api: ApiServer,
    pub cloud: Cloud,
    pub eni: Eni,
    pub node: String,
    pub instance: String,
    pub config: String,
    pub kernel: Arc<Namespaces>,
    /// Nodes there are.
    nodes: AtomicU32,
}

/// One node: a vSwitch of its own, an instance, and an ENI with 10.0.n.11 to .60 for pods.
pub struct Node {
    pub name: String,
    pub instance: String,
    pub eni: Eni,
    n: u32,
}

/// The network namespaces of all nodes, as far as a test tells of them.
#[derive(Default)]
pub struct Namespaces(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    links: Vec<Link>,
    pods: BTreeMap<String, BTreeSet<Ipv4Addr>>,
}

impl Namespaces {
    /// The node itself has this address on an interface with that MAC.
    pub fn link(&self, mac: &str, ip: &str) {
        let (mac, addresses) = (mac.to_owned(), vec![ip.parse().unwrap()]);
        self.0.lock().unwrap().links.push(Link { mac, addresses });
    }

    /// The pod with that uid has these addresses inside, and the agent can see them.
    pub fn inside(&self, uid: &str, ips: &[&str]) {
        let ips = ips.iter().map(|ip| ip.parse().unwrap()).collect();
        self.0.lock().unwrap().pods.insert(uid.to_owned(), ips);
    }
}

impl Kernel for Namespaces {
    fn links(&self) -> Vec<Link> {
        self.0.lock().unwrap().links.clone()
    }

    fn of_pod(&self, pod: &Uid) -> Option<BTreeSet<Ipv4Addr>> {
        self.0.lock().unwrap().pods.get(pod.as_str()).cloned()
    }
}

/// A running agent.
pub struct Agent {
    pub stop: Trigger,
    pub task: JoinHandle<Result<(), agent::Error>>,
}

impl World {
    pub fn new() -> Self {
        let cloud = Cloud::new(Settings::default());
        let vpc = cloud.add_vpc(NewVpc::default()).unwrap().id;
        let node = Node::new(&cloud, vpc, 0);
        let key = cloud.add_access_key(NewAccessKey::default());
        let config = format!(
            "listen: 127.0.0.1:0\ncredential: {{accessKey: {}, accessSecret: {}}}\n",
            key.id, key.secret
        );
        let api = ApiServer::new();
        // The cloud began at the machine's time of day.
        api.set_clock_off_by(Clock::new().wall().duration_since(api.now()));
        api.set_node(&node.name, true).unwrap();
        Self {
            api,
            cloud,
            eni: node.eni,
            node: node.name,
            instance: node.instance,
            config,
            kernel: Arc::default(),
            nodes: AtomicU32::new(1),
        }
    }

    /// Another node in the same VPC, without an agent yet.
    pub fn add_node(&self) -> Node {
        let n = self.nodes.fetch_add(1, Ordering::Relaxed);
        let node = Node::new(&self.cloud, self.eni.vpc_id.clone(), n);
        self.api.set_node(&node.name, true).unwrap();
        node
    }

    /// Starts an agent; `name` tells its requests from another's.
    pub fn start(&self, name: &str) -> Agent {
        self.start_at(&self.node, &self.instance, name)
    }

    /// Starts the agent of an added node.
    pub fn start_on(&self, node: &Node, name: &str) -> Agent {
        self.start_at(&node.name, &node.instance, name)
    }

    fn start_at(&self, node: &str, instance: &str, name: &str) -> Agent {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), node.to_owned())]);
        let config = Config::parse("config.yaml", &self.config, &env).unwrap();
        let (stop, asked) = shutdown::manual();
        let doors = Doors {
            kube: self.api.client(name),
            exchange: self.exchange(instance),
            kernel: self.kernel.clone(),
            clock: Clock::starting_at(self.api.now()),
        };
        let task = tokio::spawn(agent::serve(config, doors, asked));
        Agent { stop, task }
    }

    pub fn exchange(&self, instance: &str) -> Arc<dyn Exchange> {
        let (cloud, instance) = (self.cloud.clone(), instance.to_owned());
        Arc::new(move |request: Request<bytes::Bytes>| {
            let (cloud, instance) = (cloud.clone(), instance.clone());
            // As over a network: once sent, the cloud does its work whether or not anybody waits for the answer.
            let call = tokio::spawn(async move {
                match request.uri().host() {
                    Some("100.100.100.200") => cloud.metadata(&instance, request).await,
                    _ => cloud.api(request).await,
                }
            });
            async move {
                let answer = call
                    .await
                    .map_err(|error| TransportError::NoAnswer(error.to_string()))?;
                answer.map_err(|lost| TransportError::NoAnswer(lost.to_string()))
            }
            .boxed()
        })
    }

    /// A pod on our node that asks for an EIP.
    pub fn asking(&self, name: &str) -> PodSpec {
        PodSpec::new(NS, name, &self.node).annotation("k8s.aliyun.com/pod-with-eip", "true")
    }

    /// A workload to own pods: `world.asking("web-0").owned_by(&world.workload(WorkloadKind::StatefulSet, "web"))`.
    pub fn workload(&self, kind: WorkloadKind, name: &str) -> Workload {
        self.api.create_workload(kind, NS, name).unwrap()
    }

    /// Creates the pod, and plays its kubelet until it runs at that address.
    pub fn run_pod(&self, name: &str, ip: &str) {
        self.run(&self.asking(name), ip);
    }

    /// As [`Self::run_pod`], for any pod.
    pub fn run(&self, pod: &PodSpec, ip: &str) {
        self.api.create_pod(pod).unwrap();
        self.api.take_pod(NS, pod.name()).unwrap();
        self.api.set_pod_ip(NS, pod.name(), ip).unwrap();
    }

    /// Deletes the pod as its controller does, and creates it anew on a node (perhaps another) at that address.
    pub fn rerun_on(&self, node: &str, pod: &PodSpec, ip: &str) {
        self.delete_pod(pod.name());
        self.run(&pod.clone().on(node), ip);
    }

    /// Deletes the pod as a user and its kubelet do.
    pub fn delete_pod(&self, name: &str) {
        self.api.terminate_pod(NS, name).unwrap();
        self.api.stop_containers(NS, name).unwrap();
        self.api.remove_pod(NS, name).unwrap();
    }

    pub async fn until(&self, within: Duration, holds: impl Fn(&ApiServer) -> bool) {
        let result: Result<(), Overdue> = self.api.until(within, holds).await;
        if let Err(overdue) = result {
            panic!("{overdue}\n{}", self.cloud_picture());
        }
    }

    pub async fn until_bound(&self, name: &str) {
        self.until(SOON, |view| is_bound(view, name)).await;
    }

    /// The record is gone and the cloud holds no EIP.
    pub async fn until_clean(&self, within: Duration, name: &str) {
        self.until(within, |view| view.get("podeips", NS, name).is_none())
            .await;
        clock::sleep(Duration::from_secs(10)).await;
        assert_eq!(
            self.eips(),
            Vec::<String>::new(),
            "{}",
            self.cloud_picture()
        );
    }

    pub fn record(&self, name: &str) -> Value {
        self.api.get("podeips", NS, name).unwrap_or_default()
    }

    /// Ids of the EIPs that exist.
    pub fn eips(&self) -> Vec<String> {
        self.cloud.eips().into_iter().map(|eip| eip.id).collect()
    }

    /// The one EIP there is.
    pub fn eip(&self) -> Eip {
        let mut eips = self.cloud.eips();
        assert_eq!(eips.len(), 1, "{}", self.cloud_picture());
        eips.remove(0)
    }

    pub fn count(&self, action: &str) -> u64 {
        self.cloud.counts().get(action).copied().unwrap_or_default()
    }

    /// Calls that change something.
    pub fn changes(&self) -> u64 {
        [
            "AllocateEipAddress",
            "AssociateEipAddress",
            "UnassociateEipAddress",
            "ReleaseEipAddress",
        ]
        .iter()
        .map(|action| self.count(action))
        .sum()
    }

    /// The next call of `action` goes wrong so.
    pub fn order(&self, action: &str, fault: FaultKind) {
        self.cloud.add_fault(NewFault {
            action: action.to_owned(),
            args: BTreeMap::new(),
            count: Some(1),
            skip: 0,
            fault,
        });
    }

    /// Reasons of the Events on a pod.
    pub fn events(&self, name: &str) -> Vec<String> {
        let about = |event: &Value| event["regarding"]["name"] == name;
        let events = self.api.list("events").into_iter().filter(about);
        events
            .map(|event| event["reason"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub fn writes(&self) -> usize {
        self.api.count(&When::writes().resource("podeips"))
            + self.api.count(&When::writes().resource("pods"))
    }

    pub fn cloud_picture(&self) -> String {
        let eips: Vec<_> = self
            .cloud
            .eips_even_gone()
            .iter()
            .map(|eip| {
                format!(
                    "{} {:?} {:?}",
                    eip.id,
                    eip.status,
                    eip.place.as_ref().map(|place| place.private_ip)
                )
            })
            .collect();
        let calls: Vec<_> = self
            .cloud
            .calls()
            .iter()
            .rev()
            .take(25)
            .map(|call| format!("{call:?}"))
            .collect();
        format!("EIPs: {eips:#?}\nlast calls: {calls:#?}")
    }
}

/// Nothing that anybody can read in the cluster holds a secret, whatever the test was about.
impl Drop for World {
    fn drop(&mut self) {
        let kinds = ["events", "podeips", "pods", "paces"];
        for object in kinds.iter().flat_map(|kind| self.api.list(kind)) {
            let hushed = !object.to_string().contains(cloudsim::ids::SECRET);
            assert!(hushed || std::thread::panicking(), "a secret in {object}");
        }
    }
}

impl Node {
    fn new(cloud: &Cloud, vpc_id: String, n: u32) -> Self {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let vswitch = NewVSwitch {
            vpc_id,
            cidr: format!("10.0.{n}.0/24"),
            ..NewVSwitch::default()
        };
        let vswitch_id = cloud.add_vswitch(vswitch).unwrap().id;
        let instance = NewInstance {
            vswitch_id: vswitch_id.clone(),
            http_tokens_required: true,
            ..NewInstance::default()
        };
        let instance = cloud.add_instance(instance).unwrap().id;
        let eni = NewEni {
            vswitch_id,
            instance_id: Some(instance.clone()),
            primary_ip: Some(format!("10.0.{n}.10")),
            secondary_ips: (11..=60).map(|last| format!("10.0.{n}.{last}")).collect(),
            ..NewEni::default()
        };
        Self {
            // The lock of a node is the machine's: each node of each test has a name of its own.
            name: format!(
                "node-{}-{}",
                std::process::id(),
                NAMES.fetch_add(1, Ordering::Relaxed)
            ),
            instance,
            eni: cloud.add_eni(eni).unwrap(),
            n,
        }
    }

    /// An address for a pod; `last` is 11 to 60.
    pub fn ip(&self, last: u8) -> String {
        format!("10.0.{}.{last}", self.n)
    }
}

impl Agent {
    /// As SIGKILL: nothing is finished, nothing is said.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Record, annotation and condition all say so.
pub fn is_bound(view: &ApiServer, name: &str) -> bool {
    let record = view.get("podeips", NS, name).unwrap_or_default();
    let pod = view.get("pods", NS, name).unwrap_or_default();
    let address = record["status"]["eipAddress"].as_str().unwrap_or_default();
    let told = |key: &str| pod["metadata"]["annotations"][key] == address;
    let conditions = pod["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ready = conditions.iter().any(|condition| {
        condition["type"] == "k8s.aliyun.com/eip"
            && condition["status"] == "True"
            && condition["reason"] == "Associate eip succeed"
    });
    !address.is_empty()
        && ready
        && told("k8s.aliyun.com/allocated-eipAddress")
        && told("network.alibabacloud.com/allocated-eipAddress")
}

pub fn is_in_use_at(eip: &Eip, ip: &str) -> bool {
    let place = eip.place.as_ref().and_then(|place| place.private_ip);
    eip.status == Status::InUse && place.is_some_and(|place| place.to_string() == ip)
}
