//! The metadata service: identity, tokens, the ENI of a pod's IP.

use std::time::Duration;

use cloudsim::world::{AssignIps, EniType, NewEni};
use eipd::clock;
use eipd::domain::ids::{EniId, Place};
use eipd::node::eni::{Enis, PodIp};
use eipd::node::identity::Identity;

use crate::world::{REGION, World, ip};

#[tokio::test(start_paused = true)]
async fn the_node_learns_who_it_is() {
    let world = World::new();
    let identity = Identity::read(&world.metadata()).await.unwrap();
    let expected = Identity {
        region: REGION.to_owned(),
        zone: world.cloud.instances()[0].zone.clone(),
        vpc: world.vpc.clone(),
        vswitch: world.vswitch.clone(),
        instance_id: world.instance.clone(),
        account: world.cloud.settings().account_id,
        role: Some("KubernetesWorkerRole".to_owned()),
    };
    assert_eq!(identity, expected);
    world
        .cloud
        .change_instance(&world.instance, |instance| instance.role = None)
        .unwrap();
    assert_eq!(Identity::read(&world.metadata()).await.unwrap().role, None);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_lost_or_too_old_are_replaced() {
    let world = World::new();
    let metadata = world.metadata();
    for _ in 0..10 {
        assert_eq!(metadata.get("vpc-id").await.unwrap(), world.vpc);
        world.cloud.expire_metadata_tokens();
        assert_eq!(metadata.get("vpc-id").await.unwrap(), world.vpc);
        clock::sleep(Duration::from_hours(7)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_frequency_limit_is_waited_out() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.metadata.per_second = Some(4));
    let identity = Identity::read(&world.metadata()).await.unwrap();
    assert_eq!(identity.instance_id, world.instance);
}

fn found(place: Place, primary: u8) -> PodIp {
    PodIp::Found {
        place,
        primary: ip(primary),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pods_ip_is_found_on_its_eni_without_an_ecs_call() {
    let world = World::new();
    let enis = Enis::new(world.metadata());
    assert_eq!(enis.find(ip(12)).await.unwrap(), found(world.place(12), 10));
    assert_eq!(enis.find(ip(10)).await.unwrap(), found(world.place(10), 10));
    let only = world.cloud.counts().into_keys().collect::<Vec<_>>();
    assert_eq!(only, ["metadata"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_address_and_a_late_eni_are_found_when_they_are_listed() {
    let world = World::new();
    let enis = Enis::new(world.metadata());
    let (ips, metadata_late_ms) = (vec!["10.0.0.20".to_owned()], 3_000);
    let late = AssignIps {
        ips,
        metadata_late_ms,
        ..AssignIps::default()
    };
    world.cloud.assign_ips(&world.eni.id, &late).unwrap();
    let eni = NewEni {
        vswitch_id: world.vswitch.clone(),
        instance_id: Some(world.instance.clone()),
        primary_ip: Some("10.0.0.30".to_owned()),
        metadata_late_ms: 5_000,
        ..NewEni::default()
    };
    let plugged = EniId::new(world.cloud.add_eni(eni).unwrap().id);
    assert_eq!(enis.find(ip(20)).await.unwrap(), PodIp::NotYet);
    assert_eq!(enis.find(ip(30)).await.unwrap(), PodIp::NotYet);
    clock::sleep(Duration::from_secs(3)).await;
    assert_eq!(enis.find(ip(20)).await.unwrap(), found(world.place(20), 10));
    assert_eq!(enis.find(ip(30)).await.unwrap(), PodIp::NotYet);
    clock::sleep(Duration::from_secs(2)).await;
    let place = Place {
        eni: plugged,
        ip: ip(30),
    };
    assert_eq!(enis.find(ip(30)).await.unwrap(), found(place, 30));
}

#[tokio::test(start_paused = true)]
async fn an_address_on_a_member_eni_is_not_here() {
    let world = World::new();
    let attached = |kind, primary: &str| NewEni {
        vswitch_id: world.vswitch.clone(),
        kind,
        instance_id: Some(world.instance.clone()),
        primary_ip: Some(primary.to_owned()),
        ..NewEni::default()
    };
    world
        .cloud
        .add_eni(attached(EniType::Trunk, "10.0.0.40"))
        .unwrap();
    world
        .cloud
        .add_eni(attached(EniType::Member, "10.0.0.41"))
        .unwrap();
    let enis = Enis::new(world.metadata());
    assert!(
        matches!(enis.find(ip(40)).await.unwrap(), PodIp::Found { .. }),
        "trunks are listed"
    );
    assert_eq!(enis.find(ip(41)).await.unwrap(), PodIp::NotYet);
    clock::sleep(Duration::from_secs(10)).await;
    assert_eq!(enis.find(ip(41)).await.unwrap(), PodIp::NotHere);
}

#[tokio::test(start_paused = true)]
async fn an_address_of_a_prefix_is_told_as_such() {
    let world = World::new();
    let prefixes = vec!["10.0.0.112/28".to_owned()];
    let order = AssignIps {
        prefixes,
        ..AssignIps::default()
    };
    world.cloud.assign_ips(&world.eni.id, &order).unwrap();
    let prefix = PodIp::Prefix {
        eni: EniId::new(&world.eni.id),
        prefix: "10.0.0.112/28".into(),
    };
    assert_eq!(
        Enis::new(world.metadata()).find(ip(115)).await.unwrap(),
        prefix
    );
}
