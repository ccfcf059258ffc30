//! Configuration: one YAML file, overridden by the environment, checked once at start.
//!
//! Inside ACK every key is optional. The keys are those of ack-extend-network-controller's values file (its names,
//! so that one can be pasted), and a few of eipd's own; `config/keys.rs` lists them all. This module and `main` are the
//! only readers of the environment.

mod credential;
mod error;
mod keys;
mod limits;
mod read;
mod settings;
mod show;
mod yaml;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

pub use error::ConfigError;
pub use show::{DEFAULT, Row};

use crate::api::limits::Limits;
use crate::cloud::endpoints::Network;
use crate::domain::ids::EipId;
use crate::telemetry::logs;

/// Where health and metrics are served unless `listen` says otherwise.
pub const DEFAULT_PORT: u16 = 9752;

/// What is in force. Secrets do not show in its `Debug` form.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of the node to serve (`nodeName`, `NODE_NAME`). Required; the `DaemonSet` sets it.
    pub node: String,
    /// ENC's name for the cluster: shown, not trusted. The cluster's mark is the uid of kube-system.
    pub cluster_id: Option<String>,
    /// Where the node is, for nodes without a metadata service, and to check it against.
    pub place: Place,
    /// Which kinds of address are served.
    pub controllers: Controllers,
    /// Credentials given by hand.
    pub credential: Credential,
    /// Whether pods on virtual nodes are served.
    pub virtual_node: bool,
    /// Kinds besides `StatefulSet` whose pods keep their names.
    pub custom_stateful_kinds: Vec<String>,
    /// The API-server client's limits.
    pub kube_client: KubeClient,
    /// Upper bound of this agent's cloud calls in flight (`maxConcurrentReconciles`).
    pub cloud_calls_in_flight: Option<u32>,
    /// ENC's `garbageCollectionPeriodInMinutes`: shown, without a meaning here.
    pub garbage_collection_minutes: Option<u32>,
    /// NAT gateways to use, in the order given; empty: those that the pod's vSwitch routes to.
    pub nat_gateways: Vec<NatGateway>,
    /// What is let happen to EIPs.
    pub eip: EipSettings,
    /// Where the cloud listens.
    pub endpoints: Endpoints,
    /// Whether the metadata service may be asked without a token where the node allows it.
    pub metadata_plain_mode: bool,
    /// Deadlines of single calls.
    pub deadlines: Deadlines,
    /// Where health and metrics are served.
    pub listen: SocketAddr,
    /// Log lines.
    pub log: Log,
    /// What the user should know about the file, a line each; safe to print.
    pub warnings: Vec<String>,
}

/// Region, zone, VPC and account, as far as they are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub region: Option<String>,
    pub zone: Option<String>,
    pub vpc: Option<String>,
    pub account: Option<String>,
}

/// Which kinds of address are served; both unless `enableControllers` names fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controllers {
    pub eip: bool,
    pub natgw: bool,
}

/// Credentials given by hand; empty strings count as absent.
#[derive(Debug, Clone, Default)]
pub struct Credential {
    /// Both halves or neither.
    pub access_key: Option<AccessKey>,
    /// Where a Secret with an `AccessKey` is mounted.
    pub folder: Option<PathBuf>,
    /// A role for the pod's own `ServiceAccount` token, unless `enableRRSA` is false.
    pub rrsa: Option<Rrsa>,
}

/// What `ack-pod-identity-webhook` injects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rrsa {
    pub role_arn: String,
    pub provider_arn: String,
    pub token_file: PathBuf,
    /// The STS host; absent: by region.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// Whether that host is the VPC-internal one; absent: as `endpoints.network` says.
    pub internal: Option<bool>,
}

/// A configured `AccessKey` pair.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub id: String,
    pub secret: SecretString,
}

/// Limits of the API-server client; absent: none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KubeClient {
    /// Calls a second.
    pub qps: Option<f64>,
    /// Calls at once before `qps` bites.
    pub burst: Option<u32>,
}

/// One entry of `natGwPool`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatGateway {
    pub id: String,
    /// The zone whose pods use it; absent: any.
    pub zone: Option<String>,
    /// External ports, both ends included.
    pub ports: RangeInclusive<u16>,
    /// Its EIPs to use; empty: all.
    pub eips: Vec<PublicEip>,
}

/// An EIP of a NAT gateway, by its address or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicEip {
    Address(Ipv4Addr),
    Id(EipId),
}

/// What is let happen to EIPs; unless it is set, nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EipSettings {
    /// A named EIP is taken from its present holder.
    pub allow_rob: bool,
    /// A changed eip-bandwidth reaches an EIP that lives.
    pub live_bandwidth: bool,
    /// What namespaces may spend and name.
    pub limits: Limits,
}

/// Where the cloud listens: which network's hosts, and hosts given by hand (`host[:port]` or URL).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub network: Network,
    pub vpc: Option<String>,
    pub ecs: Option<String>,
    pub sts: Option<String>,
    /// The metadata service, as `http://host[:port]`.
    pub metadata: Option<String>,
}

/// Deadlines of single calls, at most 30 s each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    pub cloud: Duration,
    pub api_server: Duration,
}

/// Log lines: their form, and a level or directives as [`logs::filter`] takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub format: logs::Format,
    pub level: String,
}

impl Config {
    /// Reads `path`, if one is given, and the process's environment.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_explained(path).map(|(config, _)| config)
    }

    /// The same, with every key's value and where it came from.
    pub fn load_explained(path: Option<&Path>) -> Result<(Self, Vec<Row>), ConfigError> {
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let Some(path) = path else {
            return Self::explain("", "", &env);
        };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            file: path.display().to_string(),
            source,
        })?;
        Self::explain(&path.display().to_string(), &text, &env)
    }

    /// The configuration that `text` and the variables `env` stand for; `file` names the text in errors.
    pub fn parse(
        file: &str,
        text: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        Self::explain(file, text, env).map(|(config, _)| config)
    }

    /// The same, with every key's value and where it came from.
    pub fn explain(
        file: &str,
        text: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<Row>), ConfigError> {
        let settings = settings::Settings::collect(file, text, env)?;
        let config = read::config(&settings)?;
        let rows = show::rows(&settings, &config);
        Ok((config, rows))
    }

    /// How many steps the agent may have in flight. Each may hold a connection, whose buffers are most of what the agent
    /// allocates; more than a few make nothing faster.
    pub fn steps_in_flight(&self) -> usize {
        const STEPS: usize = 6;
        self.cloud_calls_in_flight
            .map_or(STEPS, |limit| limit.max(1) as usize)
    }
}

#[cfg(test)]
mod tests;
