//! More nodes than one: each agent serves the pods of its own node.

use testbed::apiserver::WorkloadKind;

use crate::world::{LATER, NS, SOON, World, is_bound};

#[tokio::test(start_paused = true)]
async fn each_agent_serves_its_own_nodes_pods() {
    let world = World::new();
    let other = world.add_node();
    let third = world.add_node();
    let _agents = [
        world.start("agent-a"),
        world.start_on(&other, "agent-b"),
        world.start_on(&third, "agent-c"),
    ];
    world.run_pod("a", "10.0.0.11");
    world.run(&world.asking("b").on(&other.name), &other.ip(11));
    world.run(&world.asking("c").on(&third.name), &third.ip(11));
    for (name, node, eni) in [
        ("a", &world.node, &world.eni),
        ("b", &other.name, &other.eni),
        ("c", &third.name, &third.eni),
    ] {
        world.until_bound(name).await;
        let record = world.record(name);
        assert_eq!(record["metadata"]["labels"]["eipd.io/node"], **node);
        assert_eq!(record["status"]["networkInterfaceID"], eni.id);
    }
    assert_eq!(world.eips().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_comes_back_on_another_node_is_bound_there() {
    let world = World::new();
    let other = world.add_node();
    let _agents = [world.start("agent-a"), world.start_on(&other, "agent-b")];
    let set = world.workload(WorkloadKind::StatefulSet, "web");
    let pod = world.asking("web-0").owned_by(&set);
    world.run(&pod, "10.0.0.11");
    world.until_bound("web-0").await;
    world.rerun_on(&other.name, &pod, &other.ip(12));
    world
        .until(LATER, |view| {
            is_bound(view, "web-0")
                && view.get("podeips", NS, "web-0").is_some_and(|record| {
                    record["metadata"]["labels"]["eipd.io/node"] == *other.name
                        && record["status"]["networkInterfaceID"] == *other.eni.id
                })
        })
        .await;
    assert_eq!(world.eips().len(), 1, "{}", world.cloud_picture());
    world.delete_pod("web-0");
    world.until_clean(SOON, "web-0").await;
}
