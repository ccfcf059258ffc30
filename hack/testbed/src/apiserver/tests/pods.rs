//! Pods: how they are deleted, and what kubelet writes.

use super::*;
use kube::api::DeleteParams;

fn grace(seconds: u32) -> DeleteParams {
    DeleteParams {
        grace_period_seconds: Some(seconds),
        ..DeleteParams::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_pod_is_marked_and_stays_until_kubelet_is_done() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n")).unwrap();
    api.set_pod_ip("default", "web-0", "10.0.0.7").unwrap();
    let all = pods(&api, "a");
    let marked = all
        .delete("web-0", &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(30));
    let when = marked.metadata.deletion_timestamp.unwrap().0;
    assert_eq!(when.duration_since(api.now()).as_secs(), 30);
    let longer = all
        .delete("web-0", &grace(60))
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(
        longer.metadata.deletion_grace_period_seconds,
        Some(30),
        "grace is only shortened"
    );
    let shorter = all
        .delete("web-0", &grace(5))
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(shorter.metadata.deletion_grace_period_seconds, Some(5));
    all.delete("web-0", &grace(0)).await.unwrap();
    assert_eq!(refusal(all.get("web-0").await), is(404, "NotFound"));
}

#[tokio::test(start_paused = true)]
async fn pods_without_a_node_or_already_finished_go_at_once() {
    let api = ApiServer::new();
    api.create_pod(&pod("pending", "n").field(&["spec", "nodeName"], Value::Null))
        .unwrap();
    api.create_pod(&pod("done", "n")).unwrap();
    api.finish_pod("default", "done", "Succeeded").unwrap();
    for name in ["pending", "done"] {
        pods(&api, "a")
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
        assert!(api.get("pods", "default", name).is_none(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_holds_a_pod_too() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n").field(&["metadata", "finalizers"], json!(["example.com/f"])))
        .unwrap();
    api.remove_pod("default", "web-0").unwrap();
    let held: Pod = api.object("pods", "default", "web-0").unwrap();
    assert_eq!(held.metadata.deletion_grace_period_seconds, Some(0));
    let none = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &none)
        .await
        .unwrap();
    assert!(api.get("pods", "default", "web-0").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_goes_before_the_grace_is_over_ends_nothing() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n").field(&["metadata", "finalizers"], json!(["example.com/f"])))
        .unwrap();
    api.terminate_pod("default", "web-0").unwrap();
    let none = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &none)
        .await
        .unwrap();
    assert!(api.get("pods", "default", "web-0").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pods_life_as_kubelet_writes_it() {
    let api = ApiServer::new();
    let first = api
        .create_pod(&pod("web-0", "n").annotation("a", "1").host_network())
        .unwrap();
    let status = || {
        api.object::<Pod>("pods", "default", "web-0")
            .unwrap()
            .status
            .unwrap()
    };
    assert_eq!(
        (status().phase.as_deref(), status().start_time),
        (Some("Pending"), None)
    );
    api.take_pod("default", "web-0").unwrap();
    assert!(status().start_time.is_some() && status().pod_ip.is_none());
    api.set_pod_ip("default", "web-0", "10.0.0.7").unwrap();
    api.set_pod_ip("default", "web-0", "10.0.0.8").unwrap();
    assert_eq!(
        status().pod_ips.unwrap().len(),
        1,
        "a new IP takes the place of the old one"
    );
    assert_eq!(status().pod_ip.as_deref(), Some("10.0.0.8"));
    assert!(
        status().container_statuses.unwrap()[0]
            .state
            .clone()
            .unwrap()
            .running
            .is_some()
    );
    api.finish_pod("default", "web-0", "Failed").unwrap();
    assert_eq!(
        (status().phase.as_deref(), status().pod_ip.as_deref()),
        (Some("Failed"), Some("10.0.0.8"))
    );
    assert_eq!(
        status().container_statuses.unwrap()[0]
            .state
            .clone()
            .unwrap()
            .terminated
            .unwrap()
            .exit_code,
        1
    );
    api.remove_pod("default", "web-0").unwrap();
    let second = api.create_pod(&pod("web-0", "n")).unwrap();
    assert_ne!(first, second);
    api.refuse_pod("default", "web-0", "OutOfcpu").unwrap();
    assert_eq!(status().reason.as_deref(), Some("OutOfcpu"));
}

#[tokio::test(start_paused = true)]
async fn containers_stop_while_the_pod_is_still_there() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n")).unwrap();
    api.set_pod_ip("default", "web-0", "10.0.0.7").unwrap();
    api.terminate_pod("default", "web-0").unwrap();
    api.stop_containers("default", "web-0").unwrap();
    let pod: Pod = api.object("pods", "default", "web-0").unwrap();
    let status = pod.status.unwrap();
    assert_eq!(status.phase.as_deref(), Some("Running"));
    assert!(
        status.container_statuses.unwrap()[0]
            .state
            .clone()
            .unwrap()
            .terminated
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_pods_generation_follows_its_spec() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n")).unwrap();
    let generation = || {
        api.object::<Pod>("pods", "default", "web-0")
            .unwrap()
            .metadata
            .generation
    };
    api.set_pod_ip("default", "web-0", "10.0.0.7").unwrap();
    assert_eq!(generation(), Some(1));
    let spec = Patch::Strategic(
        json!({ "spec": { "containers": [{ "name": "main", "image": "other" }] } }),
    );
    let done = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &spec)
        .await
        .unwrap();
    assert_eq!(done.spec.unwrap().containers.len(), 1);
    assert_eq!(generation(), Some(2));
    api.terminate_pod("default", "web-0").unwrap();
    assert_eq!(generation(), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_patch_whose_result_does_not_decode_is_invalid() {
    let api = ApiServer::new();
    api.create_pod(&pod("web-0", "n")).unwrap();
    let odd = Patch::Merge(json!({ "metadata": { "annotations": { "a": 1 } } }));
    let done = pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &odd)
        .await;
    assert_eq!(refusal(done), is(422, "Invalid"));
    let unknown = Patch::Merge(json!({ "spec": { "noSuchField": 1 } }));
    pods(&api, "a")
        .patch("web-0", &PatchParams::default(), &unknown)
        .await
        .unwrap();
    assert_eq!(
        api.get("pods", "default", "web-0").unwrap()["spec"]["noSuchField"],
        Value::Null
    );
}
