//! Calls that change a living EIP: its tags, its bandwidth, the package it is in.

use cloudsim::settings::PackageBusyCode;
use cloudsim::world::BandwidthPackage;
use eipd::cloud::vpc::EipView;
use eipd::cloud::{Class, Vpc};
use eipd::domain::ids::EipId;

use crate::world::{World, allocated, args, class, settle};

async fn look(client: &Vpc, eip: &EipId) -> EipView {
    let seen = client.look(std::slice::from_ref(eip)).await.unwrap();
    seen.into_iter().next().unwrap()
}

fn package(world: &World) -> String {
    let package = BandwidthPackage {
        bandwidth: 1_000,
        ..BandwidthPackage::default()
    };
    world.cloud.add_package(package).unwrap().id
}

fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_to_those_that_are_there() {
    let world = World::new();
    let client = world.client();
    let eip = allocated(&client, "t1").await;
    let ours = [tag("eipd-cluster", "c-1"), tag("team", "ours & theirs")];
    for _ in 0..2 {
        client.tag(&eip, &ours).await.unwrap();
    }
    let mut expected = args().tags;
    expected.extend(ours);
    assert_eq!(look(&client, &eip).await.tags, expected);
    let by_tag = client.look_by_tags(&[tag("eipd-cluster", "c-1")]).await;
    assert_eq!(by_tag.unwrap()[0].id, eip);
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_is_bound_is_tagged_as_well() {
    let world = World::new();
    let client = world.client();
    let eip = allocated(&client, "t1").await;
    let place = world.place(11);
    client.associate(&eip, &place, "t2").await.unwrap();
    settle().await;
    client.tag(&eip, &[tag("k", "v")]).await.unwrap();
    let seen = look(&client, &eip).await;
    assert!(seen.stands_at(&place, None) && seen.tags["k"] == "v");
}

#[tokio::test(start_paused = true)]
async fn tags_that_cannot_be_set_are_told_apart() {
    let world = World::new();
    let client = world.client();
    let ghost = client.tag(&EipId::new("eip-ghost"), &[tag("k", "v")]).await;
    assert_eq!(class(ghost), Class::NotFound);
    let eip = allocated(&client, "t1").await;
    let many: Vec<_> = (0..20).map(|n| tag(&format!("k{n}"), "v")).collect();
    let full = client.tag(&eip, &many).await;
    assert_eq!(class(full), Class::Permanent);
    assert_eq!(look(&client, &eip).await.tags, args().tags);
}

#[tokio::test(start_paused = true)]
async fn bandwidth_changes_at_once() {
    let world = World::new();
    let client = world.client();
    let eip = allocated(&client, "t1").await;
    client.modify_bandwidth(&eip, 20).await.unwrap();
    let seen = look(&client, &eip).await;
    assert_eq!((seen.bandwidth, seen.name), (Some(20), args().name));
    let package = package(&world);
    client.join_package(&eip, &package, "j1").await.unwrap();
    assert_eq!(look(&client, &eip).await.bandwidth, Some(20), "its own");
}

#[tokio::test(start_paused = true)]
async fn a_bandwidth_that_cannot_be_is_told_apart() {
    let world = World::new();
    let client = world.client();
    let ghost = client.modify_bandwidth(&EipId::new("eip-ghost"), 5).await;
    assert_eq!(class(ghost), Class::NotFound);
    let eip = allocated(&client, "t1").await;
    let over = client.modify_bandwidth(&eip, 201).await;
    assert_eq!(class(over), Class::Permanent);
    client
        .associate(&eip, &world.place(11), "t2")
        .await
        .unwrap();
    let moving = client.modify_bandwidth(&eip, 10).await;
    assert_eq!(class(moving), Class::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_package_that_is_busy_is_tried_again_soon() {
    let world = World::new();
    let (client, package) = (world.client(), package(&world));
    let one = allocated(&client, "t1").await;
    let two = allocated(&client, "t2").await;
    client.join_package(&one, &package, "j1").await.unwrap();
    for code in [
        PackageBusyCode::Conflict,
        PackageBusyCode::Lock,
        PackageBusyCode::TaskConflict,
        PackageBusyCode::TooFrequently,
    ] {
        world
            .cloud
            .change_settings(|settings| settings.open.package_busy_code = code);
        let join = client.join_package(&two, &package, "j2").await;
        assert_eq!(class(join), Class::Busy, "{code:?}");
        let leave = client.leave_package(&one, &package, "l1").await;
        assert_eq!(class(leave), Class::Busy, "{code:?}");
    }
    settle().await;
    client.join_package(&two, &package, "j3").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_eip_in_another_package_does_not_move_by_joining() {
    let world = World::new();
    let (client, first, second) = (world.client(), package(&world), package(&world));
    let eip = allocated(&client, "t1").await;
    client.join_package(&eip, &first, "j1").await.unwrap();
    settle().await;
    // Done already, says the cloud, and does not say where: a look does.
    client.join_package(&eip, &second, "j2").await.unwrap();
    let seen = look(&client, &eip).await;
    assert_eq!(seen.bandwidth_package_id, Some(first));
}
