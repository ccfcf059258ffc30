//! Nodes and pods without a kubelet: the testbed writes what a kubelet would. Each step of a pod's life is a call of
//! its own, so that a test decides what happens when.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, ServiceAccount};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::clock;
use crate::node::Instance;

pub mod player;

/// What the API server refused, or did not come about.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("{what}: {source}")]
    Api {
        what: String,
        source: Box<kube::Error>,
    },
    #[error("pod {pod}: {what} did not come about within {seconds} s; last seen: {seen}")]
    Overdue {
        pod: String,
        what: String,
        seconds: u64,
        seen: String,
    },
}

/// A pod to create.
#[derive(Debug, Clone)]
pub struct PodSpec {
    pub name: String,
    pub namespace: String,
    pub annotations: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// Whether it has the readiness gate `k8s.aliyun.com/eip`.
    pub gate: bool,
    pub host_network: bool,
    /// Merged into the pod's `metadata`, such as `ownerReferences`.
    pub metadata: Value,
}

impl PodSpec {
    /// A pod in `default` with a gate and the given annotations.
    #[must_use]
    pub fn new(name: &str, annotations: &[(&str, &str)]) -> Self {
        let annotations = annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self {
            name: name.to_owned(),
            namespace: "default".to_owned(),
            annotations: annotations.collect(),
            labels: BTreeMap::new(),
            gate: true,
            host_network: false,
            metadata: json!({}),
        }
    }

    /// A pod that asks for an EIP.
    #[must_use]
    pub fn with_eip(name: &str) -> Self {
        Self::new(name, &[("k8s.aliyun.com/pod-with-eip", "true")])
    }

    fn manifest(&self, node: &str) -> Value {
        let mut metadata = json!({
            "name": self.name, "namespace": self.namespace,
            "annotations": self.annotations, "labels": self.labels,
        });
        if let (Some(metadata), Some(more)) = (metadata.as_object_mut(), self.metadata.as_object())
        {
            metadata.extend(more.clone());
        }
        let gates = if self.gate {
            json!([{"conditionType": "k8s.aliyun.com/eip"}])
        } else {
            json!([])
        };
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {
                "nodeName": node, "hostNetwork": self.host_network, "readinessGates": gates,
                "containers": [{"name": "main", "image": "localhost/eipd-test:dev", "imagePullPolicy": "Never"}],
            },
        })
    }
}

/// A pod that is played.
#[derive(Debug, Clone)]
pub struct PlayedPod {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    host: Ipv4Addr,
    api: Api<Pod>,
}

impl PlayedPod {
    /// Creates a pod that is bound to the node from the start.
    pub async fn create(
        client: &kube::Client,
        instance: &Instance,
        spec: &PodSpec,
    ) -> Result<Self, PlayError> {
        let api: Api<Pod> = Api::namespaced(client.clone(), &spec.namespace);
        let manifest = serde_json::from_value(spec.manifest(&instance.name))
            .map_err(|source| api_error("manifest")(kube::Error::SerdeError(source)))?;
        let pod = api
            .create(&PostParams::default(), &manifest)
            .await
            .map_err(api_error("create the pod"))?;
        Ok(Self::of(&api, &pod, instance.address))
    }

    /// A handle to a pod that something else created.
    #[must_use]
    pub fn of(api: &Api<Pod>, pod: &Pod, host: Ipv4Addr) -> Self {
        Self {
            name: pod.name_any(),
            namespace: pod.namespace().unwrap_or_default(),
            uid: pod.uid().unwrap_or_default(),
            host,
            api: api.clone(),
        }
    }

    /// kubelet takes the pod: startTime is set, no address yet.
    pub async fn take(&self) -> Result<(), PlayError> {
        self.write_status(&json!({
            "phase": "Pending", "startTime": clock::wall(), "hostIP": self.host,
            "conditions": [condition("PodScheduled", true), condition("Initialized", true)],
        }))
        .await
    }

    /// kubelet refuses the pod: Failed from the start, with that reason.
    pub async fn refuse(&self, reason: &str) -> Result<(), PlayError> {
        self.write_status(&json!({
            "phase": "Failed", "reason": reason, "message": "played", "startTime": clock::wall(),
        }))
        .await
    }

    /// The sandbox is there: the address is known, the container not yet.
    pub async fn give_ip(&self, ip: Ipv4Addr) -> Result<(), PlayError> {
        // Lists are merged by address: another one takes the place of the last only where that is said.
        let ips = json!([{"$patch": "replace"}, {"ip": ip}]);
        self.write_status(&json!({"podIP": ip, "podIPs": ips, "hostIP": self.host}))
            .await
    }

    /// The container runs.
    pub async fn run(&self) -> Result<(), PlayError> {
        let state = json!({"running": {"startedAt": clock::wall()}});
        self.write_status(&json!({
            "phase": "Running", "conditions": [condition("ContainersReady", true)],
            "containerStatuses": [container(&state, true)],
        }))
        .await
    }

    /// Every container has ended and none will start: `Succeeded` or `Failed`.
    pub async fn finish(&self, phase: &str) -> Result<(), PlayError> {
        self.write_status(&ended(phase)).await
    }

    /// As kubelet reports a pod that is being deleted once its containers have ended: the phase stays.
    pub async fn end_containers(&self) -> Result<(), PlayError> {
        self.write_status(&ended("Running")).await
    }

    /// What kubelet sets when everything else, gates included, is true.
    pub async fn set_ready(&self, ready: bool) -> Result<(), PlayError> {
        self.write_status(&json!({"conditions": [condition("Ready", ready)]}))
            .await
    }

    /// A user deletes it: it has a deletionTimestamp until [`PlayedPod::remove`].
    pub async fn delete(&self) -> Result<(), PlayError> {
        self.delete_with(&DeleteParams::default()).await
    }

    /// kubelet is done with it: the object goes.
    pub async fn remove(&self) -> Result<(), PlayError> {
        self.delete_with(&DeleteParams::default().grace_period(0))
            .await
    }

    /// All of an ordinary deletion: asked for, containers ended, gone.
    pub async fn delete_fully(&self) -> Result<(), PlayError> {
        self.delete().await?;
        self.end_containers().await?;
        self.remove().await
    }

    /// The pod now; `None` if it is gone or another one has its name.
    pub async fn get(&self) -> Result<Option<Pod>, PlayError> {
        let pod = self
            .api
            .get_opt(&self.name)
            .await
            .map_err(api_error("get the pod"))?;
        Ok(pod.filter(|pod| pod.metadata.uid.as_deref() == Some(&self.uid)))
    }

    /// Waits until `wanted` holds of the pod, `seconds` at most; the pod then.
    pub async fn wait(
        &self,
        what: &str,
        seconds: u64,
        wanted: impl Fn(&Pod) -> bool,
    ) -> Result<Pod, PlayError> {
        let mut seen = None;
        for _ in 0..seconds * 20 {
            match self.get().await? {
                Some(pod) if wanted(&pod) => return Ok(pod),
                other => seen = other,
            }
            clock::sleep(Duration::from_millis(50)).await;
        }
        let seen = seen.map_or_else(
            || "no such pod".to_owned(),
            |pod| json!(pod.status).to_string(),
        );
        Err(PlayError::Overdue {
            pod: self.name.clone(),
            what: what.to_owned(),
            seconds,
            seen,
        })
    }

    /// Waits until its condition `k8s.aliyun.com/eip` is True.
    pub async fn wait_bound(&self, seconds: u64) -> Result<Pod, PlayError> {
        self.wait("the condition k8s.aliyun.com/eip", seconds, |pod| {
            is_true(pod, "k8s.aliyun.com/eip")
        })
        .await
    }

    /// Writes status fields as kubelet does: by a strategic merge patch that names this very pod.
    pub async fn write_status(&self, status: &Value) -> Result<(), PlayError> {
        let patch = json!({"metadata": {"uid": self.uid}, "status": status});
        let written = self
            .api
            .patch_status(
                &self.name,
                &PatchParams::default(),
                &Patch::Strategic(&patch),
            )
            .await;
        written
            .map(|_| ())
            .map_err(api_error("write the pod's status"))
    }

    async fn delete_with(&self, parameters: &DeleteParams) -> Result<(), PlayError> {
        let this = Preconditions {
            uid: Some(self.uid.clone()),
            resource_version: None,
        };
        let deleted = self
            .api
            .delete(&self.name, &parameters.clone().preconditions(this))
            .await;
        match deleted {
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                Ok(())
            }
            other => other.map(|_| ()).map_err(api_error("delete the pod")),
        }
    }
}

/// Waits until pods can be made in `default`: the controller manager makes its `ServiceAccount` soon after its start.
pub async fn wait_account(client: &kube::Client) -> Result<(), PlayError> {
    let accounts: Api<ServiceAccount> = Api::default_namespaced(client.clone());
    for _ in 0..600 {
        if accounts
            .get_opt("default")
            .await
            .map_err(api_error("get the ServiceAccount"))?
            .is_some()
        {
            return Ok(());
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    let (pod, what) = (
        "any pod".to_owned(),
        "the ServiceAccount of default".to_owned(),
    );
    Err(PlayError::Overdue {
        pod,
        what,
        seconds: 30,
        seen: "none".to_owned(),
    })
}

/// Creates the Node object of an instance, Ready and without a taint.
pub async fn create_node(client: &kube::Client, instance: &Instance) -> Result<(), PlayError> {
    let nodes: Api<Node> = Api::all(client.clone());
    let labels: BTreeMap<String, String> = instance.labels().into_iter().collect();
    let manifest = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": instance.name, "labels": labels},
        "spec": {"providerID": instance.provider_id()},
    });
    let manifest = serde_json::from_value(manifest)
        .map_err(|source| api_error("manifest")(kube::Error::SerdeError(source)))?;
    nodes
        .create(&PostParams::default(), &manifest)
        .await
        .map_err(api_error("create the node"))?;
    let room = json!({"cpu": "64", "memory": "256Gi", "pods": "500"});
    let status = json!({"status": {
        "capacity": room, "allocatable": room,
        "addresses": [{"type": "InternalIP", "address": instance.address}],
        "conditions": [condition("Ready", true)],
    }});
    let parameters = PatchParams::default();
    let written = nodes
        .patch_status(&instance.name, &parameters, &Patch::Merge(&status))
        .await;
    written.map_err(api_error("write the node's status"))?;
    // Admission taints every new node; the controller that would take that back is not running here.
    let spec = json!({"spec": {"taints": null}});
    let written = nodes
        .patch(&instance.name, &parameters, &Patch::Merge(&spec))
        .await;
    written.map(|_| ()).map_err(api_error("untaint the node"))
}

/// Whether a condition of the pod is True.
#[must_use]
pub fn is_true(pod: &Pod, kind: &str) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one.type_ == kind && one.status == "True")
    })
}

fn ended(phase: &str) -> Value {
    let state = json!({"terminated": {"exitCode": 0, "finishedAt": clock::wall()}});
    json!({
        "phase": phase, "containerStatuses": [container(&state, false)],
        "conditions": [condition("ContainersReady", false), condition("Ready", false)],
    })
}

fn container(state: &Value, ready: bool) -> Value {
    json!({
        "name": "main", "image": "localhost/eipd-test:dev", "imageID": "", "containerID": "played://main",
        "ready": ready, "started": ready, "restartCount": 0, "state": state,
    })
}

fn condition(kind: &str, holds: bool) -> Value {
    let status = if holds { "True" } else { "False" };
    json!({"type": kind, "status": status, "lastTransitionTime": clock::wall()})
}

fn api_error(what: &str) -> impl FnOnce(kube::Error) -> PlayError + use<> {
    let what = what.to_owned();
    |source| PlayError::Api {
        what,
        source: Box::new(source),
    }
}
