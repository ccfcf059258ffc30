//! The two halves of an agent, each with what it reaches the world through and what it hears: EIPs and ports.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};

use super::cloud::Clients;
use super::identify::Identified;
use super::{INBOX, Tasks};
use crate::cloud::credentials::Credentials;
use crate::cloud::ecs::Ecs;
use crate::cloud::endpoints::{EndpointError, Service};
use crate::cloud::vpc::Vpc;
use crate::dnat::{self, gateways::Gateways, turns::Turns};
use crate::domain::pod::Pod;
use crate::eip::{self, ask};
use crate::kubeapi::client::Kube;
use crate::kubeapi::dnats::Dnats;
use crate::kubeapi::pods::Pods;
use crate::kubeapi::records::Records;
use crate::kubeapi::watch::Change;
use crate::node::places::Places;
use crate::pace::Pace;
use crate::shard::rivals::Findings;
use crate::shard::sweep::Sweep;
use crate::shard::{audit, mine};
use crate::telemetry::metrics::Metrics;

/// What both halves have in common.
pub(super) struct Common {
    pub kube: Kube,
    pub pods: Pods,
    pub vpc: Vpc,
    pub ecs: Ecs,
    pub places: Places,
    pub identified: Identified,
    pub metrics: Metrics,
}

impl Common {
    pub fn new(
        cloud: &Clients<'_>,
        credentials: &Credentials,
        kube: Kube,
        places: impl FnOnce(&Ecs) -> Places,
        identified: Identified,
    ) -> Result<Self, EndpointError> {
        let config = cloud.config;
        let rpc = |service: Service| cloud.rpc(service, credentials.clone());
        let ecs = Ecs::new(rpc(Service::Ecs)?, &identified.region);
        let reader = ask::reader(
            config.controllers,
            config.custom_stateful_kinds.clone(),
            config.eip.limits.clone(),
        );
        Ok(Self {
            pods: Pods::new(kube.clone(), reader),
            vpc: Vpc::new(rpc(Service::Vpc)?, &identified.region),
            places: places(&ecs),
            ecs,
            kube,
            identified,
            metrics: cloud.metrics.clone(),
        })
    }

    pub fn eip_ports(&self, cloud: &Clients<'_>) -> eip::drive::Ports {
        let me = self.identified.me.clone();
        eip::drive::Ports {
            pods: self.pods.clone(),
            records: Records::new(self.kube.clone()),
            vpc: self.vpc.clone(),
            pace: Pace::new(self.kube.clone(), cloud.clock.clone(), &me.label),
            places: self.places.clone(),
            ecs: self.ecs.clone(),
            clock: cloud.clock.clone(),
            kube: self.kube.clone(),
            me,
        }
    }

    pub fn dnat_ports(&self, cloud: &Clients<'_>) -> dnat::drive::Ports {
        let me = self.identified.me.clone();
        let dnats = Dnats::new(self.kube.clone());
        let pool = cloud.config.nat_gateways.clone();
        let vpc_id = self.identified.node.vpc.clone();
        dnat::drive::Ports {
            pods: self.pods.clone(),
            vpc: self.vpc.clone(),
            gateways: Gateways::new(self.vpc.clone(), dnats.clone(), pool, vpc_id),
            turns: Turns::new(self.kube.clone(), cloud.clock.clone(), &me.label),
            places: self.places.clone(),
            clock: cloud.clock.clone(),
            kube: self.kube.clone(),
            dnats,
            me,
        }
    }

    /// Starts what the half for EIPs hears.
    pub fn eip_inbox(
        &self,
        tasks: &mut Tasks,
        ports: &eip::drive::Ports,
        pods: mpsc::Receiver<Change<Pod>>,
        others: watch::Receiver<Option<Findings>>,
    ) -> eip::engine::Inbox {
        let wanted = Arc::new(Notify::new());
        let (records_out, records) = mpsc::channel(INBOX);
        let me = ports.me.clone();
        tasks.spawn(
            "podeips",
            mine::watch(self.kube.clone(), me, wanted.clone(), records_out),
        );
        let (due_out, due) = mpsc::channel(INBOX);
        let sweep = Sweep {
            kube: self.kube.clone(),
            clock: ports.clock.clone(),
            metrics: self.metrics.clone(),
            out: due_out,
        };
        tasks.spawn("sweep", sweep.run());
        eip::engine::Inbox {
            pods,
            records,
            due,
            audit: self.audit(tasks),
            wanted,
            others,
        }
    }

    /// Starts what the half for ports hears.
    pub fn dnat_inbox(
        &self,
        tasks: &mut Tasks,
        ports: &dnat::drive::Ports,
        pods: mpsc::Receiver<Change<Pod>>,
        others: watch::Receiver<Option<Findings>>,
    ) -> dnat::engine::Inbox {
        let wanted = Arc::new(Notify::new());
        let (records_out, records) = mpsc::channel(INBOX);
        let (kube, me, dnats) = (self.kube.clone(), ports.me.clone(), ports.dnats.clone());
        tasks.spawn(
            "poddnats",
            mine::watch_dnats(kube, dnats, me, wanted.clone(), records_out),
        );
        let (due_out, due) = mpsc::channel(INBOX);
        let sweep = dnat::sweep::Sweep {
            ports: ports.clone(),
            metrics: self.metrics.clone(),
            out: due_out,
        };
        tasks.spawn("sweep of ports", sweep.run());
        dnat::engine::Inbox {
            pods,
            records,
            due,
            audit: self.audit(tasks),
            wanted,
            others,
        }
    }

    fn audit(&self, tasks: &mut Tasks) -> mpsc::Receiver<()> {
        let (out, audit) = mpsc::channel(1);
        tasks.spawn("audit", audit::run(self.kube.clone(), out));
        audit
    }
}
