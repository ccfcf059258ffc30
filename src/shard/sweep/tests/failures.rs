//! What sweeps make of lists that fail and of outages.

use testbed::apiserver::{Refusal, Then};

use super::*;

/// Lets two lists through and has the next one meet this.
fn fail_third_list(api: &ApiServer, then: Then) {
    let lists = || When::any().resource("podeips").client("a");
    api.fault(lists(), 2, Then::Delay(Duration::ZERO));
    api.fault(lists(), 1, then);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_half_way_yields_nothing_more() {
    for then in [
        Then::Refuse(Refusal::expired(
            "the provided continue parameter is too old",
        )),
        Then::status(500),
        Then::throttle(1),
        Then::LoseAnswer,
        Then::HoldRequest,
    ] {
        let api = cluster(1);
        fill(&api, 600, |name| kept(name, "Never"));
        for name in ["a-grave", "zz-grave"] {
            bury(&api, name);
        }
        api.create(&kept("a-over", "1ms")).unwrap();
        api.pass(Duration::from_secs(1)).await;
        let (sweep, mut found) = sweep_of(&api);
        let refused = matches!(then, Then::Refuse(ref refusal) if refusal.code == 410);
        fail_third_list(&api, then.clone());
        once(&sweep).await;
        assert_eq!(lists(&api).len(), 3, "{then:?}");
        let mut want = vec![("a-grave".to_owned(), What::Tombstone)];
        // A page of its own says that it is over; only whether the server was well is in doubt.
        want.extend(refused.then(|| ("a-over".to_owned(), What::Expired)));
        assert_eq!(handed(&mut found), want, "{then:?}");
        let text = sweep.metrics.encode().unwrap();
        assert!(text.contains(r#"eipd_sweeps_total{outcome="cut_short"} 1"#));
    }
}

#[tokio::test(start_paused = true)]
async fn history_that_is_forgotten_between_two_pages_ends_the_sweep() {
    let api = cluster(1);
    fill(&api, 300, |name| kept(name, "Never"));
    bury(&api, "zz-grave");
    api.set_latency(Duration::from_secs(2));
    let (sweep, mut found) = sweep_of(&api);
    let forget = async {
        api.pass(Duration::from_secs(3)).await; // the first page is read, the second not yet asked for
        api.skip_versions(5);
        api.forget_history();
    };
    tokio::join!(once(&sweep), forget);
    assert_eq!(lists(&api).last().and_then(|list| list.answer), Some(410));
    assert_eq!(handed(&mut found), []);
    once(&sweep).await;
    assert_eq!(names(&mut found), BTreeSet::from(["zz-grave".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn an_empty_or_failed_list_finds_nothing() {
    let api = cluster(1);
    bury(&api, "grave");
    let (sweep, mut found) = sweep_of(&api);
    for code in [403, 404, 410, 429, 500, 503] {
        api.fault(When::any().resource("podeips"), 1, Then::status(code));
        once(&sweep).await;
        assert_eq!(handed(&mut found), [], "{code}");
    }
    api.vanish("podeips", "default", "grave").unwrap();
    once(&sweep).await;
    assert_eq!(handed(&mut found), []);
}

/// How long after the API server is back each thing is handed on.
async fn after_an_outage(api: &ApiServer, within: Duration) -> Vec<(What, Duration)> {
    let (mut found, _) = start(api);
    api.pass(Duration::from_secs(30)).await;
    let away = api.go_away(When::any().client("a"));
    api.pass(Duration::from_mins(10)).await;
    api.lift(away);
    let back = clock::now();
    let mut first = Vec::new();
    while let Ok(Some(due)) = clock::timeout(within, found.recv()).await {
        if first.iter().all(|(what, _)| *what != due.what) {
            first.push((due.what, back.elapsed()));
        }
        if first.len() == 2 {
            break;
        }
    }
    first
}

#[tokio::test(start_paused = true)]
async fn a_ttl_that_ended_in_an_outage_costs_nothing_for_a_minute() {
    let mut longest = Duration::ZERO;
    for seed in 0..20 {
        fastrand::seed(seed);
        let api = cluster(1);
        api.create(&kept("over", "5m")).unwrap();
        bury(&api, "grave");
        let first = after_an_outage(&api, Duration::from_hours(1)).await;
        let at = |what| first.iter().find(|(is, _)| *is == what).unwrap().1;
        assert!(at(What::Expired) >= Duration::from_mins(1), "{first:?}");
        assert_eq!(first[0].0, What::Tombstone, "at once");
        longest = longest.max(at(What::Expired).saturating_sub(at(What::Tombstone)));
    }
    assert!(longest > Duration::from_secs(50), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_it_waits_takes_what_has_expired_back() {
    let api = cluster(1);
    api.create(&kept("over", "1ms")).unwrap();
    bury(&api, "grave");
    api.pass(Duration::from_secs(1)).await;
    let (sweep, mut found) = sweep_of(&api);
    let kube = sweep.kube.clone();
    let fails = async {
        api.pass(Duration::from_secs(30)).await;
        let away = api.go_away(When::any().client("a"));
        assert!(pulse::nodes(&kube).await.is_err());
        api.lift(away);
        assert!(pulse::nodes(&kube).await.is_ok());
    };
    tokio::join!(once(&sweep), fails);
    assert_eq!(names(&mut found), BTreeSet::from(["grave".to_owned()]));
    api.pass(Duration::from_mins(1)).await;
    once(&sweep).await;
    let both = ["grave", "over"].map(str::to_owned);
    assert_eq!(names(&mut found), BTreeSet::from(both));
}
