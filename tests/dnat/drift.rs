//! What somebody does in the console, or to the records, meanwhile.

use std::time::Duration;

use cloudsim::control::nat::EntryAction;
use cloudsim::nat::EntryStatus;
use eipd::clock;

use crate::nat::{asking, is_ready, record, world};
use crate::world::{SOON, World};

/// Longer than any two audits of a small cluster are apart, as good as always.
const AUDITED: Duration = Duration::from_hours(2);

async fn mended(action: &EntryAction) {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80,443"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let before = record(&world.api, "web")["spec"].clone();
    let id = world.entries()[1].id.clone();
    world.cloud.change_forward_entry(&id, action).unwrap();
    let whole = |world: &World| {
        let entries = world.entries();
        let right = |entry: &cloudsim::nat::ForwardEntry| {
            entry.internal_ip.to_string() == "10.0.0.11"
                && ["80", "443"].contains(&&*String::from(entry.internal_port))
                && entry.status == EntryStatus::Available
                && entry.name.starts_with("eipd-")
        };
        entries.len() == 2 && entries.iter().all(right) && is_ready(&world.api, "web")
    };
    world.until(AUDITED, |_| whole(&world)).await;
    clock::sleep(SOON).await;
    world.all_true("web");
    assert_eq!(record(&world.api, "web")["spec"], before, "the same ports");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_was_deleted_is_made_again() {
    mended(&EntryAction::Delete).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_was_sent_elsewhere_is_made_right() {
    mended(&EntryAction::Modify {
        internal_ip: Some([10, 0, 0, 30].into()),
        internal_port: None,
        name: None,
    })
    .await;
    mended(&EntryAction::Modify {
        internal_ip: None,
        internal_port: Some("81".to_owned()),
        name: None,
    })
    .await;
}

/// An entry without our name is not ours to delete, whatever it leads to: it is told.
#[tokio::test(start_paused = true)]
async fn an_entry_that_was_renamed_is_another_s() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    let id = world.entries()[0].id.clone();
    let rename = EntryAction::Modify {
        internal_ip: None,
        internal_port: None,
        name: Some("mine".to_owned()),
    };
    world.cloud.change_forward_entry(&id, &rename).unwrap();
    clock::sleep(AUDITED).await;
    world.delete_pod("web");
    clock::sleep(Duration::from_mins(5)).await;
    assert!(record(&world.api, "web").is_null());
    let left: Vec<_> = world.entries().into_iter().map(|it| it.id).collect();
    assert_eq!(left, [id]);
}

#[tokio::test(start_paused = true)]
async fn a_crd_that_is_being_deleted_gives_nothing_back() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.api.delete_crd("poddnats").unwrap();
    clock::sleep(Duration::from_mins(10)).await;
    assert_eq!(world.entries().len(), 1);
    assert_eq!(world.count("DeleteForwardEntry"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_gone_holds_no_record_for_ever() {
    let (world, _) = world();
    let _agent = world.start("agent");
    world.run(&asking(&world, "web", "80"), "10.0.0.11");
    world.until_ready(SOON, "web").await;
    world.cloud.remove_nat_gateway("ngw-1").unwrap();
    world.delete_pod("web");
    world.until_no_ports(Duration::from_mins(5), "web").await;
}
