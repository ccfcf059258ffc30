//! `DescribeForwardTableEntries` (alibaba-api.md 1.12).

use serde_json::{Value, json};

use super::page::Page;
use crate::nat::{EntryStatus, ForwardEntry, NatGateway};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};

/// Lists the entries of a table.
pub fn describe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let page = Page::read(&call.args, 50, &state.settings)?;
    let gateway = gateway(state, call, &region)?;
    let (lag, table) = (
        state.settings.open.describe_entry_lag_ms,
        &gateway.forward_table_id,
    );
    let entries = state.nats.entries_even_gone();
    let shown = entries.filter(|entry| entry.table_id == *table && lets(&call.args, entry));
    let mut found: Vec<_> = shown
        .filter_map(|entry| Some((entry, entry.seen(call.now, lag)?)))
        .collect();
    // Newest first, as far as anybody has seen.
    found.sort_by_key(|(entry, _)| {
        let made = entry.history.first().map_or(0, |(ms, _)| *ms);
        (std::cmp::Reverse(made), entry.id.as_str())
    });
    let mut answer = page.fields(found.len());
    let list: Vec<_> = page
        .cut(found)
        .into_iter()
        .map(|(entry, status)| item(gateway, entry, status))
        .collect();
    answer["ForwardTableEntries"] = json!({"ForwardTableEntry": list});
    Ok(answer)
}

fn gateway<'a>(state: &'a State, call: &Call, region: &str) -> Result<&'a NatGateway, ApiError> {
    let mine =
        |gateway: &&NatGateway| gateway.account == call.caller.account && gateway.region == region;
    if let Some(table) = call.args.get("ForwardTableId") {
        let found = state.nats.of_table(table).filter(mine);
        return found.ok_or_else(|| {
            ApiError::not_found(
                "InvalidForwardTableId.NotFound",
                "The specified ForwardTableId is not found.",
            )
        });
    }
    let Some(id) = call.args.get("NatGatewayId") else {
        return Err(ApiError::missing("ForwardTableId"));
    };
    let found = state.nats.gateways.get(id).filter(mine);
    found.ok_or_else(|| {
        ApiError::refused(
            "Invalid.natgwNotExist",
            "The specified NAT gateway does not exist.",
        )
    })
}

fn lets(args: &Args, entry: &ForwardEntry) -> bool {
    let same = |name: &str, value: &str| args.get(name).is_none_or(|given| given == value);
    let text = |ports| String::from(ports);
    same("ForwardEntryId", &entry.id)
        && same("ForwardEntryName", &entry.name)
        && same("ExternalIp", &entry.external_ip.to_string())
        && same("ExternalPort", &text(entry.external_port))
        && same("InternalIp", &entry.internal_ip.to_string())
        && same("InternalPort", &text(entry.internal_port))
        && args
            .get("IpProtocol")
            .is_none_or(|given| given.eq_ignore_ascii_case(&entry.protocol))
}

fn item(gateway: &NatGateway, entry: &ForwardEntry, status: EntryStatus) -> Value {
    json!({
        "ForwardEntryId": entry.id,
        "ForwardTableId": entry.table_id,
        "NatGatewayId": gateway.id,
        "ForwardEntryName": entry.name,
        "ExternalIp": entry.external_ip,
        "ExternalPort": entry.external_port,
        "InternalIp": entry.internal_ip,
        "InternalPort": entry.internal_port,
        "IpProtocol": entry.protocol,
        "Status": status.as_str(),
    })
}
