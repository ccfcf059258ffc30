//! Terway's `PodENI` objects, read only: on which ENI it has put a pod, where the metadata service does not list that ENI.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use serde::Deserialize;

use super::client::Kube;
use super::error::KubeError;
use crate::domain::ids::{EniId, Key};

/// A reader of `PodENI` objects; clones say only once that they may not read.
#[derive(Clone)]
pub struct PodEnis {
    kube: Kube,
    told: Arc<AtomicBool>,
}

/// What is read of one (Terway, `pkg/apis/network.alibabacloud.com/v1beta1/types.go`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wire {
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    allocations: Vec<Allocation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Allocation {
    eni: Eni,
    ipv4: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Eni {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
}

/// The phase in which the ENI is attached; in any other the object tells of what was, or will be.
const BOUND: &str = "Bind";

impl PodEnis {
    pub fn new(kube: Kube) -> Self {
        Self {
            kube,
            told: Arc::default(),
        }
    }

    /// The ENI on which Terway has put the pod of that name and address. `None`: it says nothing of it, for there is no
    /// such object, it is not bound (any more), it is for another address, or this cluster's Terway makes none.
    pub async fn find(&self, pod: &Key, ip: Ipv4Addr) -> Result<Option<EniId>, KubeError> {
        let kind = GroupVersionKind::gvk("network.alibabacloud.com", "v1beta1", "PodENI");
        let resource = ApiResource::from_gvk_with_plural(&kind, "podenis");
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.kube.client().clone(), &pod.namespace, &resource);
        match self.kube.call("get", "podenis", api.get(&pod.name)).await {
            Ok(found) => Ok(read(found.data, ip)),
            Err(KubeError::NotFound(_)) => Ok(None),
            Err(KubeError::Refused { code: 403, message }) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %message, "Terway's PodENI objects may not be read: ENIs that the metadata service does not list are looked up in the ECS API");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// An object of another shape says nothing.
fn read(data: serde_json::Value, ip: Ipv4Addr) -> Option<EniId> {
    let wire: Wire = serde_json::from_value(data).ok()?;
    let ip = ip.to_string();
    let mut there = wire
        .spec
        .allocations
        .into_iter()
        .filter(|it| it.ipv4 == ip && !it.eni.id.is_empty());
    let (Some(one), None) = (there.next(), there.next()) else {
        return None;
    };
    (wire.status.phase == BOUND).then(|| EniId::new(one.eni.id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);

    fn object(phase: &str, ips: &[&str]) -> serde_json::Value {
        let allocation = |ip: &&str| {
            json!({
                "eni": {"id": format!("eni-{ip}"), "mac": "00:16:3e:00:00:01", "zone": "a"},
                "ipv4": ip, "ipv6": "", "defaultRoute": true,
            })
        };
        let allocations: Vec<_> = ips.iter().map(allocation).collect();
        json!({"spec": {"allocations": allocations, "zone": "a"}, "status": {"phase": phase, "instanceID": "i-1"}})
    }

    #[test]
    fn a_bound_one_of_that_address_names_the_eni() {
        let eni = Some(EniId::new("eni-10.0.0.11"));
        assert_eq!(read(object("Bind", &["10.0.0.11"]), IP), eni);
        assert_eq!(read(object("Bind", &["10.0.0.12", "10.0.0.11"]), IP), eni);
    }

    #[test]
    fn nothing_else_does() {
        for phase in ["", "Binding", "Unbind", "Detaching", "Deleting", "bind"] {
            assert_eq!(read(object(phase, &["10.0.0.11"]), IP), None, "{phase}");
        }
        assert_eq!(read(object("Bind", &["10.0.0.12"]), IP), None);
        assert_eq!(read(object("Bind", &["10.0.0.11", "10.0.0.11"]), IP), None);
        for odd in [
            json!({}),
            json!({"spec": {"allocations": null}}),
            json!({"spec": {"allocations": [{"ipv4": "10.0.0.11"}]}, "status": {"phase": "Bind"}}),
            json!({"spec": [], "status": {"phase": "Bind"}}),
        ] {
            assert_eq!(read(odd.clone(), IP), None, "{odd}");
        }
    }
}
