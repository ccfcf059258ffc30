//! Workloads that own pods, and the pods that they create again under the same name.

use super::ApiServer;
use super::json;
use super::kubelet::PodSpec;
use super::refusal::Refusal;
use serde_json::json;

/// What sort of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// Its pods keep their names.
    StatefulSet,
    ReplicaSet,
    Job,
}

/// A workload that exists; the garbage collector takes its pods when it goes.
#[derive(Clone, Debug)]
pub struct Workload {
    pub kind: WorkloadKind,
    pub name: String,
    pub uid: String,
}

impl WorkloadKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::StatefulSet => "StatefulSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Job => "Job",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::StatefulSet | Self::ReplicaSet => "apps/v1",
            Self::Job => "batch/v1",
        }
    }

    /// Its plural name, for [`ApiServer::delete`].
    pub fn resource(self) -> &'static str {
        match self {
            Self::StatefulSet => "statefulsets",
            Self::ReplicaSet => "replicasets",
            Self::Job => "jobs",
        }
    }
}

impl PodSpec {
    /// Owned and controlled by this workload.
    #[must_use]
    pub fn owned_by(self, workload: &Workload) -> Self {
        let kind = workload.kind;
        self.owner(
            kind.api_version(),
            kind.as_str(),
            &workload.name,
            &workload.uid,
        )
    }
}

impl ApiServer {
    /// Creates a workload; nothing creates its pods.
    pub fn create_workload(
        &self,
        kind: WorkloadKind,
        namespace: &str,
        name: &str,
    ) -> Result<Workload, Refusal> {
        let object = self.create(&json!({
            "apiVersion": kind.api_version(), "kind": kind.as_str(),
            "metadata": { "namespace": namespace, "name": name },
        }))?;
        Ok(Workload {
            kind,
            name: name.to_owned(),
            uid: json::uid(&object).to_owned(),
        })
    }
}
