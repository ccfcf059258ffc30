//! Network interfaces as the ECS API lists them: by id, and by an address in a VPC.

use cloudsim::faults::{Answer, FaultKind};
use cloudsim::world::{EniType, NewEni, NewVSwitch, NewVpc};
use eipd::cloud::Class;
use eipd::domain::ids::EniId;

use crate::world::{World, class, ip};

const ACTION: &str = "DescribeNetworkInterfaces";

/// Another VPC whose interface has the very addresses of the world's own.
fn another_vpc(world: &World) -> String {
    let vpc_id = world.cloud.add_vpc(NewVpc::default()).unwrap().id;
    let vswitch = NewVSwitch {
        vpc_id: vpc_id.clone(),
        cidr: "10.0.0.0/24".to_owned(),
        ..NewVSwitch::default()
    };
    let eni = NewEni {
        vswitch_id: world.cloud.add_vswitch(vswitch).unwrap().id,
        primary_ip: Some("10.0.0.10".to_owned()),
        secondary_ips: vec!["10.0.0.11".to_owned()],
        ..NewEni::default()
    };
    world.cloud.add_eni(eni).unwrap();
    vpc_id
}

#[tokio::test(start_paused = true)]
async fn an_interface_is_found_by_its_id() {
    let world = World::new();
    let id = EniId::new(&world.eni.id);
    let seen = world.ecs().interface(&id).await.unwrap().unwrap();
    assert_eq!((seen.id, seen.vpc.as_str()), (id, world.vpc.as_str()));
    assert_eq!(seen.zone, world.eni.zone);
    assert_eq!(
        (seen.primary, seen.ips),
        (Some(ip(10)), vec![ip(10), ip(11), ip(12), ip(13)])
    );
    assert_eq!(seen.instance.as_deref(), Some(world.instance.as_str()));
    assert_eq!(seen.kind, "Secondary");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_interface_is_none_however_the_cloud_says_it() {
    let world = World::new();
    let (ecs, ghost) = (world.ecs(), EniId::new("eni-ghost"));
    assert_eq!(ecs.interface(&ghost).await.unwrap(), None);
    world
        .cloud
        .change_settings(|settings| settings.open.unknown_eni_is_error = true);
    assert_eq!(ecs.interface(&ghost).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_address_is_found_in_its_vpc_only() {
    let world = World::new();
    let (ecs, other) = (world.ecs(), another_vpc(&world));
    for last in [10, 11] {
        let here = ecs.with_address(&world.vpc, ip(last)).await.unwrap();
        let ids: Vec<_> = here.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, [world.eni.id.as_str()]);
        let there = ecs.with_address(&other, ip(last)).await.unwrap();
        assert_eq!(there.len(), 1);
        assert_ne!(there[0].id.as_str(), world.eni.id);
    }
    assert_eq!(world.count(ACTION), 4, "one call each");
    assert_eq!(ecs.with_address(&world.vpc, ip(99)).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_primary_address_is_found_where_the_filter_is_for_secondary_ones() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.open.private_ip_filter_finds_primary = false);
    let found = world.ecs().with_address(&world.vpc, ip(10)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].primary, Some(ip(10)));
}

#[tokio::test(start_paused = true)]
async fn a_member_names_its_instance() {
    let world = World::new();
    for (kind, last) in [(EniType::Trunk, 40), (EniType::Member, 41)] {
        let eni = NewEni {
            vswitch_id: world.vswitch.clone(),
            kind,
            instance_id: Some(world.instance.clone()),
            primary_ip: Some(format!("10.0.0.{last}")),
            ..NewEni::default()
        };
        world.cloud.add_eni(eni).unwrap();
    }
    let found = world.ecs().with_address(&world.vpc, ip(41)).await.unwrap();
    assert_eq!(found[0].kind, "Member");
    assert_eq!(found[0].instance.as_deref(), Some(world.instance.as_str()));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_no_empty_answers() {
    let world = World::new();
    let denied = Answer {
        status: 403,
        code: "Forbidden.RAM".to_owned(),
        ..Answer::default()
    };
    let (ecs, id) = (world.ecs(), EniId::new(&world.eni.id));
    world.order(ACTION, FaultKind::Refuse(denied));
    assert_eq!(class(ecs.interface(&id).await), Class::Denied);
    world.order(ACTION, FaultKind::Lose);
    assert_eq!(
        class(ecs.with_address(&world.vpc, ip(11)).await),
        Class::NoAnswer
    );
}
