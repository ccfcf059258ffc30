//! Who is serving: the cluster's mark, the node's place in the cloud, and the account.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;

use crate::api::keys;
use crate::clock;
use crate::config::Config;
use crate::domain::ids::ClusterUid;
use crate::eip::facts::{Me, Policy};
use crate::kubeapi::client::Kube;
use crate::node::identity::Identity;
use crate::node::metadata::Metadata;
use crate::shard::rivals;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Who we are, and our region. Tries until it is known: whatever is away at start comes back.
pub async fn identify(config: &Config, kube: &Kube, metadata: &Metadata) -> (Me, String) {
    let cluster = until_known("the cluster's mark", || cluster_uid(kube)).await;
    let place = until_known("the node's place", || place(config, metadata)).await;
    let region = place.region;
    let me = Me {
        label: keys::node_label(&config.node),
        node: config.node.clone(),
        cluster,
        account: place.account.map(|account| format!("{account}/{region}")),
        policy: Policy {
            installed_at: until_known("since when eipd is installed", || {
                rivals::installed_at(kube)
            })
            .await,
            vpc: place.vpc,
            allow_rob: config.eip.allow_rob,
            live_bandwidth: config.eip.live_bandwidth,
        },
    };
    (me, region)
}

async fn until_known<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    read: impl Fn() -> F,
) -> T {
    let mut wait = FIRST_WAIT;
    loop {
        match read().await {
            Ok(known) => return known,
            Err(error) => tracing::warn!(%error, "{what} is not known yet"),
        }
        clock::sleep(clock::jitter(wait, 0.2)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// The uid of kube-system: nobody types it, and no copy of the cluster has the same.
async fn cluster_uid(kube: &Kube) -> Result<ClusterUid, String> {
    let api: Api<Namespace> = Api::all(kube.client().clone());
    let call = api.get_metadata("kube-system");
    let namespace = kube
        .call("get", "namespaces", call)
        .await
        .map_err(|error| error.to_string())?;
    let uid = namespace.metadata.uid.ok_or("kube-system has no uid")?;
    Ok(ClusterUid::new(uid))
}

/// Where the node is, as far as known.
struct Place {
    region: String,
    account: Option<String>,
    vpc: Option<String>,
}

/// The configuration's, else the metadata service's.
async fn place(config: &Config, metadata: &Metadata) -> Result<Place, String> {
    let given = &config.place;
    if let (Some(region), Some(account), Some(vpc)) = (&given.region, &given.account, &given.vpc) {
        return Ok(Place {
            region: region.clone(),
            account: Some(account.clone()),
            vpc: Some(vpc.clone()),
        });
    }
    match (Identity::read(metadata).await, &given.region) {
        (Ok(identity), region) => Ok(Place {
            region: region.clone().unwrap_or(identity.region),
            account: Some(given.account.clone().unwrap_or(identity.account)),
            vpc: Some(given.vpc.clone().unwrap_or(identity.vpc)),
        }),
        // A node without a metadata service: what is not configured stays unknown.
        (Err(error), Some(region)) => {
            tracing::warn!(%error, "no metadata service: the node's place is what is configured of it");
            Ok(Place {
                region: region.clone(),
                account: given.account.clone(),
                vpc: given.vpc.clone(),
            })
        }
        (Err(error), None) => Err(error.to_string()),
    }
}
