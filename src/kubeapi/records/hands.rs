//! Records that go from hand to hand: claimed, served, laid to rest, taken over from another controller.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Records, new, seconds};
use crate::api::keys;
use crate::domain::ids::{EipId, Key, Place, Uid};
use crate::domain::keep::Keep;
use crate::domain::record::{Record, Rev};
use crate::eip::facts::Me;
use crate::kubeapi::error::KubeError;

/// What makes another controller's record one of ours.
pub struct Adoption<'a> {
    pub id: &'a EipId,
    /// Where its EIP stands.
    pub target: Option<&'a Place>,
    /// The pod that it serves, if that lives.
    pub pod: Option<&'a Uid>,
    /// That pod is to own it.
    pub owned: bool,
}

impl Records {
    /// Our node into a blank label, and nothing else.
    pub async fn claim(&self, key: &Key, at: &Rev, me: &Me) -> Result<Record, KubeError> {
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
    ) -> Result<Record, KubeError> {
        self.patch(key, at, taken(from, me)).await
    }

    /// The record serves this pod from now on. Of a `new` one nothing is bound yet.
    pub async fn serve(
        &self,
        key: &Key,
        at: &Rev,
        pod: &Uid,
        keep: &Keep,
        new: bool,
    ) -> Result<Record, KubeError> {
        let kind = new::allocation_type(false, keep);
        let owners = (!keep.is_fixed()).then(|| vec![new::owner(key, pod)]);
        let mut change = json!({
            "metadata": {
                "ownerReferences": owners,
                "annotations": {
                    keys::POD_ANNOTATION: pod.as_str(),
                    keys::ABSENT_ANNOTATION: null,
                    keys::TAKEN_FROM_ANNOTATION: null,
                },
            },
            "spec": {"allocationType": {
                "releaseStrategy": kind.release_strategy, "releaseAfter": kind.release_after,
            }},
        });
        if new {
            change["metadata"]["annotations"][keys::TARGET_ANNOTATION] = serde_json::Value::Null;
        }
        self.patch(key, at, change).await
    }

    /// Nobody's, and bound nowhere; its pod is away `since` then.
    pub async fn blank(&self, key: &Key, at: &Rev, since: Timestamp) -> Result<Record, KubeError> {
        let change = json!({"metadata": {
            "labels": {keys::NODE_LABEL: null},
            "ownerReferences": null,
            "annotations": {
                keys::POD_ANNOTATION: null,
                keys::TARGET_ANNOTATION: null,
                keys::TAKEN_FROM_ANNOTATION: null,
                keys::ABSENT_ANNOTATION: seconds(since),
            },
        }});
        self.patch(key, at, change).await
    }

    /// Everything of ours in one write; the claim came before.
    pub async fn adopt(
        &self,
        key: &Key,
        at: &Rev,
        adoption: &Adoption<'_>,
        me: &Me,
        now: Timestamp,
    ) -> Result<Record, KubeError> {
        let owner = adoption.pod.filter(|_| adoption.owned);
        let change = json!({"metadata": {
            "labels": {
                keys::EIP_LABEL: adoption.id.as_str(),
                keys::BUCKET_LABEL: keys::bucket(&key.namespace, &key.name).to_string(),
            },
            "ownerReferences": owner.map(|pod| vec![new::owner(key, pod)]),
            "annotations": {
                keys::OWNER_ANNOTATION: keys::OWNER,
                keys::ATTEMPT_ANNOTATION: "0",
                keys::ACCOUNT_ANNOTATION: me.account,
                keys::TAKEN_OVER_ANNOTATION: seconds(now),
                keys::TARGET_ANNOTATION: adoption.target.map(ToString::to_string),
                keys::POD_ANNOTATION: adoption.pod.map(Uid::as_str),
            },
        }});
        self.patch(key, at, change).await
    }
}

/// What the take of a record changes: the same for EIPs and for ports.
pub(crate) fn taken(from: &str, me: &Me) -> Value {
    json!({"metadata": {
        "labels": {keys::NODE_LABEL: me.label},
        "annotations": {keys::TAKEN_FROM_ANNOTATION: from},
    }})
}
