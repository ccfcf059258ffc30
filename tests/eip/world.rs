//! A cluster with one node in a simulated cloud, and agents to start and to kill.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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
use eipd::shutdown::{self, Trigger};
use futures::FutureExt;
use http::Request;
use serde_json::Value;
use testbed::apiserver::{ApiServer, Overdue, PodSpec, When};
use tokio::task::JoinHandle;

pub const NS: &str = "default";
/// Long enough for everything that has no reason to wait.
pub const SOON: Duration = Duration::from_secs(30);
/// Longer than a call without an answer counts as in flight.
pub const LATER: Duration = Duration::from_mins(5);

/// The API server, the cloud, and one node whose ENI has 10.0.0.11 to .60 for pods.
pub struct World {
    pub api: ApiServer,
    pub cloud: Cloud,
    pub eni: Eni,
    pub node: String,
    pub instance: String,
    pub config: String,
}

/// A running agent.
pub struct Agent {
    pub stop: Trigger,
    pub task: JoinHandle<Result<(), agent::Error>>,
}

impl World {
    pub fn new() -> Self {
        static NODES: AtomicU32 = AtomicU32::new(0);
        // The lock of a node is the machine's: each test has a node name of its own.
        let node = format!(
            "node-{}-{}",
            std::process::id(),
            NODES.fetch_add(1, Ordering::Relaxed)
        );
        let cloud = Cloud::new(Settings::default());
        let vpc_id = cloud.add_vpc(NewVpc::default()).unwrap().id;
        let vswitch = NewVSwitch {
            vpc_id,
            cidr: "10.0.0.0/24".to_owned(),
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
            primary_ip: Some("10.0.0.10".to_owned()),
            secondary_ips: (11..=60).map(|last| format!("10.0.0.{last}")).collect(),
            ..NewEni::default()
        };
        let eni = cloud.add_eni(eni).unwrap();
        let key = cloud.add_access_key(NewAccessKey::default());
        let config = format!(
            "listen: 127.0.0.1:0\ncredential: {{accessKey: {}, accessSecret: {}}}\n",
            key.id, key.secret
        );
        Self {
            api: ApiServer::new(),
            cloud,
            eni,
            node,
            instance,
            config,
        }
    }

    /// Starts an agent; `name` tells its requests from another's.
    pub fn start(&self, name: &str) -> Agent {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), self.node.clone())]);
        let config = Config::parse("config.yaml", &self.config, &env).unwrap();
        let (stop, asked) = shutdown::manual();
        let doors = Doors {
            kube: self.api.client(name),
            exchange: self.exchange(),
            clock: Clock::new(),
        };
        let task = tokio::spawn(agent::serve(config, doors, asked));
        Agent { stop, task }
    }

    fn exchange(&self) -> Arc<dyn Exchange> {
        let (cloud, instance) = (self.cloud.clone(), self.instance.clone());
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

    /// Creates the pod, and plays its kubelet until it runs at that address.
    pub fn run_pod(&self, name: &str, ip: &str) {
        self.api.create_pod(&self.asking(name)).unwrap();
        self.api.take_pod(NS, name).unwrap();
        self.api.set_pod_ip(NS, name, ip).unwrap();
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
