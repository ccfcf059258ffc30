//! What the cluster does by itself: owners, CRDs, namespaces, schemas; hooks.

use super::super::{Gc, podeip};
use super::*;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams};
use std::time::Duration;

fn owned(api: &ApiServer, uid: &str) -> Value {
    let mut one = serde_json::to_value(record("web-0")).unwrap();
    one["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": uid }]);
    api.create(&one).unwrap()
}

fn is_tombstone(api: &ApiServer) -> bool {
    api.get("podeips", "default", "web-0").unwrap()["metadata"]["deletionTimestamp"].is_string()
}

#[tokio::test(start_paused = true)]
async fn the_collector_writes_the_tombstone_when_the_pod_is_gone() {
    let api = ApiServer::new();
    let uid = api.create_pod(&pod("web-0", "n")).unwrap();
    owned(&api, &uid);
    api.set_gc(Gc::After(Duration::from_secs(5)));
    api.terminate_pod("default", "web-0").unwrap();
    api.pass(Duration::from_mins(1)).await;
    assert!(!is_tombstone(&api), "the pod is still there");
    api.remove_pod("default", "web-0").unwrap();
    api.pass(Duration::from_secs(4)).await;
    assert!(!is_tombstone(&api));
    api.pass(Duration::from_secs(2)).await;
    assert!(is_tombstone(&api));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_collector_waits_to_be_run() {
    let api = ApiServer::new();
    let uid = api.create_pod(&pod("web-0", "n")).unwrap();
    owned(&api, &uid);
    api.set_gc(Gc::Stopped);
    api.remove_pod("default", "web-0").unwrap();
    api.create_pod(&pod("web-0", "n")).unwrap();
    api.pass(Duration::from_hours(1)).await;
    assert!(!is_tombstone(&api));
    api.run_gc();
    assert!(
        is_tombstone(&api),
        "a pod of the same name is not the owner"
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_made_for_a_pod_that_is_gone_is_collected_too() {
    let api = ApiServer::new();
    owned(&api, "never-was");
    api.pass(Duration::from_secs(1)).await;
    assert!(is_tombstone(&api));
}

#[tokio::test(start_paused = true)]
async fn one_living_owner_is_enough() {
    let api = ApiServer::new();
    let uid = api.create_pod(&pod("web-0", "n")).unwrap();
    owned(&api, &uid);
    let two = json!([
        { "apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": uid },
        { "apiVersion": "v1", "kind": "Pod", "name": "web-1", "uid": "gone" },
    ]);
    api.edit("podeips", "default", "web-0", |o| {
        o["metadata"]["ownerReferences"] = two;
    })
    .unwrap();
    api.pass(Duration::from_secs(1)).await;
    let left = api.get("podeips", "default", "web-0").unwrap();
    assert_eq!(
        left["metadata"]["ownerReferences"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(!is_tombstone(&api));
}

#[tokio::test(start_paused = true)]
async fn a_crd_that_is_deleted_dooms_its_objects() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let all = records(&api, "a");
    let mut watch = Box::pin(
        all.watch(&kube::api::WatchParams::default(), "1000")
            .await
            .unwrap(),
    );
    api.delete_crd("podeips").unwrap();
    let crds: Api<CustomResourceDefinition> = Api::all(api.client("a"));
    let crd = crds.get("podeips.alibabacloud.com").await.unwrap();
    assert!(crd.metadata.deletion_timestamp.is_some());
    let doomed = crd.status.unwrap().conditions.unwrap();
    assert!(
        doomed
            .iter()
            .any(|c| c.type_ == "Terminating" && c.status == "True")
    );
    let late = all.create(&PostParams::default(), &record("web-1")).await;
    assert_eq!(refusal(late), is(403, "Forbidden"));
    assert!(
        merged(&api, "web-0", labelled("n")).await.is_ok(),
        "updates go on"
    );
    assert!(!is_tombstone(&api), "a second passes");
    api.pass(Duration::from_secs(2)).await;
    assert!(is_tombstone(&api));
    merged(&api, "web-0", json!({ "metadata": { "finalizers": null } }))
        .await
        .unwrap();
    assert_eq!(
        refusal(crds.get("podeips.alibabacloud.com").await),
        is(404, "NotFound")
    );
    let gone = all.list(&ListParams::default()).await;
    assert!(
        matches!(gone, Err(Error::Api(ref s)) if s.code == 404),
        "{gone:?}"
    );
    while let Some(event) = futures::StreamExt::next(&mut watch).await {
        event.unwrap();
    }
    api.install(&podeip(true)).unwrap();
    assert!(
        created(&api, "web-0")
            .await
            .metadata
            .deletion_timestamp
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_takes_its_objects_along() {
    let api = ApiServer::new();
    let spaces: Api<Namespace> = Api::all(api.client("a"));
    assert_eq!(
        spaces
            .get("kube-system")
            .await
            .unwrap()
            .metadata
            .uid
            .unwrap(),
        api.cluster_uid()
    );
    let missing: Api<Pod> = Api::namespaced(api.client("a"), "nowhere");
    let pod_there = serde_json::from_value(
        json!({ "metadata": { "name": "p" }, "spec": { "containers": [] } }),
    )
    .unwrap();
    assert_eq!(
        refusal(missing.create(&PostParams::default(), &pod_there).await),
        is(404, "NotFound")
    );
    let kept = spaces.delete("default", &DeleteParams::default()).await;
    assert_eq!(refusal(kept), is(403, "Forbidden"), "this one may not go");
    let mut one = serde_json::to_value(record("web-0")).unwrap();
    one["metadata"]["namespace"] = json!("team");
    api.create(&one).unwrap();
    spaces
        .delete("team", &DeleteParams::default())
        .await
        .unwrap();
    let theirs: Api<PodEIP> = Api::namespaced(api.client("a"), "team");
    let refused = theirs
        .create(&PostParams::default(), &record("web-1"))
        .await;
    assert_eq!(refusal(refused), is(403, "Forbidden"));
    api.pass(Duration::from_secs(2)).await;
    assert!(
        theirs
            .get("web-0")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_some()
    );
    let space = spaces.get("team").await.unwrap();
    assert_eq!(space.status.unwrap().phase.as_deref(), Some("Terminating"));
    let none = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    theirs
        .patch("web-0", &PatchParams::default(), &none)
        .await
        .unwrap();
    assert_eq!(refusal(spaces.get("team").await), is(404, "NotFound"));
}

async fn with_extra(api: &ApiServer) -> PodEIP {
    let extra = json!({ "spec": { "extra": 1 }, "metadata": { "annotations": { "eipd.io/request": "{}" } } });
    created(api, "web-0").await;
    merged(api, "web-0", extra).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_are_pruned_or_kept_as_the_crd_has_it() {
    let api = ApiServer::new();
    let pruned = with_extra(&api).await;
    let stored = || api.get("podeips", "default", "web-0").unwrap()["spec"]["extra"].clone();
    assert_eq!(
        (stored(), pruned.metadata.annotations.unwrap().len()),
        (Value::Null, 1)
    );
    api.vanish("podeips", "default", "web-0").unwrap();
    api.install(&podeip(false)).unwrap();
    with_extra(&api).await;
    assert_eq!(stored(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_schema_is_enforced() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let wrong = [
        json!({ "spec": { "allocationID": null } }),
        json!({ "spec": { "allocationID": 7 } }),
        json!({ "spec": { "allocationType": { "releaseStrategy": "Sometimes" } } }),
        json!({ "metadata": { "labels": { "eipd.io/node": "n".repeat(64) } } }),
        json!({ "metadata": { "labels": { "eipd.io/node": "-n" } } }),
        json!({ "metadata": { "annotations": { "a": "x".repeat(257 * 1024) } } }),
    ];
    for body in wrong {
        assert_eq!(
            refusal(merged(&api, "web-0", body).await),
            is(422, "Invalid")
        );
    }
    let seen = json!({ "status": { "podLastSeen": null, "eipAddress": "203.0.113.1" } });
    let done = records(&api, "a")
        .patch_status("web-0", &PatchParams::default(), &Patch::Merge(seen))
        .await;
    assert!(done.is_ok(), "{done:?}");
    let bad = records(&api, "a")
        .create(&PostParams::default(), &record("Not_A_Name"))
        .await;
    assert_eq!(refusal(bad), is(422, "Invalid"));
}

#[tokio::test(start_paused = true)]
async fn one_object_is_served_at_each_version_of_its_crd() {
    let api = ApiServer::new();
    api.install(&super::super::poddnat(&["v1beta1", "v1"]))
        .unwrap();
    let url =
        |version: &str| format!("/apis/alibabacloud.com/{version}/namespaces/default/poddnats");
    let body = json!({ "apiVersion": "alibabacloud.com/v1", "kind": "PodDNAT", "metadata": { "name": "d" }, "spec": { "x": "1" } });
    let post = http::Request::post(url("v1"))
        .body(body.to_string().into_bytes())
        .unwrap();
    let made: Value = api.client("a").request(post).await.unwrap();
    let get = http::Request::get(format!("{}/d", url("v1beta1")))
        .body(Vec::new())
        .unwrap();
    let read: Value = api.client("a").request(get).await.unwrap();
    assert_eq!(
        (&made["apiVersion"], &read["apiVersion"]),
        (
            &json!("alibabacloud.com/v1"),
            &json!("alibabacloud.com/v1beta1")
        )
    );
    assert_eq!(made["metadata"], read["metadata"]);
}

#[tokio::test(start_paused = true)]
async fn events_are_kept_for_the_test_to_read() {
    let api = ApiServer::new();
    let event: Event = serde_json::from_value(json!({
        "metadata": { "generateName": "web-0." }, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Warning",
        "reason": "QuotaExceeded", "note": "no more EIPs", "action": "Allocate", "reportingController": "eipd", "reportingInstance": "n",
        "regarding": { "kind": "Pod", "name": "web-0", "namespace": "default" },
    })).unwrap();
    let events: Api<Event> = Api::namespaced(api.client("a"), "default");
    events.create(&PostParams::default(), &event).await.unwrap();
    assert_eq!(api.list("events")[0]["reason"], "QuotaExceeded");
}

#[tokio::test(start_paused = true)]
async fn a_hook_answers_changes_with_changes() {
    let api = ApiServer::new();
    api.on_change(|api, change| {
        let fresh = change.old.is_none() && &*change.resource == "pods";
        if fresh {
            let name = change.shown["metadata"]["name"].as_str().unwrap();
            api.set_pod_ip("default", name, "10.0.0.7").unwrap();
        }
    });
    api.create_pod(&pod("web-0", "n")).unwrap();
    assert_eq!(
        api.get("pods", "default", "web-0").unwrap()["status"]["podIP"],
        "10.0.0.7"
    );
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_creates_has_its_status() {
    let api = ApiServer::new();
    let mut one = serde_json::to_value(record("kept")).unwrap();
    one["status"] = json!({ "eipAddress": "203.0.113.1" });
    one["metadata"]["namespace"] = json!("new-space");
    let made = api.create(&one).unwrap();
    assert_eq!(made["status"]["eipAddress"], "203.0.113.1");
    assert!(api.get("namespaces", "", "new-space").is_some());
    let edited = api
        .edit("podeips", "new-space", "kept", |o| {
            o["spec"]["allocationID"] = json!("eip-stranger");
        })
        .unwrap();
    assert_eq!(edited["metadata"]["generation"], 2);
    assert_eq!(
        api.edit("podeips", "new-space", "none", |_| ())
            .unwrap_err()
            .code,
        404
    );
    assert_eq!(
        api.create(&json!({ "apiVersion": "x/v1", "kind": "X" }))
            .unwrap_err()
            .code,
        404
    );
}
