//! Pods and nodes as users, scheduler and kubelet would write them.

use super::ApiServer;
use super::json::{self, list, set};
use super::patch::strategic;
use super::refusal::Refusal;
use serde_json::{Value, json};

/// A pod to create; the name and namespace are its key.
#[derive(Clone, Debug)]
pub struct PodSpec {
    object: Value,
}

impl PodSpec {
    /// A pod with one container that the scheduler has put on `node`.
    pub fn new(namespace: &str, name: &str, node: &str) -> Self {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "namespace": namespace, "name": name },
            "spec": {
                "nodeName": node,
                "terminationGracePeriodSeconds": 30,
                "containers": [{ "name": "main", "image": "test" }],
            },
        });
        Self { object }
    }

    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        set(&mut self.object, &["metadata", "annotations", key], value);
        self
    }

    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        set(&mut self.object, &["metadata", "labels", key], value);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        json::name(&self.object)
    }

    /// The same pod, put on another node by the scheduler.
    #[must_use]
    pub fn on(self, node: &str) -> Self {
        self.field(&["spec", "nodeName"], node)
    }

    /// Owned and controlled by a workload, as `apiVersion`, kind, name and uid.
    #[must_use]
    pub fn owner(mut self, api_version: &str, kind: &str, name: &str, uid: &str) -> Self {
        let owner = json!([{ "apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true }]);
        set(&mut self.object, &["metadata", "ownerReferences"], owner);
        self
    }

    #[must_use]
    pub fn host_network(mut self) -> Self {
        set(&mut self.object, &["spec", "hostNetwork"], true);
        self
    }

    #[must_use]
    pub fn readiness_gate(mut self, condition: &str) -> Self {
        set(
            &mut self.object,
            &["spec", "readinessGates"],
            json!([{ "conditionType": condition }]),
        );
        self
    }

    /// Any other field, by its path.
    #[must_use]
    pub fn field(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        set(&mut self.object, path, value);
        self
    }
}

impl ApiServer {
    /// Creates a pod that kubelet has not seen yet; gives its uid.
    pub fn create_pod(&self, pod: &PodSpec) -> Result<String, Refusal> {
        let pod = self.create(&pod.object)?;
        Ok(json::uid(&pod).to_owned())
    }

    /// Kubelet's first status write: startTime, Pending, no IP.
    pub fn take_pod(&self, namespace: &str, name: &str) -> Result<Value, Refusal> {
        let now = self.timestamp();
        self.pod_status(
            namespace,
            name,
            |_| json!({ "phase": "Pending", "startTime": now, "hostIP": "10.0.0.1" }),
        )
    }

    /// Kubelet refuses the pod at admission: Failed, without an IP.
    pub fn refuse_pod(&self, namespace: &str, name: &str, reason: &str) -> Result<Value, Refusal> {
        let now = self.timestamp();
        self.pod_status(
            namespace,
            name,
            |_| json!({ "phase": "Failed", "reason": reason, "startTime": now }),
        )
    }

    /// The sandbox is up and the containers run: Running, with this IP.
    pub fn set_pod_ip(&self, namespace: &str, name: &str, ip: &str) -> Result<Value, Refusal> {
        let now = self.timestamp();
        self.pod_status(namespace, name, |pod| {
            let running = statuses(pod, &json!({ "running": { "startedAt": now } }));
            let started = pod
                .pointer("/status/startTime")
                .cloned()
                .unwrap_or_else(|| json!(now));
            json!({
                "phase": "Running", "startTime": started, "podIP": ip,
                "podIPs": [{ "$patch": "replace" }, { "ip": ip }], "containerStatuses": running,
            })
        })
    }

    /// All containers have ended; the IP stays written, as kubelet leaves it. `phase`: Succeeded or Failed.
    pub fn finish_pod(&self, namespace: &str, name: &str, phase: &str) -> Result<Value, Refusal> {
        let exit = i32::from(phase == "Failed");
        let state = self.ended(exit);
        self.pod_status(
            namespace,
            name,
            |pod| json!({ "phase": phase, "containerStatuses": statuses(pod, &state) }),
        )
    }

    /// The containers of a pod that is being deleted have ended; the object is still there.
    pub fn stop_containers(&self, namespace: &str, name: &str) -> Result<Value, Refusal> {
        let state = self.ended(0);
        self.pod_status(
            namespace,
            name,
            |pod| json!({ "containerStatuses": statuses(pod, &state) }),
        )
    }

    fn ended(&self, exit: i32) -> Value {
        json!({ "terminated": { "exitCode": exit, "reason": "Completed", "finishedAt": self.timestamp() } })
    }

    /// A user deletes the pod: deletionTimestamp, the containers still run.
    pub fn terminate_pod(&self, namespace: &str, name: &str) -> Result<(), Refusal> {
        self.delete("pods", namespace, name)
    }

    /// Kubelet's last delete, or a forced one: the object is gone, unless finalizers hold it.
    pub fn remove_pod(&self, namespace: &str, name: &str) -> Result<(), Refusal> {
        self.delete_with("pods", namespace, name, &json!({ "gracePeriodSeconds": 0 }))
    }

    /// Merges a status into a pod's as kubelet's strategic patch does.
    pub fn pod_status(
        &self,
        namespace: &str,
        name: &str,
        status: impl FnOnce(&Value) -> Value,
    ) -> Result<Value, Refusal> {
        self.edit("pods", namespace, name, |pod| {
            let status = status(pod);
            strategic(&mut pod["status"], &status);
        })
    }

    /// A node with the condition Ready; creates it, or sets the condition.
    pub fn set_node(&self, name: &str, ready: bool) -> Result<Value, Refusal> {
        let status = if ready { "True" } else { "Unknown" };
        let conditions = json!({ "conditions": [{ "type": "Ready", "status": status, "reason": "test", "message": "" }] });
        if self.get("nodes", "", name).is_none() {
            return self.create(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name }, "status": conditions }));
        }
        self.edit("nodes", "", name, |node| {
            strategic(&mut node["status"], &conditions);
        })
    }
}

fn statuses(pod: &Value, state: &Value) -> Value {
    let one = |c: &Value| {
        let runs = state.get("running").is_some();
        json!({ "name": c["name"], "image": c["image"], "imageID": "", "ready": runs, "started": runs, "restartCount": 0, "state": state })
    };
    list(pod, "/spec/containers").iter().map(one).collect()
}
