//! What the node says of itself: who it is, and on which interfaces its pods are.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};

use super::Check;
use crate::agent::identify;
use crate::config::Config;
use crate::domain::ids::Key;
use crate::kubeapi::client::Kube;
use crate::kubeapi::podenis::PodEnis;
use crate::node::eni::{Enis, PodIp};
use crate::node::identity::Identity;
use crate::node::metadata::{Metadata, MetadataError};

const SERVICE: &str = "metadata service";
const PLACE: &str = "place";
const MODE: &str = "ENI mode";
/// So many interfaces are named.
const NAMED: usize = 8;

/// What the metadata service says, and whether the configuration is this node's.
pub async fn identity(config: &Config, from: &Metadata) -> (Vec<Check>, Option<Identity>) {
    match Identity::read(from).await {
        Ok(identity) => {
            let hardened = from.is_hardened().await.unwrap_or_default();
            let checks = vec![answers(&identity, hardened), place(config, &identity)];
            (checks, Some(identity))
        }
        Err(error) => (silent(config, &error), None),
    }
}

fn answers(identity: &Identity, hardened: bool) -> Check {
    let mode = if hardened { "hardened" } else { "plain" };
    let role = identity.role.as_deref().unwrap_or("none");
    let found = format!(
        "{mode} mode; instance {}, RAM role {role}",
        identity.instance_id
    );
    Check::ok(SERVICE, found)
}

fn place(config: &Config, identity: &Identity) -> Check {
    match identify::compared(config, identity) {
        Err(mismatch) => Check::bad(PLACE, mismatch.to_string(), "then restart the agent"),
        Ok(()) => Check::ok(
            PLACE,
            format!(
                "{}, {}, {}, account {}",
                identity.zone, identity.vpc, identity.vswitch, identity.account
            ),
        ),
    }
}

/// Configuration may stand in for the service.
fn silent(config: &Config, error: &MetadataError) -> Vec<Check> {
    let remedy = match error {
        MetadataError::PlainOnly => {
            "set metadata.plainMode to true, or switch the instance to hardened mode"
        }
        MetadataError::Denied { .. } => {
            "allow the instance's metadata service (HttpEndpoint) and its paths"
        }
        _ => {
            "run on the host's network (hostNetwork) of an ECS instance; elsewhere configure regionID, vpcID and accountID, and credentials"
        }
    };
    let found = error.to_string();
    match &config.place.region {
        None => vec![
            Check::bad(SERVICE, found, remedy),
            Check::bad(PLACE, "the region is not known".to_owned(), remedy),
        ],
        Some(region) => {
            let vpc = config.place.vpc.as_deref().unwrap_or("not configured");
            let place = format!("{region}, as configured; VPC {vpc}");
            vec![Check::note(SERVICE, found), Check::ok(PLACE, place)]
        }
    }
}

/// On which interfaces the pods of this node are.
pub async fn interfaces(config: &Config, metadata: Metadata, kube: Option<Kube>) -> Check {
    let enis = Enis::new(metadata);
    let listed = match enis.list().await {
        Ok(listed) => listed,
        Err(error) => return Check::unknown(MODE, error.to_string()),
    };
    let named = listed.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|(eni, _, ips)| format!("{eni} ({ips} addresses)"))
        .collect();
    let listed = format!("{} ENIs listed: {}", listed.len(), named.join(", "));
    let Some(kube) = kube else {
        return Check::unknown(MODE, format!("{listed}; pods unknown"));
    };
    match pods(config, &kube, &enis).await {
        Ok(modes) => told(&listed, &modes),
        Err(why) => Check::unknown(MODE, format!("{listed}; pods unknown: {why}")),
    }
}

/// How many pods are wired how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Modes {
    shared: usize,
    exclusive: usize,
    member: usize,
    prefix: usize,
    nowhere: usize,
}

async fn pods(config: &Config, kube: &Kube, enis: &Enis) -> Result<Modes, String> {
    let podenis = PodEnis::new(kube.clone());
    let mut modes = Modes::default();
    for (pod, ip) in addresses(config, kube).await? {
        let kind = match enis.find(ip).await.map_err(|error| error.to_string())? {
            PodIp::Found { primary, .. } if primary == ip => &mut modes.exclusive,
            PodIp::Found { .. } => &mut modes.shared,
            PodIp::Prefix { .. } => &mut modes.prefix,
            PodIp::NotYet | PodIp::NotHere => match podenis.find(&pod, ip).await {
                Ok(Some(_)) => &mut modes.member,
                Ok(None) => &mut modes.nowhere,
                Err(error) => return Err(error.to_string()),
            },
        };
        *kind += 1;
    }
    Ok(modes)
}

/// Addresses of the node's pods that are not the node's own.
async fn addresses(config: &Config, kube: &Kube) -> Result<Vec<(Key, Ipv4Addr)>, String> {
    let api: Api<Pod> = Api::all(kube.client().clone());
    let params = ListParams::default().fields(&format!("spec.nodeName={}", config.node));
    let found = kube.call("list", "pods", api.list(&params)).await;
    let found = found.map_err(|error| error.to_string())?;
    let address = |pod: Pod| {
        let of_host = pod.spec.as_ref().and_then(|spec| spec.host_network);
        let ip = pod.status?.pod_ip?.parse().ok()?;
        let key = Key {
            namespace: pod.metadata.namespace?,
            name: pod.metadata.name?,
        };
        (of_host != Some(true)).then_some((key, ip))
    };
    Ok(found.items.into_iter().filter_map(address).collect())
}

fn told(listed: &str, modes: &Modes) -> Check {
    let parts = [
        (modes.shared, "on a shared ENI"),
        (modes.exclusive, "on an ENI of its own"),
        (modes.member, "on a trunk's member ENI"),
        (
            modes.prefix,
            "in an ENI's IP prefix, where the cloud binds no EIP",
        ),
        (
            modes.nowhere,
            "on no ENI that the node or Terway knows: an overlay network's, unless ECS knows it",
        ),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    let parts: Vec<_> = parts.map(|(n, how)| format!("{n} {how}")).collect();
    let pods = if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    };
    let found = format!("{listed}; pods: {pods}");
    if modes.prefix + modes.nowhere > 0 {
        Check::note(MODE, found)
    } else {
        Check::ok(MODE, found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::doctor::Verdict;

    fn config(text: &str) -> Config {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), "n1".to_owned())]);
        Config::parse("config.yaml", text, &env).unwrap()
    }

    #[test]
    fn a_silent_service_is_bad_unless_configuration_stands_in() {
        let error = MetadataError::PlainOnly;
        let checks = silent(&config(""), &error);
        assert!(checks.iter().all(|check| check.verdict == Verdict::Bad));
        assert!(checks[0].remedy.contains("metadata.plainMode"));
        let checks = silent(&config("regionID: cn-beijing"), &error);
        assert!(checks.iter().all(|check| check.verdict != Verdict::Bad));
        assert!(checks[1].found.contains("cn-beijing"));
    }

    #[test]
    fn pods_without_an_eni_are_pointed_out() {
        let shared = Modes {
            shared: 3,
            ..Modes::default()
        };
        let check = told("1 ENIs", &shared);
        assert_eq!(check.verdict, Verdict::Ok);
        assert_eq!(check.found, "1 ENIs; pods: 3 on a shared ENI");
        let overlay = Modes {
            nowhere: 2,
            ..shared
        };
        assert_eq!(told("", &overlay).verdict, Verdict::Note);
    }
}
