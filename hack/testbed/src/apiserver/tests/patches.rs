//! Patch bodies and their guards.

use super::*;
use kube::core::PartialObjectMeta;

fn condition(status: &str) -> Value {
    json!({ "status": { "conditions": [{ "type": "k8s.aliyun.com/eip", "status": status, "reason": "Associate eip succeed" }] } })
}

async fn patch_status(api: &ApiServer, body: Value) -> Result<Pod, Error> {
    pods(api, "a")
        .patch_status("web-0", &PatchParams::default(), &Patch::Strategic(body))
        .await
}

fn running(api: &ApiServer) {
    api.create_pod(&pod("web-0", "n")).unwrap();
    let ready = json!({ "conditions": [{ "type": "Ready", "status": "False" }] });
    api.pod_status("default", "web-0", |_| ready).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_strategic_patch_merges_conditions_by_type() {
    let api = ApiServer::new();
    running(&api);
    let types = |p: &Pod| {
        let all = p.status.clone().unwrap().conditions.unwrap_or_default();
        all.into_iter()
            .map(|c| format!("{}={}", c.type_, c.status))
            .collect::<Vec<_>>()
    };
    let added = patch_status(&api, condition("False")).await.unwrap();
    assert_eq!(types(&added), ["k8s.aliyun.com/eip=False", "Ready=False"]);
    let changed = patch_status(&api, condition("True")).await.unwrap();
    assert_eq!(types(&changed), ["k8s.aliyun.com/eip=True", "Ready=False"]);
    let gone = json!({ "status": { "conditions": [{ "$patch": "delete", "type": "k8s.aliyun.com/eip" }] } });
    assert_eq!(
        types(&patch_status(&api, gone).await.unwrap()),
        ["Ready=False"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_patch_again_changes_nothing() {
    let api = ApiServer::new();
    running(&api);
    let once = patch_status(&api, condition("True")).await.unwrap();
    let twice = patch_status(&api, condition("True")).await.unwrap();
    assert_eq!(
        once.metadata.resource_version,
        twice.metadata.resource_version
    );
    let other = patch_status(&api, condition("False")).await.unwrap();
    assert_ne!(
        once.metadata.resource_version,
        other.metadata.resource_version
    );
}

#[tokio::test(start_paused = true)]
async fn a_pods_status_patch_may_carry_annotations_but_no_spec() {
    let api = ApiServer::new();
    running(&api);
    let body =
        json!({ "metadata": { "annotations": { "a": "1" } }, "spec": { "nodeName": "elsewhere" } });
    let done = patch_status(&api, body).await.unwrap();
    assert_eq!(done.metadata.annotations.unwrap()["a"], "1");
    assert_eq!(done.spec.unwrap().node_name.as_deref(), Some("n"));
}

#[tokio::test(start_paused = true)]
async fn a_plain_pod_patch_leaves_the_status_alone() {
    let api = ApiServer::new();
    running(&api);
    let body =
        json!({ "metadata": { "annotations": { "a": "1" } }, "status": { "podIP": "10.0.0.9" } });
    let done = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &Patch::Merge(body))
        .await
        .unwrap();
    assert_eq!(done.metadata.annotations.unwrap()["a"], "1");
    assert_eq!(done.status.unwrap().pod_ip, None);
}

#[tokio::test(start_paused = true)]
async fn a_version_in_a_patch_is_a_precondition() {
    let api = ApiServer::new();
    let made = created(&api, "web-0").await;
    let guarded = json!({ "metadata": { "resourceVersion": made.metadata.resource_version, "labels": { "l": "1" } } });
    merged(&api, "web-0", guarded.clone()).await.unwrap();
    assert_eq!(
        refusal(merged(&api, "web-0", guarded).await),
        is(409, "Conflict")
    );
}

#[tokio::test(start_paused = true)]
async fn the_uid_of_another_incarnation_is_invalid() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    running(&api);
    let other = json!({ "metadata": { "uid": "other", "labels": { "l": "1" } } });
    assert_eq!(
        refusal(merged(&api, "web-0", other.clone()).await),
        is(422, "Invalid")
    );
    assert_eq!(
        refusal(patch_status(&api, other.clone()).await),
        is(422, "Invalid")
    );
    let plain = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &Patch::Strategic(other))
        .await;
    assert_eq!(refusal(plain), is(422, "Invalid"));
}

#[tokio::test(start_paused = true)]
async fn a_json_patch_whose_test_fails_is_invalid() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let steps = |want: &str| {
        let steps = json!([
            { "op": "test", "path": "/spec/allocationID", "value": want },
            { "op": "replace", "path": "/spec/allocationID", "value": "eip-1" },
            { "op": "add", "path": "/metadata/finalizers/-", "value": "g" },
            { "op": "add", "path": "/metadata/labels", "value": { "a~b/c": "1" } },
            { "op": "remove", "path": "/metadata/finalizers/0" },
        ]);
        Patch::<Value>::Json(serde_json::from_value(steps).unwrap())
    };
    let all = records(&api, "a");
    let failed = all
        .patch("web-0", &PatchParams::default(), &steps("eip-0"))
        .await;
    assert_eq!(refusal(failed), is(422, "Invalid"));
    let done = all
        .patch("web-0", &PatchParams::default(), &steps(""))
        .await
        .unwrap();
    assert_eq!(done.spec.allocation_id, "eip-1");
    assert_eq!(done.metadata.finalizers.unwrap(), ["g"]);
}

#[tokio::test(start_paused = true)]
async fn custom_kinds_know_no_strategic_patch() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let done = records(&api, "a")
        .patch(
            "web-0",
            &PatchParams::default(),
            &Patch::Strategic(labelled("b")),
        )
        .await;
    assert_eq!(refusal(done), is(415, "UnsupportedMediaType"));
}

#[tokio::test(start_paused = true)]
async fn a_patch_of_nothing_is_not_found() {
    let api = ApiServer::new();
    assert_eq!(
        refusal(merged(&api, "web-0", labelled("b")).await),
        is(404, "NotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn a_metadata_patch_answers_metadata_only() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let all = records(&api, "a");
    let meta: PartialObjectMeta<PodEIP> = all
        .patch_metadata(
            "web-0",
            &PatchParams::default(),
            &Patch::Merge(labelled("b")),
        )
        .await
        .unwrap();
    assert_eq!(meta.metadata.labels.unwrap()["eipd.io/node"], "b");
    assert_eq!(meta.types.unwrap().kind, "PartialObjectMetadata");
}

#[tokio::test(start_paused = true)]
async fn a_pod_owner_or_finalizer_is_merged_not_replaced() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n").owner("apps/v1", "StatefulSet", "web", "u1"))
        .unwrap();
    let body = json!({ "metadata": { "finalizers": ["x"] } });
    let one = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &Patch::Strategic(body))
        .await
        .unwrap();
    let body = json!({ "metadata": { "finalizers": ["y"], "$deleteFromPrimitiveList/finalizers": ["x"] } });
    let two = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &Patch::Strategic(body))
        .await
        .unwrap();
    assert_eq!(one.metadata.finalizers.unwrap(), ["x"]);
    assert_eq!(two.metadata.owner_references.unwrap().len(), 1);
    assert!(two.metadata.finalizers.unwrap().contains(&"y".to_owned()));
}
