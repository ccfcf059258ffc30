//! Each sort of record, and what is due for it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-01-01T12:00:00Z")
}

/// A kept record as eipd leaves it, its time over since 11:10.
fn kept_record() -> Value {
    json!({
        "metadata": {
            "name": "web-0", "namespace": "ns", "uid": "u", "resourceVersion": "5",
            "labels": {"eipd.io/bucket": "3", "eipd.io/eip": "eip-1"},
            "annotations": {"eipd.io/absent-since": "2026-01-01T11:00:00Z"},
            "finalizers": ["podeip-controller.alibabacloud.com/finalizer"],
        },
        "spec": {
            "allocationID": "eip-1",
            "allocationType": {"type": "Auto", "releaseStrategy": "TTL", "releaseAfter": "10m"},
        },
    })
}

/// What is due at noon for that record with these changes (null takes a field away).
#[allow(clippy::needless_pass_by_value)] // it is given a literal
fn due(change: Value) -> Option<What> {
    due_after([change])
}

/// The same, with one change after the other.
#[allow(clippy::needless_pass_by_value)] // it is given literals
fn due_after<const N: usize>(changes: [Value; N]) -> Option<What> {
    let mut record = kept_record();
    for change in &changes {
        merge(&mut record, change);
    }
    judge(&read(&serde_json::from_value(record).unwrap()), noon())
}

fn merge(into: &mut Value, change: &Value) {
    let Some(fields) = change.as_object() else {
        *into = change.clone();
        return;
    };
    for (name, value) in fields {
        merge(&mut into[name], value);
        if value.is_null() {
            into.as_object_mut().unwrap().remove(name);
        }
    }
}

fn strategy(strategy: &str, after: &Value) -> Value {
    json!({"spec": {"allocationType": {"releaseStrategy": strategy, "releaseAfter": after}}})
}

fn absent_since(text: &str) -> Value {
    json!({"metadata": {"annotations": {"eipd.io/absent-since": text}}})
}

#[test]
fn a_ttl_is_over_at_its_end_and_not_before() {
    assert_eq!(due(json!({})), Some(What::Expired));
    assert_eq!(
        due(absent_since("2026-01-01T11:50:00Z")),
        Some(What::Expired)
    );
    assert_eq!(due(absent_since("2026-01-01T11:50:01Z")), None);
    assert_eq!(due(absent_since("2026-01-01T13:00:00Z")), None);
}

#[test]
fn every_zone_of_time_is_read() {
    assert_eq!(
        due(absent_since("2026-01-01T19:50:00+08:00")),
        Some(What::Expired)
    );
    assert_eq!(due(absent_since("2026-01-01T11:50:00-08:00")), None);
}

#[test]
fn a_time_that_no_clock_reaches_is_never_over() {
    assert_eq!(due(strategy("TTL", &json!("2562047h47m16s"))), None);
    assert_eq!(due(absent_since("9999-12-30T00:00:00Z")), None);
}

#[test]
fn a_ttl_without_a_beginning_is_told_and_never_over() {
    for since in [json!(null), json!(""), json!("yesterday")] {
        let change = json!({"metadata": {"annotations": {"eipd.io/absent-since": since}}});
        assert_eq!(due(change), Some(What::Undated), "{since}");
    }
}

#[test]
fn never_is_never_over() {
    assert_eq!(due(strategy("Never", &json!(null))), None);
    assert_eq!(due(strategy("Never", &json!("10m"))), None);
}

#[test]
fn a_strategy_that_nobody_understands_gives_nothing_back() {
    for (how, after) in [
        ("TTL", json!(null)),
        ("TTL", json!("")),
        ("TTL", json!("10")),
        ("TTL", json!("-10m")),
        ("TTL", json!(600)),
        ("ttl", json!("10m")),
        ("", json!("10m")),
        ("Later", json!(null)),
    ] {
        assert_eq!(due(strategy(how, &after)), None, "{how} {after}");
    }
}

#[test]
fn a_tombstone_comes_before_everything_else() {
    let deleted = |change| {
        let stone = json!({"metadata": {"deletionTimestamp": "2026-01-01T11:59:59Z"}});
        due_after([stone, change])
    };
    assert_eq!(deleted(json!({})), Some(What::Tombstone));
    let never = strategy("Never", &json!(null));
    assert_eq!(deleted(never), Some(What::Tombstone));
    let follow = strategy("Follow", &json!(null));
    assert_eq!(deleted(follow), Some(What::Tombstone));
    let others = json!({"metadata": {"finalizers": ["example.com/backup"]}});
    assert_eq!(deleted(others), None, "it waits for somebody else");
    let foreign = json!({"metadata": {"labels": null}});
    assert_eq!(deleted(foreign), Some(What::Foreign));
}

#[test]
fn what_must_not_rest_is_a_stray() {
    let follow = strategy("Follow", &json!(null));
    assert_eq!(due(follow), Some(What::Stray));
    let named = json!({"spec": {"allocationType": {"type": "Static", "releaseStrategy": "Never"}}});
    assert_eq!(due(named), Some(What::Stray));
    let empty = json!({
        "metadata": {"labels": {"eipd.io/eip": null}},
        "spec": {"allocationID": ""},
    });
    assert_eq!(due(empty), Some(What::Stray));
}

#[test]
fn a_kept_address_is_no_stray_while_anything_names_it() {
    let never = |change| due_after([strategy("Never", &json!(null)), change]);
    let label = json!({"metadata": {"labels": {"eipd.io/eip": null}}});
    assert_eq!(never(label), None);
    assert_eq!(never(json!({"spec": {"allocationID": ""}})), None);
}

#[test]
fn the_other_controllers_records_are_foreign_whatever_they_say() {
    let bare = |change| {
        let others = json!({"metadata": {"labels": null, "annotations": null}});
        due_after([others, change])
    };
    for change in [
        json!({}),
        strategy("Follow", &json!(null)),
        strategy("Never", &json!(null)),
        json!({"spec": null, "status": null}),
        json!({"metadata": {"labels": {"app": "web"}}}),
    ] {
        assert_eq!(bare(change.clone()), Some(What::Foreign), "{change}");
    }
    for label in ["eipd.io/node", "eipd.io/eip", "eipd.io/bucket"] {
        let ours = json!({"metadata": {"labels": {label: ""}}});
        assert_ne!(bare(ours), Some(What::Foreign), "{label}");
    }
}

#[test]
fn what_is_a_nodes_is_left_to_it() {
    let held = json!({"metadata": {"labels": {"eipd.io/node": "node-a"}}});
    assert_eq!(due(held), None);
    let held = json!({"metadata": {
        "labels": {"eipd.io/node": "node-a"}, "deletionTimestamp": "2026-01-01T11:00:00Z",
    }});
    assert_eq!(due(held), None);
    let blank = json!({"metadata": {"labels": {"eipd.io/node": ""}}});
    assert_eq!(due(blank), Some(What::Expired), "empty is blank, too");
}

proptest! {
    /// Whatever stands there, an address that is kept is called expired only when its own two fields say so.
    #[test]
    fn nothing_expires_without_its_own_evidence(
        how in "Follow|TTL|Never|ttl|",
        type_ in "Auto|Static|",
        after in prop_oneof![Just(String::new()), "[0-9]{1,4}[smh]", "\\PC{0,8}"],
        since in prop_oneof![Just(String::new()), Just("2026-01-01T11:30:00Z".to_owned()), "\\PC{0,30}"],
    ) {
        let change = json!({
            "metadata": {"annotations": {"eipd.io/absent-since": since}},
            "spec": {"allocationType": {"type": type_, "releaseStrategy": how, "releaseAfter": after}},
        });
        let over = || {
            let nanos = goduration::parse_nanos(&after).ok()?;
            let since: Timestamp = since.parse().ok()?;
            (how == "TTL" && type_ != "Static" && nanos >= 0)
                .then(|| noon().duration_since(since) >= SignedDuration::from_nanos(nanos))
        };
        prop_assert_eq!(due(change) == Some(What::Expired), over().unwrap_or(false));
    }
}
