//! Shared bandwidth packages: named, joined before the EIP is bound, changed under a living pod, left before release.

use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind};
use cloudsim::world::BandwidthPackage;
use eipd::clock;
use testbed::apiserver::PodSpec;

use crate::world::{LATER, NS, SOON, World, is_bound};

const PACKAGE: &str = "k8s.aliyun.com/eip-common-bandwidth-package-id";

fn world() -> World {
    let world = World::new();
    for id in ["cbwp-1", "cbwp-2"] {
        let package = BandwidthPackage {
            id: id.to_owned(),
            bandwidth: 1_000,
            isp: "BGP".to_owned(),
            ..BandwidthPackage::default()
        };
        world.cloud.add_package(package).unwrap();
    }
    world
        .cloud
        .change_settings(|settings| settings.open.release_from_package = false);
    world
}

fn asking(world: &World, package: &str) -> PodSpec {
    world.asking("web").annotation(PACKAGE, package)
}

fn actions(world: &World) -> Vec<String> {
    let calls = world.cloud.calls();
    let changes = calls.iter().map(|call| call.action.clone());
    changes
        .filter(|action| !action.contains(' ') && !action.starts_with("Describe"))
        .collect()
}

fn is_in(world: &World, package: Option<&str>) -> bool {
    let record = world.record("web");
    let said = |value: &serde_json::Value| {
        value
            .as_str()
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
    };
    let expected = package.map(str::to_owned);
    is_bound(&world.api, "web")
        && *world.eip().package_id.now() == expected
        && said(&record["spec"]["bandwidthPackageID"]) == expected
        && said(&record["status"]["bandwidthPackageID"]) == expected
}

#[tokio::test(start_paused = true)]
async fn joined_before_bound_and_left_before_released() {
    let world = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "cbwp-1"), "10.0.0.11");
    world.until_bound("web").await;
    assert!(is_in(&world, Some("cbwp-1")), "{}", world.record("web"));
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
    assert_eq!(
        actions(&world),
        [
            "AllocateEipAddress",
            "AddCommonBandwidthPackageIp",
            "AssociateEipAddress",
            "UnassociateEipAddress",
            "RemoveCommonBandwidthPackageIp",
            "ReleaseEipAddress",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_annotation_changes_the_package_of_a_living_pod() {
    let world = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "cbwp-1"), "10.0.0.11");
    world.until_bound("web").await;
    for package in [Some("cbwp-2"), None, Some("cbwp-1")] {
        world
            .api
            .edit("pods", NS, "web", |pod| {
                pod["metadata"]["annotations"][PACKAGE] = package.unwrap_or_default().into();
            })
            .unwrap();
        world.until(LATER, |_| is_in(&world, package)).await;
    }
    assert_eq!(world.count("AssociateEipAddress"), 1, "the binding stands");
    assert_eq!(world.count("UnassociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_package_named_later_is_joined_under_a_living_pod() {
    let world = world();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"][PACKAGE] = "cbwp-1".into()
        })
        .unwrap();
    world.until(LATER, |_| is_in(&world, Some("cbwp-1"))).await;
}

#[tokio::test(start_paused = true)]
async fn locks_are_waited_for_and_what_is_done_already_counts() {
    let refuse = |code: &str| {
        FaultKind::Refuse(Answer {
            status: 400,
            code: code.to_owned(),
            ..Answer::default()
        })
    };
    for (action, code) in [
        (
            "AddCommonBandwidthPackageIp",
            "OperationFailed.DistibuteLock",
        ),
        ("AddCommonBandwidthPackageIp", "EipOperation.TooFrequently"),
        (
            "RemoveCommonBandwidthPackageIp",
            "OperationFailed.DistibuteLock",
        ),
        ("RemoveCommonBandwidthPackageIp", "IncorrectStatus.Eip"),
    ] {
        let world = world();
        world.order(action, refuse(code));
        let _agent = world.start("agent");
        world.run(&asking(&world, "cbwp-1"), "10.0.0.11");
        world.until(LATER, |_| is_in(&world, Some("cbwp-1"))).await;
        world.delete_pod("web");
        world.until_clean(LATER, "web").await;
    }
}

#[tokio::test(start_paused = true)]
async fn agents_killed_around_a_change_of_package_end_in_the_right_one() {
    for step in 0..30_u64 {
        let world = world();
        let first = world.start("agent");
        world.run(&asking(&world, "cbwp-1"), "10.0.0.11");
        world.until_bound("web").await;
        world
            .api
            .edit("pods", NS, "web", |pod| {
                pod["metadata"]["annotations"][PACKAGE] = "cbwp-2".into()
            })
            .unwrap();
        clock::sleep(Duration::from_millis(step * 100)).await;
        first.kill().await;
        let _again = world.start("agent");
        world.until(LATER, |_| is_in(&world, Some("cbwp-2"))).await;
        clock::sleep(SOON).await;
        assert!(is_in(&world, Some("cbwp-2")), "{step}");
    }
}
