//! kube's own watcher over the double: it must live through what a real server does to it.

use super::super::When;
use super::*;
use futures::{Stream, StreamExt};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};
use std::time::Duration;
use tokio::time::timeout;

/// The names that a watcher has told of: "+a" applied, "-a" deleted, brackets around a list.
async fn told(events: &mut (impl Stream<Item = watcher::Result<Event<PodEIP>>> + Unpin)) -> String {
    let mut out = String::new();
    let name = |o: &PodEIP| o.metadata.name.clone().unwrap();
    while let Ok(Some(event)) = timeout(Duration::from_secs(2), events.next()).await {
        match event {
            Ok(Event::Init) => out.push('['),
            Ok(Event::InitDone) => out.push(']'),
            Ok(Event::InitApply(o) | Event::Apply(o)) => out.extend(["+", &name(&o)]),
            Ok(Event::Delete(o)) => out.extend(["-", &name(&o)]),
            Err(_) => out.push('!'),
        }
    }
    out
}

#[tokio::test(start_paused = true)]
async fn kubes_watcher_lives_through_it_all() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let all = records(&api, "a");
    let mut events = Box::pin(watcher::watcher(
        all,
        watcher::Config::default().any_semantic(),
    ));
    assert_eq!(told(&mut events).await, "[+a]");
    created(&api, "b").await;
    assert_eq!(told(&mut events).await, "+b");
    api.cut_watches(&When::any());
    created(&api, "c").await;
    assert!(
        told(&mut events).await.contains("+c"),
        "it takes up the watch where it was"
    );
    api.close_watches(&When::any());
    api.forget_history();
    api.vanish("podeips", "default", "b").unwrap();
    api.forget_history();
    let after = told(&mut events).await;
    assert!(
        after.ends_with("[+a+c]"),
        "410 makes it list again: {after}"
    );
    api.silence_watches(&When::any());
    created(&api, "d").await;
    assert_eq!(told(&mut events).await, "");
    api.pass(Duration::from_mins(6)).await;
    assert!(
        told(&mut events).await.contains("+d"),
        "its own 295 s timer ends a dead watch"
    );
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_ends_with_its_bookmark() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let all = records(&api, "a");
    let mut events = Box::pin(watcher::watcher(
        all,
        watcher::Config::default().streaming_lists(),
    ));
    assert_eq!(told(&mut events).await, "[+a]");
    created(&api, "b").await;
    assert_eq!(told(&mut events).await, "+b");
}

#[tokio::test(start_paused = true)]
async fn a_metadata_watch_shows_metadata() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let all: Api<PartialObjectMeta<PodEIP>> = Api::namespaced(api.client("a"), "default");
    let mut events = Box::pin(watcher::watcher(all, watcher::Config::default()));
    let mut seen = Vec::new();
    while let Ok(Some(Ok(event))) = timeout(Duration::from_mins(3), events.next()).await {
        if let Event::InitApply(o) = event {
            seen.push(o.types.unwrap().kind);
        } else if let Event::InitDone = event {
            break;
        }
    }
    assert_eq!(seen, ["PartialObjectMetadata"]);
    merged(&api, "a", labelled("n")).await.unwrap();
    let Some(Ok(Event::Apply(o))) = events.next().await else {
        panic!("no change")
    };
    assert_eq!(o.metadata.labels.unwrap()["eipd.io/node"], "n");
}
