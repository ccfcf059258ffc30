//! What the cloud says: who signs, whether the clock is right, what is allowed, and how many EIPs there are.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::{Check, Doors, actions, nat};
use crate::agent::cloud::Clients;
use crate::api::keys;
use crate::clock::Clock;
use crate::cloud::credentials::Credentials;
use crate::cloud::ecs::Ecs;
use crate::cloud::endpoints::{EndpointError, Service};
use crate::cloud::http::{Exchange, TransportError};
use crate::cloud::sts::Sts;
use crate::cloud::vpc::Vpc;
use crate::config::Config;
use crate::kubeapi::client::Kube;
use crate::node::metadata::Metadata;
use crate::pace;
use crate::telemetry::metrics::Metrics;

const SIGNED: &str = "credentials";
const CALLER: &str = "account";
const CLOCK: &str = "clock";
const USED: &str = "EIPs";
/// The cloud refuses what is 15 minutes off; a clock that is a minute off is not being kept.
const KEPT: SignedDuration = SignedDuration::from_mins(1);

/// What is known before the cloud is asked.
pub struct Here<'a> {
    pub region: Option<&'a String>,
    pub account: Option<&'a String>,
    pub net: nat::Net<'a>,
    pub kube: Option<&'a Kube>,
    pub metadata: &'a Metadata,
}

pub async fn examine(config: &Config, doors: &Doors, here: &Here<'_>) -> Vec<Check> {
    let Some(region) = here.region else {
        let why = "not tried: the region is not known".to_owned();
        return vec![Check::unknown(SIGNED, why)];
    };
    let dated = Arc::new(Dated::new(doors));
    let clients = Clients {
        config,
        exchange: &doors.exchange,
        watched: dated.clone(),
        clock: &doors.clock,
        region,
        metrics: &Metrics::new(),
    };
    match opened(&clients, here.metadata) {
        Ok(open) => all(&open, &dated, region, here).await,
        Err(error) => vec![Check::bad(
            "endpoints",
            error.to_string(),
            "correct endpoints",
        )],
    }
}

/// Clients of everything that is asked.
struct Open {
    credentials: Credentials,
    vpc: Vpc,
    ecs: Ecs,
    sts: Sts,
    controllers: crate::config::Controllers,
    live_bandwidth: bool,
}

fn opened(clients: &Clients<'_>, metadata: &Metadata) -> Result<Open, EndpointError> {
    let credentials = clients.credentials(metadata.clone())?;
    let rpc = |service| clients.rpc(service, credentials.clone());
    let (vpc, ecs, sts) = (rpc(Service::Vpc)?, rpc(Service::Ecs)?, rpc(Service::Sts)?);
    Ok(Open {
        vpc: Vpc::new(vpc, clients.region),
        ecs: Ecs::new(ecs, clients.region),
        sts: Sts::new(sts),
        controllers: clients.config.controllers,
        live_bandwidth: clients.config.eip.live_bandwidth,
        credentials,
    })
}

async fn all(open: &Open, dated: &Dated, region: &str, here: &Here<'_>) -> Vec<Check> {
    if let Err(error) = open.credentials.keys().await {
        let remedy = "give the instance a RAM role, or configure RRSA or an AccessKey: docs/configuration.md";
        return vec![Check::bad(SIGNED, error.to_string(), remedy)];
    }
    let source = open.credentials.source().unwrap_or_default();
    let mut report = vec![Check::ok(SIGNED, format!("from {source}"))];
    report.push(caller(open, here.account).await);
    let tried = actions::Tried {
        vpc: &open.vpc,
        ecs: &open.ecs,
    };
    let wanted = actions::wanted(open.controllers, open.live_bandwidth);
    for action in wanted {
        report.push(actions::examine(&tried, action).await);
    }
    report.insert(2, skew(dated.off()));
    report.push(used(open, region, here, &dated.clock).await);
    if open.controllers.natgw {
        report.extend(nat::examine(&open.vpc, &here.net).await);
    }
    report
}

/// EIPs are made in the account that signs, and can be bound to ENIs of the same account only.
async fn caller(open: &Open, node: Option<&String>) -> Check {
    match open.sts.get_caller_identity().await {
        Err(error) => Check::unknown(CALLER, error.to_string()),
        Ok(caller) => {
            let found = format!("{} in account {}", caller.arn, caller.account_id);
            match node.filter(|node| **node != caller.account_id) {
                None => Check::ok(CALLER, found),
                Some(node) => {
                    let remedy =
                        "sign with a role or AccessKey of the node's account, or set accountID";
                    Check::bad(CALLER, format!("{found}; the node is in {node}"), remedy)
                }
            }
        }
    }
}

fn skew(off: Option<SignedDuration>) -> Check {
    let Some(off) = off else {
        return Check::unknown(CLOCK, "the cloud has sent no date".to_owned());
    };
    let way = if off.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    let found = format!("{} s {way} the cloud's", off.abs().as_secs());
    if off.abs() > KEPT {
        let remedy =
            "keep this node's clock by NTP: beyond 15 minutes the cloud refuses every call";
        Check::bad(CLOCK, found, remedy)
    } else {
        Check::ok(CLOCK, found)
    }
}

/// What is left of the quota is told by no action that eipd is granted; that nothing was left is, by the fleet.
async fn used(open: &Open, region: &str, here: &Here<'_>, clock: &Clock) -> Check {
    let all = match open.vpc.count(&[]).await {
        Ok(all) => all,
        Err(error) => return Check::unknown(USED, error.to_string()),
    };
    let mut found = format!("{all} in {region}");
    let Some(kube) = here.kube else {
        return Check::ok(USED, found);
    };
    if let Ok(cluster) = crate::agent::identify::cluster_uid(kube).await {
        let tag = (keys::CLUSTER_TAG.to_owned(), cluster.to_string());
        if let Ok(ours) = open.vpc.count(&[tag]).await {
            found = format!("{found}, {ours} of them this cluster's");
        }
    }
    match pace::closed(kube, clock.wall()).await {
        Ok(Some(why)) => Check::bad(USED, format!("{found}; {why}"), "ask for a higher quota"),
        Ok(None) => Check::ok(USED, format!("{found}; nothing waits for quota")),
        Err(error) => Check::ok(USED, format!("{found}; waiting for quota? {error}")),
    }
}

/// An exchange that notes how far our clock is off the dates of the answers.
struct Dated {
    inner: Arc<dyn Exchange>,
    clock: Clock,
    off: Arc<Mutex<Option<SignedDuration>>>,
}

impl Dated {
    fn new(doors: &Doors) -> Self {
        Self {
            inner: doors.exchange.clone(),
            clock: doors.clock.clone(),
            off: Arc::default(),
        }
    }

    /// Positive: our clock is ahead.
    fn off(&self) -> Option<SignedDuration> {
        *self.off.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange for Dated {
    fn exchange(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            let answer = self.inner.exchange(request).await?;
            if let Some(date) = date(&answer) {
                let off = self.clock.wall().duration_since(date);
                *self.off.lock().unwrap_or_else(PoisonError::into_inner) = Some(off);
            }
            Ok(answer)
        }
        .boxed()
    }
}

fn date(answer: &Response<Bytes>) -> Option<Timestamp> {
    let text = answer.headers().get(http::header::DATE)?.to_str().ok()?;
    Some(rfc2822::parse(text).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_clock_that_is_not_kept_is_bad_in_either_direction() {
        let verdict = |seconds| skew(Some(SignedDuration::from_secs(seconds))).verdict;
        assert_eq!(
            [-61, -60, 0, 60, 61].map(verdict),
            [
                Verdict::Bad,
                Verdict::Ok,
                Verdict::Ok,
                Verdict::Ok,
                Verdict::Bad
            ]
        );
        assert!(
            skew(Some(SignedDuration::from_secs(-90)))
                .found
                .starts_with("90 s behind")
        );
        assert_eq!(skew(None).verdict, Verdict::Unknown);
    }
}
