//! `TagResources`, `UnTagResources`, `ListTagResources` (alibaba-api.md 1.8), for EIPs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tag_rules;
use crate::clock::Ms;
use crate::eip::Eip;
use crate::rpc::ApiError;
use crate::state::{Call, State};

/// Most ids in one call (20 in the older documents, 50 in the newer ones).
const IDS_MAX: usize = 50;

/// Most items on one page of `ListTagResources`.
const PAGE_MAX: u32 = 50;

/// Resource types that the API knows; only EIPs can be tagged here.
const TYPES: [&str; 8] = [
    "EIP",
    "VPC",
    "VSWITCH",
    "ROUTETABLE",
    "VpnGateway",
    "VPNGATEWAY",
    "NATGATEWAY",
    "COMMONBANDWIDTHPACKAGE",
];

/// Sets tags: all or none of the resources.
pub fn tag(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let ids = read_ids(state, call)?;
    if ids.is_empty() {
        return Err(ApiError::missing("ResourceId.1"));
    }
    let most = state.settings.quotas.tags_per_resource;
    let tags = tag_rules::read(&call.args, most)?;
    if tags.is_empty() {
        return Err(ApiError::missing("Tag.1.Key"));
    }
    for id in &ids {
        let eip = own(state, call, id)?;
        let mut keys: BTreeSet<&str> = eip.tags.now().into_keys().collect();
        keys.extend(tags.keys().map(String::as_str));
        if keys.len() > most {
            return Err(tag_rules::quota());
        }
    }
    for id in &ids {
        let Some(eip) = state.eips.get_mut(id) else {
            continue;
        };
        for (key, value) in &tags {
            eip.tags.set(key, value, call.now);
        }
    }
    Ok(json!({}))
}

/// Removes tags: those named, or all with `All=true` and none named.
pub fn untag(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let ids = read_ids(state, call)?;
    if ids.is_empty() {
        return Err(ApiError::missing("ResourceId.1"));
    }
    let keys: Vec<String> = call
        .args
        .list("TagKey")
        .into_iter()
        .map(str::to_owned)
        .collect();
    if keys.len() > tag_rules::PER_CALL {
        return Err(ApiError::refused("InvalidTagKey", "Too many tag keys."));
    }
    let all = call.args.boolean("All")?.unwrap_or(false) && keys.is_empty();
    for id in &ids {
        own(state, call, id)?;
    }
    for id in &ids {
        let Some(eip) = state.eips.get_mut(id) else {
            continue;
        };
        let every = || eip.tags.now().into_keys().map(str::to_owned).collect();
        let keys: Vec<String> = if all { every() } else { keys.clone() };
        for key in keys {
            eip.tags.remove(&key, call.now);
        }
    }
    Ok(json!({}))
}

/// Lists tags of resources, or of those that have certain tags; pages by `NextToken`.
pub fn list(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let ids = read_ids(state, call)?;
    let wanted = call.args.pairs("Tag")?;
    if ids.is_empty() && wanted.is_empty() {
        return Err(ApiError::missing("ResourceId.1"));
    }
    let size = call.args.number("MaxResults")?.unwrap_or(PAGE_MAX);
    if size == 0 || size > PAGE_MAX {
        return Err(ApiError::invalid("MaxResults", "not from 1 to 50"));
    }
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let mine = |eip: &&Eip| {
        eip.account == call.caller.account
            && eip.region == region
            && (ids.is_empty() || ids.contains(&eip.id))
    };
    let (now, lag) = (call.now, state.settings.open.tag_lag_ms);
    let has = |eip: &&Eip| {
        let tags = eip.tags.seen(now, lag);
        wanted.iter().all(|(key, value)| {
            let value = value.as_deref().filter(|value| !value.is_empty());
            tags.get(key.as_str())
                .is_some_and(|own| value.is_none_or(|value| value == *own))
        })
    };
    let found = state.eips.iter().filter(mine).filter(has);
    let items: Vec<Value> = found.flat_map(|eip| items(eip, now, lag)).collect();
    Ok(cut(items, size, call.args.get("NextToken")))
}

fn items(eip: &Eip, now: Ms, lag: Ms) -> Vec<Value> {
    let tags = eip.tags.seen(now, lag).into_iter();
    let item = |(key, value)| json!({"ResourceId": eip.id, "ResourceType": "EIP", "TagKey": key, "TagValue": value});
    tags.map(item).collect()
}

fn cut(items: Vec<Value>, size: u32, token: Option<&str>) -> Value {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let start: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let end = start.saturating_add(size);
    let next = if end < items.len() {
        end.to_string()
    } else {
        String::new()
    };
    let page: Vec<_> = items.into_iter().skip(start).take(size).collect();
    json!({"TagResources": {"TagResource": page}, "NextToken": next})
}

fn read_ids(state: &State, call: &Call) -> Result<Vec<String>, ApiError> {
    call.required_region(state, "InvalidRegionId.NotFound")?;
    let kind = call.args.required("ResourceType")?;
    if !TYPES.contains(&kind.to_ascii_uppercase().as_str()) && !TYPES.contains(&kind) {
        return Err(ApiError::refused(
            "InvalidResourceType.NotFound",
            "The specified ResourceType is not found.",
        ));
    }
    let ids = call.args.list("ResourceId");
    if ids.len() > IDS_MAX {
        return Err(ApiError::invalid(
            "ResourceId",
            format!("more than {IDS_MAX}"),
        ));
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

fn own<'a>(state: &'a State, call: &Call, id: &str) -> Result<&'a Eip, ApiError> {
    let region = call.args.get("RegionId").unwrap_or_default();
    let mine = |eip: &&Eip| eip.account == call.caller.account && eip.region == region;
    state.eips.get(id).filter(mine).ok_or_else(|| {
        ApiError::not_found(
            "InvalidResourceId.NotFound",
            "The specified ResourceIds are not found.",
        )
    })
}
