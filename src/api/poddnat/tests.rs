//! `PodDNAT` reads what others write, at either version, and writes the published names.

use kube::core::Resource;
use serde_json::json;

use super::{Entry, PodDnat, PortMapping, Spec, Version};

#[test]
fn a_documented_record_survives_a_round_trip_unchanged() {
    let sample = json!({
        "apiVersion": "alibabacloud.com/v1",
        "kind": "PodDNAT",
        "metadata": {"name": "example-0", "namespace": "default", "finalizers": ["natgw-controller"]},
        "spec": {
            "vswitch": "vsw-1", "eni": "eni-1", "zoneID": "cn-hangzhou-k", "externalIP": "203.0.113.4",
            "externalPort": "512", "internalIP": "192.168.0.4", "internalPort": "80", "protocol": "tcp",
            "tableId": "ngw-1", "entryId": "fwd-1",
            "portMapping": [{"externalPort": "512", "internalPort": "80"}]
        },
        "status": {
            "created": "true",
            "entries": [{
                "externalIP": "203.0.113.4", "externalPort": "512", "internalIP": "192.168.0.4",
                "internalPort": "80", "forwardEntryId": "fwd-1", "ipProtocol": "tcp"
            }]
        }
    });
    let record: PodDnat = serde_json::from_value(sample.clone()).unwrap();
    assert_eq!(record.spec.table_id.as_deref(), Some("ngw-1"));
    assert_eq!(
        record.status.as_ref().unwrap().entries[0].forward_entry_id,
        "fwd-1"
    );
    assert_eq!(serde_json::to_value(&record).unwrap(), sample);
}

#[test]
fn odd_records_never_fail() {
    for text in [
        r#"{"metadata": {"name": "a"}}"#,
        r#"{"metadata": {"name": "a"}, "spec": null, "status": null}"#,
        r#"{"metadata": {"name": "a"}, "spec": {"portMapping": null}, "status": {"entries": null, "created": null}}"#,
        r#"{"metadata": {"name": "a"}, "spec": {"portMapping": "80", "tableId": 7}, "status": {"entries": {}}}"#,
    ] {
        let record: PodDnat = serde_json::from_str(text).unwrap();
        assert_eq!(record.spec, Spec::default());
    }
}

#[test]
fn an_odd_item_leaves_its_neighbours() {
    let record: PodDnat = serde_json::from_value(json!({
        "spec": {"portMapping": [7, {"internalPort": "80", "externalPort": null}]},
        "status": {"entries": ["x", {"ipProtocol": "udp"}]}
    }))
    .unwrap();
    let port = PortMapping {
        internal_port: "80".into(),
        ..PortMapping::default()
    };
    assert_eq!(record.spec.port_mapping, [port]);
    let entry = Entry {
        ip_protocol: "udp".into(),
        ..Entry::default()
    };
    assert_eq!(record.status.unwrap().entries, [entry]);
}

#[test]
fn each_version_has_its_own_address() {
    for (version, path) in [
        (
            Version::V1beta1,
            "/apis/alibabacloud.com/v1beta1/namespaces/game/poddnats",
        ),
        (
            Version::V1,
            "/apis/alibabacloud.com/v1/namespaces/game/poddnats",
        ),
    ] {
        assert_eq!(PodDnat::url_path(&version, Some("game")), path);
        let record = PodDnat::new(version, "game", "gs-0", Spec::default());
        assert!(path.contains(&record.api_version));
    }
}
