//! `DescribeNetworkInterfaces` (alibaba-api.md 2).

use serde_json::{Value, json};

use crate::clock::iso;
use crate::eip::{Eip, Status};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};
use crate::world::{Eni, EniType};

/// Most values of one list argument.
const LIST_MAX: usize = 100;

/// Lists ENIs; pages by `NextToken` or, deprecated, by number.
pub fn describe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    check(&call.args)?;
    let tags = call.args.pairs("Tag")?;
    let own_account = call.caller.account == state.settings.account_id;
    let known = |id: &str| own_account && state.world.enis.contains_key(id);
    let mut ids = call.args.list("NetworkInterfaceId").into_iter();
    if state.settings.open.unknown_eni_is_error && ids.any(|id| !known(id)) {
        return Err(ApiError::not_found(
            "InvalidEniId.NotFound",
            "The specified EniId does not exist.",
        ));
    }
    let lets = |eni: &&Eni| {
        own_account
            && state.world.region_of_vpc(&eni.vpc_id) == region
            && lets_lists(&call.args, state, eni)
            && lets_fields(&call.args, eni)
            && tags.iter().all(|tag| has_tag(eni, tag))
    };
    let found: Vec<_> = state.world.enis.values().filter(lets).collect();
    let total = found.len();
    let (start, size, by_token) = page(&call.args)?;
    let next = by_token && start + size < total;
    let page = found
        .into_iter()
        .skip(start)
        .take(size)
        .map(|eni| item(state, eni));
    Ok(json!({
        "NetworkInterfaceSets": {"NetworkInterfaceSet": page.collect::<Vec<_>>()},
        "TotalCount": if by_token { 0 } else { total },
        "PageNumber": if by_token { 0 } else { start / size + 1 },
        "PageSize": if by_token { 0 } else { size },
        "NextToken": if next { (start + size).to_string() } else { String::new() },
    }))
}

fn check(args: &Args) -> Result<(), ApiError> {
    for name in ["NetworkInterfaceId", "PrivateIpAddress", "Ipv6Address"] {
        if args.list(name).len() > LIST_MAX {
            return Err(ApiError::invalid(name, format!("more than {LIST_MAX}")));
        }
    }
    let types = ["Primary", "Secondary", "Trunk", "Member"];
    if args.get("Type").is_some_and(|kind| !types.contains(&kind)) {
        return Err(ApiError::new(
            403,
            "InvalidOperation.InvalidEniType",
            "The specified type of the network interface is not valid.",
        ));
    }
    Ok(())
}

/// First item, size, and whether paging is by token.
fn page(args: &Args) -> Result<(usize, usize, bool), ApiError> {
    let size_of = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let by_number = args.get("PageNumber").is_some() || args.get("PageSize").is_some();
    if by_number && args.get("MaxResults").is_none() && args.get("NextToken").is_none() {
        let size = args.number("PageSize")?.unwrap_or(10);
        let number = args.number("PageNumber")?.unwrap_or(1);
        if number == 0 || size == 0 || size > 1_000 {
            return Err(ApiError::new(
                403,
                "InvalidOperation.InvalidEniPageNumber",
                "The specified PageNumber or PageSize is not valid.",
            ));
        }
        return Ok((size_of(number - 1) * size_of(size), size_of(size), false));
    }
    // Under 10 counts as 10, over 500 as 500.
    let size = args.number("MaxResults")?.unwrap_or(10).clamp(10, 500);
    let start = args.get("NextToken").map_or(Ok(0), |token| {
        token
            .parse()
            .map_err(|_| ApiError::invalid("NextToken", "not one of ours"))
    })?;
    Ok((start, size_of(size), true))
}

fn lets_lists(args: &Args, state: &State, eni: &Eni) -> bool {
    let any = |name: &str, is: &dyn Fn(&str) -> bool| {
        let list = args.list(name);
        list.is_empty() || list.into_iter().any(is)
    };
    let primary_too = state.settings.open.private_ip_filter_finds_primary;
    let has_ip = |text: &str| {
        let mut ips = eni.ips.iter().filter(|ip| primary_too || !ip.primary);
        ips.any(|ip| ip.ip.to_string() == text)
    };
    any("NetworkInterfaceId", &|id| id == eni.id)
        && any("PrivateIpAddress", &has_ip)
        && any("Ipv6Address", &|text| eni.ipv6s.iter().any(|ip| ip == text))
}

fn lets_fields(args: &Args, eni: &Eni) -> bool {
    let primary = eni
        .primary_ip()
        .map(|ip| ip.to_string())
        .unwrap_or_default();
    let fields = [
        ("VpcId", eni.vpc_id.as_str()),
        ("VSwitchId", &eni.vswitch_id),
        ("Type", kind(eni)),
        ("Status", &eni.status),
        ("InstanceId", eni.instance_id.as_deref().unwrap_or("")),
        ("PrimaryIpAddress", &primary),
    ];
    let same = |(name, value): &(&str, &str)| args.get(name).is_none_or(|given| given == *value);
    let managed = args.boolean("ServiceManaged").unwrap_or(None);
    let group = args.get("SecurityGroupId");
    fields.iter().all(same)
        && managed.is_none_or(|wanted| wanted == eni.service_managed)
        && group.is_none_or(|group| eni.security_groups.iter().any(|own| own == group))
}

fn has_tag(eni: &Eni, (key, value): &(String, Option<String>)) -> bool {
    let value = value.as_ref().filter(|value| !value.is_empty());
    eni.tags
        .get(key)
        .is_some_and(|own| value.is_none_or(|value| value == own))
}

fn kind(eni: &Eni) -> &'static str {
    eni.kind.as_str()
}

fn item(state: &State, eni: &Eni) -> Value {
    // Of a member, the instance stands only in the attachment (alibaba-api.md 2).
    let instance = eni.instance_id.as_deref().unwrap_or("");
    let shown = if eni.kind == EniType::Member {
        ""
    } else {
        instance
    };
    let primary = eni.primary_ip();
    let ips: Vec<_> = eni
        .ips
        .iter()
        .map(|ip| private_ip(state, eni, ip))
        .collect();
    let ipv6s: Vec<_> = eni
        .ipv6s
        .iter()
        .map(|ip| json!({"Ipv6Address": ip, "Primary": false}))
        .collect();
    let prefixes: Vec<_> = eni
        .prefixes
        .iter()
        .map(|prefix| json!({"Ipv4Prefix": prefix}))
        .collect();
    let tags: Vec<_> = eni
        .tags
        .iter()
        .map(|(key, value)| json!({"TagKey": key, "TagValue": value}))
        .collect();
    json!({
        "NetworkInterfaceId": eni.id,
        "NetworkInterfaceName": "",
        "Description": "",
        "MacAddress": eni.mac,
        "Type": kind(eni),
        "Status": eni.status,
        "VpcId": eni.vpc_id,
        "VSwitchId": eni.vswitch_id,
        "ZoneId": eni.zone,
        "CreationTime": iso(state.clock.wall(eni.created_ms)),
        "OwnerId": state.settings.account_id,
        "ServiceManaged": eni.service_managed,
        "SourceDestCheck": false,
        "DeleteOnRelease": true,
        "NetworkInterfaceTrafficMode": "Standard",
        "QueueNumber": 2,
        "ResourceGroupId": crate::vpc::allocate::DEFAULT_GROUP,
        "InstanceId": shown,
        "Attachment": {
            "InstanceId": instance,
            "DeviceIndex": eni.device_index,
            "TrunkNetworkInterfaceId": eni.trunk_eni_id.as_deref().unwrap_or(""),
            "NetworkCardIndex": 0,
        },
        "PrivateIpAddress": primary.map(|ip| ip.to_string()).unwrap_or_default(),
        "PrivateIpSets": {"PrivateIpSet": ips},
        "AssociatedPublicIp": primary.map_or_else(|| json!({}), |ip| public_ip(state, eni, ip)),
        "Ipv6Sets": {"Ipv6Set": ipv6s},
        "Ipv4PrefixSets": {"Ipv4PrefixSet": prefixes},
        "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        "SecurityGroupIds": {"SecurityGroupId": eni.security_groups},
        "Tags": {"Tag": tags},
    })
}

fn private_ip(state: &State, eni: &Eni, ip: &crate::world::eni::PrivateIp) -> Value {
    json!({
        "PrivateIpAddress": ip.ip.to_string(),
        "Primary": ip.primary,
        "PrivateDnsName": "",
        "AssociatedPublicIp": public_ip(state, eni, ip.ip),
    })
}

fn public_ip(state: &State, eni: &Eni, ip: std::net::Ipv4Addr) -> Value {
    let bound = |eip: &&Eip| eip.status == Status::InUse;
    match state.eips.at(&eni.id, ip).filter(bound) {
        Some(eip) => json!({"PublicIpAddress": eip.ip.to_string(), "AllocationId": eip.id}),
        None => json!({}),
    }
}
