//! What the node's kernel says of a pod's address, where the agent can see it.

use std::time::Duration;

use eipd::clock;
use serde_json::Value;

use crate::world::{LATER, NS, SOON, World};

/// Creates the asking pod and gives its uid back, before it has an address.
fn created(world: &World, name: &str) -> String {
    world.api.create_pod(&world.asking(name)).unwrap();
    world.api.take_pod(NS, name).unwrap();
    let pod = world.api.get("pods", NS, name).unwrap();
    pod["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn notes(world: &World) -> String {
    let events = world.api.list("events").into_iter();
    let note = |event: Value| event["note"].as_str().unwrap_or_default().to_owned();
    events.map(note).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_inside_the_pod_is_bound() {
    let world = World::new();
    let _agent = world.start("agent");
    let uid = created(&world, "web");
    world.kernel.inside(&uid, &["10.0.0.11", "172.17.0.1"]);
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    world.until_bound("web").await;
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_inside_the_pod_waits_and_an_event_names_both() {
    let world = World::new();
    let _agent = world.start("agent");
    let uid = created(&world, "web");
    world.kernel.inside(&uid, &["10.0.0.12"]);
    world.api.set_pod_ip(NS, "web", "10.0.0.11").unwrap();
    clock::sleep(SOON).await;
    assert_eq!(world.count("AssociateEipAddress"), 0);
    let notes = notes(&world);
    assert!(notes.contains("10.0.0.11 is not inside the pod"), "{notes}");
    assert!(notes.contains("10.0.0.12"), "{notes}");
    // kubelet's report comes.
    world.api.set_pod_ip(NS, "web", "10.0.0.12").unwrap();
    world.until_bound("web").await;
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_network_namespace_without_an_address_speaks_against_nothing() {
    let world = World::new();
    let _agent = world.start("agent");
    let uid = created(&world, "machine");
    world.kernel.inside(&uid, &[]);
    world.api.set_pod_ip(NS, "machine", "10.0.0.11").unwrap();
    world.until_bound("machine").await;
}

#[tokio::test(start_paused = true)]
async fn the_nodes_own_address_is_given_to_no_pod() {
    let world = World::new();
    world.kernel.link("00:16:3e:00:00:01", "10.0.0.11");
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(20)).await;
    assert_eq!(world.count("AssociateEipAddress"), 0);
    let notes = notes(&world);
    assert!(
        notes.contains("is an address of the node itself"),
        "{notes}"
    );
}
