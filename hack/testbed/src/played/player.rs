//! Plays kubelets of its own accord: every pod that is bound to a played node is taken, gets an address of its node's
//! ENI, runs, becomes Ready when its gates are, and goes when it is deleted.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use super::{PlayError, PlayedPod, api_error, is_true};
use crate::clock;
use crate::node::Instance;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(100);
/// What setting a sandbox up takes on a real node, about.
const SANDBOX: Duration = Duration::from_millis(500);

/// Plays until the API server is gone.
pub async fn play(client: &kube::Client, instances: &[Instance]) -> Result<(), PlayError> {
    let pods: Api<Pod> = Api::all(client.clone());
    let mut kubelets = Kubelets::default();
    loop {
        let all = pods
            .list(&ListParams::default())
            .await
            .map_err(api_error("list the pods"))?
            .items;
        kubelets.forget(&all);
        for pod in &all {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            if let Some(instance) = instances
                .iter()
                .find(|instance| Some(&*instance.name) == node)
            {
                let api = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
                let played = PlayedPod::of(&api, pod, instance.address);
                // Whatever went wrong with one pod (it may just have gone) is tried again at the next look.
                let _ = kubelets.advance(&played, pod, instance).await;
            }
        }
        clock::sleep(PERIOD).await;
    }
}

/// What the kubelets remember, by the pod's uid.
#[derive(Default)]
struct Kubelets {
    taken: BTreeMap<String, Instant>,
    addresses: BTreeMap<String, Ipv4Addr>,
}

impl Kubelets {
    /// Addresses of pods that are gone come free.
    fn forget(&mut self, all: &[Pod]) {
        let exists = |uid: &String| all.iter().any(|pod| pod.metadata.uid.as_ref() == Some(uid));
        self.taken.retain(|uid, _| exists(uid));
        self.addresses.retain(|uid, _| exists(uid));
    }

    /// One step of one pod.
    async fn advance(
        &mut self,
        played: &PlayedPod,
        pod: &Pod,
        instance: &Instance,
    ) -> Result<(), PlayError> {
        let status = pod.status.clone().unwrap_or_default();
        let has_ip = status.pod_ip.is_some();
        if pod.metadata.deletion_timestamp.is_some() {
            if has_ip {
                played.end_containers().await?;
            }
            return played.remove().await;
        }
        if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            return Ok(()); // a test has ended it
        }
        if status.start_time.is_none() {
            self.taken.insert(played.uid.clone(), clock::now());
            return played.take().await;
        }
        if has_ip {
            return follow_gates(played, pod).await;
        }
        let set_up = self
            .taken
            .get(&played.uid)
            .is_none_or(|since| clock::now() - *since >= SANDBOX);
        match self.address(&played.uid, instance) {
            Some(ip) if set_up => {
                played.give_ip(ip).await?;
                played.run().await
            }
            _ => Ok(()),
        }
    }

    /// The pod's address: the first of the node's ENI that no pod has.
    fn address(&mut self, uid: &str, instance: &Instance) -> Option<Ipv4Addr> {
        if let Some(ip) = self.addresses.get(uid) {
            return Some(*ip);
        }
        let free = |ip: &&Ipv4Addr| !self.addresses.values().any(|used| used == *ip);
        let ip = *instance.pod_addresses.iter().find(free)?;
        self.addresses.insert(uid.to_owned(), ip);
        Some(ip)
    }
}

/// Ready says what the gates say; the container runs.
async fn follow_gates(played: &PlayedPod, pod: &Pod) -> Result<(), PlayError> {
    let gates = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.readiness_gates.clone())
        .unwrap_or_default();
    let ready = gates.iter().all(|gate| is_true(pod, &gate.condition_type));
    if ready == is_true(pod, "Ready") {
        Ok(())
    } else {
        played.set_ready(ready).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(addresses: &[u8]) -> Instance {
        Instance {
            index: 0,
            name: "node".to_owned(),
            instance_id: "i-1".to_owned(),
            region: "cn-hangzhou".to_owned(),
            zone: "cn-hangzhou-i".to_owned(),
            address: Ipv4Addr::new(10, 77, 0, 1),
            mac: String::new(),
            wiring: crate::node::Wiring::Shared,
            own_enis: Vec::new(),
            pod_eni: "eni-1".to_owned(),
            pod_addresses: addresses
                .iter()
                .map(|last| Ipv4Addr::new(10, 77, 0, *last))
                .collect(),
        }
    }

    #[test]
    fn played_pods_never_share_an_address_and_a_gone_pods_comes_free() {
        let (mut kubelets, node) = (Kubelets::default(), instance(&[2, 3]));
        let first = kubelets.address("a", &node);
        assert_eq!(
            kubelets.address("a", &node),
            first,
            "a pod keeps its address"
        );
        assert_ne!(kubelets.address("b", &node), first);
        assert_eq!(kubelets.address("c", &node), None, "no third one");
        kubelets.forget(&[]);
        assert_eq!(kubelets.address("c", &node), first);
    }
}
