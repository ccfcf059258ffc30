//! `DescribeNetworkInterfaces`.

use serde_json::{Value, json};

use crate::test_world::TestWorld;
use crate::world::{EniType, NewEni};

const ACTION: &str = "DescribeNetworkInterfaces";

async fn sets(world: &TestWorld, args: &[(&str, &str)]) -> Vec<Value> {
    let body = world.ok(ACTION, args).await;
    body["NetworkInterfaceSets"]["NetworkInterfaceSet"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn enis_are_found_by_any_private_ip_of_theirs() {
    let world = TestWorld::new();
    for n in [0, 1, 4] {
        let found = sets(&world, &[("PrivateIpAddress.1", &world.ip(n))]).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["NetworkInterfaceId"], json!(world.eni.id));
    }
    assert_eq!(
        sets(&world, &[("PrivateIpAddress.1", "10.0.1.99")])
            .await
            .len(),
        0
    );
    world
        .cloud
        .change_settings(|s| s.open.private_ip_filter_finds_primary = false);
    assert_eq!(
        sets(&world, &[("PrivateIpAddress.1", &world.ip(0))])
            .await
            .len(),
        0
    );
    assert_eq!(
        sets(&world, &[("PrimaryIpAddress", &world.ip(0))])
            .await
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn enis_show_addresses_with_their_eips() {
    let world = TestWorld::new();
    let eip = world.bound(1).await;
    let found = sets(&world, &[("NetworkInterfaceId.1", &world.eni.id)]).await;
    let ips = found[0]["PrivateIpSets"]["PrivateIpSet"]
        .as_array()
        .unwrap();
    assert_eq!(ips.len(), 5);
    assert_eq!(ips[0]["Primary"], true);
    assert_eq!(ips[1]["AssociatedPublicIp"]["AllocationId"], eip.as_str());
    assert_eq!(
        ips[1]["AssociatedPublicIp"]["PublicIpAddress"],
        "203.0.113.1"
    );
    assert_eq!(ips[2]["AssociatedPublicIp"], json!({}));
    assert_eq!(found[0]["Attachment"]["InstanceId"], "i-1");
    assert_eq!(found[0]["Attachment"]["DeviceIndex"], 1);
    assert_eq!(found[0]["Type"], "Secondary");
    assert_eq!(found[0]["Status"], "InUse");
}

#[tokio::test(start_paused = true)]
async fn enis_of_the_member_kind_show_their_instance_only_in_the_attachment() {
    let world = TestWorld::new();
    for kind in [EniType::Trunk, EniType::Member] {
        let instance_id = Some("i-1".to_owned());
        let new = NewEni {
            vswitch_id: "vsw-1".into(),
            kind,
            instance_id,
            ..NewEni::default()
        };
        world.cloud.add_eni(new).unwrap();
    }
    let member = &sets(&world, &[("Type", "Member")]).await[0];
    assert_eq!(member["InstanceId"], "");
    assert_eq!(member["Attachment"]["InstanceId"], "i-1");
    let trunk = &sets(&world, &[("Type", "Trunk")]).await[0];
    let through = &member["Attachment"]["TrunkNetworkInterfaceId"];
    assert_eq!(*through, trunk["NetworkInterfaceId"]);
}

#[tokio::test(start_paused = true)]
async fn enis_are_filtered() {
    let world = TestWorld::new();
    let new = NewEni {
        vswitch_id: "vsw-1".into(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
        security_groups: vec!["sg-1".into()],
        ipv6s: vec!["2001:db8::1".into()],
        service_managed: true,
        ..NewEni::default()
    };
    world.cloud.add_eni(new).unwrap();
    let cases: &[(&[(&str, &str)], usize)] = &[
        (&[], 3),
        (&[("VpcId", "vpc-none")], 0),
        (&[("VSwitchId", "vsw-1")], 3),
        (&[("InstanceId", "i-1")], 2),
        (&[("Type", "Primary")], 1),
        (&[("Status", "Available")], 1),
        (&[("Tag.1.Key", "team"), ("Tag.1.Value", "a")], 1),
        (&[("Tag.1.Key", "team"), ("Tag.1.Value", "b")], 0),
        (&[("SecurityGroupId", "sg-1")], 1),
        (&[("Ipv6Address.1", "2001:db8::1")], 1),
        (&[("ServiceManaged", "true")], 1),
        (&[("NetworkInterfaceId.1", "eni-none")], 0),
    ];
    for (args, count) in cases {
        assert_eq!(sets(&world, args).await.len(), *count, "{args:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn enis_of_an_unknown_id_are_an_error_as_set() {
    let world = TestWorld::new();
    let ids = [
        ("NetworkInterfaceId.1", world.eni.id.as_str()),
        ("NetworkInterfaceId.2", "eni-none"),
    ];
    assert_eq!(sets(&world, &ids).await.len(), 1);
    world
        .cloud
        .change_settings(|settings| settings.open.unknown_eni_is_error = true);
    let refused = world.refusal(ACTION, &ids).await;
    assert_eq!(refused, (404, "InvalidEniId.NotFound".to_owned()));
    assert_eq!(sets(&world, &ids[..1]).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn enis_page_by_token_ten_at_least() {
    let world = TestWorld::new();
    for _ in 0..12 {
        let new = NewEni {
            vswitch_id: "vsw-1".into(),
            ..NewEni::default()
        };
        world.cloud.add_eni(new).unwrap();
    }
    let first = world.ok(ACTION, &[("MaxResults", "3")]).await;
    assert_eq!(
        first["NetworkInterfaceSets"]["NetworkInterfaceSet"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let token = first["NextToken"].as_str().unwrap();
    let rest = world.ok(ACTION, &[("NextToken", token)]).await;
    assert_eq!(
        rest["NetworkInterfaceSets"]["NetworkInterfaceSet"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(rest["NextToken"], "");
}

#[tokio::test(start_paused = true)]
async fn enis_page_by_number_too() {
    let world = TestWorld::new();
    let body = world
        .ok(ACTION, &[("PageNumber", "2"), ("PageSize", "1")])
        .await;
    assert_eq!(
        (&body["TotalCount"], &body["PageNumber"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        body["NetworkInterfaceSets"]["NetworkInterfaceSet"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn enis_refuse_bad_calls() {
    let world = TestWorld::new();
    let many: Vec<_> = (1..=101)
        .map(|n| (format!("NetworkInterfaceId.{n}"), "eni-1"))
        .collect();
    let many: Vec<_> = many.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    assert_eq!(world.refusal(ACTION, &many).await.1, "InvalidParameter");
    let refused = world.refusal(ACTION, &[("Type", "Quantum")]).await;
    assert_eq!(refused, (403, "InvalidOperation.InvalidEniType".to_owned()));
    assert_eq!(world.refusal(ACTION, &[("RegionId", "mars")]).await.0, 404);
    assert_eq!(
        world.refusal(ACTION, &[("NextToken", "x")]).await.1,
        "InvalidParameter"
    );
}
