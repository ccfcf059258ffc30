//! What calls are signed with: the node's role, a configured `AccessKey`, and what goes wrong with them.

use std::collections::BTreeSet;
use std::time::Duration;

use cloudsim::identity::NewAccessKey;
use eipd::clock::{self, Clock};
use eipd::cloud::Class;
use eipd::cloud::credentials::Source;
use eipd::domain::ids::EipId;
use eipd::node::role::NodeRole;

use crate::world::{World, allocated, args, class, configured, start};

#[tokio::test(start_paused = true)]
async fn credentials_that_ended_early_are_refreshed_once_and_the_call_repeated() {
    let world = World::new();
    let client = world.client();
    allocated(&client, "t1").await;
    world.cloud.expire_credentials();
    allocated(&client, "t2").await;
    assert_eq!(world.count("AllocateEipAddress"), 3);
    let keys: BTreeSet<_> = api_calls(&world)
        .into_iter()
        .map(|call| call.access_key_id)
        .collect();
    assert_eq!(keys.iter().filter(|id| !id.is_empty()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_day_of_calls_never_meets_expired_credentials() {
    let world = World::new();
    let client = world.client();
    for _ in 0..144 {
        assert!(
            client
                .look(&[EipId::new("eip-ghost")])
                .await
                .unwrap()
                .is_empty()
        );
        clock::sleep(Duration::from_mins(10)).await;
    }
    assert_eq!(world.count("DescribeEipAddresses"), 144, "none was refused");
    let loads = world
        .cloud
        .calls()
        .iter()
        .filter(|call| call.action.ends_with("WorkerRole"))
        .count();
    assert!(
        (4..=6).contains(&loads),
        "{loads} loads of six-hour credentials in a day"
    );
}

fn api_calls(world: &World) -> Vec<cloudsim::calls::CallRecord> {
    world
        .cloud
        .calls()
        .into_iter()
        .filter(|call| call.door == "api")
        .collect()
}

#[tokio::test(start_paused = true)]
async fn wrong_keys_are_told_apart_and_not_tried_twice() {
    let world = World::new();
    let key = |id: &str| NewAccessKey {
        id: Some(id.to_owned()),
        ..NewAccessKey::default()
    };
    let inactive = world.client_of(NewAccessKey {
        inactive: true,
        ..key("LTAI1")
    });
    assert_eq!(
        class(inactive.allocate(&args(), "t").await),
        Class::CredentialsExpired
    );
    assert_eq!(world.count("AllocateEipAddress"), 1);
    let allowed = Some(vec!["vpc:DescribeEipAddresses".to_owned()]);
    let narrow = world.client_of(NewAccessKey {
        allowed,
        ..key("LTAI2")
    });
    assert_eq!(class(narrow.allocate(&args(), "t").await), Class::Denied);
    world.cloud.add_access_key(key("LTAI3"));
    let wrong = world.client_with(vec![configured("LTAI3", "n0t-the-secret")]);
    let error = wrong.allocate(&args(), "t").await.unwrap_err();
    assert_eq!(error.class(), Class::CredentialsWrong);
    assert!(!format!("{error} {error:?}").contains("n0t-the-secret"));
    assert!(world.cloud.eips().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_configured_key_comes_before_the_role_and_a_node_with_neither_says_so() {
    let world = World::new();
    let role = || Box::new(NodeRole::new(world.metadata()));
    let key = NewAccessKey {
        id: Some("LTAI1".to_owned()),
        ..NewAccessKey::default()
    };
    let secret = world.cloud.add_access_key(key).secret;
    let client = world.client_with(vec![configured("LTAI1", &secret), role()]);
    allocated(&client, "t1").await;
    assert_eq!(api_calls(&world)[0].access_key_id, "LTAI1");
    assert_eq!(world.count("metadata"), 0);

    world
        .cloud
        .change_instance(&world.instance, |instance| instance.role = None)
        .unwrap();
    let none = world.client_with(vec![configured("", ""), role()]);
    let error = none.allocate(&args(), "t2").await.unwrap_err();
    assert_eq!(error.class(), Class::NoCredentials);
    assert!(
        error.to_string().contains("neither an AccessKey"),
        "{error}"
    );
    assert_eq!(world.count("AllocateEipAddress"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_is_told_as_such() {
    let world = World::new();
    let role = || -> Vec<Box<dyn Source>> { vec![Box::new(NodeRole::new(world.metadata()))] };
    let off = |minutes| {
        let skew = jiff::SignedDuration::from_mins(minutes);
        world.client_at(role(), Clock::starting_at(start().wall() + skew))
    };
    assert_eq!(class(off(16).allocate(&args(), "t").await), Class::Skew);
    assert_eq!(class(off(-16).allocate(&args(), "t").await), Class::Skew);
    allocated(&off(14), "t").await;
}
