//! Release strategies, and who may have which.

use super::*;

const KEY: &str = "k8s.aliyun.com/pod-eip-release-strategy";

fn written(value: &str) -> (String, Option<String>) {
    let auto = auto(&[(KEY, value)]);
    let written = Request::Auto(Box::new(auto)).allocation_type().unwrap();
    assert_eq!(written.type_, "Auto");
    (written.release_strategy, written.release_after)
}

#[test]
fn strategies_are_written_as_given() {
    assert_eq!(written("Follow"), ("Follow".into(), None));
    assert_eq!(written("Never"), ("Never".into(), None));
    for after in ["10m", "5m30s", "0", "1.5h", "+90s"] {
        assert_eq!(written(after), ("TTL".into(), Some(after.into())));
    }
    let newer = auto(&[("network.alibabacloud.com/pod-eip-release-strategy", "Never")]);
    assert_eq!(newer.strategy, Strategy::Never);
}

#[test]
fn what_go_refuses_is_refused() {
    for wrong in [
        "never", "TTL", "5", "5 m", "5d", "banana", "-5m", "3000000h",
    ] {
        let text = problem(&[(KEY, wrong)]);
        assert!(
            text.contains("must be Follow, Never or a Go duration such as 5m30s"),
            "{text}"
        );
    }
}

#[test]
fn a_named_eip_has_a_strategy_too() {
    let request = ask(&[NAMED, (KEY, "Never")]).unwrap().request;
    let written = request.allocation_type().unwrap();
    assert_eq!(
        (&*written.type_, &*written.release_strategy),
        ("Static", "Never")
    );
    assert_eq!(Request::Nothing.allocation_type(), None);
}

fn owned_by<'a>(kind: Option<&'a str>, custom: &'a [String]) -> PodTraits<'a> {
    PodTraits {
        owner_kinds: kind.into_iter().collect(),
        custom_stateful_kinds: custom,
        ..PodTraits::default()
    }
}

#[test]
fn only_a_stateful_pod_leaves_its_eip_behind() {
    let custom = ["GameServerSet".to_owned()];
    for (kind, stateful) in [
        (None, true),
        (Some("StatefulSet"), true),
        (Some("GameServerSet"), true),
        (Some("ReplicaSet"), false),
        (Some("Job"), false),
    ] {
        let pod = owned_by(kind, &custom);
        for value in ["Never", "10m"] {
            let parsed = parse(&map(&[ON, (KEY, value)]), &pod).unwrap();
            let written = parsed.request.allocation_type().unwrap();
            assert_eq!(written.release_strategy != "Follow", stateful, "{kind:?}");
            assert_eq!(parsed.warnings.is_empty(), stateful, "{kind:?}");
        }
        let follow = parse(&map(&[ON, (KEY, "Follow")]), &pod);
        assert_eq!(follow.unwrap().warnings, []);
    }
}

#[test]
fn a_stateless_pod_is_told_that_follow_holds() {
    let pod = owned_by(Some("ReplicaSet"), &[]);
    let parsed = parse(&map(&[ON, (KEY, "10m")]), &pod).unwrap();
    assert_eq!(
        only(&parsed.warnings),
        "k8s.aliyun.com/pod-eip-release-strategy \"10m\": only for pods of a StatefulSet, pods without an owner, and kinds in customStatefulWorkloadKinds; Follow holds"
    );
}
