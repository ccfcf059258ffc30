//! Taking a named EIP from its present holder, where the administrator allows it.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudsim::world::{NewEni, NewVSwitch, NewVpc};
use eipd::clock;
use serde_json::json;
use testbed::apiserver::PodSpec;

use crate::world::{LATER, NS, World, is_bound, is_in_use_at};

fn world() -> World {
    let mut world = World::new();
    world.config.push_str("eip: {allowRob: true}\n");
    world
}

fn naming(world: &World, pod: &str, eip: &str) -> PodSpec {
    PodSpec::new(NS, pod, &world.node).annotation("k8s.aliyun.com/pod-eip-instanceid", eip)
}

/// An EIP that stands on an interface of its own, in our VPC or another.
fn held(world: &World, ours: bool) -> String {
    let vpc_id = match ours {
        true => world.eni.vpc_id.clone(),
        false => world.cloud.add_vpc(NewVpc::default()).unwrap().id,
    };
    let vswitch = NewVSwitch {
        vpc_id,
        cidr: "10.0.200.0/24".to_owned(),
        ..NewVSwitch::default()
    };
    let vswitch_id = world.cloud.add_vswitch(vswitch).unwrap().id;
    let eni = NewEni {
        vswitch_id,
        primary_ip: Some("10.0.200.10".to_owned()),
        secondary_ips: vec!["10.0.200.11".to_owned()],
        ..NewEni::default()
    };
    let eni = world.cloud.add_eni(eni).unwrap();
    let eip = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
    let bind = json!({"do": "bind", "eni": eni.id, "private_ip": "10.0.200.11"});
    world
        .cloud
        .change_eip(&eip, &serde_json::from_value(bind).unwrap())
        .unwrap();
    eip
}

#[tokio::test(start_paused = true)]
async fn a_named_eip_is_taken_from_an_interface_of_this_vpc() {
    let world = world();
    let eip = held(&world, true);
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", &eip), "10.0.0.11");
    world.until(LATER, |view| is_bound(view, "web")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    assert_eq!(
        (
            world.count("UnassociateEipAddress"),
            world.count("AssociateEipAddress")
        ),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_another_vpc() {
    let world = world();
    let eip = held(&world, false);
    let _agent = world.start("agent");
    world.run(&naming(&world, "web", &eip), "10.0.0.11");
    clock::sleep(Duration::from_mins(20)).await;
    assert!(
        world.events("web").contains(&"EIPElsewhere".to_owned()),
        "{:?}",
        world.events("web")
    );
    assert_eq!(world.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_a_living_pod() {
    let world = world();
    let eip = world.cloud.create_eip(&BTreeMap::new(), None).unwrap().id;
    let _agent = world.start("agent");
    world.run(&naming(&world, "one", &eip), "10.0.0.11");
    world.until_bound("one").await;
    world.run(&naming(&world, "two", &eip), "10.0.0.12");
    clock::sleep(Duration::from_mins(20)).await;
    assert!(is_bound(&world.api, "one") && !is_bound(&world.api, "two"));
    assert_eq!(world.count("UnassociateEipAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_goes_in_the_middle_leaves_the_holder_or_the_eip_free() {
    for step in 0..20_u64 {
        let world = world();
        let eip = held(&world, true);
        let _agent = world.start("agent");
        world.run(&naming(&world, "web", &eip), "10.0.0.11");
        clock::sleep(Duration::from_millis(step * 200)).await;
        world.delete_pod("web");
        world
            .until(LATER, |view| view.get("podeips", NS, "web").is_none())
            .await;
        clock::sleep(LATER).await;
        let place = world.eip().place.and_then(|place| place.private_ip);
        assert!(
            place.is_none_or(|ip| ip.to_string() == "10.0.200.11"),
            "{step}: {place:?}"
        );
    }
}
