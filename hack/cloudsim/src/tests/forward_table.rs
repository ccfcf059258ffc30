//! What a forward table shows, and what happens to it at the console.

use serde_json::json;

use super::forward::{id_of, make, refused, settle, table};
use super::nat::{eip, world};
use crate::control::nat::EntryAction;
use crate::nat::NewNatGateway;

#[tokio::test(start_paused = true)]
async fn a_table_is_listed_by_what_is_asked_and_as_late_as_set() {
    let world = world();
    let (_, ip) = eip(&world);
    make(&world, &ip, &[]).await;
    settle().await;
    for (filter, found) in [
        (("ForwardEntryName", "eipd-one"), 1),
        (("ForwardEntryName", "eipd"), 0),
        (("ExternalPort", "512"), 1),
        (("InternalPort", "512"), 0),
        (("ExternalIp", ip.as_str()), 1),
        (("InternalIp", "10.0.1.250"), 0),
    ] {
        let seen = table(&world, &[filter]).await;
        assert_eq!(seen.as_array().unwrap().len(), found, "{filter:?}");
    }
    world
        .cloud
        .change_settings(|it| it.open.describe_entry_lag_ms = 5_000);
    make(
        &world,
        &ip,
        &[("ExternalPort", "513"), ("InternalPort", "81")],
    )
    .await;
    assert_eq!(table(&world, &[("ExternalPort", "513")]).await, json!([]));
    crate::clock::sleep(5_000).await;
    assert_eq!(
        table(&world, &[("ExternalPort", "513")]).await[0]["Status"],
        "Pending"
    );
    let none = world.refusal("DescribeForwardTableEntries", &[]).await.1;
    assert_eq!(none, "MissingParameter");
    let unknown = [("NatGatewayId", "ngw-none")];
    let unknown = world
        .refusal("DescribeForwardTableEntries", &unknown)
        .await
        .1;
    assert_eq!(unknown, "Invalid.natgwNotExist");
}

#[tokio::test(start_paused = true)]
async fn the_console_changes_and_deletes_entries_and_lets_one_stick() {
    let world = world();
    let (_, ip) = eip(&world);
    let id = id_of(&make(&world, &ip, &[]).await);
    settle().await;
    let modify = EntryAction::Modify {
        internal_ip: None,
        internal_port: Some("8080".to_owned()),
        name: None,
    };
    world.cloud.change_forward_entry(&id, &modify).unwrap();
    assert_eq!(table(&world, &[]).await[0]["InternalPort"], "8080");
    world
        .cloud
        .change_forward_entry(&id, &EntryAction::Stick)
        .unwrap();
    crate::clock::sleep(3_600_000).await;
    assert_eq!(table(&world, &[]).await[0]["Status"], "Pending");
    world
        .cloud
        .change_forward_entry(&id, &EntryAction::Settle)
        .unwrap();
    assert_eq!(table(&world, &[]).await[0]["Status"], "Available");
    world
        .cloud
        .change_forward_entry(&id, &EntryAction::Delete)
        .unwrap();
    assert_eq!(table(&world, &[]).await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn another_accounts_gateway_is_unknown() {
    let world = world();
    let other = NewNatGateway {
        id: Some("ngw-2".to_owned()),
        forward_table_id: Some("ftb-2".to_owned()),
        vswitch_id: "vsw-1".to_owned(),
        account: "42".to_owned(),
        ..NewNatGateway::default()
    };
    world.cloud.add_nat_gateway(other).unwrap();
    let (_, ip) = eip(&world);
    let table = [("ForwardTableId", "ftb-2")];
    assert_eq!(
        refused(&world, &ip, &table).await,
        "InvalidForwardTableId.NotFound"
    );
}
