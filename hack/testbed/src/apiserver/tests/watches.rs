//! Watches: what they show, what they are kept from, how they end.

use super::super::When;
use super::super::time::now;
use super::*;
use futures::{Stream, StreamExt};
use kube::api::{DeleteParams, ListParams, WatchEvent, WatchParams};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

type Events<K> = Pin<Box<dyn Stream<Item = Result<WatchEvent<K>, Error>> + Send>>;

async fn watched(api: &ApiServer, labels: &str) -> Events<PodEIP> {
    let all = records(api, "a");
    let version = all
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    from(api, labels, &version).await
}

async fn from(api: &ApiServer, labels: &str, version: &str) -> Events<PodEIP> {
    let params = WatchParams::default().labels(labels);
    Box::pin(records(api, "a").watch(&params, version).await.unwrap())
}

/// The next event within a minute less a second, as "ADDED name", with its object.
async fn next(events: &mut Events<PodEIP>) -> (String, Option<PodEIP>) {
    let soon = timeout(Duration::from_secs(59), events.next()).await;
    match soon.map(Option::transpose) {
        Err(_) => ("nothing".to_owned(), None),
        Ok(Ok(None)) => ("end".to_owned(), None),
        Ok(Ok(Some(WatchEvent::Added(o)))) => (
            format!("ADDED {}", o.metadata.name.clone().unwrap()),
            Some(o),
        ),
        Ok(Ok(Some(WatchEvent::Modified(o)))) => (
            format!("MODIFIED {}", o.metadata.name.clone().unwrap()),
            Some(o),
        ),
        Ok(Ok(Some(WatchEvent::Deleted(o)))) => (
            format!("DELETED {}", o.metadata.name.clone().unwrap()),
            Some(o),
        ),
        Ok(Ok(Some(WatchEvent::Bookmark(_)))) => ("BOOKMARK".to_owned(), None),
        Ok(Ok(Some(WatchEvent::Error(status)))) => (format!("ERROR {}", status.code), None),
        Ok(Err(_)) => ("broken".to_owned(), None),
    }
}

async fn said(events: &mut Events<PodEIP>) -> String {
    next(events).await.0
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_a_life_in_order() {
    let api = ApiServer::new();
    created(&api, "old").await;
    let mut events = watched(&api, "").await;
    created(&api, "a").await;
    merged(&api, "a", labelled("n1")).await.unwrap();
    merged(&api, "a", labelled("n1")).await.unwrap();
    records(&api, "a")
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    merged(&api, "a", json!({ "metadata": { "finalizers": null } }))
        .await
        .unwrap();
    for want in [
        "ADDED a",
        "MODIFIED a",
        "MODIFIED a",
        "DELETED a",
        "nothing",
    ] {
        assert_eq!(said(&mut events).await, want);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_leaves_the_selector_is_deleted_in_its_old_form() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let before = merged(&api, "a", labelled("n1")).await.unwrap();
    let (mut mine, mut theirs) = (
        watched(&api, "eipd.io/node=n1").await,
        watched(&api, "eipd.io/node=n2").await,
    );
    let after = merged(&api, "a", labelled("n2")).await.unwrap();
    let (what, left) = next(&mut mine).await;
    let left = left.unwrap();
    assert_eq!(what, "DELETED a");
    assert_eq!(
        left.metadata.labels, before.metadata.labels,
        "the old labels"
    );
    assert_eq!(left.metadata.deletion_timestamp, None);
    assert_eq!(left.metadata.finalizers, before.metadata.finalizers);
    assert_eq!(
        left.metadata.resource_version, after.metadata.resource_version,
        "but the new version"
    );
    assert_eq!(said(&mut theirs).await, "ADDED a");
}

#[tokio::test(start_paused = true)]
async fn version_zero_starts_with_the_present_state() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let mut events = from(&api, "", "0").await;
    assert_eq!(said(&mut events).await, "ADDED a");
    created(&api, "b").await;
    assert_eq!(said(&mut events).await, "ADDED b");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_by_the_minute_with_the_newest_version() {
    let api = ApiServer::new();
    let mut events = watched(&api, "").await;
    api.skip_versions(100);
    assert_eq!(said(&mut events).await, "nothing");
    let Some(Ok(WatchEvent::Bookmark(mark))) = events.next().await else {
        panic!("no bookmark")
    };
    let newest = records(&api, "a")
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version;
    assert_eq!(Some(mark.metadata.resource_version), newest);
    let params = WatchParams::default().disable_bookmarks();
    let all = records(&api, "a");
    let mut quiet = Box::pin(all.watch(&params, &newest.unwrap()).await.unwrap());
    assert!(timeout(Duration::from_mins(4), quiet.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_its_time_is_over() {
    let api = ApiServer::new();
    let all = records(&api, "a");
    let mut events = Box::pin(
        all.watch(&WatchParams::default().timeout(10), "1000")
            .await
            .unwrap(),
    );
    let began = now();
    assert!(events.next().await.is_none());
    assert_eq!(began.elapsed().as_secs(), 10);
    drop(events);
    assert_eq!(api.open_watches(&When::any()), 0);
}

#[tokio::test(start_paused = true)]
async fn cut_and_closed_watches_end_each_in_its_way() {
    let api = ApiServer::new();
    let (mut one, mut two) = (watched(&api, "").await, watched(&api, "").await);
    assert_eq!(api.cut_watches(&When::any().client("other")), 0);
    assert_eq!(
        api.cut_watches(&When::any().client("a").resource("podeips")),
        2
    );
    assert_eq!(
        (said(&mut one).await, said(&mut two).await),
        ("broken".into(), "broken".into())
    );
    let mut three = watched(&api, "").await;
    api.close_watches(&When::any());
    assert_eq!(said(&mut three).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_is_dead_without_an_error() {
    let api = ApiServer::new();
    let mut events = watched(&api, "").await;
    assert_eq!(api.silence_watches(&When::any()), 1);
    created(&api, "a").await;
    assert!(
        timeout(Duration::from_hours(24), events.next())
            .await
            .is_err()
    );
    let mut fresh = from(&api, "", "0").await;
    assert_eq!(said(&mut fresh).await, "ADDED a", "a new watch is alive");
    api.cut_watches(&When::any());
    assert_eq!(said(&mut events).await, "broken");
}

#[tokio::test(start_paused = true)]
async fn too_old_a_version_is_an_error_event() {
    let api = ApiServer::new();
    let old = created(&api, "a").await.metadata.resource_version.unwrap();
    created(&api, "b").await;
    let mut open = from(&api, "", &old).await;
    assert_eq!(said(&mut open).await, "ADDED b");
    api.forget_history();
    let mut late = from(&api, "", &old).await;
    assert_eq!(said(&mut late).await, "ERROR 410");
    assert_eq!(said(&mut late).await, "end");
    created(&api, "c").await;
    assert_eq!(said(&mut open).await, "ADDED c", "an open watch goes on");
    api.expire_watches(&When::any());
    assert_eq!(said(&mut open).await, "ERROR 410");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_view_is_stale_for_one_client_only() {
    let api = ApiServer::new();
    let mut stale = watched(&api, "").await;
    let lag = api.freeze(When::any().client("a").resource("podeips"));
    let other = records(&api, "b");
    for name in ["x", "y", "z"] {
        other
            .create(&PostParams::default(), &record(name))
            .await
            .unwrap();
    }
    assert_eq!(said(&mut stale).await, "nothing");
    let cached = ListParams::default().match_any();
    assert_eq!(
        records(&api, "a").list(&cached).await.unwrap().items.len(),
        0,
        "the cache lags"
    );
    assert_eq!(
        records(&api, "a")
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        3,
        "a live list does not"
    );
    assert!(records(&api, "a").get("x").await.is_ok());
    assert_eq!(other.list(&cached).await.unwrap().items.len(), 3);
    api.let_through(lag, 1);
    assert_eq!(said(&mut stale).await, "ADDED x");
    assert_eq!(said(&mut stale).await, "BOOKMARK");
    assert_eq!(said(&mut stale).await, "nothing");
    api.catch_up(lag);
    assert_eq!(
        (said(&mut stale).await, said(&mut stale).await),
        ("ADDED y".into(), "ADDED z".into())
    );
    created(&api, "w").await;
    assert_eq!(said(&mut stale).await, "BOOKMARK");
    api.thaw(lag);
    assert_eq!(said(&mut stale).await, "ADDED w");
}

#[tokio::test(start_paused = true)]
async fn a_new_watch_of_a_frozen_view_starts_behind() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let lag = api.freeze(When::any());
    created(&api, "b").await;
    let mut events = from(&api, "", "0").await;
    assert_eq!(
        (said(&mut events).await, said(&mut events).await),
        ("ADDED a".into(), "nothing".into())
    );
    api.thaw(lag);
    assert_eq!(said(&mut events).await, "ADDED b");
}

#[tokio::test(start_paused = true)]
async fn a_pod_watch_is_narrowed_by_node() {
    let api = ApiServer::new();
    let params = WatchParams::default().fields("spec.nodeName=n1");
    let mut events = Box::pin(pods(&api, "a").watch(&params, "1000").await.unwrap());
    api.create_pod(&pod("there", "n2")).unwrap();
    api.create_pod(&pod("here", "n1")).unwrap();
    let Some(Ok(WatchEvent::Added(one))) = events.next().await else {
        panic!("no pod")
    };
    assert_eq!(one.metadata.name.as_deref(), Some("here"));
    api.terminate_pod("default", "here").unwrap();
    api.remove_pod("default", "here").unwrap();
    let mut deletions = Vec::new();
    while let Ok(Some(Ok(event))) = timeout(Duration::from_secs(1), events.next()).await {
        match event {
            WatchEvent::Modified(p) => {
                deletions.push(("MODIFIED", p.metadata.deletion_grace_period_seconds));
            }
            WatchEvent::Deleted(p) => {
                deletions.push(("DELETED", p.metadata.deletion_grace_period_seconds));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        deletions,
        [
            ("MODIFIED", Some(30)),
            ("MODIFIED", Some(0)),
            ("DELETED", Some(0))
        ]
    );
}
