//! `DescribeRouteTableList` and `DescribeRouteEntryList` (alibaba-api.md 1.14).

use serde_json::{Value, json};

use super::page::Page;
use crate::clock::iso;
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};
use crate::world::routes::{Route, system_table};

/// A table as the list shows it.
struct Table {
    id: String,
    vpc_id: String,
    system: bool,
    vswitch_ids: Vec<String>,
}

/// Lists route tables.
pub fn tables(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let page = Page::read(&call.args, 50, &state.settings)?;
    let own = call.caller.account == state.settings.account_id;
    let mut found = all(state);
    found.retain(|table| {
        own && state.world.region_of_vpc(&table.vpc_id) == region && lets(&call.args, table)
    });
    let mut answer = page.fields(found.len());
    let list: Vec<_> = page
        .cut(found)
        .iter()
        .map(|table| table_item(state, table))
        .collect();
    answer["RouterTableList"] = json!({"RouterTableListType": list});
    Ok(answer)
}

fn all(state: &State) -> Vec<Table> {
    let world = &state.world;
    let system = world.vpcs.keys().map(|vpc| (system_table(vpc), vpc, true));
    let custom = world.route_tables.values();
    let custom = custom.map(|table| (table.id.clone(), &table.vpc_id, false));
    let table = |(id, vpc, system): (String, &String, bool)| Table {
        vswitch_ids: vswitches(state, vpc, &id),
        id,
        vpc_id: vpc.clone(),
        system,
    };
    system.chain(custom).map(table).collect()
}

fn vswitches(state: &State, vpc: &str, table: &str) -> Vec<String> {
    let all = state.world.vswitches.values();
    let ours = all.filter(|vswitch| {
        vswitch.vpc_id == vpc && state.world.table_of(&vswitch.id).as_deref() == Some(table)
    });
    ours.map(|vswitch| vswitch.id.clone()).collect()
}

fn lets(args: &Args, table: &Table) -> bool {
    let same = |name: &str, value: &str| args.get(name).is_none_or(|given| given == value);
    same("VpcId", &table.vpc_id)
        && same("RouteTableId", &table.id)
        && same("RouteTableName", "")
        && same("RouteTableType", kind(table))
        && same("RouterType", "VRouter")
}

fn kind(table: &Table) -> &'static str {
    if table.system { "System" } else { "Custom" }
}

fn table_item(state: &State, table: &Table) -> Value {
    json!({
        "RouteTableId": table.id,
        "RouteTableName": "",
        "RouteTableType": kind(table),
        "AssociateType": "VSwitch",
        "RouterId": format!("vrt-{}", table.vpc_id),
        "RouterType": "VRouter",
        "VpcId": table.vpc_id,
        "VSwitchIds": {"VSwitchId": table.vswitch_ids},
        "GatewayIds": {"GatewayIds": []},
        "Status": "Available",
        "RoutePropagationEnable": true,
        "Description": "",
        "CreationTime": iso(state.clock.wall(0)),
        "ResourceGroupId": super::allocate::DEFAULT_GROUP,
        "OwnerId": state.settings.account_id.parse::<u64>().unwrap_or(0),
        "Tags": {"Tag": []},
    })
}

/// Lists the routes of a table: page by page, by token.
pub fn entries(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let id = call.args.required("RouteTableId")?;
    let own = call.caller.account == state.settings.account_id;
    let table = all(state)
        .into_iter()
        .find(|table| own && table.id == id && state.world.region_of_vpc(&table.vpc_id) == region);
    let table = table.ok_or_else(|| {
        ApiError::not_found(
            "InvalidRouteTableId.NotFound",
            "The specified RouteTableId is not found.",
        )
    })?;
    let size = call.args.number("MaxResult")?.unwrap_or(10);
    if !(1..=100).contains(&size) {
        return Err(ApiError::invalid("MaxResult", "not from 1 to 100"));
    }
    let start = match call.args.get("NextToken") {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| ApiError::invalid("NextToken", "not one of ours"))?,
    };
    let mut found = vec![local(state, &table)];
    let added = state.world.routes.values();
    found.extend(added.filter(|route| route.table_id == id).map(custom));
    found.retain(|entry| route_lets(&call.args, entry));
    let size = size as usize;
    let page: Vec<_> = found.iter().skip(start).take(size).cloned().collect();
    let next = start + size;
    let token = if next < found.len() {
        next.to_string()
    } else {
        String::new()
    };
    Ok(json!({"RouteEntrys": {"RouteEntry": page}, "NextToken": token, "TotalCount": found.len()}))
}

fn route_lets(args: &Args, entry: &Value) -> bool {
    let hop = &entry["NextHops"]["NextHop"][0];
    let same = |name: &str, value: &Value| args.get(name).is_none_or(|given| *value == given);
    let destinations = args.list("DestCidrBlockList");
    let listed = destinations
        .iter()
        .any(|it| entry["DestinationCidrBlock"] == *it);
    same("DestinationCidrBlock", &entry["DestinationCidrBlock"])
        && same("RouteEntryType", &entry["Type"])
        && same("NextHopType", &hop["NextHopType"])
        && same("NextHopId", &hop["NextHopId"])
        && same("RouteEntryId", &entry["RouteEntryId"])
        && args
            .get("IpVersion")
            .is_none_or(|given| given.eq_ignore_ascii_case("ipv4"))
        && (destinations.is_empty() || listed)
}

/// The route within the VPC, which nobody added.
fn local(state: &State, table: &Table) -> Value {
    let vpc = state.world.vpcs.get(&table.vpc_id);
    let cidr = vpc.map(|vpc| vpc.cidr.to_string()).unwrap_or_default();
    let route = Route {
        id: format!("rte-{}", table.id),
        table_id: table.id.clone(),
        destination: cidr,
        next_hop_type: "local".to_owned(),
        ..Route::default()
    };
    entry(&route, "System")
}

fn custom(route: &Route) -> Value {
    entry(route, "Custom")
}

fn entry(route: &Route, kind: &str) -> Value {
    let hop = json!({
        "NextHopType": route.next_hop_type, "NextHopId": route.next_hop_id, "Enabled": 1, "Weight": 0,
        "NextHopRegionId": "",
    });
    json!({
        "RouteEntryId": route.id,
        "RouteTableId": route.table_id,
        "RouteEntryName": "",
        "Description": "",
        "DestinationCidrBlock": route.destination,
        "IpVersion": "ipv4",
        "Type": kind,
        "Status": "Available",
        "Origin": "",
        "NextHops": {"NextHop": [hop]},
    })
}
