//! Records: read into facts, and written one intent at a time, each write on one exact state of the object.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::client::Kube;
use super::error::KubeError;
use super::pods::key_of;
use crate::api::keys;
use crate::api::podeip::{AllocationType, PodEip, Spec};
use crate::domain::eip::Seen;
use crate::domain::ids::{EipId, EniId, Key, Place, ResourceVersion, Uid};
use crate::domain::record::{Record, Rev, Shown};
use crate::eip::facts::Me;

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
        request: &str,
        me: &Me,
    ) -> Result<Record, KubeError> {
        let record = new_record(key, pod, request, me);
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

    pub async fn next_attempt(
        &self,
        key: &Key,
        at: &Rev,
        attempt: u32,
    ) -> Result<Record, KubeError> {
        let change = json!({
            "metadata": {
                "labels": {keys::EIP_LABEL: null},
                "annotations": {keys::ATTEMPT_ANNOTATION: attempt.to_string(), keys::TARGET_ANNOTATION: null},
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
fn conditional(mut change: Value, at: &Rev) -> Value {
    change["metadata"]["uid"] = at.uid.as_str().into();
    change["metadata"]["resourceVersion"] = at.version.as_str().into();
    change
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn new_record(key: &Key, pod: &Uid, request: &str, me: &Me) -> PodEip {
    let spec = Spec {
        allocation_type: AllocationType {
            type_: "Auto".to_owned(),
            release_strategy: "Follow".to_owned(),
            release_after: None,
        },
        ..Spec::default()
    };
    let mut record = PodEip::new(&key.namespace, &key.name, spec);
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    record.metadata.finalizers = Some(vec![keys::PODEIP_FINALIZER.to_owned()]);
    record.metadata.labels = Some(
        [
            text(keys::NODE_LABEL, &me.label),
            text(
                keys::BUCKET_LABEL,
                &keys::bucket(&key.namespace, &key.name).to_string(),
            ),
        ]
        .into(),
    );
    let mut annotations = vec![
        text(keys::OWNER_ANNOTATION, keys::OWNER),
        text(keys::REQUEST_ANNOTATION, request),
        text(keys::ATTEMPT_ANNOTATION, "0"),
    ];
    annotations.extend(
        me.account
            .as_ref()
            .map(|account| text(keys::ACCOUNT_ANNOTATION, account)),
    );
    record.metadata.annotations = Some(annotations.into_iter().collect());
    record.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        name: key.name.clone(),
        uid: pod.to_string(),
        ..OwnerReference::default()
    }]);
    record
}

/// The facts of a record as it came over the wire.
pub fn read(wire: &PodEip) -> Record {
    let meta = &wire.metadata;
    let label = |name| {
        meta.labels
            .as_ref()
            .and_then(|all| all.get(name))
            .filter(|value| !value.is_empty())
    };
    let note = |name| meta.annotations.as_ref().and_then(|all| all.get(name));
    let finalizers = || meta.finalizers.iter().flatten();
    let eip = label(keys::EIP_LABEL).map(EipId::new);
    let named = eip.as_ref().map_or("", EipId::as_str);
    Record {
        key: key_of(meta),
        rev: Rev {
            uid: Uid::new(meta.uid.clone().unwrap_or_default()),
            version: ResourceVersion::new(meta.resource_version.clone().unwrap_or_default()),
        },
        node: label(keys::NODE_LABEL).cloned(),
        owner: meta
            .owner_references
            .iter()
            .flatten()
            .find(|owner| owner.kind == "Pod")
            .map(|owner| Uid::new(&owner.uid)),
        request: note(keys::REQUEST_ANNOTATION).cloned(),
        edited: wire.spec.allocation_id != named,
        attempt: note(keys::ATTEMPT_ANNOTATION)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0),
        target: note(keys::TARGET_ANNOTATION).and_then(|text| parse_place(text)),
        shown: wire.status.as_ref().and_then(shown),
        account: note(keys::ACCOUNT_ANNOTATION).cloned(),
        tombstone: meta.deletion_timestamp.is_some(),
        finalizer: finalizers().any(|name| name == keys::PODEIP_FINALIZER),
        other_finalizers: finalizers()
            .filter(|name| *name != keys::PODEIP_FINALIZER)
            .cloned()
            .collect(),
        eip,
    }
}

fn shown(status: &crate::api::podeip::Status) -> Option<Shown> {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let shown = Shown {
        eip: some(&status.eip_address),
        eni: some(&status.network_interface_id),
        ip: some(&status.private_ip_address),
    };
    let empty = shown.eip.is_empty() && shown.eni.is_empty() && shown.ip.is_empty();
    (!empty).then_some(shown)
}

/// Reads back what [`Place`] displays.
fn parse_place(text: &str) -> Option<Place> {
    let (eni, ip) = text.split_once('/')?;
    let ip: Ipv4Addr = ip.parse().ok()?;
    (!eni.is_empty()).then(|| Place {
        eni: EniId::new(eni),
        ip,
    })
}

#[cfg(test)]
mod tests;
