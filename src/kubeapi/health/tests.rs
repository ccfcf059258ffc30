//! What makes and ends health: calls and watches, at the double.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use testbed::apiserver::{ApiServer, PodSpec, Then, When};
use tokio::sync::mpsc;

use super::*;
use crate::domain::ids::ClusterUid;
use crate::eip::facts::{Me, Policy};
use crate::kubeapi::client::Kube;
use crate::kubeapi::watch;
use crate::telemetry::metrics::Metrics;

fn kube(api: &ApiServer) -> Kube {
    Kube::new(api.client("a"), Duration::from_secs(5), Metrics::new())
}

async fn ask(kube: &Kube) {
    let api: Api<ConfigMap> = Api::default_namespaced(kube.client().clone());
    drop(kube.call("get", "configmaps", api.get("x")).await);
}

#[tokio::test(start_paused = true)]
async fn it_begins_with_the_first_answer_and_is_no_younger_with_the_next() {
    let api = ApiServer::new();
    let kube = kube(&api);
    api.pass(Duration::from_secs(10)).await;
    assert_eq!(kube.healthy_since(), None, "nothing was asked");
    ask(&kube).await; // 404 is an answer
    let since = kube.healthy_since();
    assert_eq!(since, Some(clock::now()));
    api.pass(Duration::from_secs(10)).await;
    ask(&kube.clone()).await;
    assert_eq!(kube.healthy_since(), since);
}

#[tokio::test(start_paused = true)]
async fn no_answer_and_come_again_end_it_and_refusals_do_not() {
    for (then, ends) in [
        (Then::LoseRequest, true),
        (Then::LoseAnswer, true),
        (Then::HoldRequest, true),
        (Then::status(500), true),
        (Then::status(503), true),
        (Then::throttle(1), true),
        (Then::status(403), false),
        (Then::status(409), false),
        (Then::status(410), false),
    ] {
        let api = ApiServer::new();
        let kube = kube(&api);
        ask(&kube).await;
        let first = kube.healthy_since();
        api.fault(When::any(), 1, then.clone());
        ask(&kube).await;
        assert_eq!(kube.healthy_since().is_none(), ends, "{then:?}");
        api.pass(Duration::from_secs(1)).await;
        ask(&kube).await;
        assert_eq!(kube.healthy_since() != first, ends, "{then:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_counts_too() {
    let api = ApiServer::new();
    let kube = kube(&api);
    let me = Me {
        node: "node-a".to_owned(),
        label: "node-a".to_owned(),
        cluster: ClusterUid::new("cluster"),
        account: None,
        policy: Policy::default(),
    };
    let (out, mut changes) = mpsc::channel(64);
    tokio::spawn(watch::records(kube.clone(), me, out));
    api.pass(Duration::from_secs(1)).await;
    assert!(kube.healthy_since().is_some(), "it has listed");
    let away = api.go_away(When::any());
    api.pass(Duration::from_secs(5)).await;
    assert_eq!(kube.healthy_since(), None, "it broke");
    api.lift(away);
    let back = clock::now();
    api.pass(Duration::from_mins(1)).await;
    let pod = PodSpec::new("default", "web-0", "node-a");
    api.create_pod(&pod).unwrap();
    while changes.try_recv().is_ok() {}
    // A quiet watch shows nothing; the next change does.
    api.create(&serde_json::json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {"name": "web-0", "namespace": "default", "labels": {"eipd.io/node": "node-a"}},
        "spec": {"allocationID": "", "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}},
    }))
    .unwrap();
    api.pass(Duration::from_secs(1)).await;
    assert!(kube.healthy_since().is_some_and(|since| since > back));
}
