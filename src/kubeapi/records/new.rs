//! A new record: everything that a successor needs, before anything is asked of the cloud.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::api::keys;
use crate::api::podeip::{AllocationType, PodEip, Spec};
use crate::domain::ids::{Key, Uid};
use crate::domain::keep::Keep;
use crate::domain::pod::{Which, Wish};
use crate::eip::facts::Me;

/// The record of that pod, with its request frozen. A named EIP is named from the start, a fixed one has no owner.
pub(super) fn record(key: &Key, pod: &Uid, wish: &Wish, me: &Me) -> PodEip {
    let (eip, request, package) = match &wish.which {
        Which::Auto {
            request, package, ..
        } => (None, Some(request.as_str()), package.clone()),
        Which::Static { eip, .. } => (Some(eip.as_str()), None, None),
    };
    let spec = Spec {
        allocation_id: eip.unwrap_or_default().to_owned(),
        bandwidth_package_id: package,
        allocation_type: allocation_type(eip.is_some(), &wish.keep),
    };
    let mut record = PodEip::new(&key.namespace, &key.name, spec);
    let bucket = keys::bucket(&key.namespace, &key.name).to_string();
    let labels = [
        (keys::NODE_LABEL, Some(me.label.as_str())),
        (keys::BUCKET_LABEL, Some(bucket.as_str())),
        (keys::EIP_LABEL, eip),
    ];
    let annotations = [
        (keys::OWNER_ANNOTATION, Some(keys::OWNER)),
        (keys::POD_ANNOTATION, Some(pod.as_str())),
        (keys::REQUEST_ANNOTATION, request),
        (keys::ATTEMPT_ANNOTATION, Some("0")),
        (keys::ACCOUNT_ANNOTATION, me.account.as_deref()),
    ];
    record.metadata.finalizers = Some(vec![keys::PODEIP_FINALIZER.to_owned()]);
    record.metadata.labels = Some(texts(labels));
    record.metadata.annotations = Some(texts(annotations));
    record.metadata.owner_references =
        (eip.is_some() || !wish.keep.is_fixed()).then(|| vec![owner(key, pod)]);
    record
}

fn texts<const N: usize>(
    pairs: [(&str, Option<&str>); N],
) -> std::collections::BTreeMap<String, String> {
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect()
}

/// `spec.allocationType` as it is published.
pub(super) fn allocation_type(named: bool, keep: &Keep) -> AllocationType {
    let (strategy, after) = match keep {
        Keep::Follow => ("Follow", None),
        Keep::Ttl { text, .. } => ("TTL", Some(text.clone())),
        Keep::Never => ("Never", None),
    };
    AllocationType {
        type_: if named { "Static" } else { "Auto" }.to_owned(),
        release_strategy: strategy.to_owned(),
        release_after: after,
    }
}

/// The pod as owner: Kubernetes then deletes the record with it.
pub(super) fn owner(key: &Key, pod: &Uid) -> OwnerReference {
    OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        name: key.name.clone(),
        uid: pod.to_string(),
        ..OwnerReference::default()
    }
}
