//! The reads behind a look around: a `ConfigMap`, a page of records, and the `DaemonSet`'s age. Nothing is written.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams};

use super::{Findings, Stamped, Stamps, Terway, judge};
use crate::api::keys;
use crate::api::podeip::PodEip;
use crate::clock::Clock;
use crate::domain::ids::Uid;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::pods::key_of;

/// Records of one page.
const PAGE: u32 = 100;
/// One page tells, unless it is full of records at rest: those of pods that are away are not stamped.
const PAGES: usize = 5;
const NAMESPACE: &str = "eipd";
const DAEMONSET: &str = "eipd";

/// Looks around once. `stamps` goes from one look to the next.
pub async fn look(kube: &Kube, clock: &Clock, stamps: &mut Stamps) -> Result<Findings, KubeError> {
    let (terway, records) = tokio::try_join!(terway(kube), unlabelled(kube, clock))?;
    Ok(judge(terway, &records, stamps, clock.wall()))
}

/// Since when eipd is installed, by the API server's clock; `None` where it runs without its `DaemonSet`.
pub async fn installed_at(kube: &Kube) -> Result<Option<Timestamp>, KubeError> {
    let api: Api<DaemonSet> = Api::namespaced(kube.client().clone(), NAMESPACE);
    let call = api.get_metadata_opt(DAEMONSET);
    let daemonset = kube.call("get", "daemonsets", call).await?;
    let made = daemonset.and_then(|it| it.metadata.creation_timestamp);
    Ok(made.map(|time| time.0))
}

/// A cluster without Terway has no such `ConfigMap`. One that may not be read is no proof of anything.
async fn terway(kube: &Kube) -> Result<Terway, KubeError> {
    let api: Api<ConfigMap> = Api::namespaced(kube.client().clone(), "kube-system");
    let call = api.get_opt("eni-config");
    let map = kube.call("get", "configmaps", call).await?;
    let data = map.and_then(|map| map.data).unwrap_or_default();
    let conf = data.get("eni_conf").map(String::as_str);
    Ok(conf.map(Terway::read).unwrap_or_default())
}

/// Records without a label of ours. In a cluster that has changed over there are none: an empty page.
async fn unlabelled(kube: &Kube, clock: &Clock) -> Result<Vec<Stamped>, KubeError> {
    let api: Api<PodEip> = Api::all(kube.client().clone());
    let mut params = ListParams::default()
        .labels(&format!("!{}", keys::BUCKET_LABEL))
        .limit(PAGE);
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let page = match kube.call("list", "podeips", api.list(&params)).await {
            // No definition, no records.
            Err(KubeError::NotFound(_)) => return Ok(found),
            // The next page has expired: what was read is what there is.
            Err(KubeError::Refused { code: 410, .. }) if !found.is_empty() => return Ok(found),
            page => page?,
        };
        found.extend(page.items.iter().filter(|wire| is_bare(wire)).map(stamped));
        let next = page.metadata.continue_.filter(|token| !token.is_empty());
        let now = clock.wall();
        match next.filter(|_| !found.iter().any(|record| record.is_fresh(now))) {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    Ok(found)
}

/// One that was claimed just now is ours already.
fn is_bare(wire: &PodEip) -> bool {
    let mut labels = wire.metadata.labels.iter().flatten();
    !labels.any(|(name, _)| name.starts_with(keys::LABEL_PREFIX))
}

fn stamped(wire: &PodEip) -> Stamped {
    let meta = &wire.metadata;
    let marks = meta.annotations.as_ref();
    let mark = marks.and_then(|all| all.get(keys::OWNER_ANNOTATION));
    let seen = wire
        .status
        .as_ref()
        .and_then(|it| it.pod_last_seen.as_ref());
    Stamped {
        key: key_of(meta),
        uid: Uid::new(meta.uid.clone().unwrap_or_default()),
        ours: mark.is_some_and(|mark| mark == keys::OWNER),
        seen: seen.and_then(|text| text.parse().ok()),
    }
}
