//! A cloud with one node, and the agent's real clients in front of it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloudsim::faults::{FaultKind, NewFault};
use cloudsim::identity::NewAccessKey;
use cloudsim::world::{Eni, NewEni, NewInstance, NewVSwitch, NewVpc};
use cloudsim::{Cloud, Settings};
use eipd::clock::Clock;
use eipd::cloud::credentials::{Configured, Credentials, Source};
use eipd::cloud::endpoints::{Endpoints, Service};
use eipd::cloud::http::{Exchange, TransportError};
use eipd::cloud::rpc::{DEADLINE, Rpc};
use eipd::cloud::vpc::{AllocateArgs, InternetChargeType};
use eipd::cloud::{Class, CloudError, Ecs, Vpc};
use eipd::domain::ids::{EipId, EniId, Place};
use eipd::node::metadata::Metadata;
use eipd::node::role::NodeRole;
use eipd::telemetry::metrics::Metrics;
use futures::FutureExt;
use http::Request;

pub const REGION: &str = "cn-hangzhou";
const START: &str = "2026-11-23T00:00:00Z";

pub struct World {
    pub cloud: Cloud,
    pub vpc: String,
    pub vswitch: String,
    pub instance: String,
    /// A secondary ENI of the node: primary 10.0.0.10, secondaries 10.0.0.11 to .13.
    pub eni: Eni,
}

impl World {
    pub fn new() -> Self {
        let settings = Settings {
            start_wall: Some(START.parse().unwrap()),
            ..Settings::default()
        };
        let cloud = Cloud::new(settings);
        let vpc = cloud.add_vpc(NewVpc::default()).unwrap().id;
        let (vpc_id, cidr) = (vpc.clone(), "10.0.0.0/24".to_owned());
        let vswitch = NewVSwitch {
            vpc_id,
            cidr,
            ..NewVSwitch::default()
        };
        let vswitch = cloud.add_vswitch(vswitch).unwrap().id;
        let node = NewInstance {
            vswitch_id: vswitch.clone(),
            role: Some("KubernetesWorkerRole".to_owned()),
            http_tokens_required: true,
            primary_ip: Some("10.0.0.5".to_owned()),
            ..NewInstance::default()
        };
        let instance = cloud.add_instance(node).unwrap().id;
        let eni = NewEni {
            vswitch_id: vswitch.clone(),
            instance_id: Some(instance.clone()),
            primary_ip: Some("10.0.0.10".to_owned()),
            secondary_ips: (11..14).map(|last| format!("10.0.0.{last}")).collect(),
            ..NewEni::default()
        };
        let eni = cloud.add_eni(eni).unwrap();
        Self {
            cloud,
            vpc,
            vswitch,
            instance,
            eni,
        }
    }

    pub fn place(&self, last: u8) -> Place {
        Place {
            eni: EniId::new(&self.eni.id),
            ip: ip(last),
        }
    }

    pub fn metadata(&self) -> Metadata {
        let (cloud, instance) = (self.cloud.clone(), self.instance.clone());
        let door = move |req: Request<Bytes>| {
            let (cloud, instance) = (cloud.clone(), instance.clone());
            async move { cloud.metadata(&instance, req).await.map_err(lost) }.boxed()
        };
        Metadata::of_this_node(Arc::new(door), false).unwrap()
    }

    /// A VPC client that signs with the node's role.
    pub fn client(&self) -> Vpc {
        self.client_with(vec![Box::new(NodeRole::new(self.metadata()))])
    }

    /// A VPC client that signs with a configured `AccessKey`.
    pub fn client_of(&self, key: NewAccessKey) -> Vpc {
        let key = self.cloud.add_access_key(key);
        self.client_with(vec![configured(&key.id, &key.secret)])
    }

    pub fn client_with(&self, sources: Vec<Box<dyn Source>>) -> Vpc {
        self.client_at(sources, Clock::starting_at(START.parse().unwrap()))
    }

    pub fn client_at(&self, sources: Vec<Box<dyn Source>>, clock: Clock) -> Vpc {
        let keys = Credentials::new(sources, clock.clone());
        Vpc::new(self.rpc(Service::Vpc, keys, clock), REGION)
    }

    /// An ECS client that signs with the node's role.
    pub fn ecs(&self) -> Ecs {
        let role = Box::new(NodeRole::new(self.metadata()));
        Ecs::new(
            self.rpc_of(Service::Ecs, Credentials::new(vec![role], start())),
            REGION,
        )
    }

    /// A client of any service that signs with these.
    pub fn rpc_of(&self, service: Service, credentials: Credentials) -> Rpc {
        self.rpc(service, credentials, start())
    }

    fn rpc(&self, service: Service, credentials: Credentials, clock: Clock) -> Rpc {
        Rpc {
            exchange: self.api(),
            credentials,
            clock,
            endpoint: Endpoints::internal(REGION).of(service).unwrap(),
            version: service.version(),
            deadline: DEADLINE,
            metrics: Metrics::new(),
        }
    }

    fn api(&self) -> Arc<dyn Exchange> {
        let cloud = self.cloud.clone();
        Arc::new(move |req: Request<Bytes>| {
            let cloud = cloud.clone();
            async move { cloud.api(req).await.map_err(lost) }.boxed()
        })
    }

    /// The next call of `action` goes wrong so.
    pub fn order(&self, action: &str, fault: FaultKind) {
        self.order_times(Some(1), action, fault);
    }

    /// Every call of `action` goes wrong so, until the fault of that number is removed.
    pub fn order_for_ever(&self, action: &str, fault: FaultKind) -> u64 {
        self.order_times(None, action, fault)
    }

    fn order_times(&self, count: Option<u32>, action: &str, fault: FaultKind) -> u64 {
        let (action, args) = (action.to_owned(), std::collections::BTreeMap::new());
        self.cloud.add_fault(NewFault {
            action,
            args,
            count,
            skip: 0,
            fault,
        })
    }

    /// How many calls of `action` came.
    pub fn count(&self, action: &str) -> u64 {
        self.cloud.counts().get(action).copied().unwrap_or_default()
    }
}

pub fn configured(id: &str, secret: &str) -> Box<dyn Source> {
    Box::new(Configured {
        access_key_id: id.to_owned(),
        access_key_secret: secret.into(),
    })
}

pub fn start() -> Clock {
    Clock::starting_at(START.parse().unwrap())
}

pub fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

pub async fn settle() {
    eipd::clock::sleep(Duration::from_millis(2_100)).await;
}

fn lost(lost: cloudsim::Lost) -> TransportError {
    TransportError::NoAnswer(lost.to_string())
}

pub fn args() -> AllocateArgs {
    AllocateArgs {
        name: Some("default/a b+ü*~".to_owned()),
        tags: [("eipd-record", "uid-1"), ("team", "a&b=c")]
            .map(|(k, v)| (k.into(), v.into()))
            .into(),
        ..AllocateArgs::new(5, InternetChargeType::PayByTraffic)
    }
}

pub async fn allocated(client: &Vpc, token: &str) -> EipId {
    client.allocate(&args(), token).await.unwrap().id
}

pub fn class<T: std::fmt::Debug>(result: Result<T, CloudError>) -> Class {
    result.unwrap_err().class()
}
