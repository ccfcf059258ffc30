//! On which interfaces the node's pods are, and whether their addresses are really inside them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};

use super::Check;
use crate::config::Config;
use crate::domain::ids::{Key, Uid};
use crate::kubeapi::client::Kube;
use crate::kubeapi::podenis::PodEnis;
use crate::node::eni::{Enis, Listed, PodIp};
use crate::node::kernel::{self, Inside, Kernel, Link};

const MODE: &str = "ENI mode";
const INSIDE: &str = "pods' addresses";
/// So many interfaces, or pods, are named.
const NAMED: usize = 8;

/// What is asked.
pub struct Wiring<'a> {
    pub config: &'a Config,
    pub enis: Enis,
    pub kube: Option<Kube>,
    pub kernel: Arc<dyn Kernel>,
}

/// A pod with an address that is not the node's.
struct Addressed {
    key: Key,
    uid: Uid,
    ip: Ipv4Addr,
}

impl Wiring<'_> {
    pub async fn examine(&self) -> Vec<Check> {
        let listed = match self.enis.list().await {
            Ok(listed) => listed,
            Err(error) => return vec![Check::unknown(MODE, error.to_string())],
        };
        let listed = interfaces(&listed, &self.kernel.links());
        let pods = match self.pods().await {
            Ok(pods) => pods,
            Err(why) => return vec![unknown(&listed, &why)],
        };
        let mode = match self.modes(&pods).await {
            Ok(modes) => told(&listed, &modes),
            Err(why) => unknown(&listed, &why),
        };
        vec![mode, self.inside(&pods)]
    }

    async fn modes(&self, pods: &[Addressed]) -> Result<Modes, String> {
        let podenis = self.kube.clone().map(PodEnis::new);
        let mut modes = Modes::default();
        for pod in pods {
            let found = self.enis.find(pod.ip).await;
            let kind = match found.map_err(|error| error.to_string())? {
                PodIp::Found { primary, .. } if primary == pod.ip => &mut modes.exclusive,
                PodIp::Found { .. } => &mut modes.shared,
                PodIp::Prefix { .. } => &mut modes.prefix,
                PodIp::NotYet | PodIp::NotHere => match is_member(podenis.as_ref(), pod).await? {
                    true => &mut modes.member,
                    false => &mut modes.nowhere,
                },
            };
            *kind += 1;
        }
        Ok(modes)
    }

    /// The node's pods that have an address of their own.
    async fn pods(&self) -> Result<Vec<Addressed>, String> {
        let kube = self.kube.as_ref().ok_or("no API server")?;
        let api: Api<Pod> = Api::all(kube.client().clone());
        let params = ListParams::default().fields(&format!("spec.nodeName={}", self.config.node));
        let found = kube.call("list", "pods", api.list(&params)).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.items.into_iter().filter_map(addressed).collect())
    }

    fn inside(&self, pods: &[Addressed]) -> Check {
        let judge = |pod: &Addressed| kernel::judge(self.kernel.of_pod(&pod.uid), pod.ip);
        let judged: Vec<_> = pods.iter().map(|pod| (pod, judge(pod))).collect();
        let elsewhere = judged.iter().filter_map(|(pod, inside)| match inside {
            Inside::No(has) => Some(format!("{} says {} and has {has:?}", pod.key, pod.ip)),
            Inside::Yes | Inside::Unseen => None,
        });
        let elsewhere: Vec<_> = elsewhere.take(NAMED).collect();
        let seen = judged.iter().filter(|(_, it)| *it != Inside::Unseen);
        verdict(pods.len(), seen.count(), &elsewhere)
    }
}

fn verdict(all: usize, seen: usize, elsewhere: &[String]) -> Check {
    if !elsewhere.is_empty() {
        let remedy = "wait for kubelet to report the pod's new address, or restart the pod";
        return Check::bad(INSIDE, elsewhere.join(", "), remedy);
    }
    match seen {
        0 => Check::note(
            INSIDE,
            "not looked for inside the pods: without hostPID none is seen (daemonset/overlays/hostpid)".to_owned(),
        ),
        seen => Check::ok(INSIDE, format!("{seen} of {all} pods have theirs inside")),
    }
}

/// Not the node's own, which is not the pod's.
fn addressed(pod: Pod) -> Option<Addressed> {
    let of_host = pod.spec.as_ref().and_then(|spec| spec.host_network);
    let ip = pod.status?.pod_ip?.parse().ok()?;
    let key = Key {
        namespace: pod.metadata.namespace?,
        name: pod.metadata.name?,
    };
    let uid = Uid::new(pod.metadata.uid?);
    (of_host != Some(true)).then_some(Addressed { key, uid, ip })
}

async fn is_member(podenis: Option<&PodEnis>, pod: &Addressed) -> Result<bool, String> {
    let Some(podenis) = podenis else {
        return Ok(false);
    };
    let found = podenis.find(&pod.key, pod.ip).await;
    Ok(found.map_err(|error| error.to_string())?.is_some())
}

/// A shared ENI stays on the node, an exclusive one is inside its pod.
fn interfaces(listed: &[Listed], links: &[Link]) -> String {
    let on_node = |eni: &Listed| links.iter().any(|link| link.mac == eni.mac);
    let named = listed.iter().take(NAMED).map(|eni| {
        let place = if on_node(eni) {
            "on the node"
        } else {
            "not on the node"
        };
        format!("{} ({} addresses, {place})", eni.eni, eni.addresses)
    });
    let named: Vec<_> = named.collect();
    format!("{} ENIs listed: {}", listed.len(), named.join(", "))
}

fn unknown(listed: &str, why: &str) -> Check {
    Check::unknown(MODE, format!("{listed}; pods unknown: {why}"))
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
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn an_eni_is_on_the_node_or_not() {
        let eni = crate::domain::ids::EniId::new("eni-1");
        let mac = "00:16:3e:00:00:01".to_owned();
        let link = Link {
            mac: mac.clone(),
            addresses: Vec::new(),
        };
        let listed = [Listed {
            eni,
            mac,
            addresses: 3,
        }];
        let on = "1 ENIs listed: eni-1 (3 addresses, on the node)";
        assert_eq!(interfaces(&listed, &[link]), on);
        assert!(interfaces(&listed, &[]).ends_with("not on the node)"));
    }

    #[test]
    fn an_address_that_is_not_inside_is_bad() {
        assert_eq!(verdict(2, 2, &["a".to_owned()]).verdict, Verdict::Bad);
        assert_eq!(verdict(2, 0, &[]).verdict, Verdict::Note);
        assert_eq!(verdict(2, 2, &[]).verdict, Verdict::Ok);
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
