//! Records: read into facts, and written one intent at a time, each write on one exact state of the object.

use jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::client::Kube;
use super::error::KubeError;
use crate::api::keys;
use crate::api::podeip::PodEip;
use crate::domain::eip::Seen;
use crate::domain::ids::{EipId, Key, Place, Uid};
use crate::domain::pod::Wish;
use crate::domain::record::{Bandwidth, Record, Rev};
use crate::eip::facts::Me;
use crate::eip::outcome::Namer;

mod hands;
mod new;
mod read;

pub use hands::Adoption;
pub(super) use hands::taken;
pub use read::read;

/// Reads and writes records.
#[derive(Clone)]
pub struct Records {
    kube: Kube,
}

impl Records {
    pub fn new(kube: Kube) -> Self {
        Self { kube }
    }

    /// A live read; `None`: there is no record of that name.
    pub async fn get(&self, key: &Key) -> Result<Option<Record>, KubeError> {
        let api = self.api(key);
        let wire = self
            .kube
            .call("get", "podeips", api.get_opt(&key.name))
            .await?;
        Ok(wire.as_ref().map(read))
    }

    /// The intent of Allocate: finalizer, label, owner and frozen request, before anything is asked of the cloud.
    pub async fn create(
        &self,
        key: &Key,
        pod: &Uid,
        wish: &Wish,
        me: &Me,
    ) -> Result<Record, KubeError> {
        let record = new::record(key, pod, wish, me);
        let (api, params) = (self.api(key), PostParams::default());
        let wire = self
            .kube
            .call("create", "podeips", api.create(&params, &record))
            .await?;
        Ok(read(&wire))
    }

    pub async fn write_id(&self, key: &Key, at: &Rev, id: &EipId) -> Result<Record, KubeError> {
        let change = json!({
            "metadata": {"labels": {keys::EIP_LABEL: id.as_str()}},
            "spec": {"allocationID": id.as_str()},
        });
        self.patch(key, at, change).await
    }

    pub async fn write_target(
        &self,
        key: &Key,
        at: &Rev,
        place: &Place,
    ) -> Result<Record, KubeError> {
        let change =
            json!({"metadata": {"annotations": {keys::TARGET_ANNOTATION: place.to_string()}}});
        self.patch(key, at, change).await
    }

    pub async fn write_take(&self, key: &Key, at: &Rev, from: &Place) -> Result<Record, KubeError> {
        let target = read::take_form(from);
        let change = json!({"metadata": {"annotations": {keys::TARGET_ANNOTATION: target}}});
        self.patch(key, at, change).await
    }

    pub async fn write_package(
        &self,
        key: &Key,
        at: &Rev,
        package: Option<&str>,
    ) -> Result<Record, KubeError> {
        let change = json!({"spec": {"bandwidthPackageID": package}});
        self.patch(key, at, change).await
    }

    pub async fn write_bandwidth(
        &self,
        key: &Key,
        at: &Rev,
        bandwidth: Bandwidth,
    ) -> Result<Record, KubeError> {
        let text = read::bandwidth_form(bandwidth);
        let change = json!({"metadata": {"annotations": {keys::BANDWIDTH_ANNOTATION: text}}});
        self.patch(key, at, change).await
    }

    /// All records of the cluster that name this EIP, from the API server's own store.
    pub async fn namers(&self, id: &EipId) -> Result<Vec<Namer>, KubeError> {
        let api: Api<PodEip> = Api::all(self.kube.client().clone());
        let params = ListParams::default().labels(&format!("{}={id}", keys::EIP_LABEL));
        let list = self.kube.call("list", "podeips", api.list(&params)).await?;
        let namer = |record: Record| Namer {
            key: record.key,
            uid: record.rev.uid,
            created: record.created,
            target: record.target,
        };
        Ok(list.items.iter().map(read).map(namer).collect())
    }

    pub async fn next_attempt(
        &self,
        key: &Key,
        at: &Rev,
        attempt: u32,
    ) -> Result<Record, KubeError> {
        let change = json!({
            "metadata": {
                "labels": {keys::EIP_LABEL: null},
                "annotations": {keys::ATTEMPT_ANNOTATION: attempt.to_string(), keys::TARGET_ANNOTATION: null, keys::BANDWIDTH_ANNOTATION: null},
            },
            "spec": {"allocationID": ""},
        });
        self.patch(key, at, change).await
    }

    /// One write with everything: third parties take the pod as reachable from this moment on.
    pub async fn show(
        &self,
        key: &Key,
        at: &Rev,
        place: &Place,
        seen: &Seen,
        now: Timestamp,
    ) -> Result<Record, KubeError> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let status = json!({
            "eipAddress": seen.address,
            "networkInterfaceID": place.eni.as_str(),
            "privateIPAddress": place.ip.to_string(),
            "status": "InUse",
            "isp": some(&seen.isp),
            "internetChargeType": some(&seen.internet_charge_type),
            "resourceGroupID": some(&seen.resource_group),
            "name": some(&seen.name),
            "publicIpAddressPoolID": some(&seen.pool),
            "bandwidthPackageID": some(&seen.package),
            "podLastSeen": seconds(now),
        });
        self.patch_status(key, at, status).await
    }

    /// Takes the addresses away: the EIP is about to be unbound.
    pub async fn hide(&self, key: &Key, at: &Rev, now: Timestamp) -> Result<Record, KubeError> {
        let status = json!({
            "eipAddress": null,
            "networkInterfaceID": null,
            "privateIPAddress": null,
            "status": "Unassociating",
            "podLastSeen": seconds(now),
        });
        self.patch_status(key, at, status).await
    }

    /// The one DELETE by which it is decided to give back. `None`: the record is gone at once.
    pub async fn delete(&self, key: &Key, at: &Rev) -> Result<Option<Record>, KubeError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(at.uid.to_string()),
                resource_version: Some(at.version.to_string()),
            }),
            ..DeleteParams::background()
        };
        let api = self.api(key);
        let answer = self
            .kube
            .call("delete", "podeips", api.delete(&key.name, &params))
            .await;
        match answer {
            Ok(deleted) => Ok(deleted
                .left()
                .as_ref()
                .map(read)
                .filter(|record| record.finalizer)),
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
    ) -> Result<Option<Record>, KubeError> {
        let change = json!({"metadata": {"finalizers": keep}});
        match self.patch(key, at, change).await {
            Ok(record) => Ok((!keep.is_empty()).then_some(record)),
            Err(KubeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn patch(&self, key: &Key, at: &Rev, change: Value) -> Result<Record, KubeError> {
        let patch = Patch::Merge(conditional(change, at));
        let (api, params) = (self.api(key), PatchParams::default());
        let call = api.patch(&key.name, &params, &patch);
        Ok(read(&self.kube.call("patch", "podeips", call).await?))
    }

    async fn patch_status(&self, key: &Key, at: &Rev, status: Value) -> Result<Record, KubeError> {
        let patch = Patch::Merge(conditional(json!({"status": status}), at));
        let (api, params) = (self.api(key), PatchParams::default());
        let call = api.patch_status(&key.name, &params, &patch);
        Ok(read(
            &self.kube.call("patch", "podeips/status", call).await?,
        ))
    }

    fn api(&self, key: &Key) -> Api<PodEip> {
        Api::namespaced(self.kube.client().clone(), &key.namespace)
    }
}

/// A patch that holds only for that very state: uid and resourceVersion inside a patch are preconditions.
pub(super) fn conditional(mut change: Value, at: &Rev) -> Value {
    change["metadata"]["uid"] = at.uid.as_str().into();
    change["metadata"]["resourceVersion"] = at.version.as_str().into();
    change
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
