//! Whether this node has records to watch: a watch costs the API server a connection for each node, and most nodes have none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, ListParams, VersionMatch};
use tokio::sync::{Notify, mpsc};

use super::{audit, pulse};
use crate::api::keys::NODE_LABEL;
use crate::api::podeip::PodEip;
use crate::clock;
use crate::domain::record::Record;
use crate::eip::facts::Me;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::watch::{self, Change};

/// Between tries to find out after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Watches this node's records from the moment on that there is one, or that one is `wanted`. Until then it looks at random
/// times, as rarely as the audit does, for one that somebody has put back from a backup. Ends only when nobody listens any more.
pub async fn watch(kube: Kube, me: Me, wanted: Arc<Notify>, out: mpsc::Sender<Change<Record>>) {
    if !is_any(&kube, &me).await {
        if out.send(Change::Listed(BTreeSet::new())).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                () = out.closed() => return,
                () = wanted.notified() => break,
                () = pulse::wait(audit::mean, || pulse::nodes(&kube)) => {}
            }
            if is_any(&kube, &me).await {
                break;
            }
        }
    }
    watch::records(kube, me, out).await;
}

/// Whether a record carries our label; tried until it is known.
async fn is_any(kube: &Kube, me: &Me) -> bool {
    let mut wait = FIRST_WAIT;
    loop {
        match list(kube, me).await {
            Ok(any) => return any,
            Err(error) => tracing::warn!(%error, "whether this node has records is not known yet"),
        }
        clock::sleep(clock::jitter(wait, 0.5)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// From the API server's cache: what it does not know yet is ours to create, or shows at the next look.
async fn list(kube: &Kube, me: &Me) -> Result<bool, KubeError> {
    let api: Api<PodEip> = Api::all(kube.client().clone());
    let params = ListParams {
        label_selector: Some(format!("{NODE_LABEL}={}", me.label)),
        limit: Some(1),
        version_match: Some(VersionMatch::NotOlderThan),
        resource_version: Some("0".to_owned()),
        ..ListParams::default()
    };
    let list = kube.call("list", "podeips", api.list_metadata(&params));
    Ok(!list.await?.items.is_empty())
}
