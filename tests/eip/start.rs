//! What is away when the agent starts: waited for, and then everything goes on by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudsim::faults::{FaultKind, NewFault};
use cloudsim::identity::Role;
use eipd::clock;

use crate::world::{LATER, World, is_bound};

const AWAY: Duration = Duration::from_mins(12);

fn away(world: &World, action: &str) -> u64 {
    world.cloud.add_fault(NewFault {
        action: action.to_owned(),
        args: BTreeMap::new(),
        count: None,
        skip: 0,
        fault: FaultKind::Drop,
    })
}

#[tokio::test(start_paused = true)]
async fn a_metadata_service_that_comes_late_is_waited_for() {
    let world = World::new();
    let fault = away(&world, "metadata");
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(AWAY).await;
    assert_eq!(world.changes(), 0);
    world.cloud.remove_fault(fault);
    world.until(LATER, |view| is_bound(view, "web")).await;
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_comes_late_is_waited_for() {
    let world = World::new();
    let fault = away(&world, "*");
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(AWAY).await;
    let tried = world.changes();
    assert!((1..60).contains(&tried), "{tried} tries");
    world.cloud.remove_fault(fault);
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert_eq!(world.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_the_node_is_given_late_is_waited_for() {
    let mut world = World::new();
    world.config = "listen: 127.0.0.1:0\n".to_owned();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(AWAY).await;
    assert_eq!(world.changes(), 0);
    world.cloud.add_role(Role {
        name: "worker".to_owned(),
        ..Role::default()
    });
    let give = |instance: &mut cloudsim::world::Instance| instance.role = Some("worker".to_owned());
    world.cloud.change_instance(&world.instance, give).unwrap();
    world
        .until(Duration::from_mins(10), |view| is_bound(view, "web"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn no_more_cloud_calls_are_in_flight_than_configured() {
    for most in [1, 3] {
        let mut world = World::new();
        world.config = format!(
            "{}networkController:\n  eipController: {{maxConcurrentReconciles: {most}}}\n",
            world.config
        );
        let nat = cloudsim::nat::NewNatGateway {
            id: Some("ngw-1".to_owned()),
            vswitch_id: world.eni.vswitch_id.clone(),
            ..Default::default()
        };
        world.cloud.add_nat_gateway(nat).unwrap();
        world.config += "  natGwPool: [{natgwId: ngw-1}]\n";
        let latency = serde_json::json!({"*": {"before_ms": 300, "after_ms": 300}});
        world.cloud.change_settings(|settings| {
            settings.latency = serde_json::from_value(latency).unwrap();
        });
        let _agent = world.start("agent");
        for last in 31..36 {
            let name = format!("ports-{last}");
            let pod = testbed::apiserver::PodSpec::new(crate::world::NS, &name, &world.node)
                .annotation("k8s.aliyun.com/pod-dnat", "")
                .annotation("k8s.aliyun.com/pod-dnat-expose-port", "80");
            world.run(&pod, &format!("10.0.0.{last}"));
        }
        let names: Vec<_> = (11..31).map(|last| format!("web-{last}")).collect();
        for (name, last) in names.iter().zip(11..) {
            world.run_pod(name, &format!("10.0.0.{last}"));
        }
        world
            .until(Duration::from_mins(10), |view| {
                names.iter().all(|name| is_bound(view, name))
            })
            .await;
        assert_eq!(most_at_once(&world), most);
    }
}

/// How many calls of the API were under way at the same time at most.
fn most_at_once(world: &World) -> i32 {
    let calls = world.cloud.calls().into_iter();
    let mut edges = Vec::new();
    for call in calls.filter(|call| call.door == "api") {
        edges.push((call.received_ms, 1));
        edges.push((call.answered_ms.unwrap_or(u64::MAX), -1));
    }
    edges.sort_unstable();
    let mut open = 0;
    let most = edges.iter().map(|(_, step)| {
        open += step;
        open
    });
    most.max().unwrap_or_default()
}
