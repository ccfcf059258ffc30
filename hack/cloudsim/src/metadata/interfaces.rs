//! `network/interfaces/macs/`: the ENIs of an instance and their addresses.

use serde_json::json;

use crate::clock::Ms;
use crate::state::State;
use crate::world::{Eni, EniType, Instance};

const LEAVES: [&str; 12] = [
    "gateway",
    "ipv4-prefixes",
    "ipv6s",
    "netmask",
    "network-interface-id",
    "primary-ip-address",
    "private-ipv4s",
    "vpc-cidr-block",
    "vpc-id",
    "vswitch-cidr-block",
    "vswitch-id",
    "mac",
];

/// The text below `macs/`; none = 404.
pub fn page(state: &State, instance: &Instance, rest: &str, now: Ms) -> Option<String> {
    if rest.is_empty() {
        let macs = listed(state, instance, now).map(|eni| format!("{}/", eni.mac));
        return Some(macs.collect::<Vec<_>>().join("\n"));
    }
    let (mac, leaf) = rest.split_once('/').unwrap_or((rest, ""));
    let eni = listed(state, instance, now).find(|eni| eni.mac == mac)?;
    match leaf.trim_end_matches('/') {
        "" => Some(LEAVES.join("\n")),
        "mac" => Some(eni.mac.clone()),
        "network-interface-id" => Some(eni.id.clone()),
        "vpc-id" => Some(eni.vpc_id.clone()),
        "vswitch-id" => Some(eni.vswitch_id.clone()),
        "primary-ip-address" => Some(eni.primary_ip()?.to_string()),
        "private-ipv4s" => Some(json!(private_ips(eni, now)).to_string()),
        "ipv4-prefixes" => prefixes(eni),
        // Bracketed, but not JSON (alibaba-api.md 5).
        "ipv6s" if !eni.ipv6s.is_empty() => Some(format!("[{}]", eni.ipv6s.join(","))),
        leaf => of_vswitch(state, eni, leaf),
    }
}

/// The ENIs that the service shows: attached, appeared, and no members unless set.
fn listed<'a>(state: &'a State, instance: &'a Instance, now: Ms) -> impl Iterator<Item = &'a Eni> {
    let members = state.settings.metadata.member_enis_listed;
    let shown =
        move |eni: &&Eni| eni.metadata_from_ms <= now && (members || eni.kind != EniType::Member);
    state.world.enis_of(&instance.id).filter(shown)
}

fn private_ips(eni: &Eni, now: Ms) -> Vec<String> {
    let listed = eni.ips.iter().filter(|ip| ip.listed_from_ms <= now);
    listed.map(|ip| ip.ip.to_string()).collect()
}

fn prefixes(eni: &Eni) -> Option<String> {
    if eni.prefixes.is_empty() {
        return None;
    }
    Some(json!(eni.prefixes).to_string())
}

fn of_vswitch(state: &State, eni: &Eni, leaf: &str) -> Option<String> {
    let vswitch = state.world.vswitches.get(&eni.vswitch_id)?;
    match leaf {
        "netmask" => Some(vswitch.cidr.netmask().to_string()),
        "gateway" => Some(vswitch.cidr.gateway().to_string()),
        "vswitch-cidr-block" => Some(vswitch.cidr.to_string()),
        "vpc-cidr-block" => Some(state.world.vpcs.get(&eni.vpc_id)?.cidr.to_string()),
        _ => None,
    }
}
