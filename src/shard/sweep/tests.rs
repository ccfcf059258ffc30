//! Sweeps against the double: what they find and what they cost.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::apiserver::{ApiServer, Logged, When};

use super::*;
use crate::api::keys;

mod failures;
mod held;

/// An agent that sweeps by itself, and what it hands on.
fn start(api: &ApiServer) -> (mpsc::Receiver<Due>, Metrics) {
    let (sweep, found) = sweep_of(api);
    let metrics = sweep.metrics.clone();
    tokio::spawn(sweep.run());
    (found, metrics)
}

fn sweep_of(api: &ApiServer) -> (Sweep, mpsc::Receiver<Due>) {
    let (out, found) = mpsc::channel(64);
    let metrics = Metrics::new();
    let sweep = Sweep {
        kube: Kube::new(api.client("a"), Duration::from_secs(5), metrics.clone()),
        clock: Clock::starting_at(api.now()),
        metrics,
        out,
    };
    (sweep, found)
}

fn cluster(nodes: usize) -> ApiServer {
    let api = ApiServer::new();
    for n in 0..nodes {
        api.set_node(&format!("node-{n}"), true).unwrap();
    }
    api
}

/// A kept record as eipd leaves it; absent since the double's beginning.
fn kept(name: &str, strategy: &str) -> Value {
    let (strategy, after) = match strategy {
        "Never" | "Follow" => (strategy, Value::Null),
        after => ("TTL", json!(after)),
    };
    json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {
            "name": name, "namespace": "default", "finalizers": [keys::PODEIP_FINALIZER],
            "labels": {"eipd.io/bucket": keys::bucket("default", name).to_string(), "eipd.io/eip": format!("eip-{name}")},
            "annotations": {"eipd.io/absent-since": "2026-01-01T00:00:00Z", "k8s.aliyun.com/eip-controller": "eipd"},
        },
        "spec": {
            "allocationID": format!("eip-{name}"),
            "allocationType": {"type": "Auto", "releaseStrategy": strategy, "releaseAfter": after},
        },
    })
}

fn foreign(name: &str) -> Value {
    let mut record = kept(name, "Never");
    record["metadata"]["labels"] = Value::Null;
    record["metadata"]["annotations"] = Value::Null;
    record
}

fn fill(api: &ApiServer, count: usize, record: impl Fn(&str) -> Value) {
    for n in 0..count {
        api.create(&record(&format!("web-{n:04}"))).unwrap();
    }
}

fn bury(api: &ApiServer, name: &str) {
    api.create(&kept(name, "Never")).unwrap();
    api.delete("podeips", "default", name).unwrap();
}

fn handed(found: &mut mpsc::Receiver<Due>) -> Vec<(String, What)> {
    let mut all = Vec::new();
    while let Ok(due) = found.try_recv() {
        all.push((due.key.name, due.what));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn names(found: &mut mpsc::Receiver<Due>) -> BTreeSet<String> {
    handed(found).into_iter().map(|(name, _)| name).collect()
}

fn lists(api: &ApiServer) -> Vec<Logged> {
    api.requests(&When::any().resource("podeips").client("a"))
}

async fn once(sweep: &Sweep) {
    assert!(sweep.once().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn each_sort_is_found_and_what_rests_is_not() {
    let api = cluster(1);
    api.create(&kept("over", "1m")).unwrap();
    api.create(&kept("not-over", "240h")).unwrap();
    api.create(&kept("never", "Never")).unwrap();
    api.create(&kept("stray", "Follow")).unwrap();
    api.create(&foreign("foreign")).unwrap();
    bury(&api, "grave");
    let mut held = kept("held", "1m");
    held["metadata"]["labels"]["eipd.io/node"] = json!("node-0");
    api.create(&held).unwrap();
    let mut blanked = kept("blanked", "1m");
    blanked["metadata"]["labels"]["eipd.io/node"] = json!("");
    api.create(&blanked).unwrap();
    let (mut found, metrics) = start(&api);
    api.pass(Duration::from_mins(4)).await;
    let seen: BTreeSet<_> = handed(&mut found)
        .into_iter()
        .map(|(name, what)| (name, what.name()))
        .collect();
    let want = [
        ("blanked", "expired"),
        ("foreign", "foreign"),
        ("grave", "tombstone"),
        ("over", "expired"),
        ("stray", "stray"),
    ];
    let want = want.map(|(name, what)| (name.to_owned(), what));
    assert_eq!(seen, BTreeSet::from(want));
    let text = metrics.encode().unwrap();
    assert!(
        text.contains(r#"eipd_sweeps_total{outcome="whole"}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"eipd_sweep_found_total{what="expired"}"#),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_has_just_begun_asks_nothing_for_a_minute() {
    let api = cluster(1);
    let (_found, _) = start(&api);
    api.pass(Duration::from_secs(59)).await;
    assert_eq!(api.count(&When::any().client("a")), 0);
    api.pass(Duration::from_mins(10)).await;
    assert!(!lists(&api).is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_reads_and_never_writes_and_reads_live() {
    let api = cluster(1);
    fill(&api, 600, |name| kept(name, "1m"));
    let (sweep, _found) = sweep_of(&api);
    sweep.look(&mut Sample::default()).await.unwrap();
    assert_eq!(api.count(&When::writes().client("a")), 0);
    for list in lists(&api) {
        assert!(["1", "100"].contains(&list.call.param("limit")), "{list}");
        assert_eq!(list.call.param("resourceVersion"), "", "{list}");
    }
}

/// Requests and bytes of one sweep.
async fn cost(api: &ApiServer) -> (usize, u64) {
    let (sweep, _found) = sweep_of(api);
    api.clear_log();
    sweep.look(&mut Sample::default()).await.unwrap();
    let lists = lists(api);
    (lists.len(), lists.iter().map(|list| list.bytes).sum())
}

#[tokio::test(start_paused = true)]
async fn two_thousand_kept_records_cost_little_more_than_five_hundred() {
    let api = cluster(1);
    fill(&api, 500, |name| kept(name, "Never"));
    let (few, few_bytes) = cost(&api).await;
    fill(&api, 1_500, |name| kept(&format!("db-{name}"), "Never"));
    let (many, many_bytes) = cost(&api).await;
    assert_eq!(
        few, 8,
        "five pages, the empty label's, a count, and what nodes have"
    );
    assert!((10..=12).contains(&many), "{many}");
    // One sixteenth more, and what the pages' own frames take.
    assert!(many_bytes < few_bytes * 14 / 10, "{few_bytes} {many_bytes}");
    assert!(many_bytes < 500_000, "{many_bytes}");
}

#[tokio::test(start_paused = true)]
async fn another_controllers_thousands_cost_their_logarithm() {
    fastrand::seed(3);
    let api = cluster(1);
    fill(&api, 2_000, foreign);
    let mut requests = 0;
    for _ in 0..40 {
        requests += cost(&api).await.0;
    }
    // Five pages of all; one bucket and one empty label; 1 + 1/2 + ... + 1/20 = 3.6 of those without a bucket; a count, and
    // one bucket of what nodes have.
    assert!((11 * 40..15 * 40).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_is_found_too() {
    fastrand::seed(1);
    let api = cluster(1);
    fill(&api, 2_000, |name| kept(name, "Never"));
    bury(&api, "zz-grave");
    api.create(&foreign("zz-foreign")).unwrap();
    let mut odd = kept("zz-odd", "Follow");
    odd["metadata"]["labels"]["eipd.io/bucket"] = json!("16");
    api.create(&odd).unwrap();
    let (mut found, _) = start(&api);
    api.pass(Duration::from_hours(1)).await;
    let want = ["zz-foreign", "zz-grave", "zz-odd"].map(str::to_owned);
    assert_eq!(names(&mut found), BTreeSet::from(want));
}

#[tokio::test(start_paused = true)]
async fn two_agents_do_not_take_the_same_fifty() {
    fastrand::seed(5);
    let api = cluster(2);
    fill(&api, 300, |name| kept(name, "1ms"));
    api.pass(Duration::from_secs(1)).await;
    let ((one, mut by_one), (other, mut by_other)) = (sweep_of(&api), sweep_of(&api));
    once(&one).await;
    once(&other).await;
    let (by_one, by_other) = (names(&mut by_one), names(&mut by_other));
    assert_eq!((by_one.len(), by_other.len()), (50, 50));
    assert!(by_one.intersection(&by_other).count() < 25);
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_waited_for_and_a_gone_one_ends_it() {
    let api = cluster(1);
    fill(&api, 200, |name| kept(name, "Follow"));
    let (sweep, mut found) = sweep_of(&api);
    let running = tokio::spawn(sweep.run());
    api.pass(Duration::from_hours(1)).await;
    let asked = lists(&api).len();
    api.pass(Duration::from_hours(1)).await;
    assert_eq!(lists(&api).len(), asked, "its channel is full");
    assert!(found.recv().await.is_some());
    assert!(!running.is_finished());
    drop(found);
    api.pass(Duration::from_secs(1)).await;
    assert!(running.is_finished());
}

#[test]
fn each_page_of_a_long_list_is_read_some_time() {
    fastrand::seed(11);
    let drawn: Vec<u64> = (0..100_000).map(|_| Pages::Some.draw()).collect();
    for (page, times) in [(1, 100_000), (2, 50_000), (10, 10_000), (100, 1_000)] {
        let read = drawn.iter().filter(|pages| **pages >= page).count();
        assert!(
            (times * 9 / 10..=times * 11 / 10).contains(&read),
            "{page}: {read}"
        );
    }
}

#[test]
fn the_time_between_two_sweeps_grows_with_the_cluster() {
    let seconds = |nodes| mean(nodes).as_secs();
    assert_eq!(
        [0, 1, 3, 300, 5_000].map(seconds),
        [20, 20, 60, 6_000, 100_000]
    );
    assert!(mean(u64::MAX) > Duration::from_hours(1));
}
