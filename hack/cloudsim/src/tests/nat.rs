//! NAT gateways and route tables.

use serde_json::{Value, json};

use crate::control::eips::ConsoleAction;
use crate::nat::{NewNatGateway, SnatEntry};
use crate::test_world::TestWorld;
use crate::world::routes::{NewRouteTable, Route};

/// A world with a gateway `ngw-1`, whose table is `ftb-1`.
pub fn world() -> TestWorld {
    let world = TestWorld::new();
    let gateway = NewNatGateway {
        id: Some("ngw-1".to_owned()),
        forward_table_id: Some("ftb-1".to_owned()),
        vswitch_id: "vsw-1".to_owned(),
        ..NewNatGateway::default()
    };
    world.cloud.add_nat_gateway(gateway).unwrap();
    world
}

/// An EIP on the gateway; its id and address.
pub fn eip(world: &TestWorld) -> (String, String) {
    let eip = world.cloud.create_eip(&[].into(), None).unwrap();
    let bind = ConsoleAction::BindNat {
        gateway: "ngw-1".to_owned(),
    };
    world.cloud.change_eip(&eip.id, &bind).unwrap();
    (eip.id, eip.ip.to_string())
}

async fn gateways(world: &TestWorld, args: &[(&str, &str)]) -> Value {
    let answer = world.ok("DescribeNatGateways", args).await;
    answer["NatGateways"]["NatGateway"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_gateway_is_described_with_its_tables_and_eips() {
    let world = world();
    let (id, ip) = eip(&world);
    let found = gateways(&world, &[("NatGatewayId", "ngw-1")]).await;
    let gateway = &found[0];
    assert_eq!(gateway["NetworkType"], "internet");
    assert_eq!(gateway["Status"], "Available");
    assert_eq!(gateway["ForwardTableIds"]["ForwardTableId"][0], "ftb-1");
    assert_eq!(gateway["NatGatewayPrivateInfo"]["IzNo"], "cn-hangzhou-a");
    let listed = &gateway["IpLists"]["IpList"][0];
    assert_eq!(
        (&listed["AllocationId"], &listed["IpAddress"]),
        (&json!(id), &json!(ip))
    );
    assert_eq!(listed["UsingStatus"], "Idle");
    let eip = world
        .ok("DescribeEipAddresses", &[("AllocationId", &id)])
        .await;
    let eip = &eip["EipAddresses"]["EipAddress"][0];
    assert_eq!(
        (&eip["InstanceType"], &eip["InstanceId"]),
        (&json!("Nat"), &json!("ngw-1"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_eip_is_bound_to_a_gateway_through_the_api() {
    let world = world();
    let eip = world.cloud.create_eip(&[].into(), None).unwrap();
    let args = [
        ("AllocationId", eip.id.as_str()),
        ("InstanceId", "ngw-1"),
        ("InstanceType", "Nat"),
    ];
    world.ok("AssociateEipAddress", &args).await;
    assert_eq!(
        gateways(&world, &[]).await[0]["IpLists"]["IpList"],
        json!([])
    );
    crate::clock::sleep(2_000).await;
    let listed = gateways(&world, &[]).await[0]["IpLists"]["IpList"].clone();
    assert_eq!(listed[0]["AllocationId"], json!(eip.id));
}

#[tokio::test(start_paused = true)]
async fn gateways_are_filtered_and_a_status_shows() {
    let world = world();
    let none = [
        ("VpcId", "vpc-none"),
        ("ZoneId", "cn-hangzhou-z"),
        ("NetworkType", "intranet"),
        ("Status", "Deleting"),
    ];
    for filter in none {
        assert_eq!(gateways(&world, &[filter]).await, json!([]), "{filter:?}");
    }
    world.cloud.set_nat_status("ngw-1", "Modifying").unwrap();
    assert_eq!(
        gateways(&world, &[("Status", "Modifying")]).await[0]["NatGatewayId"],
        "ngw-1"
    );
    let page = world
        .refusal("DescribeNatGateways", &[("PageSize", "51")])
        .await;
    assert_eq!(page.1, "InvalidParameter");
}

#[tokio::test(start_paused = true)]
async fn an_eip_of_snat_says_so() {
    let world = world();
    let (_, ip) = eip(&world);
    let entry = SnatEntry {
        gateway: "ngw-1".to_owned(),
        ips: vec![ip.parse().unwrap()],
        ..SnatEntry::default()
    };
    world.cloud.add_snat_entry(entry).unwrap();
    let listed = gateways(&world, &[]).await[0]["IpLists"]["IpList"][0].clone();
    assert_eq!(listed["UsingStatus"], "UsedBySnatTable");
}

fn default_route(world: &TestWorld, table: &str, gateway: &str) {
    let route = Route {
        table_id: table.to_owned(),
        vpc_id: world.eni.vpc_id.clone(),
        next_hop_type: "NatGateway".to_owned(),
        next_hop_id: gateway.to_owned(),
        ..Route::default()
    };
    world.cloud.add_route(route).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_vswitch_has_the_vpcs_table_or_one_of_its_own() {
    let world = world();
    let vpc = world.eni.vpc_id.clone();
    let tables = async || {
        let answer = world.ok("DescribeRouteTableList", &[("VpcId", &vpc)]).await;
        answer["RouterTableList"]["RouterTableListType"].clone()
    };
    let before = tables().await;
    assert_eq!(before.as_array().unwrap().len(), 1);
    assert_eq!(before[0]["RouteTableType"], "System");
    assert_eq!(before[0]["VSwitchIds"]["VSwitchId"], json!(["vsw-1"]));
    let new = NewRouteTable {
        id: Some("vtb-own".to_owned()),
        vpc_id: vpc.clone(),
        vswitch_ids: vec!["vsw-1".to_owned()],
    };
    world.cloud.add_route_table(new).unwrap();
    let after = tables().await;
    assert_eq!(after[0]["VSwitchIds"]["VSwitchId"], json!([]));
    assert_eq!(after[1]["VSwitchIds"]["VSwitchId"], json!(["vsw-1"]));
    let vswitch = world
        .ok("DescribeVSwitches", &[("VSwitchId", "vsw-1")])
        .await;
    let table = &vswitch["VSwitches"]["VSwitch"][0]["RouteTable"];
    assert_eq!(table["RouteTableId"], "vtb-own");
    default_route(&world, "vtb-own", "ngw-1");
    let args = [
        ("RouteTableId", "vtb-own"),
        ("DestinationCidrBlock", "0.0.0.0/0"),
    ];
    let routes = world.ok("DescribeRouteEntryList", &args).await;
    let routes = &routes["RouteEntrys"]["RouteEntry"];
    assert_eq!(routes.as_array().unwrap().len(), 1);
    assert_eq!(routes[0]["NextHops"]["NextHop"][0]["NextHopId"], "ngw-1");
    assert_eq!(routes[0]["Type"], "Custom");
}

#[tokio::test(start_paused = true)]
async fn routes_come_in_pages_by_token() {
    let world = world();
    let vpc = world.eni.vpc_id.clone();
    for _ in 0..4 {
        default_route(&world, "", "ngw-1");
    }
    let table = crate::world::routes::system_table(&vpc);
    let (mut token, mut seen) = (String::new(), 0);
    for _ in 0..5 {
        let args = [
            ("RouteTableId", table.as_str()),
            ("MaxResult", "2"),
            ("NextToken", &token),
        ];
        let answer = world.ok("DescribeRouteEntryList", &args).await;
        seen += answer["RouteEntrys"]["RouteEntry"]
            .as_array()
            .unwrap()
            .len();
        token = answer["NextToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 5); // with the VPC's own
    let unknown = world
        .refusal("DescribeRouteEntryList", &[("RouteTableId", "vtb-none")])
        .await;
    assert_eq!(unknown, (404, "InvalidRouteTableId.NotFound".to_owned()));
}
