//! What is read in records, our own and others'.

use serde_json::json;

use super::read::parse_place;
use super::*;
use crate::domain::ids::{ClusterUid, EniId, ResourceVersion};
use crate::domain::keep::Keep;
use crate::domain::pod::Which;

fn from_json(value: serde_json::Value) -> Record {
    read(&serde_json::from_value(value).unwrap())
}

fn me() -> Me {
    Me {
        node: "node-a".to_owned(),
        label: "node-a".to_owned(),
        cluster: ClusterUid::new("cluster"),
        account: Some("1/cn-hangzhou".to_owned()),
        policy: crate::eip::facts::Policy::default(),
    }
}

fn wish() -> Wish {
    Wish {
        which: Which::Auto {
            request: r#"{"v":1}"#.to_owned(),
            package: None,
            bandwidth: 5,
        },
        keep: Keep::Follow,
        warnings: Vec::new(),
    }
}

#[test]
fn a_new_record_says_all_that_a_successor_needs() {
    let key = Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    };
    let record = read(&new::record(&key, &Uid::new("pod-uid"), &wish(), &me()));
    assert_eq!(record.node.as_deref(), Some("node-a"));
    assert_eq!(record.owner, Some(Uid::new("pod-uid")));
    assert_eq!(record.request.as_deref(), Some(r#"{"v":1}"#));
    assert_eq!(record.account.as_deref(), Some("1/cn-hangzhou"));
    assert!(record.finalizer && record.other_finalizers.is_empty());
    assert!(record.eip.is_none() && !record.edited && !record.tombstone);
    assert!(record.shows_open_intent(), "Allocate may follow at once");
}

#[test]
fn the_seeds_record_of_the_other_controller_is_nobodys() {
    let record = from_json(json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {
            "name": "example-xxx", "namespace": "default", "uid": "43", "resourceVersion": "222800",
            "finalizers": ["podeip-controller.alibabacloud.com/finalizer"],
        },
        "spec": {"allocationID": "eip-2ze2qe8zs", "allocationType": {"releaseStrategy": "Follow", "type": "Auto"}},
        "status": {"eipAddress": "203.0.113.9", "networkInterfaceID": "eni-2zeagv8f3", "privateIPAddress": "192.168.0.9", "status": "InUse"},
    }));
    assert_eq!(
        (record.node, record.owner, record.request, record.eip),
        (None, None, None, None)
    );
    assert!(record.edited, "its id is in no label of ours");
}

#[test]
fn the_status_counts_only_where_it_shows_the_target() {
    let record = |ip: &str| {
        from_json(json!({
            "metadata": {
                "name": "x", "namespace": "ns",
                "labels": {"eipd.io/node": "node-a", "eipd.io/eip": "eip-1"},
                "annotations": {"eipd.io/target": "eni-1/10.0.0.5", "eipd.io/attempt": "2"},
            },
            "spec": {"allocationID": "eip-1"},
            "status": {"eipAddress": "203.0.113.9", "networkInterfaceID": "eni-1", "privateIPAddress": ip},
        }))
    };
    assert!(record("10.0.0.5").shows_target() && !record("10.0.0.5").shows_open_intent());
    assert!(!record("10.0.0.6").shows_target() && record("10.0.0.6").shows_open_intent());
    assert_eq!(record("10.0.0.5").attempt, 2);
}

#[test]
fn a_blank_label_and_odd_annotations_are_none() {
    let record = from_json(json!({"metadata": {
        "name": "x", "namespace": "ns", "labels": {"eipd.io/node": "", "eipd.io/eip": ""},
        "annotations": {"eipd.io/target": "10.0.0.5", "eipd.io/attempt": "many"},
        "finalizers": ["example.com/theirs"],
    }}));
    assert_eq!(
        (record.node, record.eip, record.target, record.attempt),
        (None, None, None, 0)
    );
    assert_eq!(record.other_finalizers, ["example.com/theirs"]);
    assert!(!record.finalizer);
}

#[test]
fn a_place_reads_back_as_it_was_written() {
    let place = Place {
        eni: EniId::new("eni-1"),
        ip: [10, 0, 0, 5].into(),
    };
    assert_eq!(parse_place(&place.to_string()), Some(place));
    for odd in ["", "/", "/10.0.0.5", "eni-1/", "eni-1/x", "eni-1/fd00::1"] {
        assert_eq!(parse_place(odd), None, "{odd}");
    }
}

#[test]
fn a_write_holds_for_one_state_of_one_object() {
    let at = Rev {
        uid: Uid::new("u"),
        version: ResourceVersion::new("7"),
    };
    let patch = conditional(json!({"metadata": {"labels": {"a": "b"}}}), &at);
    assert_eq!(
        patch,
        json!({"metadata": {"labels": {"a": "b"}, "uid": "u", "resourceVersion": "7"}})
    );
}
