//! `PodEIP` reads what ENC, kruise-game's chart and by-hand edits leave behind, and writes the published names.

use kube::core::Resource;
use serde_json::json;

use super::{PodEip, Spec, Status};

/// The stateful sample of Alibaba's document (seed 001), with the address pool of its third item.
fn sample() -> serde_json::Value {
    json!({
        "apiVersion": "alibabacloud.com/v1beta1",
        "kind": "PodEIP",
        "metadata": {
            "creationTimestamp": "2023-12-15T03:28:01Z",
            "finalizers": ["podeip-controller.alibabacloud.com/finalizer"],
            "generation": 1,
            "name": "example-0",
            "namespace": "default",
            "resourceVersion": "227221",
            "uid": "79954"
        },
        "spec": {
            "allocationID": "eip-2ze08met",
            "allocationType": {"releaseAfter": "10m", "releaseStrategy": "TTL", "type": "Auto"}
        },
        "status": {
            "eipAddress": "203.0.113.9",
            "internetChargeType": "PayByTraffic",
            "isp": "BGP",
            "networkInterfaceID": "eni-2ze4tkg4",
            "podLastSeen": "2023-12-15T05:31:34Z",
            "privateIPAddress": "192.168.0.9",
            "publicIpAddressPoolID": "pippool-2ze498c",
            "resourceGroupID": "rg-acfmw",
            "status": "InUse"
        }
    })
}

#[test]
fn a_documented_record_survives_a_round_trip_unchanged() {
    let record: PodEip = serde_json::from_value(sample()).unwrap();
    let status = record.status.as_ref().unwrap();
    assert_eq!(status.private_ip_address.as_deref(), Some("192.168.0.9"));
    assert_eq!(
        status.public_ip_address_pool_id.as_deref(),
        Some("pippool-2ze498c")
    );
    assert_eq!(record.spec.allocation_type.release_strategy, "TTL");
    assert_eq!(serde_json::to_value(&record).unwrap(), sample());
}

#[test]
fn fewer_fields_are_fine() {
    for text in [
        r#"{"metadata": {"name": "a"}}"#,
        r#"{"metadata": {"name": "a"}, "spec": {}}"#,
        r#"{"metadata": {"name": "a"}, "spec": {"allocationType": {}}, "status": {}}"#,
        r#"{"metadata": {"name": "a"}, "spec": {"allocationType": {"type": "Static"}}, "status": {"eipAddress": ""}}"#,
    ] {
        let record: PodEip = serde_json::from_str(text).unwrap();
        assert_eq!(record.metadata.name.as_deref(), Some("a"));
        assert_eq!(record.spec.allocation_id, "");
    }
}

#[test]
fn nulls_count_as_absent() {
    let record: PodEip = serde_json::from_value(json!({
        "metadata": {"name": "a"},
        "spec": {"allocationID": null, "allocationType": null, "bandwidthPackageID": null},
        "status": {"podLastSeen": null, "eipAddress": null, "status": null}
    }))
    .unwrap();
    assert_eq!(record.spec, Spec::default());
    assert_eq!(record.status, Some(Status::default()));
    let record: PodEip =
        serde_json::from_str(r#"{"metadata": {}, "spec": null, "status": null}"#).unwrap();
    assert_eq!(record.status, None);
}

#[test]
fn unknown_values_fields_and_shapes_never_fail() {
    let record: PodEip = serde_json::from_value(json!({
        "metadata": {"name": "a"},
        "spec": {"allocationID": "eip-1", "allocationType": {"type": "Leased", "releaseStrategy": "", "x": 1}, "more": {}},
        "status": {"status": "Hovering", "eipAddress": 7, "isp": ["BGP"], "privateIPAddress": "192.168.0.9"}
    }))
    .unwrap();
    assert_eq!(record.spec.allocation_id, "eip-1");
    assert_eq!(record.spec.allocation_type.type_, "Leased");
    let status = record.status.unwrap();
    assert_eq!(status.status.as_deref(), Some("Hovering"));
    assert_eq!(status.eip_address, None);
    assert_eq!(status.private_ip_address.as_deref(), Some("192.168.0.9"));
    let odd: PodEip = serde_json::from_value(json!({"spec": "x", "status": 1})).unwrap();
    assert_eq!((odd.spec, odd.status), (Spec::default(), None));
}

#[test]
fn a_new_record_names_its_type_and_an_empty_allocation() {
    let record = PodEip::new("game", "gs-0", Spec::default());
    let value = serde_json::to_value(&record).unwrap();
    assert_eq!(value["apiVersion"], "alibabacloud.com/v1beta1");
    assert_eq!(value["kind"], "PodEIP");
    assert_eq!(value["spec"]["allocationID"], "");
    assert!(value.get("status").is_none());
    assert_eq!(
        PodEip::url_path(&(), Some("game")),
        "/apis/alibabacloud.com/v1beta1/namespaces/game/podeips"
    );
}
