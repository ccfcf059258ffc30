//! The other controller: its records, and its stamps on them.

use super::super::EncRecord;
use super::*;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

fn one(name: &str) -> EncRecord {
    EncRecord::new("default", name, "eip-1").bound("203.0.113.1", "eni-1", "10.0.0.11")
}

fn stamp(api: &ApiServer, name: &str) -> String {
    let record = api.get("podeips", "default", name).unwrap();
    let stamp = record["status"]["podLastSeen"].as_str();
    stamp.unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn records_of_the_other_controller_have_its_form() {
    let api = ApiServer::new();
    api.create_enc_record(&one("a")).unwrap();
    let plain = api.get("podeips", "default", "a").unwrap();
    assert_eq!(
        plain["metadata"]["finalizers"],
        json!(["podeip-controller.alibabacloud.com/finalizer"])
    );
    for absent in ["labels", "annotations", "ownerReferences"] {
        assert!(plain["metadata"][absent].is_null(), "{absent}");
    }
    assert_eq!(plain["spec"]["allocationType"]["type"], "Auto");
    assert_eq!(plain["status"]["status"], "InUse");
    let kept = one("b")
        .marked()
        .ttl("10m")
        .last_seen("2026-01-01T00:00:00Z");
    api.create_enc_record(&kept).unwrap();
    let kept = api.get("podeips", "default", "b").unwrap();
    assert_eq!(
        kept["metadata"]["annotations"]["k8s.aliyun.com/eip-controller"],
        "ack-extend-network-controller"
    );
    assert_eq!(kept["spec"]["allocationType"]["releaseAfter"], "10m");
    api.create_enc_record(&one("c").named().never()).unwrap();
    let named = api.get("podeips", "default", "c").unwrap();
    assert_eq!(
        named["spec"]["allocationType"],
        json!({"type": "Static", "releaseStrategy": "Never"})
    );
}

#[tokio::test(start_paused = true)]
async fn the_other_controller_stamps_its_records_as_long_as_it_runs() {
    let api = ApiServer::new();
    api.create_enc_record(&one("a")).unwrap();
    created(&api, "without-an-id").await;
    let ours = one("ours").field(
        &["metadata", "annotations", "k8s.aliyun.com/eip-controller"],
        "eipd",
    );
    api.create_enc_record(&ours).unwrap();
    let enc = api.run_enc(MINUTE);
    api.pass(Duration::from_secs(1)).await;
    assert_eq!(stamp(&api, "a"), "2026-01-01T00:00:00Z");
    api.create_enc_record(&one("later")).unwrap();
    api.pass(MINUTE * 3).await;
    assert_eq!(stamp(&api, "a"), "2026-01-01T00:03:00Z");
    assert_eq!(stamp(&api, "later"), "2026-01-01T00:03:00Z");
    for others in ["ours", "without-an-id"] {
        assert_eq!(stamp(&api, others), "", "{others}");
    }
    enc.stop();
    api.pass(MINUTE * 3).await;
    assert_eq!(stamp(&api, "a"), "2026-01-01T00:03:00Z");
}

#[tokio::test(start_paused = true)]
async fn daemonsets_are_served() {
    let api = ApiServer::new();
    let daemonset = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "namespace": "eipd", "name": "eipd" },
        "spec": { "selector": {}, "template": {} },
    });
    api.create(&daemonset).unwrap();
    let client = api.client("a");
    let daemonsets: Api<k8s_openapi::api::apps::v1::DaemonSet> = Api::namespaced(client, "eipd");
    let found = daemonsets.get_metadata("eipd").await.unwrap();
    assert!(found.metadata.creation_timestamp.is_some());
}
