//! The names stay what others rely on, and what they encode can be read back.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn a_short_node_name_is_its_own_label() {
    assert_eq!(node_label("cn-hangzhou.10.0.0.7"), "cn-hangzhou.10.0.0.7");
    assert_eq!(node_label(&"n".repeat(63)), "n".repeat(63));
}

#[test]
fn a_long_node_name_becomes_a_hash_that_no_node_can_be_named() {
    let long = "n".repeat(64);
    let label = node_label(&long);
    assert_eq!(label, "sha256_ce068a195ab380a813c713035ed74921acee4d3b");
    assert!(is_label_value(&label));
    assert_ne!(label, node_label(&"n".repeat(65)));
    assert_ne!(node_label(""), "", "blank means nobody's");
}

#[test]
fn buckets_are_fixed_for_ever() {
    assert_eq!(bucket("default", "example-0"), 6);
    let seen: HashSet<u8> = (0..1000)
        .map(|n| bucket("game", &format!("gs-{n}")))
        .collect();
    assert_eq!(seen, (0..16).collect());
}

#[test]
fn a_record_tag_names_uid_and_attempt() {
    let uid = Uid::new("7a6b5c4d-0000-4000-8000-000000000001");
    let tag = record_tag(&uid, 3);
    assert_eq!(tag, "7a6b5c4d-0000-4000-8000-000000000001-3");
    assert_eq!(parse_record_tag(&tag), Some((uid, 3)));
}

#[test]
fn a_tag_that_is_not_ours_is_nobodys() {
    for value in [
        "",
        "-",
        "-1",
        "uid",
        "uid-",
        "uid-x",
        "uid-+1",
        "uid-01",
        "uid-4294967296",
    ] {
        assert_eq!(parse_record_tag(value), None, "{value}");
    }
}

#[test]
fn seventeen_tags_are_left_to_the_user() {
    assert_eq!(USER_TAGS, 17);
}

proptest! {
    #[test]
    fn every_name_gets_a_valid_label_and_a_bucket(name in ".{0,300}") {
        prop_assert!(is_label_value(&node_label(&name)));
        prop_assert!(bucket(&name, &name) < 16);
    }

    #[test]
    fn tags_read_back(uid in "[a-f0-9-]{1,36}", attempt: u32) {
        let uid = Uid::new(uid);
        prop_assert_eq!(parse_record_tag(&record_tag(&uid, attempt)), Some((uid, attempt)));
    }

    #[test]
    fn no_tag_value_panics(value in ".*") {
        parse_record_tag(&value);
    }
}
