//! Pods: the few fields that decide about an address, and the two things that eipd writes on them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, Patch, PatchParams};
use kube::core::{NamespaceResourceScope, Resource};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::client::Kube;
use super::error::KubeError;
use crate::api::keys::{self, ADDRESS_ANNOTATIONS, DNAT_ANNOTATION};
use crate::domain::ids::{Key, ResourceVersion, Uid};
use crate::domain::pod::{Ask, Condition, Outputs, Phase, Pod};
use crate::domain::ports::{PortAsk, PortOutputs};
use crate::eip::step::Verdict;

/// Reads annotations and traits of a pod as a request: the rules of `api::request`, with the agent's configuration.
pub type AskOf = Arc<dyn Fn(&PodWire) -> Asks + Send + Sync>;

/// What a pod asks for.
pub struct Asks {
    pub eip: Ask,
    pub ports: PortAsk,
}

/// A readiness gate of ours: the condition's type, and its reason when it is "True".
pub struct Gate {
    type_: &'static str,
    reason: &'static str,
}

pub const EIP_GATE: Gate = Gate {
    type_: keys::CONDITION_TYPE,
    reason: keys::CONDITION_REASON,
};
pub const DNAT_GATE: Gate = Gate {
    type_: keys::DNAT_CONDITION,
    reason: keys::DNAT_REASON,
};

/// A pod as far as it is read; everything else is skipped while parsing, for a node has hundreds of large ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PodWire {
    #[serde(deserialize_with = "slim_metadata")]
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: PodSpec,
    #[serde(default)]
    pub status: PodStatus,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    pub node_name: Option<String>,
    pub host_network: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    start_time: Option<String>,
    conditions: Vec<PodCondition>,
    container_statuses: Vec<Container>,
    init_container_statuses: Vec<Container>,
    ephemeral_container_statuses: Vec<Container>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PodCondition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Container {
    state: State,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Value>,
}

/// Metadata without managedFields, labels and finalizers.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SlimMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    deletion_timestamp: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference>>,
}

fn slim_metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let slim = SlimMetadata::deserialize(deserializer)?;
    Ok(ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        creation_timestamp: slim.creation_timestamp,
        deletion_timestamp: slim.deletion_timestamp,
        annotations: slim.annotations,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    })
}

impl Resource for PodWire {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Reads and writes pods.
#[derive(Clone)]
pub struct Pods {
    kube: Kube,
    ask: AskOf,
}

impl Pods {
    pub fn new(kube: Kube, ask: AskOf) -> Self {
        Self { kube, ask }
    }

    /// A live read; `None`: there is no pod of that name.
    pub async fn get(&self, key: &Key) -> Result<Option<Pod>, KubeError> {
        let api = self.api(key);
        let wire = self
            .kube
            .call("get", "pods", api.get_opt(&key.name))
            .await?;
        Ok(wire.map(|wire| self.read(&wire)))
    }

    /// Writes both output annotations, or takes them away. Only on the pod of that uid.
    pub async fn annotate(
        &self,
        key: &Key,
        uid: &Uid,
        address: Option<&str>,
    ) -> Result<Pod, KubeError> {
        let annotations: BTreeMap<_, _> = ADDRESS_ANNOTATIONS
            .iter()
            .map(|name| (*name, address))
            .collect();
        self.patch_annotations(key, uid, json!(annotations)).await
    }

    /// Writes where its ports are, or takes that away. Only on the pod of that uid.
    pub async fn annotate_ports(
        &self,
        key: &Key,
        uid: &Uid,
        text: Option<&str>,
    ) -> Result<Pod, KubeError> {
        let annotations = json!({DNAT_ANNOTATION: text});
        self.patch_annotations(key, uid, annotations).await
    }

    async fn patch_annotations(
        &self,
        key: &Key,
        uid: &Uid,
        annotations: Value,
    ) -> Result<Pod, KubeError> {
        let patch =
            Patch::Merge(json!({"metadata": {"uid": uid.as_str(), "annotations": annotations}}));
        let (api, params) = (self.api(key), PatchParams::default());
        let call = api.patch(&key.name, &params, &patch);
        let wire = self.kube.call("patch", "pods", call).await?;
        Ok(self.read(&wire))
    }

    /// Writes that condition and no other (the list is merged by type). Only on the pod of that uid.
    pub async fn set_condition(
        &self,
        key: &Key,
        uid: &Uid,
        gate: &Gate,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Pod, KubeError> {
        let patch = Patch::Strategic(json!({
            "metadata": {"uid": uid.as_str()},
            "status": {"conditions": [condition(gate, verdict, now)]},
        }));
        let (api, params) = (self.api(key), PatchParams::default());
        let call = api.patch_status(&key.name, &params, &patch);
        let wire = self.kube.call("patch", "pods/status", call).await?;
        Ok(self.read(&wire))
    }

    /// The facts of a pod as it came over the wire.
    pub fn read(&self, wire: &PodWire) -> Pod {
        let status = &wire.status;
        let asks = (self.ask)(wire);
        Pod {
            key: key_of(&wire.metadata),
            uid: Uid::new(wire.metadata.uid.clone().unwrap_or_default()),
            version: ResourceVersion::new(
                wire.metadata.resource_version.clone().unwrap_or_default(),
            ),
            created: wire.metadata.creation_timestamp.as_ref().map(|time| time.0),
            node: wire.spec.node_name.clone(),
            controller: controller(&wire.metadata),
            phase: phase(status.phase.as_deref()),
            ip: status.pod_ip.as_deref().and_then(|ip| ip.parse().ok()),
            taken: status.start_time.is_some(),
            deleting: wire.metadata.deletion_timestamp.is_some(),
            running: status.runs(),
            ask: asks.eip,
            outputs: outputs(wire),
            ports: asks.ports,
            port_outputs: port_outputs(wire),
        }
    }

    fn api(&self, key: &Key) -> Api<PodWire> {
        Api::namespaced(self.kube.client().clone(), &key.namespace)
    }
}

impl PodStatus {
    fn runs(&self) -> bool {
        [
            &self.container_statuses,
            &self.init_container_statuses,
            &self.ephemeral_container_statuses,
        ]
        .into_iter()
        .flatten()
        .any(|container| container.state.running.is_some())
    }
}

fn controller(meta: &ObjectMeta) -> Option<Uid> {
    let owners = meta.owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    controllers.next().map(|owner| Uid::new(&owner.uid))
}

/// Namespace and name of an object from the API server.
pub(crate) fn key_of(meta: &ObjectMeta) -> Key {
    Key {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn phase(phase: Option<&str>) -> Phase {
    match phase {
        Some("Pending") => Phase::Pending,
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        _ => Phase::Unknown,
    }
}

fn outputs(wire: &PodWire) -> Outputs {
    let annotations = wire.metadata.annotations.as_ref();
    let value = |name| annotations.and_then(|all| all.get(name)).cloned();
    let [first, second] = ADDRESS_ANNOTATIONS.map(value);
    Outputs {
        address: match (first, second) {
            (None, None) => None,
            (first, second) if first == second => first,
            _ => Some(String::new()),
        },
        condition: condition_of(wire, &EIP_GATE),
    }
}

fn port_outputs(wire: &PodWire) -> PortOutputs {
    let annotations = wire.metadata.annotations.as_ref();
    PortOutputs {
        text: annotations
            .and_then(|all| all.get(DNAT_ANNOTATION))
            .cloned(),
        condition: condition_of(wire, &DNAT_GATE),
    }
}

fn condition_of(wire: &PodWire, gate: &Gate) -> Condition {
    let mut all = wire.status.conditions.iter();
    let ours = all.find(|condition| condition.type_ == gate.type_);
    ours.map_or(Condition::Absent, |it| known_condition(it, gate))
}

fn known_condition(condition: &PodCondition, gate: &Gate) -> Condition {
    let reason = condition.reason.clone().unwrap_or_default();
    match condition.status == "True" && reason == gate.reason {
        true => Condition::Bound,
        false => Condition::Other {
            reason,
            message: condition.message.clone().unwrap_or_default(),
        },
    }
}

/// The condition as published; `message` stands only where it is not "True".
fn condition(gate: &Gate, verdict: &Verdict, now: Timestamp) -> Value {
    let now = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now);
    let (status, reason, message) = match verdict {
        Verdict::Bound => ("True", gate.reason, None),
        Verdict::Not { reason, message } => ("False", *reason, Some(message)),
    };
    json!({
        "type": gate.type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastProbeTime": now,
        "lastTransitionTime": now,
    })
}

#[cfg(test)]
mod tests;
