//! What is written reads back, and what others write stops nothing.

use serde_json::json;

use super::*;
use crate::domain::dnat::Mapping;
use crate::domain::ids::{ClusterUid, EniId};
use crate::domain::ports::{Ports, Protocol, Workload};

fn key() -> Key {
    Key {
        namespace: "ns".to_owned(),
        name: "web-0".to_owned(),
    }
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

fn wish(fixed: bool) -> PortWish {
    PortWish {
        ports: Ports {
            inside: vec![80, 443],
            protocol: Protocol::Udp,
            fixed,
        },
        workload: fixed.then(|| Workload {
            api_version: "apps/v1".to_owned(),
            name: "web".to_owned(),
            uid: Uid::new("set"),
        }),
        warnings: Vec::new(),
    }
}

fn made(wish: &PortWish) -> PodDnat {
    let spot = Spot {
        ip: [10, 0, 0, 5].into(),
        eni: EniId::new("eni-1"),
        vswitch: Some("vsw-1".to_owned()),
        zone: Some("cn-hangzhou-k".to_owned()),
    };
    let outside = Outside {
        gateway: "ngw-1".to_owned(),
        table: "ftb-1".to_owned(),
        address: [203, 0, 113, 4].into(),
        ports: vec![512, 600],
    };
    let pod = Uid::new("pod");
    new::record(Version::V1, &key(), &pod, wish, &spot, &outside, &me())
}

#[test]
fn a_new_record_is_the_published_one_and_reads_back() {
    let wire = made(&wish(false));
    let text = serde_json::to_value(&wire).unwrap();
    assert_eq!(
        text["spec"],
        json!({
            "eni": "eni-1", "vswitch": "vsw-1", "zoneID": "cn-hangzhou-k", "externalIP": "203.0.113.4",
            "internalIP": "10.0.0.5", "protocol": "udp", "tableId": "ngw-1",
            "portMapping": [
                {"externalPort": "512", "internalPort": "80"}, {"externalPort": "600", "internalPort": "443"},
            ],
        })
    );
    assert_eq!(text["metadata"]["finalizers"], json!(["natgw-controller"]));
    assert_eq!(
        text["metadata"]["ownerReferences"],
        json!([{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "pod", "blockOwnerDeletion": true}])
    );
    let record = read(&wire);
    assert_eq!(
        (record.node.as_deref(), record.ours),
        (Some("node-a"), true)
    );
    assert_eq!(record.owner, Some(Uid::new("pod")));
    assert_eq!(record.keeper, None);
    let mapping = record.mapping.unwrap();
    assert!(mapping.is_of(&wish(false).ports));
    assert_eq!(
        mapping.text(),
        "203.0.113.4:512->80/udp,203.0.113.4:600->443/udp"
    );
}

#[test]
fn fixed_ports_belong_to_the_stateful_set() {
    let wire = made(&wish(true));
    let owners = wire.metadata.owner_references.as_deref().unwrap();
    assert_eq!(
        (owners[0].kind.as_str(), owners[0].uid.as_str()),
        ("StatefulSet", "set")
    );
    assert_eq!(owners[0].block_owner_deletion, None);
    let keeper = read(&wire).keeper.unwrap();
    assert_eq!(keeper.workload, wish(true).workload);
    assert!(!keeper.settled);
}

#[test]
fn a_status_counts_as_whole_only_when_it_is() {
    let mut wire = made(&wish(false));
    let mapping: Mapping = read(&wire).mapping.unwrap();
    let entries: Vec<_> = (0..2).filter_map(|n| mapping.entry(n)).collect();
    let mut status = |entries: &[Entry]| {
        let entries = entries.iter().map(new::entry).collect();
        wire.status = Some(crate::api::poddnat::Status {
            entries,
            ..Default::default()
        });
        read(&wire).shows_all()
    };
    assert!(status(&entries));
    assert!(!status(&entries[..1]));
    let mut other = entries.clone();
    other[1].internal.0 = [10, 0, 0, 6].into();
    assert!(!status(&other));
    other.extend(entries.clone());
    assert!(!status(&other));
}

#[test]
fn others_records_are_read_without_a_choice_of_ours() {
    let seed = json!({
        "apiVersion": "alibabacloud.com/v1", "kind": "PodDNAT",
        "metadata": {"name": "example", "namespace": "default", "uid": "43", "finalizers": ["natgw-controller"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "example", "uid": "7", "blockOwnerDeletion": true}]},
        "spec": {"externalIP": "203.0.113.4", "tableId": "ngw-1", "portMapping": [{"externalPort": "512", "internalPort": "80"}]},
        "status": {"entries": [{"externalIP": "203.0.113.4", "externalPort": "x"}]},
    });
    let record = read(&serde_json::from_value(seed).unwrap());
    assert_eq!(
        (record.node, record.ours, record.mapping),
        (None, false, None)
    );
    assert_eq!(record.owner, Some(Uid::new("7")));
    assert_eq!(record.shown.len(), 1);
    for text in ["", "apps/v1", "web/uid"] {
        assert_eq!(read::workload(text), None, "{text}");
    }
}
