//! From the configuration to clients of the cloud: endpoints, and what calls are signed with.

use std::sync::Arc;

use crate::clock::Clock;
use crate::cloud::credentials::{Configured, Credentials, Mounted, Rrsa, Source, rrsa_session};
use crate::cloud::endpoints::{Endpoint, EndpointError, Endpoints, Network, Service};
use crate::cloud::http::Exchange;
use crate::cloud::rpc::Rpc;
use crate::cloud::sts::Sts;
use crate::config::{self, Config};
use crate::node::metadata::Metadata;
use crate::node::role::NodeRole;
use crate::telemetry::metrics::Metrics;

/// What all clients of the cloud have in common.
pub struct Clients<'a> {
    pub config: &'a Config,
    pub exchange: &'a Arc<dyn Exchange>,
    /// The same, watched: for everything but the exchange of tokens.
    pub watched: Arc<dyn Exchange>,
    pub clock: &'a Clock,
    pub region: &'a str,
    pub metrics: &'a Metrics,
}

impl Clients<'_> {
    /// A client of one service.
    pub fn rpc(&self, service: Service, credentials: Credentials) -> Result<Rpc, EndpointError> {
        let endpoint = self.endpoints().of(service)?;
        Ok(self.rpc_at(service, endpoint, credentials, &self.watched))
    }

    /// An `AccessKey`, else RRSA, else the node's RAM role.
    pub fn credentials(&self, metadata: Metadata) -> Result<Credentials, EndpointError> {
        let given = &self.config.credential;
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        if let Some(key) = &given.access_key {
            sources.push(Box::new(Configured {
                access_key_id: key.id.clone(),
                access_key_secret: key.secret.clone(),
            }));
        }
        if let Some(folder) = &given.folder {
            sources.push(Box::new(Mounted {
                folder: folder.clone(),
            }));
        }
        if let Some(rrsa) = &given.rrsa {
            sources.push(Box::new(self.rrsa(rrsa)?));
        }
        sources.push(Box::new(NodeRole::new(metadata)));
        Ok(Credentials::new(sources, self.clock.clone()))
    }

    fn rrsa(&self, given: &config::Rrsa) -> Result<Rrsa, EndpointError> {
        let nothing = Credentials::new(Vec::new(), self.clock.clone()); // nobody signs an exchange
        let endpoint = self.sts_for(given)?;
        Ok(Rrsa {
            role_arn: given.role_arn.clone(),
            provider_arn: given.provider_arn.clone(),
            token_file: given.token_file.clone(),
            session: rrsa_session(&self.config.node),
            sts: Sts::new(self.rpc_at(Service::Sts, endpoint, nothing, self.exchange)),
        })
    }

    /// What the user configured, else what the webhook injected, else the region's own.
    fn sts_for(&self, given: &config::Rrsa) -> Result<Endpoint, EndpointError> {
        let mut endpoints = self.endpoints();
        if let Some(host) = &given.endpoint {
            let by_hand = endpoints.overrides.entry(Service::Sts);
            by_hand.or_insert_with(|| host.clone());
        }
        if let Some(region) = &given.region {
            endpoints.region.clone_from(region);
        }
        match given.internal {
            Some(true) => endpoints.network = Network::Internal,
            Some(false) => endpoints.network = Network::Public,
            None => {}
        }
        endpoints.of(Service::Sts)
    }

    fn rpc_at(
        &self,
        service: Service,
        endpoint: Endpoint,
        credentials: Credentials,
        exchange: &Arc<dyn Exchange>,
    ) -> Rpc {
        Rpc {
            exchange: exchange.clone(),
            credentials,
            clock: self.clock.clone(),
            endpoint,
            version: service.version(),
            deadline: self.config.deadlines.cloud,
            metrics: self.metrics.clone(),
        }
    }

    fn endpoints(&self) -> Endpoints {
        let given = &self.config.endpoints;
        let by_hand = [
            (Service::Vpc, &given.vpc),
            (Service::Ecs, &given.ecs),
            (Service::Sts, &given.sts),
        ];
        Endpoints {
            region: self.region.to_owned(),
            network: given.network,
            overrides: by_hand
                .into_iter()
                .filter_map(|(service, url)| Some((service, url.clone()?)))
                .collect(),
        }
    }
}
