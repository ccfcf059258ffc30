//! Records of public ports (`PodDNAT`): read into facts, and written one intent at a time, each write on one exact state.
//!
//! Worked at `v1beta1` where that is served, else at `v1`: the definition may be another program's, which serves one only.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResourceList;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::client::Kube;
use super::error::KubeError;
use super::records::{conditional, taken};
use crate::api::keys;
use crate::api::poddnat::{PLURAL, PodDnat, Version};
use crate::api::podeip::GROUP;
use crate::domain::dnat::{DnatRecord, Entry};
use crate::domain::ids::{Key, Uid};
use crate::domain::ports::{Outside, PortWish, Spot};
use crate::domain::record::Rev;
use crate::eip::facts::Me;

mod new;
mod read;

pub use new::{gateway_label, owners};
pub use read::read;

/// Reads and writes records; clones share which version is served.
#[derive(Clone)]
pub struct Dnats {
    kube: Kube,
    version: Arc<Mutex<Option<Version>>>,
}

impl Dnats {
    pub fn new(kube: Kube) -> Self {
        Self {
            kube,
            version: Arc::default(),
        }
    }

    /// The version to work at.
    pub async fn version(&self) -> Result<Version, KubeError> {
        let mut known = self.version.lock().await;
        if let Some(version) = *known {
            return Ok(version);
        }
        for version in [Version::V1beta1, Version::V1] {
            if self.serves(version).await? {
                *known = Some(version);
                return Ok(version);
            }
        }
        let text =
            format!("{PLURAL}.{GROUP} is served neither at v1beta1 nor at v1: apply its CRD");
        Err(KubeError::NotFound(text))
    }

    /// What is served may be another version now.
    pub async fn forget_version(&self) {
        *self.version.lock().await = None;
    }

    async fn serves(&self, version: Version) -> Result<bool, KubeError> {
        let path = format!("{GROUP}/{}", version.as_str());
        let client = self.kube.client();
        let call = client.list_api_group_resources(&path);
        let listed: Result<APIResourceList, _> = self.kube.call("get", "discovery", call).await;
        match listed {
            Ok(list) => Ok(list.resources.iter().any(|it| it.name == PLURAL)),
            Err(KubeError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A live read; `None`: there is no record of that name.
    pub async fn get(&self, key: &Key) -> Result<Option<DnatRecord>, KubeError> {
        let api = self.api(key).await?;
        let call = api.get_opt(&key.name);
        let wire = self.kube.call("get", PLURAL, call).await?;
        Ok(wire.as_ref().map(read))
    }

    /// What the records of this gateway have chosen, whether there is an entry yet or not.
    pub async fn of_gateway(&self, gateway: &str) -> Result<Vec<DnatRecord>, KubeError> {
        let label = format!("{}={}", keys::GATEWAY_LABEL, gateway_label(gateway));
        let api: Api<PodDnat> = self.all().await?;
        let params = ListParams::default().labels(&label);
        let list = self.kube.call("list", PLURAL, api.list(&params)).await?;
        Ok(list.items.iter().map(read).collect())
    }

    /// The intent of every entry to come: finalizer, label, owner, and the whole choice.
    pub async fn create(
        &self,
        key: &Key,
        pod: &Uid,
        wish: &PortWish,
        spot: &Spot,
        outside: &Outside,
        me: &Me,
    ) -> Result<DnatRecord, KubeError> {
        let record = new::record(self.version().await?, key, pod, wish, spot, outside, me);
        let (api, params) = (self.api(key).await?, PostParams::default());
        let call = api.create(&params, &record);
        Ok(read(&self.kube.call("create", PLURAL, call).await?))
    }

    /// Our node into the label, and nothing else.
    pub async fn claim(&self, key: &Key, at: &Rev, me: &Me) -> Result<DnatRecord, KubeError> {
        let change = json!({"metadata": {"labels": {keys::NODE_LABEL: me.label}}});
        self.patch(key, at, change).await
    }

    /// Our node over another's, and whose it was.
    pub async fn take(
        &self,
        key: &Key,
        at: &Rev,
        from: &str,
        me: &Me,
    ) -> Result<DnatRecord, KubeError> {
        self.patch(key, at, taken(from, me)).await
    }

    /// The record serves this pod from now on, and is kept after it as the pod asks.
    pub async fn serve(
        &self,
        key: &Key,
        at: &Rev,
        pod: &Uid,
        wish: &PortWish,
        settled: bool,
    ) -> Result<DnatRecord, KubeError> {
        let keeper = wish.keeper();
        let fixed = keeper.as_ref().map(|_| new::fixed(settled));
        let workload = keeper.as_ref().and_then(|it| it.workload.as_ref());
        let change = json!({"metadata": {
            "ownerReferences": owners(key, pod, keeper.as_ref()),
            "annotations": {
                keys::POD_ANNOTATION: pod.as_str(),
                keys::FIXED_ANNOTATION: fixed,
                keys::WORKLOAD_ANNOTATION: workload.map(new::workload),
                keys::ABSENT_ANNOTATION: null,
                keys::TAKEN_FROM_ANNOTATION: null,
            },
        }});
        self.patch(key, at, change).await
    }

    /// Where the pod is, and, where another place outside was chosen, that.
    pub async fn place(
        &self,
        key: &Key,
        at: &Rev,
        spot: &Spot,
        outside: Option<(&Outside, &PortWish)>,
    ) -> Result<DnatRecord, KubeError> {
        let mut change = json!({"spec": {
            "internalIP": spot.ip, "eni": spot.eni.as_str(), "vswitch": spot.vswitch, "zoneID": spot.zone,
        }});
        if let Some((outside, wish)) = outside {
            change["spec"]["externalIP"] = outside.address.to_string().into();
            change["spec"]["tableId"] = outside.gateway.as_str().into();
            change["spec"]["portMapping"] = json!(new::mapping(outside, &wish.ports));
            change["metadata"] = json!({
                "labels": {keys::GATEWAY_LABEL: gateway_label(&outside.gateway)},
                "annotations": {
                    keys::TABLE_ANNOTATION: outside.table,
                    keys::PORTS_ANNOTATION: new::ports(outside, &wish.ports),
                },
            });
        }
        self.patch(key, at, change).await
    }

    /// Nobody's, and nothing leads to it; its ports stay reserved.
    pub async fn blank(&self, key: &Key, at: &Rev, since: &str) -> Result<DnatRecord, KubeError> {
        let change = json!({
            "metadata": {
                "labels": {keys::NODE_LABEL: null},
                "annotations": {
                    keys::POD_ANNOTATION: null,
                    keys::FIXED_ANNOTATION: new::fixed(true),
                    keys::ABSENT_ANNOTATION: since,
                    keys::TAKEN_FROM_ANNOTATION: null,
                },
            },
            "spec": {"internalIP": null, "eni": null, "vswitch": null},
        });
        self.patch(key, at, change).await
    }

    /// One write with everything: third parties take the pod as reachable from this moment on. No entries: it is not any more.
    pub async fn show(
        &self,
        key: &Key,
        at: &Rev,
        entries: &[Entry],
    ) -> Result<DnatRecord, KubeError> {
        let entries: Vec<_> = entries.iter().map(new::entry).collect();
        let created = (!entries.is_empty()).then_some("true");
        let status = json!({"status": {"entries": entries, "created": created}});
        let patch = Patch::Merge(conditional(status, at));
        let (api, params) = (self.api(key).await?, PatchParams::default());
        let call = api.patch_status(&key.name, &params, &patch);
        Ok(read(
            &self.kube.call("patch", "poddnats/status", call).await?,
        ))
    }

    /// The one DELETE by which it is decided to give back. `None`: the record is gone at once.
    pub async fn delete(&self, key: &Key, at: &Rev) -> Result<Option<DnatRecord>, KubeError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(at.uid.to_string()),
                resource_version: Some(at.version.to_string()),
            }),
            ..DeleteParams::background()
        };
        let api = self.api(key).await?;
        let call = api.delete(&key.name, &params);
        match self.kube.call("delete", PLURAL, call).await {
            Ok(deleted) => {
                let left = deleted.left();
                Ok(left.as_ref().map(read).filter(|record| record.finalizer))
            }
            Err(KubeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes our finalizer off and keeps the others. `None`: the record is gone.
    pub async fn drop_finalizer(
        &self,
        key: &Key,
        at: &Rev,
        keep: &[String],
    ) -> Result<Option<DnatRecord>, KubeError> {
        let change = json!({"metadata": {"finalizers": keep}});
        match self.patch(key, at, change).await {
            Ok(record) => Ok((!keep.is_empty()).then_some(record)),
            Err(KubeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn patch(&self, key: &Key, at: &Rev, change: Value) -> Result<DnatRecord, KubeError> {
        let patch = Patch::Merge(conditional(change, at));
        let (api, params) = (self.api(key).await?, PatchParams::default());
        let call = api.patch(&key.name, &params, &patch);
        Ok(read(&self.kube.call("patch", PLURAL, call).await?))
    }

    async fn api(&self, key: &Key) -> Result<Api<PodDnat>, KubeError> {
        let (client, version) = (self.kube.client().clone(), self.version().await?);
        Ok(Api::namespaced_with(client, &key.namespace, &version))
    }

    /// Those of all namespaces.
    pub async fn all(&self) -> Result<Api<PodDnat>, KubeError> {
        let (client, version) = (self.kube.client().clone(), self.version().await?);
        Ok(Api::all_with(client, &version))
    }
}

#[cfg(test)]
mod tests;
