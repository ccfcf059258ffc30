//! Settings that are edited under a living pod: they act when an EIP is created, but for the bandwidth where that is allowed.

use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind};
use eipd::clock;

use crate::world::{Agent, LATER, NS, SOON, World, is_bound};

const BANDWIDTH: &str = "k8s.aliyun.com/eip-bandwidth";
const MODIFY: &str = "ModifyEipAddressAttribute";

async fn bound(config: &str) -> (World, Agent) {
    let mut world = World::new();
    world.config.push_str(config);
    let agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    (world, agent)
}

fn annotate(world: &World, key: &str, value: &str) {
    world
        .api
        .edit("pods", NS, "web", |pod| {
            pod["metadata"]["annotations"][key] = value.into();
        })
        .unwrap();
}

fn bandwidth(world: &World) -> u32 {
    *world.eip().bandwidth.now()
}

const LIVE: &str = "eip: {liveBandwidth: true}\n";

#[tokio::test(start_paused = true)]
async fn a_changed_bandwidth_reaches_the_living_eip_where_that_is_allowed() {
    let (world, _agent) = bound(LIVE).await;
    for mbit in [20, 7] {
        annotate(&world, BANDWIDTH, &mbit.to_string());
        world.until(SOON, |_| bandwidth(&world) == mbit).await;
        clock::sleep(SOON).await;
        assert_eq!(
            world.record("web")["metadata"]["annotations"]["eipd.io/bandwidth"],
            mbit.to_string()
        );
    }
    assert_eq!(world.count(MODIFY), 2);
    assert!(is_bound(&world.api, "web"));
}

#[tokio::test(start_paused = true)]
async fn by_default_an_event_says_that_the_bandwidth_stays() {
    let (world, _agent) = bound("").await;
    annotate(&world, BANDWIDTH, "20");
    clock::sleep(LATER).await;
    assert!(
        world.events("web").contains(&"CheckRequest".to_owned()),
        "{:?}",
        world.events("web")
    );
    assert_eq!((bandwidth(&world), world.count(MODIFY)), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn other_settings_stay_and_an_event_names_them() {
    let (world, _agent) = bound(LIVE).await;
    let changes = world.changes();
    annotate(&world, "k8s.aliyun.com/eip-isp", "BGP_PRO");
    annotate(&world, "k8s.aliyun.com/eip-name", "later");
    clock::sleep(LATER).await;
    let told = world
        .events("web")
        .iter()
        .filter(|reason| *reason == "CheckRequest")
        .count();
    assert_eq!(told, 2, "{:?}", world.events("web"));
    assert_eq!(world.changes(), changes);
}

#[tokio::test(start_paused = true)]
async fn an_agent_killed_around_a_change_of_bandwidth_ends_with_it() {
    for step in 0..20_u64 {
        let (world, first) = bound(LIVE).await;
        annotate(&world, BANDWIDTH, "20");
        clock::sleep(Duration::from_millis(step * 5)).await;
        first.kill().await;
        let _again = world.start("agent");
        world.until(LATER, |_| bandwidth(&world) == 20).await;
        clock::sleep(SOON).await;
        assert_eq!(
            world.record("web")["metadata"]["annotations"]["eipd.io/bandwidth"],
            "20",
            "{step}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_bandwidth_is_tried_again_and_no_more_than_the_charge_type_allows_is_asked() {
    let (world, _agent) = bound(LIVE).await;
    let busy = FaultKind::Refuse(Answer {
        status: 400,
        code: "IncorrectEipStatus".to_owned(),
        ..Answer::default()
    });
    world.order(MODIFY, busy);
    annotate(&world, BANDWIDTH, "20");
    world.until(LATER, |_| bandwidth(&world) == 20).await;
    let asked = world.count(MODIFY);
    // The EIP is paid by traffic, and stays so.
    annotate(
        &world,
        "k8s.aliyun.com/eip-internet-charge-type",
        "PayByBandwidth",
    );
    annotate(&world, BANDWIDTH, "400");
    clock::sleep(LATER).await;
    assert_eq!((bandwidth(&world), world.count(MODIFY)), (20, asked));
}
