//! Calls of the VPC API: an EIP's life, lost answers, tokens, looks, refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cloudsim::faults::FaultKind;
use cloudsim::holds::Release;
use cloudsim::world::BandwidthPackage;
use eipd::clock;
use eipd::cloud::rpc::DEADLINE;
use eipd::cloud::vpc::{AllocateArgs, EipStatus, EipView};
use eipd::cloud::{Class, CloudError, Vpc};
use eipd::domain::ids::EipId;

use crate::world::{World, allocated, args, class, ip, settle};

async fn look(client: &Vpc, eip: &EipId) -> Option<EipView> {
    client.look(std::slice::from_ref(eip)).await.unwrap().pop()
}

async fn status(client: &Vpc, eip: &EipId) -> Option<EipStatus> {
    look(client, eip).await.map(|view| view.status)
}

#[tokio::test(start_paused = true)]
async fn an_eip_is_allocated_bound_unbound_and_released() {
    let world = World::new();
    let (client, place) = (world.client(), world.place(11));
    let new = client.allocate(&args(), "t1").await.unwrap();
    let view = look(&client, &new.id).await.unwrap();
    assert_eq!(
        (view.status, view.address),
        (EipStatus::Available, new.address.to_string())
    );
    assert_eq!((view.name, view.tags), (args().name, args().tags));
    assert_eq!(view.bandwidth, Some(5));
    assert_eq!(view.internet_charge_type.as_deref(), Some("PayByTraffic"));

    client.associate(&new.id, &place, "t2").await.unwrap();
    assert_eq!(status(&client, &new.id).await, Some(EipStatus::Associating));
    settle().await;
    let view = look(&client, &new.id).await.unwrap();
    assert!(
        view.status == EipStatus::InUse && view.stands_at(&place, None),
        "{view:?}"
    );
    assert_eq!(view.eni(), Some(place.eni.clone()));

    client.unassociate(&new.id, &place, "t3").await.unwrap();
    assert_eq!(
        status(&client, &new.id).await,
        Some(EipStatus::Unassociating)
    );
    settle().await;
    let view = look(&client, &new.id).await.unwrap();
    assert_eq!(
        (view.status, view.instance_id),
        (EipStatus::Available, None)
    );
    client.release(&new.id).await.unwrap();
    settle().await;
    assert_eq!(look(&client, &new.id).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_eip_on_the_primary_ip_is_recognised_without_its_address() {
    let world = World::new();
    let (client, place) = (world.client(), world.place(10));
    let eip = allocated(&client, "t1").await;
    client.associate(&eip, &place, "t2").await.unwrap();
    settle().await;
    let view = look(&client, &eip).await.unwrap();
    assert_eq!(view.private_ip, None);
    assert!(
        view.stands_at(&place, Some(ip(10))) && !view.stands_at(&world.place(11), Some(ip(10)))
    );
    client.unassociate(&eip, &place, "t3").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_repeat_with_the_same_token_gives_the_same_eip() {
    let world = World::new();
    let client = world.client();
    let (first, again) = (
        allocated(&client, "t1").await,
        allocated(&client, "t1").await,
    );
    assert_eq!(first, again);
    assert_eq!(world.cloud.eips().len(), 1);
    assert_ne!(allocated(&client, "t2").await, first);
    let other = AllocateArgs {
        bandwidth: 6,
        ..args()
    };
    assert_eq!(
        class(client.allocate(&other, "t1").await),
        Class::IdempotentMismatch
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_answer_and_the_repeat_finds_what_was_done() {
    let world = World::new();
    let client = world.client();
    world.order("AllocateEipAddress", FaultKind::Lose);
    let error = client.allocate(&args(), "t1").await.unwrap_err();
    assert!(matches!(error, CloudError::NoAnswer { .. }) && error.may_have_happened());
    assert_eq!(world.cloud.eips().len(), 1);
    let eip = allocated(&client, "t1").await;
    assert_eq!(world.cloud.eips()[0].id, eip.as_str());
    assert_eq!(world.cloud.eips().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_is_no_answer_at_the_deadline() {
    let world = World::new();
    let client = world.client();
    allocated(&client, "t0").await;
    world.order("AllocateEipAddress", FaultKind::Hold);
    let began = clock::now();
    assert_eq!(class(client.allocate(&args(), "t1").await), Class::NoAnswer);
    assert_eq!(clock::now() - began, DEADLINE);
    assert_eq!(world.cloud.eips().len(), 2);
    world
        .cloud
        .release_hold(world.cloud.holds()[0].id, Release::Deliver);
    allocated(&client, "t1").await;
    assert_eq!(world.cloud.eips().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_120_ids_takes_three_calls() {
    let world = World::new();
    let ids: Vec<_> = eips_with_tag(&world, 120);
    let seen = world.client().look(&ids).await.unwrap();
    let seen: BTreeSet<_> = seen.into_iter().map(|view| view.id).collect();
    assert_eq!(seen, ids.into_iter().collect());
    assert_eq!(world.count("DescribeEipAddresses"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_look_by_tags_reads_every_page() {
    let world = World::new();
    let ids = eips_with_tag(&world, 230);
    allocated(&world.client(), "t1").await;
    let tag = [("owner".to_owned(), "us".to_owned())];
    let seen = world.client().look_by_tags(&tag).await.unwrap();
    let seen: BTreeSet<_> = seen.into_iter().map(|view| view.id).collect();
    assert_eq!(seen, ids.into_iter().collect());
    assert_eq!(world.count("DescribeEipAddresses"), 3);
    let both = [tag[0].clone(), ("owner2".to_owned(), "x".to_owned())];
    assert!(world.client().look_by_tags(&both).await.unwrap().is_empty());
}

fn eips_with_tag(world: &World, count: usize) -> Vec<EipId> {
    let args = [("Tag.1.Key", "owner"), ("Tag.1.Value", "us")];
    let args: BTreeMap<_, _> = args.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 1_000);
    (0..count)
        .map(|_| EipId::new(world.cloud.create_eip(&args, None).unwrap().id))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_unknown_eip_is_missing_from_a_look_and_not_found_by_a_change() {
    let world = World::new();
    let (client, ghost) = (world.client(), EipId::new("eip-ghost"));
    assert_eq!(look(&client, &ghost).await, None);
    assert_eq!(class(client.release(&ghost).await), Class::NotFound);
    assert_eq!(
        class(client.associate(&ghost, &world.place(11), "t").await),
        Class::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn refused_bindings_are_told_apart() {
    let world = World::new();
    let client = world.client();
    let (one, two) = (
        allocated(&client, "t1").await,
        allocated(&client, "t2").await,
    );
    client
        .associate(&one, &world.place(11), "t3")
        .await
        .unwrap();
    assert_eq!(
        class(client.associate(&one, &world.place(12), "t4").await),
        Class::WrongState
    );
    settle().await;
    assert_eq!(
        class(client.associate(&two, &world.place(11), "t5").await),
        Class::AlreadyBound
    );
    assert_eq!(class(client.release(&one).await), Class::WrongState);
    let mut gone = world.place(12);
    gone.eni = eipd::domain::ids::EniId::new("eni-ghost");
    assert_eq!(
        class(client.associate(&two, &gone, "t6").await),
        Class::PlaceNotFound
    );
    // The guard: what stands elsewhere is not unbound.
    client
        .unassociate(&one, &world.place(12), "t7")
        .await
        .unwrap_err();
    assert_eq!(status(&client, &one).await, Some(EipStatus::InUse));
}

#[tokio::test(start_paused = true)]
async fn joining_and_leaving_a_package_twice_is_no_error() {
    let world = World::new();
    let client = world.client();
    let package = BandwidthPackage {
        bandwidth: 100,
        ..BandwidthPackage::default()
    };
    let package = world.cloud.add_package(package).unwrap().id;
    let eip = allocated(&client, "t1").await;
    for token in ["j1", "j2"] {
        client.join_package(&eip, &package, token).await.unwrap();
        settle().await;
    }
    let view = look(&client, &eip).await.unwrap();
    assert_eq!(view.bandwidth_package_id.as_deref(), Some(package.as_str()));
    for token in ["l1", "l2"] {
        client.leave_package(&eip, &package, token).await.unwrap();
        settle().await;
    }
    assert_eq!(
        look(&client, &eip).await.unwrap().bandwidth_package_id,
        None
    );
    assert_eq!(
        class(client.join_package(&eip, "cbwp-ghost", "j3").await),
        Class::PackageNotFound
    );
}

#[tokio::test(start_paused = true)]
async fn throttling_is_told_by_its_code_and_says_how_long_to_wait() {
    let world = World::new();
    let client = world.client();
    world.cloud.change_settings(|settings| {
        settings.rates.insert("AllocateEipAddress".to_owned(), 1);
    });
    allocated(&client, "t1").await;
    let error = client.allocate(&args(), "t2").await.unwrap_err();
    assert_eq!(
        (error.class(), error.retry_after()),
        (Class::Throttled, None)
    );
    world
        .cloud
        .change_settings(|settings| settings.throttle_retry_after = true);
    let error = client.allocate(&args(), "t2").await.unwrap_err();
    assert!(
        error
            .retry_after()
            .is_some_and(|wait| wait <= Duration::from_mins(1)),
        "{error:?}"
    );
    clock::sleep(Duration::from_mins(1)).await;
    allocated(&client, "t2").await;
}

#[tokio::test(start_paused = true)]
async fn a_full_quota_is_quota() {
    let world = World::new();
    let client = world.client();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 1);
    allocated(&client, "t1").await;
    let error = client.allocate(&args(), "t2").await.unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::Quota, Some("QuotaExceeded.Eip"))
    );
    assert!(
        error
            .to_string()
            .contains(error.request_id().unwrap().as_str())
    );
}
