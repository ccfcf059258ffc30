//! The control door's calls: method, path, one line of help, and what they do.

use http::Method;
use serde_json::{Value, json};

use super::eips::ConsoleAction;
use super::handlers::{
    attach_eni, change_instance, close_listener, create_eip, done, list_calls, list_eips,
    list_listeners, open_listener, release_hold,
};
use super::{Answer, Asked, show};
use crate::cloud::Cloud;
use crate::world::Refused;

type Run = fn(&Cloud, &Asked) -> Answer;

const CALLS: &[(&str, &str, &str, Run)] = &[
    ("POST", "/vpcs", "add a VPC {id, region, cidr}", |c, a| {
        show(&c.add_vpc(a.read()?)?)
    }),
    (
        "POST",
        "/vswitches",
        "add a vSwitch {id, vpc_id, zone, cidr, name, tags}",
        |c, a| show(&c.add_vswitch(a.read()?)?),
    ),
    ("GET", "/instances", "all instances", |c, _| {
        show(&c.instances())
    }),
    (
        "POST",
        "/instances",
        "add an instance with its primary ENI {id, vswitch_id, hostname, instance_type, role, http_tokens_required, tags, primary_ip, without_primary_eni}",
        |c, a| show(&c.add_instance(a.read()?)?),
    ),
    (
        "PATCH",
        "/instances/{id}",
        "change {role, hostname, http_tokens_required, tags} of an instance; role \"\" = none",
        change_instance,
    ),
    (
        "DELETE",
        "/instances/{id}",
        "delete an instance and its primary ENI",
        |c, a| c.delete_instance(a.part(0)).map(|()| json!({})),
    ),
    ("GET", "/enis", "all ENIs", |c, _| show(&c.enis())),
    ("GET", "/enis/{id}", "an ENI", |c, a| {
        show(&c.eni(a.part(0))?)
    }),
    (
        "POST",
        "/enis",
        "add an ENI {id, vswitch_id, type: Primary|Secondary|Trunk|Member, instance_id, trunk_eni_id, primary_ip, mac, secondary_ips, secondary_count, prefixes, ipv6s, metadata_late_ms, security_groups, tags, service_managed}",
        |c, a| show(&c.add_eni(a.read()?)?),
    ),
    (
        "DELETE",
        "/enis/{id}",
        "delete an ENI; its EIPs are unbound",
        |c, a| c.delete_eni(a.part(0)).map(|()| json!({})),
    ),
    (
        "POST",
        "/enis/{id}/attach",
        "attach an ENI {instance_id, trunk_eni_id, metadata_late_ms}",
        attach_eni,
    ),
    (
        "POST",
        "/enis/{id}/detach",
        "detach an ENI; its EIPs stay",
        |c, a| c.detach_eni(a.part(0)).map(|()| json!({})),
    ),
    (
        "POST",
        "/enis/{id}/status",
        "set an ENI's status {status}",
        |c, a| {
            let status = a.body["status"].as_str().unwrap_or_default();
            c.set_eni_status(a.part(0), status).map(|()| json!({}))
        },
    ),
    (
        "POST",
        "/enis/{id}/ips",
        "assign private IPs {ips, count, prefixes, metadata_late_ms}; answers the new ones",
        |c, a| show(&c.assign_ips(a.part(0), &a.read()?)?),
    ),
    (
        "DELETE",
        "/enis/{id}/ips",
        "unassign secondary private IPs: [\"10.0.0.7\"]",
        |c, a| {
            c.unassign_ips(a.part(0), &a.read::<Vec<_>>()?)
                .map(|()| json!({}))
        },
    ),
    (
        "POST",
        "/packages",
        "add a bandwidth package {id, region, account, bandwidth, isp}",
        |c, a| show(&c.add_package(a.read()?)?),
    ),
    (
        "POST",
        "/nat-gateways",
        "add a NAT gateway {id, forward_table_id, vswitch_id, name, network_type, account}",
        |c, a| show(&c.add_nat_gateway(a.read()?)?),
    ),
    ("GET", "/nat-gateways", "all NAT gateways", |c, _| {
        show(&c.nat_gateways())
    }),
    (
        "DELETE",
        "/nat-gateways/{id}",
        "delete a NAT gateway, with its forward entries",
        |c, a| c.remove_nat_gateway(a.part(0)).map(|()| json!({})),
    ),
    (
        "POST",
        "/nat-gateways/{id}/status",
        "set a NAT gateway's status {status}",
        |c, a| {
            let status = a.body["status"].as_str().unwrap_or_default();
            c.set_nat_status(a.part(0), status).map(|()| json!({}))
        },
    ),
    (
        "POST",
        "/snat-entries",
        "add an SNAT entry {id, gateway, ips}",
        |c, a| show(&c.add_snat_entry(a.read()?)?),
    ),
    (
        "POST",
        "/route-tables",
        "add a custom route table {id, vpc_id, vswitch_ids}",
        |c, a| show(&c.add_route_table(a.read()?)?),
    ),
    (
        "POST",
        "/routes",
        "add a route {table_id or vpc_id, destination, next_hop_type, next_hop_id}",
        |c, a| show(&c.add_route(a.read()?)?),
    ),
    (
        "GET",
        "/forward-entries",
        "forward entries with their history; ?gone=true: deleted ones too",
        |c, a| match a.query("gone") {
            Some("true") => show(&c.forward_entries_even_gone()),
            _ => show(&c.forward_entries()),
        },
    ),
    (
        "POST",
        "/forward-entries/{id}",
        "change a forward entry as at the console {do: delete | modify (internal_ip, internal_port, name) | stick | settle}",
        |c, a| {
            c.change_forward_entry(a.part(0), &a.read()?)
                .map(|()| json!({}))
        },
    ),
    (
        "POST",
        "/pools",
        "add an address pool {id, size, isp}",
        |c, a| show(&c.add_pool(a.read()?)?),
    ),
    (
        "POST",
        "/resource-groups",
        "add a resource group {id}; with none, any id is taken",
        |c, a| {
            c.add_resource_group(a.body["id"].as_str().unwrap_or_default());
            Ok(json!({}))
        },
    ),
    (
        "POST",
        "/access-keys",
        "add an access key {id, secret, account, allowed: [\"vpc:*\"], inactive}",
        |c, a| show(&c.add_access_key(a.read()?)),
    ),
    (
        "DELETE",
        "/access-keys/{id}",
        "remove an access key",
        |c, a| c.remove_access_key(a.part(0)).map(|()| json!({})),
    ),
    (
        "POST",
        "/roles",
        "add a RAM role {name, allowed, trusted_subjects, max_session_s}",
        |c, a| {
            c.add_role(a.read()?);
            Ok(json!({}))
        },
    ),
    (
        "POST",
        "/oidc-providers",
        "add an OIDC provider {name, issuer, client_ids}",
        |c, a| {
            c.add_oidc_provider(a.read()?);
            Ok(json!({}))
        },
    ),
    (
        "POST",
        "/credentials/expire",
        "end every temporary credential now",
        |c, _| {
            c.expire_credentials();
            Ok(json!({}))
        },
    ),
    (
        "POST",
        "/metadata-tokens/expire",
        "make every metadata token invalid now",
        |c, _| {
            c.expire_metadata_tokens();
            Ok(json!({}))
        },
    ),
    (
        "GET",
        "/eips",
        "EIPs with their history; ?gone=true: released ones too",
        list_eips,
    ),
    (
        "POST",
        "/eips",
        "create an EIP as at the console {account, args: {any AllocateEipAddress argument}}",
        create_eip,
    ),
    (
        "GET",
        "/eips/{id}",
        "an EIP with its history, also after its release",
        |c, a| show(&c.eip(a.part(0))?),
    ),
    (
        "GET",
        "/eips/{id}/history",
        "every state and place of an EIP with its time",
        |c, a| show(&c.eip_history(a.part(0))?),
    ),
    (
        "POST",
        "/eips/{id}",
        "change an EIP as at the console {do: bind (eni, private_ip, settle_ms) | bind_nat (gateway) | unbind (settle_ms) | release | tag (tags) | untag (keys) | lock (reason) | unlock | protect (on) | leave_package | join_package (package)}",
        |c, a| show(&c.change_eip(a.part(0), &a.read::<ConsoleAction>()?)?),
    ),
    ("GET", "/settings", "the settings", |c, _| {
        show(&c.settings())
    }),
    (
        "PATCH",
        "/settings",
        "change the settings named, at any depth; null = default",
        |c, a| show(&c.merge_settings(&a.body)?),
    ),
    ("GET", "/faults", "faults, spent ones too", |c, _| {
        show(&c.faults())
    }),
    (
        "POST",
        "/faults",
        "order a fault {action, args, count, skip, fault: {kind: slow (ms) | refuse (status, code, message, raw_body, headers) | fail_after (same) | drop | lose | hold | hold_before | settle (ms)}}",
        |c, a| Ok(json!({"id": c.add_fault(a.read()?)})),
    ),
    ("DELETE", "/faults", "remove all faults", |c, _| {
        c.clear_faults();
        Ok(json!({}))
    }),
    ("DELETE", "/faults/{id}", "remove a fault", |c, a| {
        done(c.remove_fault(a.number(0)?), "fault", a)
    }),
    (
        "GET",
        "/holds",
        "calls and answers that are held",
        |c, _| show(&c.holds()),
    ),
    (
        "POST",
        "/holds/{id}",
        "let a held one go {release: deliver | lose}; deliver if not given",
        release_hold,
    ),
    (
        "GET",
        "/calls",
        "every call; ?action=, ?after=<sequence>, ?door=api|metadata select",
        list_calls,
    ),
    ("GET", "/counts", "number of calls by action", |c, _| {
        show(&c.counts())
    }),
    (
        "POST",
        "/tokens/forget",
        "forget every client token",
        |c, _| {
            c.forget_tokens();
            Ok(json!({}))
        },
    ),
    (
        "GET",
        "/time",
        "milliseconds since the start, and the cloud's wall time",
        |c, _| {
            let now = c.clock().now();
            Ok(json!({"ms": now, "wall": c.clock().wall(now).to_string()}))
        },
    ),
    ("GET", "/listeners", "open listeners", list_listeners),
    (
        "POST",
        "/listeners",
        "open a listener {door: api | metadata | control, instance, address: \"IP:PORT\", netns: \"/run/netns/x\"}; answers the bound address",
        open_listener,
    ),
    (
        "DELETE",
        "/listeners/{id}",
        "close a listener and its connections",
        close_listener,
    ),
    (
        "POST",
        "/reset",
        "empty the cloud; settings, listeners and clock stay",
        |c, _| {
            c.reset();
            Ok(json!({}))
        },
    ),
];

/// Finds a call and the parts of its path.
pub fn find(method: &Method, path: &str) -> Result<(Run, Vec<String>), Refused> {
    let mut fitting = CALLS.iter().filter(|call| call.0 == method.as_str());
    let found = fitting.find_map(|call| Some((call.3, parts(call.1, path)?)));
    found.ok_or_else(|| Refused::NotFound("call", format!("{method} {path}; GET / lists them")))
}

/// All calls with their help.
pub fn help() -> Value {
    let lines: Vec<String> = CALLS
        .iter()
        .map(|(method, path, help, _)| format!("{method} {path}: {help}"))
        .collect();
    json!({"calls": lines})
}

fn parts(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (wanted, given): (Vec<_>, Vec<_>) = (
        pattern.split('/').collect(),
        path.trim_end_matches('/').split('/').collect(),
    );
    if wanted.len() != given.len() {
        return None;
    }
    let mut parts = Vec::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        if wanted.starts_with('{') {
            parts.push(given.to_owned());
        } else if wanted != given {
            return None;
        }
    }
    Some(parts)
}
