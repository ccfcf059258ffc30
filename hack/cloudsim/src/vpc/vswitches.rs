//! `DescribeVSwitches` (alibaba-api.md 1.10).

use serde_json::{Value, json};

use super::page::Page;
use crate::clock::iso;
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};
use crate::world::VSwitch;

/// Lists vSwitches.
pub fn describe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.region(state, "InvalidRegionId.NotFound")?;
    if region.is_none() && call.args.get("VpcId").is_none() {
        return Err(ApiError::missing("RegionId"));
    }
    let own_account = call.caller.account == state.settings.account_id;
    let page = Page::read(&call.args, 50, &state.settings)?;
    let tags = call.args.pairs("Tag")?;
    let in_region = |vswitch: &&VSwitch| {
        let own = state.world.region_of_vpc(&vswitch.vpc_id);
        own_account && region.as_ref().is_none_or(|region| region == own)
    };
    let found = state.world.vswitches.values().filter(in_region);
    let found: Vec<_> = found
        .filter(|vswitch| lets(&call.args, &tags, vswitch))
        .collect();
    let named = call.args.get("VSwitchId").is_some();
    if found.is_empty() && named && state.settings.open.unknown_vswitch_is_error {
        return Err(ApiError::not_found(
            "InvalidVSwitchId.NotFound",
            "The specified VSwitchId is not found.",
        ));
    }
    let mut answer = page.fields(found.len());
    let list: Vec<_> = page
        .cut(found)
        .into_iter()
        .map(|vswitch| item(state, vswitch))
        .collect();
    answer["VSwitches"] = json!({"VSwitch": list});
    Ok(answer)
}

fn lets(args: &Args, tags: &[(String, Option<String>)], vswitch: &VSwitch) -> bool {
    let ids = args.comma_list("VSwitchId");
    let has = |(key, value): &(String, Option<String>)| {
        let value = value.as_ref().filter(|value| !value.is_empty());
        vswitch
            .tags
            .get(key)
            .is_some_and(|own| value.is_none_or(|value| value == own))
    };
    let same = |name: &str, value: &str| args.get(name).is_none_or(|given| given == value);
    (ids.is_empty() || ids.contains(&vswitch.id.as_str()))
        && same("VpcId", &vswitch.vpc_id)
        && same("ZoneId", &vswitch.zone)
        && same("VSwitchName", &vswitch.name)
        && args.boolean("IsDefault").unwrap_or(None) != Some(true)
        && args.boolean("EnableIpv6").unwrap_or(None) != Some(true)
        && tags.iter().all(has)
}

fn item(state: &State, vswitch: &VSwitch) -> Value {
    let used = state.world.used_ips(&vswitch.id);
    let table = state.world.table_of(&vswitch.id).unwrap_or_default();
    let kind = match state.world.route_tables.contains_key(&table) {
        true => "Custom",
        false => "System",
    };
    let tags: Vec<_> = vswitch
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    json!({
        "VSwitchId": vswitch.id,
        "VpcId": vswitch.vpc_id,
        "ZoneId": vswitch.zone,
        "CidrBlock": vswitch.cidr.to_string(),
        "Ipv6CidrBlock": "",
        "EnabledIpv6": false,
        "AvailableIpAddressCount": vswitch.cidr.usable().saturating_sub(used),
        "Status": "Available",
        "VSwitchName": vswitch.name,
        "Description": "",
        "CreationTime": iso(state.clock.wall(0)),
        "ResourceGroupId": super::allocate::DEFAULT_GROUP,
        "OwnerId": state.settings.account_id.parse::<u64>().unwrap_or(0),
        "RouteTable": {"RouteTableId": table, "RouteTableType": kind},
        "ShareType": "",
        "IsDefault": false,
        "NetworkAclId": "",
        "Tags": {"Tag": tags},
    })
}
