//! Create, get, update, delete, finalizers and status of a custom kind.

use super::*;
use kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use kube::core::ObjectMeta;

#[tokio::test(start_paused = true)]
async fn a_new_object_gets_the_servers_metadata_and_loses_its_status() {
    let api = ApiServer::new();
    let mut mine = record("web-0");
    mine.status = Some(EipStatus {
        eip_address: Some("203.0.113.1".to_owned()),
    });
    mine.metadata.uid = Some("mine".to_owned());
    let made = records(&api, "a")
        .create(&PostParams::default(), &mine)
        .await
        .unwrap();
    assert_ne!(made.metadata.uid.as_deref(), Some("mine"));
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
    assert!(made.metadata.resource_version.is_some());
    assert_eq!(made.metadata.generation, Some(1));
    assert_eq!(made.metadata.namespace.as_deref(), Some("default"));
    assert_eq!(made.status, None);
    assert_eq!(
        made.spec.allocation_type.kind.as_deref(),
        Some("Auto"),
        "the schema's default"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_name_twice_is_already_exists() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let twice = records(&api, "a")
        .create(&PostParams::default(), &record("web-0"))
        .await;
    assert_eq!(refusal(twice), is(409, "AlreadyExists"));
}

#[tokio::test(start_paused = true)]
async fn generate_name_makes_names_that_differ() {
    let api = ApiServer::new();
    let mut names = Vec::new();
    for _ in 0..2 {
        let mut one = record("");
        one.metadata.name = None;
        one.metadata.generate_name = Some("web-".to_owned());
        let made = records(&api, "a")
            .create(&PostParams::default(), &one)
            .await
            .unwrap();
        names.push(made.metadata.name.unwrap());
    }
    assert!(
        names[0].starts_with("web-") && names[0] != names[1],
        "{names:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_needs_the_present_version() {
    let api = ApiServer::new();
    let mut mine = created(&api, "web-0").await;
    merged(&api, "web-0", labelled("b")).await.unwrap();
    mine.spec.allocation_id = "eip-1".to_owned();
    let late = records(&api, "a")
        .replace("web-0", &PostParams::default(), &mine)
        .await;
    assert_eq!(refusal(late), is(409, "Conflict"));
    mine.metadata.resource_version = None;
    let blind = records(&api, "a")
        .replace("web-0", &PostParams::default(), &mine)
        .await;
    assert_eq!(refusal(blind), is(422, "Invalid"));
    mine.metadata = records(&api, "a").get("web-0").await.unwrap().metadata;
    let done = records(&api, "a")
        .replace("web-0", &PostParams::default(), &mine)
        .await
        .unwrap();
    assert_eq!(done.spec.allocation_id, "eip-1");
    assert_eq!(
        done.metadata.generation,
        Some(2),
        "the spec changed, the label before did not count"
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_of_another_incarnation_is_a_conflict() {
    let api = ApiServer::new();
    let mut mine = created(&api, "web-0").await;
    mine.metadata.uid = Some("other".to_owned());
    let done = records(&api, "a")
        .replace("web-0", &PostParams::default(), &mine)
        .await;
    assert_eq!(refusal(done), is(409, "Conflict"));
}

#[tokio::test(start_paused = true)]
async fn an_update_that_changes_nothing_keeps_the_version() {
    let api = ApiServer::new();
    let mine = created(&api, "web-0").await;
    let done = records(&api, "a")
        .replace("web-0", &PostParams::default(), &mine)
        .await
        .unwrap();
    assert_eq!(
        done.metadata.resource_version,
        mine.metadata.resource_version
    );
}

#[tokio::test(start_paused = true)]
async fn status_and_the_rest_are_written_apart() {
    let api = ApiServer::new();
    let made = created(&api, "web-0").await;
    let both = json!({
        "metadata": { "labels": { "l": "1" } },
        "spec": { "allocationID": "eip-1" }, "status": { "eipAddress": "203.0.113.1" },
    });
    let main = merged(&api, "web-0", both.clone()).await.unwrap();
    assert_eq!(
        (main.spec.allocation_id.as_str(), &main.status),
        ("eip-1", &None)
    );
    let again = json!({ "metadata": { "labels": { "l": "2" } }, "spec": { "allocationID": "x" }, "status": both["status"] });
    let status = records(&api, "a")
        .patch_status("web-0", &PatchParams::default(), &Patch::Merge(again))
        .await
        .unwrap();
    assert_eq!(status.spec.allocation_id, "eip-1");
    assert_eq!(
        status.status.unwrap().eip_address.as_deref(),
        Some("203.0.113.1")
    );
    assert_eq!(
        status.metadata.labels.unwrap()["l"],
        "1",
        "a custom kind's status write leaves the metadata alone"
    );
    assert_eq!(status.metadata.generation, Some(2));
    assert_ne!(
        status.metadata.resource_version,
        made.metadata.resource_version
    );
}

#[tokio::test(start_paused = true)]
async fn preconditions_guard_a_delete() {
    let api = ApiServer::new();
    let made = created(&api, "web-0").await;
    merged(&api, "web-0", labelled("b")).await.unwrap();
    let guarded = |uid: Option<String>, version: Option<String>| {
        let guard = Preconditions {
            uid,
            resource_version: version,
        };
        DeleteParams {
            preconditions: Some(guard),
            ..DeleteParams::default()
        }
    };
    let stale = guarded(
        made.metadata.uid.clone(),
        made.metadata.resource_version.clone(),
    );
    let all = records(&api, "a");
    assert_eq!(
        refusal(all.delete("web-0", &stale).await),
        is(409, "Conflict")
    );
    let other = guarded(Some("other".to_owned()), None);
    assert_eq!(
        refusal(all.delete("web-0", &other).await),
        is(409, "Conflict")
    );
    let now = all.get("web-0").await.unwrap().metadata;
    all.delete("web-0", &guarded(now.uid, now.resource_version))
        .await
        .unwrap();
    assert!(
        all.get("web-0")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_finalizer_takes_the_object_along() {
    let api = ApiServer::new();
    created(&api, "web-0").await;
    let two = json!({ "metadata": { "finalizers": ["f", "g"] } });
    merged(&api, "web-0", two).await.unwrap();
    let all = records(&api, "a");
    let tombstone = all
        .delete("web-0", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(
        tombstone.metadata.generation,
        Some(2),
        "a deletion counts as a generation"
    );
    let again = all
        .delete("web-0", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(
        again.metadata, tombstone.metadata,
        "nothing undoes or renews a deletion"
    );
    let more = merged(
        &api,
        "web-0",
        json!({ "metadata": { "finalizers": ["f", "g", "h"] } }),
    )
    .await;
    assert_eq!(refusal(more), is(422, "Invalid"));
    merged(
        &api,
        "web-0",
        json!({ "metadata": { "finalizers": ["g"] } }),
    )
    .await
    .unwrap();
    assert!(all.get("web-0").await.is_ok());
    merged(&api, "web-0", json!({ "metadata": { "finalizers": null } }))
        .await
        .unwrap();
    assert_eq!(refusal(all.get("web-0").await), is(404, "NotFound"));
}

#[tokio::test(start_paused = true)]
async fn without_finalizers_a_delete_is_the_end() {
    let api = ApiServer::new();
    let mut bare = record("web-0");
    bare.metadata.finalizers = None;
    let all = records(&api, "a");
    all.create(&PostParams::default(), &bare).await.unwrap();
    let gone = all.delete("web-0", &DeleteParams::default()).await.unwrap();
    assert!(gone.right().unwrap().is_success());
    assert_eq!(
        refusal(all.delete("web-0", &DeleteParams::default()).await),
        is(404, "NotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_deleted_by_selector() {
    let api = ApiServer::new();
    for name in ["a", "b", "c"] {
        let mut one = record(name);
        one.metadata.finalizers = None;
        one.metadata.labels = Some([("half".to_owned(), (name == "a").to_string())].into());
        records(&api, "a")
            .create(&PostParams::default(), &one)
            .await
            .unwrap();
    }
    let some = kube::api::ListParams::default().labels("half=false");
    records(&api, "a")
        .delete_collection(&DeleteParams::default(), &some)
        .await
        .unwrap();
    assert_eq!(api.list("podeips").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_waits_for_those_that_block_it() {
    let api = ApiServer::new();
    let uid = api.create_pod(&pod("web-0", "n")).unwrap();
    let mut kept = record("web-0");
    kept.metadata = ObjectMeta {
        owner_references: serde_json::from_value(json!([{
            "apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": uid, "blockOwnerDeletion": true,
        }])).unwrap(),
        ..kept.metadata
    };
    records(&api, "a")
        .create(&PostParams::default(), &kept)
        .await
        .unwrap();
    let foreground = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Foreground),
        grace_period_seconds: Some(0),
        ..DeleteParams::default()
    };
    pods(&api, "a").delete("web-0", &foreground).await.unwrap();
    let dying = std::time::Duration::from_secs(1);
    api.until(dying, |v| {
        v.get("podeips", "default", "web-0")
            .is_some_and(|r| r["metadata"]["deletionTimestamp"].is_string())
    })
    .await
    .unwrap();
    assert!(api.get("pods", "default", "web-0").is_some());
    merged(&api, "web-0", json!({ "metadata": { "finalizers": null } }))
        .await
        .unwrap();
    api.until(dying, |v| v.get("pods", "default", "web-0").is_none())
        .await
        .unwrap();
}
