//! Who is serving: the cluster's mark, the node's place in the cloud, and the account.

use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::api::{Api, ListParams};

use super::start::until_known;
use crate::api::keys;
use crate::config::Config;
use crate::domain::ids::ClusterUid;
use crate::eip::facts::{Me, Policy};
use crate::kubeapi::client::Kube;
use crate::node::identity::Identity;
use crate::node::metadata::Metadata;
use crate::node::places::Instance;
use crate::shard::rivals;
use crate::telemetry::readiness::Condition;

/// The configuration is not this node's: every EIP would be looked for, and made, in the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{key} is configured as {configured}, and this node's metadata service says {metadata}: take {key} out of the configuration, or correct it"
)]
pub struct Mismatch {
    key: &'static str,
    configured: String,
    metadata: String,
}

/// Who we are, and where.
pub struct Identified {
    pub me: Me,
    pub region: String,
    pub node: Instance,
}

/// Tries until it is known: whatever is away at start comes back.
pub async fn identify(
    config: &Config,
    kube: &Kube,
    metadata: &Metadata,
    condition: &Condition,
) -> Result<Identified, Mismatch> {
    let cluster = until_known("the cluster's mark", condition, || cluster_uid(kube)).await;
    let place = || place(config, kube, metadata);
    let place = until_known("the node's place", condition, place).await?;
    let since = "since when eipd is installed";
    let installed_at = until_known(since, condition, || rivals::installed_at(kube)).await;
    let region = place.region;
    let me = Me {
        label: keys::node_label(&config.node),
        node: config.node.clone(),
        cluster,
        account: place.account.map(|account| format!("{account}/{region}")),
        policy: Policy {
            installed_at,
            vpc: place.node.vpc.clone(),
            allow_rob: config.eip.allow_rob,
            live_bandwidth: config.eip.live_bandwidth,
        },
    };
    Ok(Identified {
        me,
        region,
        node: place.node,
    })
}

/// The uid of kube-system: nobody types it, and no copy of the cluster has the same.
pub async fn cluster_uid(kube: &Kube) -> Result<ClusterUid, String> {
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
#[derive(Debug)]
struct Place {
    region: String,
    account: Option<String>,
    node: Instance,
}

/// The metadata service's word; the configuration's where that is silent. The outer error passes, the inner does not.
async fn place(
    config: &Config,
    kube: &Kube,
    metadata: &Metadata,
) -> Result<Result<Place, Mismatch>, String> {
    let given = &config.place;
    match (Identity::read(metadata).await, &given.region) {
        (Ok(identity), _) => Ok(checked(config, identity)),
        (Err(error), Some(region)) => {
            tracing::warn!(%error, "no metadata service: the node's place is what is configured of it");
            Ok(Ok(Place {
                region: region.clone(),
                account: given.account.clone(),
                node: Instance {
                    vpc: given.vpc.clone(),
                    zone: given.zone.clone(),
                    id: provided_id(config, kube).await?,
                    alone: true,
                },
            }))
        }
        (Err(error), None) => Err(error.to_string()),
    }
}

fn checked(config: &Config, identity: Identity) -> Result<Place, Mismatch> {
    compared(config, &identity)?;
    let given = &config.place;
    Ok(Place {
        region: identity.region,
        account: Some(given.account.clone().unwrap_or(identity.account)),
        node: Instance {
            vpc: Some(identity.vpc),
            zone: Some(given.zone.clone().unwrap_or(identity.zone)),
            id: Some(identity.instance_id),
            alone: false,
        },
    })
}

/// Whether the configuration is this node's, where both speak.
pub fn compared(config: &Config, identity: &Identity) -> Result<(), Mismatch> {
    let given = &config.place;
    for (key, configured, metadata) in [
        ("regionID", &given.region, &identity.region),
        ("vpcID", &given.vpc, &identity.vpc),
    ] {
        if let Some(configured) = configured.as_ref().filter(|it| *it != metadata) {
            return Err(Mismatch {
                key,
                configured: configured.clone(),
                metadata: metadata.clone(),
            });
        }
    }
    Ok(())
}

/// The instance as the cloud controller manager knows it: `cn-hangzhou.i-bp1...` in the node's `providerID`.
async fn provided_id(config: &Config, kube: &Kube) -> Result<Option<String>, String> {
    let api: Api<Node> = Api::all(kube.client().clone());
    let own = ListParams::default().fields(&format!("metadata.name={}", config.node));
    let found = kube.call("list", "nodes", api.list(&own)).await;
    let found = found.map_err(|error| error.to_string())?;
    let spec = found.items.into_iter().find_map(|node| node.spec);
    Ok(spec
        .and_then(|spec| spec.provider_id)
        .and_then(|id| instance_of(&id)))
}

fn instance_of(provider_id: &str) -> Option<String> {
    let last = provider_id.rsplit(['.', '/']).next()?;
    last.starts_with("i-").then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn identity() -> Identity {
        Identity {
            region: "cn-hangzhou".to_owned(),
            zone: "cn-hangzhou-a".to_owned(),
            vpc: "vpc-1".to_owned(),
            vswitch: "vsw-1".to_owned(),
            instance_id: "i-1".to_owned(),
            account: "123".to_owned(),
            role: None,
        }
    }

    fn configured(text: &str) -> Config {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), "node".to_owned())]);
        Config::parse("config.yaml", text, &env).unwrap()
    }

    #[test]
    fn the_node_speaks_for_itself() {
        let place = checked(&configured(""), identity()).unwrap();
        assert_eq!(place.region, "cn-hangzhou");
        assert_eq!(place.account.as_deref(), Some("123"));
        assert_eq!(place.node.vpc.as_deref(), Some("vpc-1"));
        assert_eq!(place.node.id.as_deref(), Some("i-1"));
        let same = configured("regionID: cn-hangzhou\nvpcID: vpc-1\naccountID: '456'\n");
        let place = checked(&same, identity()).unwrap();
        assert_eq!(place.account.as_deref(), Some("456"));
    }

    #[test]
    fn another_nodes_configuration_names_both_values() {
        for (text, configured_as, is) in [
            ("regionID: cn-beijing", "cn-beijing", "cn-hangzhou"),
            ("networkController: {vpcid: vpc-2}", "vpc-2", "vpc-1"),
        ] {
            let said = checked(&configured(text), identity())
                .unwrap_err()
                .to_string();
            assert!(said.contains(configured_as) && said.contains(is), "{said}");
        }
    }

    #[test]
    fn the_instance_is_read_from_the_nodes_provider_id() {
        let read = |id| instance_of(id);
        assert_eq!(read("cn-hangzhou.i-bp1"), Some("i-bp1".to_owned()));
        assert_eq!(
            read("alicloud://cn-hangzhou.i-bp1"),
            Some("i-bp1".to_owned())
        );
        assert_eq!(read("alicloud:///i-bp1"), Some("i-bp1".to_owned()));
        assert_eq!(read("virtual-kubelet"), None);
        assert_eq!(read(""), None);
    }
}
