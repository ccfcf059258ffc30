//! The agent's two watches: the pods of its node and the records of its shard, as facts on a channel.
//!
//! Lists start from the API server's cache (resourceVersion 0): cheap for the server, and stale starts are safe because
//! absence and freshness count by live reads only. Nothing but the facts is kept of an object.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::Api;
use kube::runtime::watcher;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::client::Kube;
use super::dnats::{self, Dnats};
use super::health::Health;
use super::pods::{PodWire, Pods, key_of};
use super::records;
use crate::api::keys::NODE_LABEL;
use crate::api::podeip::PodEip;
use crate::clock;
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::Key;
use crate::domain::pod::Pod;
use crate::domain::record::Record;
use crate::eip::facts::Me;

/// What a watch has to say.
#[derive(Clone, Debug)]
pub enum Change<T> {
    Seen(T),
    /// The object left the watch: gone, or not ours any more. No proof of anything.
    Left(Key),
    /// A list is complete: whatever else was known from this watch has left it.
    Listed(BTreeSet<Key>),
}

/// Between tries to list or watch after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(800);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Objects of one page of the first list (the server may ignore it, and then answers whole).
const PAGE: u32 = 100;

/// Watches the pods that are scheduled to the node, for good. Ends only when nobody listens any more.
pub async fn pods(kube: Kube, node: String, pods: Pods, outs: Vec<mpsc::Sender<Change<Pod>>>) {
    let config = watcher::Config::default().fields(&format!("spec.nodeName={node}"));
    let api: Api<PodWire> = Api::all(kube.client().clone());
    let read = move |wire: &PodWire| pods.read(wire);
    follow("pods", kube.health(), api, config, read, &outs).await;
}

/// Watches the records that carry our label, for good. Ends only when nobody listens any more.
pub async fn records(kube: Kube, me: Me, out: mpsc::Sender<Change<Record>>) {
    let config = watcher::Config::default().labels(&format!("{NODE_LABEL}={}", me.label));
    let api: Api<PodEip> = Api::all(kube.client().clone());
    let outs = [out];
    follow("podeips", kube.health(), api, config, records::read, &outs).await;
}

/// The same for records of ports, at the version that is served; another one may be served later.
pub async fn dnats(kube: Kube, dnats: Dnats, me: Me, out: mpsc::Sender<Change<DnatRecord>>) {
    let outs = [out];
    let mut wait = FIRST_WAIT;
    while !outs[0].is_closed() {
        match dnats.all().await {
            Ok(api) => {
                let mine = format!("{NODE_LABEL}={}", me.label);
                let config = watcher::Config::default().labels(&mine);
                follow("poddnats", kube.health(), api, config, dnats::read, &outs).await;
                wait = FIRST_WAIT;
            }
            Err(error) => tracing::warn!(%error, "PodDNAT objects can't be watched yet"),
        }
        dnats.forget_version().await;
        clock::sleep(clock::jitter(wait, 0.5)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn follow<K, T>(
    what: &'static str,
    health: &Health,
    api: Api<K>,
    config: watcher::Config,
    read: impl Fn(&K) -> T,
    outs: &[mpsc::Sender<Change<T>>],
) where
    T: Clone,
    K: kube::Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let config = config.any_semantic().page_size(PAGE);
    let mut stream = watcher(api, config).boxed();
    let (mut listed, mut wait) = (BTreeSet::new(), FIRST_WAIT);
    loop {
        let change = match stream.try_next().await {
            Ok(Some(event)) => {
                // Not for `Init`: it comes before the list is asked for, and says nothing about the server.
                if !matches!(event, watcher::Event::Init) {
                    wait = FIRST_WAIT;
                    health.answered();
                }
                translate(event, &read, &mut listed)
            }
            Ok(None) => return,
            // Nothing is served there: the definition is away, or has other versions now.
            Err(error) if is_not_found(&error) && what == "poddnats" => return,
            Err(error) => {
                health.failed();
                tracing::warn!(watch = what, error = %super::error::chain(&error), "watch failed; it will be opened again");
                clock::sleep(clock::jitter(wait, 0.5)).await;
                wait = (wait * 2).min(LONGEST_WAIT);
                None
            }
        };
        let Some(change) = change else { continue };
        for out in outs {
            if out.send(change.clone()).await.is_err() {
                return;
            }
        }
    }
}

fn is_not_found(error: &watcher::Error) -> bool {
    let source = match error {
        watcher::Error::InitialListFailed(source)
        | watcher::Error::WatchStartFailed(source)
        | watcher::Error::WatchFailed(source) => source,
        watcher::Error::WatchError(status) => return status.code == 404,
        watcher::Error::NoResourceVersion => return false,
    };
    matches!(source, kube::Error::Api(status) if status.code == 404)
}

fn translate<K: kube::Resource, T>(
    event: watcher::Event<K>,
    read: impl Fn(&K) -> T,
    listed: &mut BTreeSet<Key>,
) -> Option<Change<T>> {
    match event {
        watcher::Event::Apply(it) => Some(Change::Seen(read(&it))),
        watcher::Event::Delete(it) => Some(Change::Left(key_of(it.meta()))),
        watcher::Event::Init => {
            listed.clear();
            None
        }
        watcher::Event::InitApply(it) => {
            listed.insert(key_of(it.meta()));
            Some(Change::Seen(read(&it)))
        }
        watcher::Event::InitDone => Some(Change::Listed(std::mem::take(listed))),
    }
}
