//! The tree of paths below `/latest`.

use serde_json::json;

use super::{credentials, interfaces};
use crate::clock::Ms;
use crate::eip::Status;
use crate::state::State;
use crate::world::Instance;

const ROOT: [&str; 20] = [
    "eipv4",
    "hostname",
    "image-id",
    "instance-id",
    "instance/",
    "mac",
    "network-type",
    "network/",
    "owner-account-id",
    "private-ipv4",
    "public-ipv4",
    "ram/",
    "region-id",
    "serial-number",
    "tags/",
    "vpc-cidr-block",
    "vpc-id",
    "vswitch-cidr-block",
    "vswitch-id",
    "zone-id",
];

/// The text at a path; none = 404.
pub fn page(state: &mut State, instance: &Instance, path: &str, now: Ms) -> Option<String> {
    if path == "/latest/dynamic/instance-identity/document" {
        return Some(document(state, instance));
    }
    let rest = path
        .strip_prefix("/latest/meta-data")?
        .trim_start_matches('/');
    if let Some(rest) = rest.strip_prefix("network/interfaces/macs") {
        return interfaces::page(state, instance, rest.trim_start_matches('/'), now);
    }
    if let Some(rest) = rest.strip_prefix("ram/security-credentials") {
        return credentials::page(state, instance, rest.trim_matches('/'), now);
    }
    if let Some(key) = rest.strip_prefix("tags/instance/") {
        return tag(instance, key);
    }
    match rest.trim_end_matches('/') {
        "" => Some(ROOT.join("\n")),
        "network" => Some("interfaces/".to_owned()),
        "network/interfaces" => Some("macs/".to_owned()),
        "ram" => instance
            .role
            .as_ref()
            .map(|_| "security-credentials/".to_owned()),
        "instance" => Some("instance-name\ninstance-type".to_owned()),
        leaf => own(instance, leaf).or_else(|| of_network(state, instance, leaf)),
    }
}

fn tag(instance: &Instance, key: &str) -> Option<String> {
    if key.is_empty() {
        let keys: Vec<_> = instance.tags.keys().map(String::as_str).collect();
        return Some(keys.join("\n"));
    }
    instance.tags.get(key).cloned()
}

fn own(instance: &Instance, leaf: &str) -> Option<String> {
    let text = match leaf {
        "instance-id" => &instance.id,
        "hostname" | "instance/instance-name" => &instance.hostname,
        "instance/instance-type" => &instance.instance_type,
        "region-id" => &instance.region,
        "zone-id" => &instance.zone,
        "vpc-id" => &instance.vpc_id,
        "vswitch-id" => &instance.vswitch_id,
        "serial-number" => return Some(format!("serial-{}", instance.id)),
        "image-id" => "aliyun_3_x64_20G_alibase_20240528.vhd",
        "network-type" => "vpc",
        _ => return None,
    };
    Some(text.to_owned())
}

fn of_network(state: &State, instance: &Instance, leaf: &str) -> Option<String> {
    let world = &state.world;
    let primary = world.primary_eni(&instance.id);
    match leaf {
        "owner-account-id" => Some(state.settings.account_id.clone()),
        "vpc-cidr-block" => Some(world.vpcs.get(&instance.vpc_id)?.cidr.to_string()),
        "vswitch-cidr-block" => Some(world.vswitches.get(&instance.vswitch_id)?.cidr.to_string()),
        "mac" => Some(primary?.mac.clone()),
        "private-ipv4" => Some(primary?.primary_ip()?.to_string()),
        "eipv4" | "public-ipv4" => {
            let eni = primary?;
            let eip = state.eips.at(&eni.id, eni.primary_ip()?)?;
            (eip.status == Status::InUse).then(|| eip.ip.to_string())
        }
        _ => None,
    }
}

fn document(state: &State, instance: &Instance) -> String {
    let ip = state
        .world
        .primary_eni(&instance.id)
        .and_then(crate::world::Eni::primary_ip);
    json!({
        "instance-id": instance.id,
        "instance-type": instance.instance_type,
        "region-id": instance.region,
        "zone-id": instance.zone,
        "owner-account-id": state.settings.account_id,
        "private-ipv4": ip,
        "serial-number": format!("serial-{}", instance.id),
        "mac": state.world.primary_eni(&instance.id).map(|eni| eni.mac.as_str()),
    })
    .to_string()
}
