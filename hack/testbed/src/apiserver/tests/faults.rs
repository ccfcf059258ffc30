//! Requests that fail, get lost, hang or come late; the log of them; the clock.

use super::super::time::now;
use super::super::{Then, Verb, When, bodies};
use super::*;
use http::Request;
use kube::api::{DeleteParams, ListParams};
use std::time::Duration;
use tokio::time::timeout;

fn write_from(client: &str) -> When {
    When::verb(Verb::Create).client(client).resource("podeips")
}

async fn create(api: &ApiServer, client: &str, name: &str) -> Result<PodEIP, Error> {
    records(api, client)
        .create(&PostParams::default(), &record(name))
        .await
}

fn exists(api: &ApiServer, name: &str) -> bool {
    api.get("podeips", "default", name).is_some()
}

#[tokio::test(start_paused = true)]
async fn the_next_requests_are_refused_then_all_is_well() {
    let api = ApiServer::new();
    api.fault(write_from("a"), 2, Then::status(503));
    assert!(
        create(&api, "b", "b").await.is_ok(),
        "another client's is none of its business"
    );
    assert_eq!(
        refusal(create(&api, "a", "x").await),
        is(503, "ServiceUnavailable")
    );
    assert_eq!(
        refusal(create(&api, "a", "x").await),
        is(503, "ServiceUnavailable")
    );
    assert!(!exists(&api, "x"));
    assert!(create(&api, "a", "x").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn throttled_and_over_quota() {
    let api = ApiServer::new();
    api.fault(write_from("a"), 1, Then::throttle(7));
    let Err(Error::Api(status)) = create(&api, "a", "x").await else {
        panic!("not refused")
    };
    assert_eq!(
        (status.code, status.details.unwrap().retry_after_seconds),
        (429, 7)
    );
    api.fault(
        write_from("a"),
        1,
        Then::quota_exceeded("podeips.alibabacloud.com"),
    );
    let Err(Error::Api(status)) = create(&api, "a", "x").await else {
        panic!("not refused")
    };
    assert!(status.is_forbidden() && status.message.contains("exceeded quota"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_does_nothing_a_lost_answer_did_it_all() {
    let api = ApiServer::new();
    api.fault(write_from("a").name("x"), 1, Then::LoseRequest);
    api.fault(write_from("a").name("y"), 1, Then::LoseAnswer);
    assert!(create(&api, "a", "x").await.is_err() && create(&api, "a", "y").await.is_err());
    assert!(!exists(&api, "x") && exists(&api, "y"));
    let worked: Vec<bool> = api.log().iter().map(|l| l.worked).collect();
    assert_eq!(worked, [false, true]);
    assert!(api.log().iter().all(|l| l.answer.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_held_request_lands_late_even_when_nobody_waits() {
    let api = ApiServer::new();
    let fault = api.fault(write_from("a"), 1, Then::HoldRequest);
    let patience = Duration::from_secs(30);
    assert!(timeout(patience, create(&api, "a", "x")).await.is_err());
    assert_eq!(api.held(fault), 1);
    assert!(!exists(&api, "x"));
    api.release(fault);
    api.until(Duration::from_secs(1), |v| {
        v.get("podeips", "default", "x").is_some()
    })
    .await
    .unwrap();
    assert_eq!(api.held(fault), 0);
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_is_done_and_comes_or_is_lost() {
    let api = ApiServer::new();
    let fault = api.fault(write_from("a"), 2, Then::HoldAnswer);
    let client = records(&api, "a");
    let one =
        tokio::spawn(async move { client.create(&PostParams::default(), &record("x")).await });
    api.until(Duration::from_secs(1), |v| {
        v.get("podeips", "default", "x").is_some()
    })
    .await
    .unwrap();
    api.pass(Duration::from_mins(1)).await;
    assert!(!one.is_finished());
    api.release(fault);
    assert!(one.await.unwrap().is_ok());
    let client = records(&api, "a");
    let two =
        tokio::spawn(async move { client.create(&PostParams::default(), &record("y")).await });
    api.until(Duration::from_secs(1), |_| api.held(fault) == 1)
        .await
        .unwrap();
    api.lose(fault);
    assert!(two.await.unwrap().is_err());
    assert!(exists(&api, "y"));
}

#[tokio::test(start_paused = true)]
async fn latency_and_delay_take_their_time() {
    let api = ApiServer::new();
    api.set_latency(Duration::from_millis(20));
    let began = now();
    create(&api, "a", "x").await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 20);
    api.fault(write_from("a"), 1, Then::Delay(Duration::from_secs(5)));
    create(&api, "a", "y").await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 5040);
}

#[tokio::test(start_paused = true)]
async fn an_absent_server_refuses_connections_until_it_is_back() {
    let api = ApiServer::new();
    let all = records(&api, "a");
    let mut events = Box::pin(
        all.watch(&kube::api::WatchParams::default(), "1000")
            .await
            .unwrap(),
    );
    let away = api.go_away(When::any().client("a"));
    assert!(matches!(
        futures::StreamExt::next(&mut events).await,
        Some(Err(_))
    ));
    assert!(all.list(&ListParams::default()).await.is_err());
    assert!(
        records(&api, "b")
            .list(&ListParams::default())
            .await
            .is_ok()
    );
    api.lift(away);
    assert!(all.list(&ListParams::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn in_the_dark_requests_hang_and_watches_fall_silent() {
    let api = ApiServer::new();
    let all = records(&api, "a");
    let mut events = Box::pin(
        all.watch(&kube::api::WatchParams::default(), "1000")
            .await
            .unwrap(),
    );
    let dark = api.go_dark(When::any().client("a"));
    let hour = Duration::from_hours(1);
    assert!(timeout(hour, create(&api, "a", "late")).await.is_err());
    assert!(
        timeout(hour, futures::StreamExt::next(&mut events))
            .await
            .is_err()
    );
    api.lift(dark);
    assert!(create(&api, "a", "now").await.is_ok());
    assert!(!exists(&api, "late"));
    api.release(dark);
    api.until(Duration::from_secs(1), |v| {
        v.get("podeips", "default", "late").is_some()
    })
    .await
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_log_has_every_request_and_counts_them() {
    let api = ApiServer::new();
    create(&api, "a", "x").await.unwrap();
    api.pass(Duration::from_secs(2)).await;
    merged(&api, "x", labelled("n")).await.unwrap();
    records(&api, "b")
        .delete("x", &DeleteParams::default())
        .await
        .unwrap();
    let _ = records(&api, "b").get("nothing").await;
    assert_eq!(api.writes_of("podeips", "default", "x"), 3);
    assert_eq!(api.count(&When::verb(Verb::Get)), 1);
    assert_eq!(
        api.count(&When::verb(Verb::Get).or(Verb::Delete).client("b")),
        2
    );
    assert_eq!(api.count(&When::writes().body_has("eipd.io/node")), 1);
    assert_eq!(
        bodies(&api.log(), &When::verb(Verb::Patch)),
        [labelled("n")]
    );
    let log = api.log();
    assert_eq!(
        (log[1].at.as_secs(), log[1].answer, log[3].answer),
        (2, Some(200), Some(404))
    );
    assert!(
        api.picture()
            .contains("2.000s a patch podeips default/x -> 200"),
        "{}",
        api.picture()
    );
    api.clear_log();
    assert_eq!(api.count(&When::any()), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_fails_with_a_picture() {
    let api = ApiServer::new();
    create(&api, "a", "x").await.unwrap();
    let began = now();
    let late = api
        .until(Duration::from_secs(9), |v| v.list("podeips").len() == 2)
        .await
        .unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 9);
    assert!(late.to_string().contains("podeips: default/x@"), "{late}");
    api.never(Duration::from_secs(9), |v| v.list("podeips").len() == 2)
        .await
        .unwrap();
    assert!(
        api.never(Duration::from_secs(9), |v| v.list("podeips").len() == 1)
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn the_date_is_virtual_and_can_be_put_off() {
    let api = ApiServer::new();
    let date = || async {
        let request = Request::get("/version")
            .body(kube::client::Body::empty())
            .unwrap();
        let answer = api.client("a").send(request).await.unwrap();
        answer.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(date().await, "Thu, 01 Jan 2026 00:00:00 GMT");
    api.pass(Duration::from_hours(25)).await;
    assert_eq!(date().await, "Fri, 02 Jan 2026 01:00:00 GMT");
    api.set_clock_off_by(jiff::SignedDuration::from_hours(-2));
    assert_eq!(date().await, "Thu, 01 Jan 2026 23:00:00 GMT");
    let made = create(&api, "a", "x").await.unwrap();
    assert_eq!(
        made.metadata.creation_timestamp.unwrap().0.to_string(),
        "2026-01-01T23:00:00Z"
    );
}
