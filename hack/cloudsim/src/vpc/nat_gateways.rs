//! `DescribeNatGateways` (alibaba-api.md 1.11).

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::page::Page;
use crate::clock::iso;
use crate::eip::{Eip, Status};
use crate::nat::{NatGateway, eips_of};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};

/// Lists NAT gateways.
pub fn describe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let page = Page::read(&call.args, 50, &state.settings)?;
    let mine = |gateway: &&NatGateway| {
        gateway.account == call.caller.account
            && gateway.region == region
            && lets(&call.args, gateway)
    };
    let found: Vec<_> = state.nats.gateways.values().filter(mine).collect();
    let mut answer = page.fields(found.len());
    let list: Vec<_> = page
        .cut(found)
        .into_iter()
        .map(|gateway| item(state, gateway))
        .collect();
    answer["NatGateways"] = json!({"NatGateway": list});
    Ok(answer)
}

fn lets(args: &Args, gateway: &NatGateway) -> bool {
    let same = |name: &str, value: &str| args.get(name).is_none_or(|given| given == value);
    same("NatGatewayId", &gateway.id)
        && same("VpcId", &gateway.vpc_id)
        && same("ZoneId", &gateway.zone)
        && same("Name", &gateway.name)
        && same("NatType", "Enhanced")
        && same("NetworkType", &gateway.network_type)
        && same("Status", &gateway.status)
        && same("InstanceChargeType", "PostPaid")
}

fn item(state: &State, gateway: &NatGateway) -> Value {
    let eips = eips_of(&state.eips, &gateway.id);
    // One that is still being bound is not the gateway's yet.
    let bound = eips.filter(|eip| eip.status == Status::InUse);
    let ips: Vec<_> = bound.map(|eip| ip(state, gateway, eip)).collect();
    json!({
        "NatGatewayId": gateway.id,
        "Name": gateway.name,
        "Description": "",
        "RegionId": gateway.region,
        "VpcId": gateway.vpc_id,
        "NetworkType": gateway.network_type,
        "NatType": "Enhanced",
        "Status": gateway.status,
        "BusinessStatus": "Normal",
        "Spec": "",
        "InstanceChargeType": "PostPaid",
        "InternetChargeType": "PayByLcu",
        "AutoPay": false,
        "ExpiredTime": "",
        "CreationTime": iso(state.clock.wall(gateway.created_ms)),
        "EcsMetricEnabled": false,
        "IcmpReplyEnabled": true,
        "PrivateLinkEnabled": false,
        "PrivateLinkMode": "",
        "DeletionProtection": false,
        "SecurityProtectionEnabled": false,
        "EnableSessionLog": "false",
        "EipBindMode": "MULTI_BINDED",
        "ResourceGroupId": super::allocate::DEFAULT_GROUP,
        "ForwardTableIds": {"ForwardTableId": [gateway.forward_table_id]},
        "SnatTableIds": {"SnatTableId": [gateway.snat_table_id]},
        "FullNatTableIds": {"FullNatTableId": []},
        "IpLists": {"IpList": ips},
        "NatGatewayPrivateInfo": {
            "VswitchId": gateway.vswitch_id,
            "IzNo": gateway.zone,
            "EniInstanceId": "",
            "PrivateIpAddress": "",
            "MaxBandwidth": 5120,
            "MaxSessionQuota": 2_000_000,
            "MaxSessionEstablishRate": 100_000,
            "EniType": "",
        },
        "Tags": {"Tag": []},
    })
}

fn ip(state: &State, gateway: &NatGateway, eip: &Eip) -> Value {
    let snat = state.nats.is_snat(eip.ip);
    json!({
        "AllocationId": eip.id,
        "IpAddress": eip.ip,
        "PrivateIpAddress": "",
        "SnatEntryEnabled": snat,
        "UsingStatus": usage(is_forwarded(state, gateway, eip.ip), snat),
    })
}

fn is_forwarded(state: &State, gateway: &NatGateway, ip: Ipv4Addr) -> bool {
    let mut entries = state.nats.table(&gateway.forward_table_id);
    entries.any(|entry| entry.external_ip == ip)
}

fn usage(forward: bool, snat: bool) -> &'static str {
    match (forward, snat) {
        (true, true) => "UsedByForwardSnatTable",
        (true, false) => "UsedByForwardTable",
        (false, true) => "UsedBySnatTable",
        (false, false) => "Idle",
    }
}
