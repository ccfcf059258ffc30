//! Forward entries: their states, the table's one change at a time, and what is refused.

use serde_json::{Value, json};

use super::nat::{eip, world};
use crate::control::eips::ConsoleAction;
use crate::nat::{EntryStatus, SnatEntry};
use crate::settings::ForwardBusyCode;
use crate::test_world::TestWorld;

pub async fn settle() {
    crate::clock::sleep(2_000).await;
}

/// An entry's arguments, with some of them otherwise.
fn asked<'a>(
    ip: &'a str,
    inside: &'a str,
    other: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut args = vec![
        ("ForwardTableId", "ftb-1"),
        ("ExternalIp", ip),
        ("ExternalPort", "512"),
        ("InternalIp", inside),
        ("InternalPort", "80"),
        ("IpProtocol", "tcp"),
        ("ForwardEntryName", "eipd-one"),
    ];
    args.retain(|(name, _)| other.iter().all(|(given, _)| given != name));
    args.extend(other);
    args.retain(|(_, value)| !value.is_empty());
    args
}

pub async fn make(world: &TestWorld, ip: &str, other: &[(&str, &str)]) -> Value {
    let inside = world.ip(1);
    world
        .ok("CreateForwardEntry", &asked(ip, &inside, other))
        .await
}

pub async fn refused(world: &TestWorld, ip: &str, other: &[(&str, &str)]) -> String {
    let inside = world.ip(1);
    let args = asked(ip, &inside, other);
    world.refusal("CreateForwardEntry", &args).await.1
}

async fn delete(world: &TestWorld, id: &str) -> (u16, Value) {
    let args = [("ForwardTableId", "ftb-1"), ("ForwardEntryId", id)];
    world.call("DeleteForwardEntry", &args).await
}

pub async fn table(world: &TestWorld, args: &[(&str, &str)]) -> Value {
    let args = [&[("ForwardTableId", "ftb-1")], args].concat();
    let answer = world.ok("DescribeForwardTableEntries", &args).await;
    answer["ForwardTableEntries"]["ForwardTableEntry"].clone()
}

pub fn id_of(answer: &Value) -> String {
    answer["ForwardEntryId"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_pending_then_there_then_deleting_then_gone() {
    let world = world();
    let (_, ip) = eip(&world);
    let id = id_of(&make(&world, &ip, &[]).await);
    let entry = table(&world, &[]).await[0].clone();
    assert_eq!(entry["Status"], "Pending");
    for (field, value) in [
        ("ForwardEntryId", id.as_str()),
        ("ForwardTableId", "ftb-1"),
        ("NatGatewayId", "ngw-1"),
        ("ForwardEntryName", "eipd-one"),
        ("ExternalIp", &ip),
        ("ExternalPort", "512"),
        ("InternalPort", "80"),
        ("IpProtocol", "tcp"),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    settle().await;
    assert_eq!(table(&world, &[]).await[0]["Status"], "Available");
    assert_eq!(delete(&world, &id).await.0, 200);
    assert_eq!(table(&world, &[]).await[0]["Status"], "Deleting");
    assert_eq!(
        delete(&world, &id).await.1["Code"],
        "IncorrectStatus.ForwardEntry"
    );
    settle().await;
    assert_eq!(table(&world, &[]).await, json!([]));
    let kept = world.cloud.forward_entries_even_gone();
    assert_eq!(kept[0].status, EntryStatus::Gone);
}

#[tokio::test(start_paused = true)]
async fn while_one_is_pending_the_table_takes_no_other_change() {
    let world = world();
    let (_, ip) = eip(&world);
    let first = id_of(&make(&world, &ip, &[]).await);
    let second = [("ExternalPort", "513"), ("InternalPort", "81")];
    for (code, text) in [
        (ForwardBusyCode::Entry, "IncorretForwardEntryStatus"),
        (ForwardBusyCode::Gateway, "IncorrectStatus.NATGW"),
        (ForwardBusyCode::TaskConflict, "TaskConflict"),
        (ForwardBusyCode::Operation, "OperationConflict"),
    ] {
        world
            .cloud
            .change_settings(|it| it.open.forward_busy_code = code);
        assert_eq!(refused(&world, &ip, &second).await, text);
        assert_eq!(delete(&world, &first).await.1["Code"], text);
    }
    settle().await;
    let second = id_of(&make(&world, &ip, &second).await);
    settle().await;
    // Several may be deleted at a time, and one made meanwhile, as far as the documents say.
    assert_eq!(delete(&world, &first).await.0, 200);
    assert_eq!(delete(&world, &second).await.0, 200);
    make(
        &world,
        &ip,
        &[("ExternalPort", "514"), ("InternalPort", "82")],
    )
    .await;
    settle().await;
    world
        .cloud
        .change_settings(|it| it.open.forward_create_waits_for_deletions = true);
    let third = id_of(&table(&world, &[]).await[0]);
    assert_eq!(delete(&world, &third).await.0, 200);
    let late = [("ExternalPort", "515"), ("InternalPort", "83")];
    assert_eq!(refused(&world, &ip, &late).await, "OperationConflict");
}

#[tokio::test(start_paused = true)]
async fn both_sides_are_unique_also_against_what_is_being_deleted() {
    let world = world();
    let (_, ip) = eip(&world);
    let id = id_of(&make(&world, &ip, &[]).await);
    settle().await;
    let (outside, inside) = ([("InternalPort", "81")], [("ExternalPort", "513")]);
    assert_eq!(
        refused(&world, &ip, &outside).await,
        "Forbidden.Already.Bounded"
    );
    assert_eq!(
        refused(&world, &ip, &inside).await,
        "OperationUnsupported.ForwardEntry"
    );
    world
        .cloud
        .change_settings(|it| it.open.forward_taken_is_bounded = false);
    assert_eq!(
        refused(&world, &ip, &outside).await,
        "OperationUnsupported.ForwardEntry"
    );
    assert_eq!(delete(&world, &id).await.0, 200);
    assert_eq!(
        refused(&world, &ip, &inside).await,
        "OperationUnsupported.ForwardEntry"
    );
    make(&world, &ip, &[("IpProtocol", "UDP")]).await;
    settle().await;
    assert_eq!(
        table(&world, &[("IpProtocol", "UDP")]).await[0]["IpProtocol"],
        "udp"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_mapped_whole_serves_nothing_else() {
    let world = world();
    let (_, ip) = eip(&world);
    let all = [
        ("ExternalPort", "Any"),
        ("InternalPort", "Any"),
        ("IpProtocol", "Any"),
    ];
    make(&world, &ip, &all).await;
    settle().await;
    let inside = world.ip(2);
    let other = [("InternalIp", inside.as_str())];
    assert_eq!(
        refused(&world, &ip, &other).await,
        "Forbidden.Already.Bounded"
    );
}

#[tokio::test(start_paused = true)]
async fn each_wrong_argument_has_its_code() {
    let world = world();
    let (_, ip) = eip(&world);
    let foreign = world
        .cloud
        .create_eip(&[].into(), None)
        .unwrap()
        .ip
        .to_string();
    let long = "a".repeat(129);
    for (name, value, code) in [
        (
            "ForwardTableId",
            "ftb-none",
            "InvalidForwardTableId.NotFound",
        ),
        ("ForwardTableId", "", "MissingParameter"),
        ("ExternalIp", "no", "InvalidExternalIp.Malformed"),
        ("ExternalIp", "198.18.99.99", "InvalidExternalIp.NotFound"),
        ("ExternalIp", foreign.as_str(), "InvalidIp.NotInNatgw"),
        ("ExternalPort", "0", "InvalidExternalPort.Malformed"),
        ("ExternalPort", "512/513", "InvalidInternalPort.Malformed"),
        ("InternalIp", "no", "InvalidInternalIp.Malformed"),
        (
            "InternalIp",
            "192.168.0.1",
            "Forbidden.InternalIpOutOfVpcCIDR",
        ),
        ("InternalPort", "70000", "InvalidInternalPort.Malformed"),
        ("IpProtocol", "icmp", "InvalidProtocal.ValueNotSupported"),
        ("IpProtocol", "any", "InvalidProtocal.ValueNotSupported"),
        ("ForwardEntryName", "1st", "InvalidParameter.Name.Malformed"),
        (
            "ForwardEntryName",
            "http://x",
            "InvalidParameter.Name.Malformed",
        ),
        ("ForwardEntryName", &long, "InvalidParameter.Name.Malformed"),
    ] {
        let seen = refused(&world, &ip, &[(name, value)]).await;
        assert_eq!(seen, code, "{name}={value}");
    }
    world.cloud.set_nat_status("ngw-1", "Modifying").unwrap();
    assert_eq!(refused(&world, &ip, &[]).await, "IncorrectStatus.NATGW");
}

#[tokio::test(start_paused = true)]
async fn an_eip_that_is_still_being_bound_is_not_there_yet() {
    let world = world();
    let eip = world.cloud.create_eip(&[].into(), None).unwrap();
    let args = [
        ("AllocationId", eip.id.as_str()),
        ("InstanceId", "ngw-1"),
        ("InstanceType", "Nat"),
    ];
    world.ok("AssociateEipAddress", &args).await;
    let ip = eip.ip.to_string();
    assert_eq!(
        refused(&world, &ip, &[]).await,
        "OperationUnsupported.EipInBinding"
    );
}

#[tokio::test(start_paused = true)]
async fn snat_has_the_ports_above_1024() {
    let world = world();
    let (_, ip) = eip(&world);
    let entry = SnatEntry {
        gateway: "ngw-1".to_owned(),
        ips: vec![ip.parse().unwrap()],
        ..SnatEntry::default()
    };
    world.cloud.add_snat_entry(entry).unwrap();
    let high = [("ExternalPort", "1025")];
    assert_eq!(
        refused(&world, &ip, &high).await,
        "Forbidden.ExternalIp.UsedInSnatTable"
    );
    make(&world, &ip, &[("ExternalPort", "1024")]).await;
    settle().await;
    make(
        &world,
        &ip,
        &[
            ("ExternalPort", "1025"),
            ("InternalPort", "81"),
            ("PortBreak", "True"),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_eip_and_a_port_exclude_each_other_on_one_address() {
    let world = world();
    let (_, ip) = eip(&world);
    let own = world.cloud.create_eip(&[].into(), None).unwrap();
    let (eni, inside) = (world.eni.id.clone(), world.ip(1));
    let bind = ConsoleAction::Bind {
        eni: eni.clone(),
        private_ip: inside.parse().ok(),
        settle_ms: 0,
    };
    world.cloud.change_eip(&own.id, &bind).unwrap();
    assert_eq!(refused(&world, &ip, &[]).await, "Forbindden");
    let unbind = ConsoleAction::Unbind { settle_ms: 0 };
    world.cloud.change_eip(&own.id, &unbind).unwrap();
    make(&world, &ip, &[]).await;
    let args = [
        ("AllocationId", own.id.as_str()),
        ("InstanceId", &eni),
        ("InstanceType", "NetworkInterface"),
        ("PrivateIpAddress", &inside),
    ];
    let refused = world.refusal("AssociateEipAddress", &args).await.1;
    assert_eq!(refused, "BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP");
}

#[tokio::test(start_paused = true)]
async fn a_full_table_says_so() {
    let world = world();
    let (_, ip) = eip(&world);
    world
        .cloud
        .change_settings(|it| it.quotas.forward_entries = 1);
    make(&world, &ip, &[]).await;
    settle().await;
    let second = [("ExternalPort", "513"), ("InternalPort", "81")];
    assert_eq!(refused(&world, &ip, &second).await, "QuotaExceeded");
}

#[tokio::test(start_paused = true)]
async fn the_same_token_gives_the_same_entry() {
    let world = world();
    let (_, ip) = eip(&world);
    let token = [("ClientToken", "token-1")];
    let (first, again) = (
        make(&world, &ip, &token).await,
        make(&world, &ip, &token).await,
    );
    assert_eq!(id_of(&first), id_of(&again));
    assert_eq!(world.cloud.forward_entries().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_entry_is_said_as_set() {
    let world = world();
    let gone = delete(&world, "fwd-none").await;
    assert_eq!(
        (gone.0, gone.1["Code"].clone()),
        (404, json!("InvalidForwardEntryId.NotFound"))
    );
    world
        .cloud
        .change_settings(|it| it.open.forward_unknown_is_status = true);
    let gone = delete(&world, "fwd-none").await;
    assert_eq!(
        (gone.0, gone.1["Code"].clone()),
        (400, json!("IncorretForwardEntryStatus"))
    );
}
