//! Where in the VPC a pod's IP is: the metadata service knows most; Terway's `PodENI` and the ECS API know the rest.
//!
//! Trunk member ENIs are on no metadata service, and neither are addresses of an overlay network: a pod is refused only
//! when all three agree that there is no such interface. On the common path the metadata service alone is asked, and the
//! node's kernel, which costs nothing.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::eni::{Enis, PodIp};
use super::kernel::{self, Inside, Kernel};
use super::metadata::MetadataError;
use crate::cloud::ecs::{Ecs, Interface};
use crate::cloud::error::CloudError;
use crate::domain::ids::{EniId, Key, Place, Uid};
use crate::kubeapi::error::KubeError;
use crate::kubeapi::podenis::PodEnis;

/// Where pods' IPs are; clones share what was learned.
#[derive(Clone)]
pub struct Places {
    enis: Enis,
    podenis: PodEnis,
    ecs: Ecs,
    kernel: Arc<dyn Kernel>,
    node: Instance,
}

/// This node, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    pub vpc: Option<String>,
    pub zone: Option<String>,
    /// Its ECS instance id.
    pub id: Option<String>,
    /// Whether it has no metadata service, as far as could be seen at start.
    pub alone: bool,
}

/// What is known of a pod's IP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    At(Place),
    /// On no interface so far: ask again soon.
    NotYet(String),
    /// Somebody has to change something, or it changes by itself, but it is no overlay's address either: ask again rarely.
    Odd(String),
    /// On no interface that an EIP can be bound to.
    Nowhere(String),
}

/// Why it is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlaceError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("PodENI: {0}")]
    Kube(#[from] KubeError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

impl Places {
    pub fn new(
        enis: Enis,
        podenis: PodEnis,
        ecs: Ecs,
        kernel: Arc<dyn Kernel>,
        node: Instance,
    ) -> Self {
        Self {
            enis,
            podenis,
            ecs,
            kernel,
            node,
        }
    }

    /// Where `ip`, the address of the pod of this name and uid, is.
    pub async fn find(&self, key: &Key, pod: &Uid, ip: Ipv4Addr) -> Result<Found, PlaceError> {
        match self.listed(key, ip).await? {
            Found::At(place) => Ok(match self.against(pod, ip).await {
                Some(why) => Found::Odd(why),
                None => Found::At(place),
            }),
            other => Ok(other),
        }
    }

    /// What this node's kernel has against it: an EIP there would open somebody else.
    async fn against(&self, pod: &Uid, ip: Ipv4Addr) -> Option<String> {
        let links = self.kernel.links();
        if links.iter().any(|link| link.addresses.contains(&ip)) {
            return Some(format!("{ip} is an address of the node itself"));
        }
        match self.inside(pod, ip).await {
            Inside::No(has) => Some(elsewhere(ip, &has)),
            Inside::Yes | Inside::Unseen => None,
        }
    }

    async fn inside(&self, pod: &Uid, ip: Ipv4Addr) -> Inside {
        let (kernel, pod) = (self.kernel.clone(), pod.clone());
        let seen = tokio::task::spawn_blocking(move || kernel.of_pod(&pod));
        kernel::judge(seen.await.ok().flatten(), ip)
    }

    async fn listed(&self, pod: &Key, ip: Ipv4Addr) -> Result<Found, PlaceError> {
        let listed = match self.enis.find(ip).await {
            Err(_) if self.node.alone => PodIp::NotHere,
            listed => listed?,
        };
        match listed {
            PodIp::Found { place, .. } => return Ok(Found::At(place)),
            PodIp::Prefix { eni, prefix } => {
                return Ok(Found::Nowhere(in_prefix(ip, &eni, &prefix)));
            }
            PodIp::NotYet | PodIp::NotHere => {}
        }
        // Not confirmed by ECS: a pair of interface and address that does not exist is refused when it is bound.
        if let Some(eni) = self.podenis.find(pod, ip).await? {
            return Ok(Found::At(Place { eni, ip }));
        }
        match (listed, &self.node.vpc) {
            (PodIp::NotYet, _) => Ok(Found::NotYet(format!(
                "{ip} is on no network interface of this node yet"
            ))),
            (_, None) => Ok(Found::Odd(format!(
                "{ip} cannot be looked up in the ECS API, for this node's VPC is not known: set vpcID"
            ))),
            (_, Some(vpc)) => {
                let hits = self.ecs.with_address(vpc, ip).await?;
                Ok(judge(&hits, self.node.id.as_deref(), ip))
            }
        }
    }

    /// The primary address of one of this node's interfaces, for the cloud reports an EIP there as standing on none.
    /// `None`: not listed, as a trunk's members are; those have no other address.
    pub async fn primary(&self, eni: &EniId) -> Option<Ipv4Addr> {
        self.enis.primary(eni).await.ok().flatten()
    }

    /// The vSwitch that an interface is in: of this node's the metadata service tells, of a trunk's members the ECS API.
    pub async fn vswitch(&self, eni: &EniId) -> Result<Option<String>, PlaceError> {
        match self.enis.vswitch(eni).await {
            Err(_) if self.node.alone => {}
            listed => {
                if let Some(vswitch) = listed? {
                    return Ok(Some(vswitch));
                }
            }
        }
        let found = self.ecs.interface(eni).await?;
        Ok(found.and_then(|it| it.vswitch))
    }

    /// The zone, the node's: an instance has no interfaces elsewhere.
    pub fn zone(&self) -> Option<&String> {
        self.node.zone.as_ref()
    }

    /// What was read is not true any more: the cloud knows no such place.
    pub async fn forget(&self) {
        self.enis.forget().await;
    }
}

/// What the VPC's interfaces with that address say. An overlay may give out what the VPC has elsewhere: an interface of
/// another instance is not this pod's, and an EIP there would open somebody else's machine.
fn judge(hits: &[Interface], instance: Option<&str>, ip: Ipv4Addr) -> Found {
    let [hit] = hits else {
        return match hits.len() {
            0 => Found::Nowhere(format!(
                "{ip} is on no network interface of this VPC: an EIP can only be bound to an address of the VPC"
            )),
            n => Found::Odd(format!("{ip} is on {n} network interfaces of this VPC")),
        };
    };
    let ours = instance.is_some() && hit.instance.as_deref() == instance;
    let eni = &hit.id;
    match hit.status.as_str() {
        _ if !ours => Found::Odd(format!(
            "{ip} is on {eni} of instance {}; this node is instance {}",
            hit.instance.as_deref().unwrap_or("unknown"),
            instance.unwrap_or("unknown")
        )),
        "InUse" => Found::At(Place {
            eni: eni.clone(),
            ip,
        }),
        status => Found::NotYet(format!("{ip} is on {eni}, which is {status}")),
    }
}

/// kubelet's report is late, or the address was changed by hand.
fn elsewhere(ip: Ipv4Addr, has: &BTreeSet<Ipv4Addr>) -> String {
    let has: Vec<_> = has.iter().map(Ipv4Addr::to_string).collect();
    let has = has.join(", ");
    format!("{ip} is not inside the pod, whose network namespace has {has}")
}

fn in_prefix(ip: Ipv4Addr, eni: &EniId, prefix: &str) -> String {
    format!(
        "{ip} belongs to the IP prefix {prefix} of {eni}: the cloud binds no EIP there; use a Terway mode without IP prefixes"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);

    fn hit(id: &str, instance: Option<&str>, kind: &str, status: &str) -> Interface {
        Interface {
            id: EniId::new(id),
            vpc: "vpc-1".to_owned(),
            vswitch: None,
            zone: "a".to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            primary: Some(IP),
            ips: vec![IP],
            instance: instance.map(str::to_owned),
        }
    }

    fn judged(hits: &[Interface]) -> Found {
        judge(hits, Some("i-1"), IP)
    }

    #[test]
    fn the_one_interface_of_this_node_is_it() {
        let at = Found::At(Place {
            eni: EniId::new("eni-1"),
            ip: IP,
        });
        for kind in ["Secondary", "Member"] {
            let seen = judged(&[hit("eni-1", Some("i-1"), kind, "InUse")]);
            assert_eq!(seen, at);
        }
    }

    #[test]
    fn no_interface_at_all_is_nowhere() {
        assert!(matches!(judged(&[]), Found::Nowhere(_)));
    }

    #[test]
    fn what_is_not_surely_ours_is_neither_bound_nor_refused() {
        let two = [
            hit("eni-1", Some("i-1"), "Member", "InUse"),
            hit("eni-2", Some("i-1"), "Member", "InUse"),
        ];
        assert!(matches!(judged(&two), Found::Odd(_)));
        for (instance, kind) in [(Some("i-2"), "Member"), (None, "Member")] {
            let seen = judged(&[hit("eni-1", instance, kind, "InUse")]);
            assert!(
                matches!(&seen, Found::Odd(why) if why.contains("eni-1")),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn a_node_that_does_not_know_which_instance_it_is_takes_none() {
        let one = [hit("eni-1", Some("i-1"), "Secondary", "InUse")];
        assert!(matches!(judge(&one, None, IP), Found::Odd(_)));
    }

    #[test]
    fn an_interface_that_is_being_attached_is_waited_for() {
        let seen = judged(&[hit("eni-1", Some("i-1"), "Member", "Attaching")]);
        assert!(matches!(seen, Found::NotYet(_)), "{seen:?}");
    }
}
