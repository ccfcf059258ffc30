//! The fleet's timers, all of them, in paused time; and counting nodes at the double.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use testbed::apiserver::{ApiServer, Then, When};

use super::*;
use crate::shard::{audit, sweep};
use crate::telemetry::metrics::Metrics;

const HOURS: u64 = 4;

/// Times and counts of nodes, a minute each on average, in a cluster whose agents were all started at once; and the most in any minute.
async fn rates(agents: u64, mean: fn(u64) -> Duration) -> (f64, f64, u64) {
    fastrand::seed(agents);
    let minutes: Arc<Vec<AtomicU64>> =
        Arc::new((0..HOURS * 60).map(|_| AtomicU64::new(0)).collect());
    let counts = Arc::new(AtomicU64::new(0));
    let began = clock::now();
    let mut fleet = tokio::task::JoinSet::new();
    for _ in 0..agents {
        let (minutes, counts) = (minutes.clone(), counts.clone());
        fleet.spawn(async move {
            loop {
                wait(mean, || {
                    counts.fetch_add(1, Ordering::Relaxed);
                    std::future::ready(Ok(agents))
                })
                .await;
                let minute = clock::now().duration_since(began).as_secs() / 60;
                if let Some(tally) = minutes.get(usize::try_from(minute).unwrap()) {
                    tally.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    clock::sleep(Duration::from_hours(HOURS)).await;
    fleet.abort_all();
    let tallies: Vec<u64> = minutes.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    #[allow(clippy::cast_precision_loss)] // small numbers
    let a_minute = |sum: u64| sum as f64 / (HOURS * 60) as f64;
    (
        a_minute(tallies.iter().sum()),
        a_minute(counts.load(Ordering::Relaxed)),
        tallies.into_iter().max().unwrap(),
    )
}

#[tokio::test(start_paused = true)]
async fn three_sweeps_a_minute_at_any_size() {
    for agents in [3, 300, 5_000] {
        let (rate, _, most) = rates(agents, sweep::mean).await;
        assert!((2.5..3.5).contains(&rate), "{agents}: {rate} a minute");
        assert!(most < 15, "{agents}: {most} in one minute");
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_looks_a_minute_at_most() {
    for (agents, least) in [(3, 0.2), (200, 18.0), (5_000, 18.0)] {
        let (rate, _, most) = rates(agents, audit::mean).await;
        assert!((least..22.0).contains(&rate), "{agents}: {rate} a minute");
        assert!(most < 45, "{agents}: {most} in one minute");
    }
}

#[tokio::test(start_paused = true)]
async fn following_the_size_costs_a_small_request_an_hour() {
    let (_, counts, _) = rates(5_000, sweep::mean).await;
    // 5,000 at the start, and then 5,000 an hour.
    assert!(counts < 5_000.0 * 5.0 / 240.0 + 4.0, "{counts} a minute");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_has_shrunk_is_noticed_within_the_hour() {
    let size = AtomicU64::new(5_000);
    let asked = || {
        // The first answer is from before, all later ones are not.
        std::future::ready(Ok(size.swap(3, Ordering::Relaxed)))
    };
    let began = clock::now();
    for _ in 0..20 {
        size.store(5_000, Ordering::Relaxed);
        wait(sweep::mean, &asked).await;
    }
    let each = began.elapsed() / 20;
    assert!(each < Duration::from_mins(75), "{each:?}");
}

fn kube(api: &ApiServer) -> Kube {
    Kube::new(api.client("a"), Duration::from_secs(5), Metrics::new())
}

#[tokio::test(start_paused = true)]
async fn nodes_are_counted_by_a_list_of_one() {
    let api = ApiServer::new();
    assert_eq!(nodes(&kube(&api)).await, Ok(0));
    for n in 0..7 {
        api.set_node(&format!("node-{n}"), true).unwrap();
        assert_eq!(nodes(&kube(&api)).await, Ok(n + 1));
    }
    let lists = api.requests(&When::any().resource("nodes"));
    assert!(lists.iter().all(|list| list.call.param("limit") == "1"));
    assert!(lists.iter().all(|list| list.bytes < 1_000));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_size_is_asked_for_again_ever_more_rarely() {
    let api = ApiServer::new();
    let away = api.fault(When::any().resource("nodes"), usize::MAX, Then::status(403));
    let kube = kube(&api);
    let waiting = tokio::spawn(async move { wait(sweep::mean, || nodes(&kube)).await });
    api.pass(Duration::from_hours(1)).await;
    let asked = api.count(&When::any().resource("nodes"));
    assert!((5..25).contains(&asked), "{asked}");
    assert!(!waiting.is_finished());
    api.lift(away);
    api.set_node("node-0", true).unwrap();
    api.pass(Duration::from_mins(20)).await;
    assert!(waiting.is_finished());
}
