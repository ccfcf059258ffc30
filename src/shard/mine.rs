//! Whether this node has records to watch: a watch costs the API server a connection for each node, and most nodes have none.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::api::{Api, ListParams, VersionMatch};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};

use super::{audit, pulse};
use crate::api::keys::NODE_LABEL;
use crate::api::poddnat::PLURAL;
use crate::api::podeip::PodEip;
use crate::clock;
use crate::domain::dnat::DnatRecord;
use crate::domain::record::Record;
use crate::eip::facts::Me;
use crate::kubeapi::client::Kube;
use crate::kubeapi::dnats::Dnats;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::watch::{self, Change};

/// Between tries to find out after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Watches this node's records of EIPs from the moment on that there is one, or that one is `wanted`. Ends only when nobody
/// listens any more.
pub async fn watch(kube: Kube, me: Me, wanted: Arc<Notify>, out: mpsc::Sender<Change<Record>>) {
    let api: Api<PodEip> = Api::all(kube.client().clone());
    let any: Any = {
        let (kube, me) = (kube.clone(), me.clone());
        Box::new(move || list(kube.clone(), me.clone(), "podeips", api.clone()).boxed())
    };
    if until_any(&kube, &any, &wanted, &out).await {
        watch::records(kube, me, out).await;
    }
}

/// The same for records of ports.
pub async fn watch_dnats(
    kube: Kube,
    dnats: Dnats,
    me: Me,
    wanted: Arc<Notify>,
    out: mpsc::Sender<Change<DnatRecord>>,
) {
    let any: Any = {
        let (kube, me, dnats) = (kube.clone(), me.clone(), dnats.clone());
        Box::new(move || list_dnats(kube.clone(), me.clone(), dnats.clone()).boxed())
    };
    if until_any(&kube, &any, &wanted, &out).await {
        watch::dnats(kube, dnats, me, out).await;
    }
}

async fn list_dnats(kube: Kube, me: Me, dnats: Dnats) -> Result<bool, KubeError> {
    match dnats.all().await {
        Ok(api) => list(kube, me, PLURAL, api).await,
        // Without its CRD there is none.
        Err(KubeError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there is a record of ours.
type Any = Box<dyn Fn() -> BoxFuture<'static, Result<bool, KubeError>> + Send + Sync>;

/// Until there is one it looks at random times, as rarely as the audit does, for one that somebody has put back from a
/// backup. `false`: nobody listens any more.
async fn until_any<T>(
    kube: &Kube,
    any: &Any,
    wanted: &Notify,
    out: &mpsc::Sender<Change<T>>,
) -> bool {
    if is_any(any).await {
        return true;
    }
    if out.send(Change::Listed(BTreeSet::new())).await.is_err() {
        return false;
    }
    loop {
        tokio::select! {
            () = out.closed() => return false,
            () = wanted.notified() => return true,
            () = pulse::wait(audit::mean, || pulse::nodes(kube)) => {}
        }
        if is_any(any).await {
            return true;
        }
    }
}

/// Whether a record carries our label; tried until it is known.
async fn is_any(any: &Any) -> bool {
    let mut wait = FIRST_WAIT;
    loop {
        match any().await {
            Ok(any) => return any,
            Err(error) => tracing::warn!(%error, "whether this node has records is not known yet"),
        }
        clock::sleep(clock::jitter(wait, 0.5)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// From the API server's cache: what it does not know yet is ours to create, or shows at the next look.
async fn list<K>(kube: Kube, me: Me, resource: &'static str, api: Api<K>) -> Result<bool, KubeError>
where
    K: Clone + Debug + DeserializeOwned + Send + Sync,
{
    let params = ListParams {
        label_selector: Some(format!("{NODE_LABEL}={}", me.label)),
        limit: Some(1),
        version_match: Some(VersionMatch::NotOlderThan),
        resource_version: Some("0".to_owned()),
        ..ListParams::default()
    };
    let list = kube.call("list", resource, api.list_metadata(&params));
    Ok(!list.await?.items.is_empty())
}
