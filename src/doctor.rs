//! `eipd doctor`: everything that an agent needs, tried once; a line each says what was found and what to do about it.
//!
//! Nothing is changed, in the cluster or in the cloud.

use std::sync::Arc;

use serde::Serialize;

use crate::agent;
use crate::clock::Clock;
use crate::cloud::http::{Exchange, Wire, WireError};
use crate::config::Config;
use crate::kubeapi::client::Kube;
use crate::node::eni::Enis;
use crate::node::kernel::{Kernel, Linux};
use crate::node::metadata::{Metadata, MetadataError};
use crate::telemetry::metrics::Metrics;

mod actions;
mod cloud;
mod cluster;
mod nat;
mod node;
pub mod print;
mod rights;
mod wiring;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// Something fails, or will.
    Bad,
    /// Fails only for who asks for it: nothing to mend as long as nobody does.
    Note,
    /// Could not be found out.
    Unknown,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub about: String,
    pub verdict: Verdict,
    pub found: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
}

/// What the world is reached through. Tests put doubles in its place.
pub struct Doors {
    /// Or why there is no way to the API server.
    pub kube: Result<kube::Client, String>,
    /// To the cloud and to the metadata service.
    pub exchange: Arc<dyn Exchange>,
    pub kernel: Arc<dyn Kernel>,
    pub clock: Clock,
}

impl Doors {
    /// The real ones.
    pub async fn open(config: &Config) -> Result<Self, WireError> {
        let clock = Clock::new();
        Ok(Self {
            kube: agent::api_server(config, &clock).await,
            exchange: Arc::new(Wire::new()?),
            kernel: Linux::shared(),
            clock,
        })
    }
}

/// All checks, in the order in which one needs the other.
pub async fn examine(config: &Config, doors: &Doors) -> Result<Vec<Check>, MetadataError> {
    let metadata = Metadata::for_config(config, doors.exchange.clone())?;
    let kube = doors.kube.clone().map(|client| {
        let deadline = config.deadlines.api_server;
        Kube::new(client, deadline, Metrics::new())
    });
    let (mut report, identity) = node::identity(config, &metadata).await;
    match &kube {
        Ok(kube) => report.extend(cluster::examine(kube, &doors.clock).await),
        Err(why) => report.push(cluster::no_way(why)),
    }
    let known = identity.as_ref();
    let here = cloud::Here {
        region: known.map(|it| &it.region).or(config.place.region.as_ref()),
        account: config
            .place
            .account
            .as_ref()
            .or_else(|| known.map(|it| &it.account)),
        net: nat::Net {
            vpc: known.map(|it| &it.vpc).or(config.place.vpc.as_ref()),
            vswitch: known.map(|it| &it.vswitch),
            pool: &config.nat_gateways,
        },
        kube: kube.as_ref().ok(),
        metadata: &metadata,
    };
    report.extend(cloud::examine(config, doors, &here).await);
    let wiring = wiring::Wiring {
        config,
        enis: Enis::new(metadata),
        kube: kube.ok(),
        kernel: doors.kernel.clone(),
    };
    report.extend(wiring.examine().await);
    Ok(report)
}

/// Whether nothing is bad.
pub fn is_well(report: &[Check]) -> bool {
    report.iter().all(|check| check.verdict != Verdict::Bad)
}

impl Check {
    fn new(about: &str, verdict: Verdict, found: String, remedy: &str) -> Self {
        Self {
            about: about.to_owned(),
            verdict,
            found,
            remedy: remedy.to_owned(),
        }
    }

    fn ok(about: &str, found: String) -> Self {
        Self::new(about, Verdict::Ok, found, "")
    }

    fn bad(about: &str, found: String, remedy: &str) -> Self {
        Self::new(about, Verdict::Bad, found, remedy)
    }

    fn note(about: &str, found: String) -> Self {
        Self::new(about, Verdict::Note, found, "")
    }

    fn unknown(about: &str, why: String) -> Self {
        Self::new(about, Verdict::Unknown, why, "")
    }
}
