//! The loop in paused time: what a receiver learns and when, and how often the API server is asked.

use testbed::apiserver::{ApiServer, EncRecord, FaultId, When};
use tokio::task::JoinHandle;

use super::*;
use crate::telemetry::metrics::Metrics;

type Known = watch::Receiver<Option<Findings>>;

fn start(api: &ApiServer) -> (Known, JoinHandle<()>) {
    let kube = Kube::new(api.client("a"), Duration::from_secs(5), Metrics::new());
    let (out, known) = watch::channel(None);
    let clock = Clock::starting_at(api.now());
    (known, tokio::spawn(run(kube, clock, out)))
}

fn others_run(known: &Known) -> Option<bool> {
    known.borrow().as_ref().map(Findings::others_run)
}

fn lists(api: &ApiServer) -> usize {
    api.count(&When::any().resource("podeips"))
}

fn go_away(api: &ApiServer) -> FaultId {
    api.go_away(When::any())
}

#[tokio::test(start_paused = true)]
async fn nothing_is_known_before_the_first_look_and_all_after_it() {
    let api = ApiServer::new();
    let (mut known, _task) = start(&api);
    assert_eq!(others_run(&known), None);
    let began = clock::now();
    known.changed().await.unwrap();
    assert_eq!(others_run(&known), Some(false));
    assert_eq!(clock::now(), began, "at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_at_start_leaves_it_unknown() {
    let api = ApiServer::new();
    let away = go_away(&api);
    let (known, _task) = start(&api);
    api.pass(Duration::from_mins(10)).await;
    assert_eq!(others_run(&known), None);
    api.lift(away);
    api.pass(Duration::from_secs(40)).await;
    assert_eq!(others_run(&known), Some(false));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_stays_known_while_the_server_is_away() {
    let api = ApiServer::new();
    api.create_enc_record(&EncRecord::new("default", "a", "eip-1"))
        .unwrap();
    let enc = api.run_enc(Duration::from_mins(1));
    let (known, _task) = start(&api);
    api.pass(Duration::from_mins(3)).await;
    assert_eq!(others_run(&known), Some(true));
    enc.stop();
    let away = go_away(&api);
    api.pass(Duration::from_hours(1)).await;
    assert_eq!(others_run(&known), Some(true));
    api.lift(away);
    // Its last stamp may be news to us: it counts from when we see it.
    api.pass(Duration::from_mins(14)).await;
    assert_eq!(others_run(&known), Some(false));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_other_controller_is_noticed_within_minutes() {
    let api = ApiServer::new();
    api.create_enc_record(&EncRecord::new("default", "a", "eip-1"))
        .unwrap();
    let enc = api.run_enc(Duration::from_mins(1));
    let (known, _task) = start(&api);
    api.pass(Duration::from_hours(2)).await;
    let asked = lists(&api);
    assert!((100..=150).contains(&asked), "about once a minute: {asked}");
    enc.stop();
    api.pass(Duration::from_mins(8)).await;
    assert_eq!(others_run(&known), Some(true));
    api.pass(Duration::from_mins(5)).await;
    assert_eq!(others_run(&known), Some(false));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_comes_back_is_noticed_within_the_longest_wait() {
    let api = ApiServer::new();
    api.create_enc_record(&EncRecord::new("default", "a", "eip-1"))
        .unwrap();
    let (known, _task) = start(&api);
    api.pass(Duration::from_hours(5)).await;
    assert_eq!(others_run(&known), Some(false));
    let _enc = api.run_enc(Duration::from_mins(1));
    api.pass(Duration::from_mins(36)).await;
    assert_eq!(others_run(&known), Some(true));
}

#[tokio::test(start_paused = true)]
async fn at_rest_it_looks_rarely_and_writes_nothing() {
    let api = ApiServer::new();
    let (mut known, _task) = start(&api);
    api.pass(Duration::from_hours(24)).await;
    let asked = lists(&api);
    assert!((40..=80).contains(&asked), "{asked} in a day");
    assert_eq!(api.count(&When::writes()), 0);
    known.mark_unchanged();
    api.pass(Duration::from_hours(24)).await;
    assert!(!known.has_changed().unwrap(), "nobody is woken for nothing");
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let api = ApiServer::new();
    let (known, task) = start(&api);
    api.pass(Duration::from_secs(1)).await;
    drop(known);
    clock::timeout(Duration::from_secs(1), task)
        .await
        .unwrap()
        .unwrap();
}

fn found(rivals: Vec<Rival>) -> Findings {
    Findings {
        rivals,
        ..Findings::default()
    }
}

#[test]
fn looks_become_rarer_in_quiet_and_frequent_at_once_where_somebody_runs() {
    let mut rhythm = Rhythm::default();
    let quiet = found(Vec::new());
    let waits: Vec<_> = (0..9)
        .map(|_| rhythm.next(Some(&quiet)).as_secs())
        .collect();
    assert_eq!((waits[0], waits[1], waits[8]), (600, 720, 1_800));
    assert!(waits.is_sorted());
    let busy = found(vec![Rival::Terway]);
    assert_eq!(rhythm.next(Some(&busy)), OFTEN);
    assert_eq!(rhythm.next(Some(&quiet)), RARELY.0);
}

#[test]
fn failed_looks_are_repeated_soon_and_then_less_soon() {
    let mut rhythm = Rhythm::default();
    let waits: Vec<_> = (0..40).map(|_| rhythm.next(None).as_secs()).collect();
    assert_eq!(waits[..6], [1, 2, 4, 8, 16, 30]);
    assert_eq!(waits[39], 30);
    rhythm.next(Some(&found(Vec::new())));
    assert_eq!(rhythm.next(None).as_secs(), 1);
}

#[test]
fn another_stamp_is_no_news_and_another_rival_is() {
    let enc = |second| Rival::Enc {
        seen: jiff::Timestamp::from_second(second).unwrap(),
        record: crate::domain::ids::Key {
            namespace: "default".to_owned(),
            name: "a".to_owned(),
        },
    };
    let (one, later) = (found(vec![enc(1)]), found(vec![enc(2)]));
    assert_eq!(running(&one), running(&later));
    let both = found(vec![enc(1), Rival::Terway]);
    assert_ne!(running(&one), running(&both));
    assert_ne!(running(&found(vec![Rival::Terway])), running(&both));
    assert_ne!(running(&one), running(&found(Vec::new())));
}
