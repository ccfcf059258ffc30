//! Long lists: how many objects there are, and their metadata a page at a time, each page as new as can be.

use std::fmt::Debug;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;

use super::client::Kube;
use super::error::KubeError;

/// Objects in memory at a time.
pub const PAGE: u32 = 100;

/// How many there are, by a list of one; `unknown` where the server says that there are more, and not how many.
pub async fn count<K>(
    kube: &Kube,
    resource: &'static str,
    api: &Api<K>,
    unknown: u64,
) -> Result<u64, KubeError>
where
    K: Clone + Debug + DeserializeOwned,
{
    let one = ListParams::default().limit(1);
    let list = kube.call("list", resource, api.list_metadata(&one)).await?;
    let shown = u64::try_from(list.items.len()).unwrap_or(unknown);
    let more = match (list.metadata.remaining_item_count, &list.metadata.continue_) {
        (Some(more), _) => u64::try_from(more).unwrap_or(unknown),
        (None, Some(token)) if !token.is_empty() => unknown,
        (None, _) => 0,
    };
    Ok(shown.saturating_add(more))
}

/// Shows the metadata of each object that these labels select.
pub async fn each<K>(
    kube: &Kube,
    resource: &'static str,
    api: &Api<K>,
    labels: &str,
    mut show: impl FnMut(&ObjectMeta),
) -> Result<(), KubeError>
where
    K: Clone + Debug + DeserializeOwned,
{
    let mut params = ListParams::default().labels(labels).limit(PAGE);
    loop {
        let page = kube.call("list", resource, api.list_metadata(&params));
        let page = page.await?;
        page.items.iter().for_each(|item| show(&item.metadata));
        params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if params.continue_token.is_none() {
            return Ok(());
        }
    }
}
