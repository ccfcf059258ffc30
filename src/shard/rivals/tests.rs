//! Who runs here, from a setting and from stamps; and the reads, against the API server's double.

use std::time::Duration;

use serde_json::json;
use testbed::apiserver::{ApiServer, EncRecord, Then, When};

use super::*;
use crate::api::keys;
use crate::clock::{self, Clock};
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;
use crate::telemetry::metrics::Metrics;

const NOW: &str = "2026-01-01T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at(NOW)
}

/// A record that was stamped so many seconds before now.
fn stamped(name: &str, age: i64) -> Stamped {
    Stamped {
        key: Key {
            namespace: "default".to_owned(),
            name: name.to_owned(),
        },
        uid: Uid::new(name),
        ours: false,
        seen: Some(now() - SignedDuration::from_secs(age)),
    }
}

fn once(records: &[Stamped]) -> Findings {
    judge(Terway::default(), records, &mut Stamps::default(), now())
}

#[test]
fn terway_runs_where_its_setting_says_true() {
    let read = |conf: &str| {
        let terway = Terway::read(conf);
        (terway.eip_pool, terway.allow_rob)
    };
    assert_eq!(read(r#"{"enable_eip_pool":"true"}"#), (true, false));
    assert_eq!(
        read(r#"{"version":"1","enable_eip_pool":"true","allow_eip_rob":"true"}"#),
        (true, true)
    );
    assert_eq!(
        read(r#"{"enable_eip_pool":true,"allow_eip_rob":true}"#),
        (true, true)
    );
    assert_eq!(read(r#"{"allow_eip_rob":"true"}"#), (false, true));
}

#[test]
fn terway_does_not_run_where_nothing_says_so() {
    for conf in [
        "",
        "{}",
        "null",
        "[]",
        "7",
        "{",
        "enable_eip_pool: \"true\"",
        r#"{"enable_eip_pool":"false"}"#,
        r#"{"enable_eip_pool":"yes"}"#,
        r#"{"enable_eip_pool":false}"#,
        r#"{"enable_eip_pool":1}"#,
        r#"{"enable_eip_pool":null}"#,
        r#"{"enable_eip_pool":{"a":"true"}}"#,
        r#"["enable_eip_pool"]"#,
        r#"{"eip":{"enable_eip_pool":"true"}}"#,
    ] {
        assert_eq!(Terway::read(conf), Terway::default(), "{conf}");
    }
}

#[test]
fn a_fresh_stamp_means_that_the_other_controller_runs() {
    let found = once(&[stamped("a", 700), stamped("b", 70), stamped("c", 130)]);
    let seen = now() - SignedDuration::from_secs(70);
    let record = stamped("b", 0).key;
    assert_eq!(found.rivals, [Rival::Enc { seen, record }]);
    assert!(found.others_run() && found.unlabelled && !found.terway_allows_rob);
}

#[test]
fn a_stamp_is_fresh_for_ten_minutes_to_either_side() {
    for (age, runs) in [
        (0, true),
        (599, true),
        (600, false),
        (86_400, false),
        (-599, true),
        (-600, false),
    ] {
        assert_eq!(once(&[stamped("a", age)]).others_run(), runs, "{age}");
    }
}

#[test]
fn records_without_a_stamp_and_our_own_tell_nothing_of_others() {
    let bare = Stamped {
        seen: None,
        ..stamped("a", 0)
    };
    let ours = Stamped {
        ours: true,
        ..stamped("b", 0)
    };
    let found = once(&[bare, ours]);
    assert!(!found.others_run() && found.unlabelled);
    assert_eq!(once(&[]), Findings::default());
}

#[test]
fn both_may_run() {
    let terway = Terway {
        eip_pool: true,
        allow_rob: true,
    };
    let found = judge(terway, &[stamped("a", 1)], &mut Stamps::default(), now());
    assert_eq!(found.rivals.len(), 2);
    assert_eq!(found.rivals[1], Rival::Terway);
    assert!(found.terway_allows_rob);
}

/// The other controller's clock is an hour off: its stamps look old, or are still to come.
#[test]
fn a_stamp_that_moves_is_a_sign_of_life_whatever_it_says() {
    for off in [3_600, -3_600] {
        let mut stamps = Stamps::default();
        let mut look = |after: i64, age: i64| {
            let then = now() + SignedDuration::from_secs(after);
            judge(Terway::default(), &[stamped("a", age)], &mut stamps, then).others_run()
        };
        assert!(!look(0, off));
        assert!(look(60, off - 60), "it moved");
        assert!(look(120, off - 60), "and may move again");
        assert!(look(60 + 659, off - 60));
        assert!(
            !look(60 + 660, off - 60),
            "ten minutes after it should have moved"
        );
    }
}

#[test]
fn a_controller_that_stamps_once_in_half_an_hour_runs_in_between_too() {
    let mut stamps = Stamps::default();
    let mut look = |after: i64, age: i64| {
        let then = now() + SignedDuration::from_secs(after);
        judge(Terway::default(), &[stamped("a", age)], &mut stamps, then).others_run()
    };
    assert!(!look(0, 1_000));
    assert!(look(900, -800), "stamped at 800");
    assert!(look(2_599, -800));
    assert!(look(2_601, -2_600), "stamped again");
    assert!(look(4_200, -2_600));
    assert!(!look(10_000, -2_600));
}

#[test]
fn a_first_stamp_is_a_move_and_another_record_of_the_name_is_none() {
    let mut stamps = Stamps::default();
    let mut look =
        |records: &[Stamped]| judge(Terway::default(), records, &mut stamps, now()).others_run();
    let bare = Stamped {
        seen: None,
        ..stamped("a", 0)
    };
    assert!(!look(&[bare]));
    let another = Stamped {
        uid: Uid::new("another"),
        ..stamped("a", 7_200)
    };
    assert!(!look(&[another]));
    assert!(!look(&[Stamped {
        seen: None,
        ..stamped("b", 0)
    }]));
    assert!(look(&[stamped("b", 7_200)]));
}

fn kube(api: &ApiServer) -> (Kube, Clock) {
    let kube = Kube::new(api.client("a"), Duration::from_secs(5), Metrics::new());
    (kube, Clock::starting_at(api.now()))
}

async fn looked(api: &ApiServer) -> Result<Findings, KubeError> {
    let (kube, clock) = kube(api);
    look(&kube, &clock, &mut Stamps::default()).await
}

fn set_terway(api: &ApiServer, data: &serde_json::Value) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "kube-system", "name": "eni-config"}, "data": data,
    });
    api.create(&map).unwrap();
}

fn enc(name: &str) -> EncRecord {
    EncRecord::new("default", name, "eip-1").bound("203.0.113.1", "eni-1", "10.0.0.11")
}

#[tokio::test(start_paused = true)]
async fn an_empty_cluster_has_no_rivals() {
    let api = ApiServer::new();
    assert_eq!(looked(&api).await.unwrap(), Findings::default());
    let requests: Vec<_> = api.log();
    assert_eq!(requests.len(), 2, "one GET and one small list");
    assert_eq!(api.count(&When::writes()), 0);
}

#[tokio::test(start_paused = true)]
async fn the_other_controller_is_seen_while_it_runs_and_no_longer() {
    let api = ApiServer::new();
    api.create_enc_record(&enc("a").marked()).unwrap();
    let controller = api.run_enc(Duration::from_mins(1));
    api.pass(Duration::from_mins(5)).await;
    let found = looked(&api).await.unwrap();
    assert!(
        matches!(&found.rivals[..], [Rival::Enc { record, .. }] if record.name == "a"),
        "{found:?}"
    );
    controller.stop();
    api.pass(Duration::from_mins(9)).await;
    assert!(looked(&api).await.unwrap().others_run());
    api.pass(Duration::from_mins(1)).await;
    let found = looked(&api).await.unwrap();
    assert!(!found.others_run() && found.unlabelled);
}

#[tokio::test(start_paused = true)]
async fn stamps_are_judged_by_the_api_servers_clock() {
    let api = ApiServer::new();
    api.create_enc_record(&enc("a")).unwrap();
    api.stamp_enc_records();
    let (kube, _) = kube(&api);
    let a_day_off = Clock::starting_at(api.now() + SignedDuration::from_hours(24));
    let found = look(&kube, &a_day_off, &mut Stamps::default()).await;
    assert!(!found.unwrap().others_run());
    assert!(looked(&api).await.unwrap().others_run());
}

#[tokio::test(start_paused = true)]
async fn records_with_a_label_of_ours_are_nobody_elses() {
    let api = ApiServer::new();
    let now = api.timestamp();
    let labels = [("a", keys::BUCKET_LABEL), ("b", keys::NODE_LABEL)];
    for (name, label) in labels {
        let record = enc(name)
            .last_seen(&now)
            .field(&["metadata", "labels", label], "1");
        api.create_enc_record(&record).unwrap();
    }
    assert_eq!(looked(&api).await.unwrap(), Findings::default());
    let ours = enc("c").last_seen(&now).field(
        &["metadata", "annotations", keys::OWNER_ANNOTATION],
        keys::OWNER,
    );
    api.create_enc_record(&ours).unwrap();
    let found = looked(&api).await.unwrap();
    assert!(found.unlabelled && !found.others_run());
}

#[tokio::test(start_paused = true)]
async fn odd_records_do_not_blind_us() {
    let api = ApiServer::new();
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let crd = testbed::apiserver::crd("podeips", "PodEIP", &["v1beta1"], &open);
    api.install(&crd).unwrap();
    for (name, seen) in [("a", json!(7)), ("b", json!("soon")), ("c", json!(null))] {
        let odd = enc(name)
            .field(&["status", "podLastSeen"], seen)
            .field(&["spec"], json!([]));
        api.create_enc_record(&odd).unwrap();
    }
    assert!(!looked(&api).await.unwrap().others_run());
    api.create_enc_record(&enc("d").last_seen(&api.timestamp()))
        .unwrap();
    assert!(looked(&api).await.unwrap().others_run());
}

/// The records of pods that are away are not stamped: a page full of them says nothing of the others.
#[tokio::test(start_paused = true)]
async fn a_page_full_of_kept_records_is_not_the_last() {
    let api = ApiServer::new();
    for n in 0..250 {
        let kept = enc(&format!("kept-{n:03}")).never();
        api.create_enc_record(&kept.last_seen("2025-12-01T00:00:00Z"))
            .unwrap();
    }
    assert!(!looked(&api).await.unwrap().others_run());
    assert_eq!(api.count(&When::any().resource("podeips")), 3);
    api.create_enc_record(&enc("web-0").last_seen(&api.timestamp()))
        .unwrap();
    assert!(looked(&api).await.unwrap().others_run());
    api.clear_log();
    api.stamp_enc_records();
    assert!(looked(&api).await.unwrap().others_run());
    assert_eq!(
        api.count(&When::any().resource("podeips")),
        1,
        "one page that tells is enough"
    );
}

#[tokio::test(start_paused = true)]
async fn pages_have_an_end() {
    let api = ApiServer::new();
    for n in 0..700 {
        let kept = enc(&format!("kept-{n:03}")).never();
        api.create_enc_record(&kept.last_seen("2025-12-01T00:00:00Z"))
            .unwrap();
    }
    looked(&api).await.unwrap();
    assert_eq!(api.count(&When::any().resource("podeips")), 5);
}

#[tokio::test(start_paused = true)]
async fn terways_setting_is_read_from_its_config_map() {
    let api = ApiServer::new();
    let conf = json!({"eni_conf": r#"{"enable_eip_pool": "true", "allow_eip_rob": "true"}"#});
    set_terway(&api, &conf);
    let found = looked(&api).await.unwrap();
    assert_eq!(found.rivals, [Rival::Terway]);
    assert!(found.terway_allows_rob && !found.unlabelled);
}

#[tokio::test(start_paused = true)]
async fn a_config_map_without_the_setting_is_none() {
    for data in [json!(null), json!({}), json!({"10-terway.conf": "{}"})] {
        let api = ApiServer::new();
        set_terway(&api, &data);
        assert_eq!(looked(&api).await.unwrap(), Findings::default(), "{data}");
    }
}

fn refuse(api: &ApiServer, resource: &str, code: u16) {
    let when = When::any().resource(resource);
    api.fault(when, usize::MAX, Then::status(code));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_an_error_and_no_all_clear() {
    for (resource, code) in [
        ("podeips", 403),
        ("podeips", 503),
        ("configmaps", 403),
        ("configmaps", 503),
    ] {
        let api = ApiServer::new();
        refuse(&api, resource, code);
        looked(&api).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_definition_there_are_no_records() {
    let api = ApiServer::new();
    api.vanish("customresourcedefinitions", "", "podeips.alibabacloud.com")
        .unwrap();
    assert_eq!(looked(&api).await.unwrap(), Findings::default());
}

#[tokio::test(start_paused = true)]
async fn the_daemonset_tells_since_when_eipd_is_installed() {
    let api = ApiServer::new();
    let (kube, _) = kube(&api);
    assert_eq!(installed_at(&kube).await, Ok(None));
    clock::sleep(Duration::from_secs(90)).await;
    let daemonset = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"namespace": "eipd", "name": "eipd"},
    });
    api.create(&daemonset).unwrap();
    let made = at("2026-01-01T00:01:30Z");
    clock::sleep(Duration::from_secs(90)).await;
    assert_eq!(installed_at(&kube).await, Ok(Some(made)));
    refuse(&api, "daemonsets", 403);
    installed_at(&kube).await.unwrap_err();
}
