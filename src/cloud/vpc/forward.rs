//! Forward entries of a NAT gateway's table: public ports, and the pods' ports behind them.
//!
//! A table takes no change while an entry is Pending, and nothing but the name says whose an entry is.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use serde::Deserialize;

use super::Vpc;
use super::list::Page;
use crate::cloud::error::CloudError;
use crate::cloud::loose;
use crate::cloud::rpc::{Answer, args};
use crate::domain::ids::RequestId;

/// An entry to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardArgs {
    /// `ForwardEntryName`: 2 to 128 characters, a letter first.
    pub name: String,
    pub external: (Ipv4Addr, u16),
    pub internal: (Ipv4Addr, u16),
    /// `tcp` or `udp`.
    pub protocol: &'static str,
}

/// An entry as the cloud reports it: wire types keep strings, for others' entries may hold ranges, or `Any`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// `fwd-...`
    pub id: String,
    pub name: String,
    pub external_ip: String,
    pub external_port: String,
    pub internal_ip: String,
    pub internal_port: String,
    /// In lower case.
    pub protocol: String,
    /// `Pending`, `Available`, `Modifying` or `Deleting`.
    pub status: String,
}

/// The ports of an entry, `80` or `80/90`, both ends included; `None`: all (`Any`), or what is no range of ports.
pub fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

impl Vpc {
    /// `CreateForwardEntry`, asynchronous: `Pending`, then `Available`. The same arguments and `token` give the same entry.
    pub async fn create_forward(
        &self,
        table: &str,
        entry: &ForwardArgs,
        token: &str,
    ) -> Result<String, CloudError> {
        let args = args([
            ("ForwardTableId", table),
            ("ForwardEntryName", &entry.name),
            ("ExternalIp", &entry.external.0.to_string()),
            ("ExternalPort", &entry.external.1.to_string()),
            ("InternalIp", &entry.internal.0.to_string()),
            ("InternalPort", &entry.internal.1.to_string()),
            ("IpProtocol", entry.protocol),
            ("ClientToken", token),
        ]);
        created(self.call("CreateForwardEntry", args).await?)
    }

    /// `DeleteForwardEntry`, asynchronous: `Deleting`, then gone.
    pub async fn delete_forward(
        &self,
        table: &str,
        entry: &str,
        token: &str,
    ) -> Result<RequestId, CloudError> {
        let args = args([
            ("ForwardTableId", table),
            ("ForwardEntryId", entry),
            ("ClientToken", token),
        ]);
        self.change("DeleteForwardEntry", args).await
    }

    /// `DescribeForwardTableEntries`: all entries of a table, whoever's they are.
    pub async fn forward_entries(&self, table: &str) -> Result<Vec<EntryView>, CloudError> {
        self.pages::<List>(&args([("ForwardTableId", table)])).await
    }

    /// The same call: those of this very name; as a rule one, or none.
    pub async fn forward_entries_named(
        &self,
        table: &str,
        name: &str,
    ) -> Result<Vec<EntryView>, CloudError> {
        let filter = args([("ForwardTableId", table), ("ForwardEntryName", name)]);
        let mut found = self.pages::<List>(&filter).await?;
        // Whatever the cloud makes of a filter.
        found.retain(|entry| entry.name == name);
        Ok(found)
    }

    /// The same call: those that lead to this address, however long the table is.
    pub async fn forward_entries_of(
        &self,
        table: &str,
        inside: Ipv4Addr,
    ) -> Result<Vec<EntryView>, CloudError> {
        let here = inside.to_string();
        let filter = args([("ForwardTableId", table), ("InternalIp", &here)]);
        let mut found = self.pages::<List>(&filter).await?;
        // Whatever the cloud makes of a filter.
        found.retain(|entry| entry.internal_ip == here);
        Ok(found)
    }
}

fn created(answer: Answer) -> Result<String, CloudError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Wire {
        forward_entry_id: String,
    }
    Ok(answer.parse::<Wire>()?.forward_entry_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(deserialize_with = "loose::number")]
    total_count: u32,
    forward_table_entries: Entries,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries {
    forward_table_entry: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    // Without an id it is no entry: the page must not pass for a list without it.
    forward_entry_id: String,
    #[serde(default, deserialize_with = "loose::text")]
    forward_entry_name: String,
    #[serde(default, deserialize_with = "loose::text")]
    external_ip: String,
    #[serde(default, deserialize_with = "loose::text")]
    external_port: String,
    #[serde(default, deserialize_with = "loose::text")]
    internal_ip: String,
    #[serde(default, deserialize_with = "loose::text")]
    internal_port: String,
    #[serde(default, deserialize_with = "loose::text")]
    ip_protocol: String,
    #[serde(default, deserialize_with = "loose::text")]
    status: String,
}

impl Page for List {
    type Item = EntryView;
    const ACTION: &'static str = "DescribeForwardTableEntries";
    const SIZE: usize = 50;

    fn total(&self) -> usize {
        self.total_count as usize
    }

    fn items(self) -> Vec<EntryView> {
        let all = self.forward_table_entries.forward_table_entry;
        all.into_iter()
            .map(|wire| EntryView {
                id: wire.forward_entry_id,
                name: wire.forward_entry_name,
                external_ip: wire.external_ip,
                external_port: wire.external_port,
                internal_ip: wire.internal_ip,
                internal_port: wire.internal_port,
                protocol: wire.ip_protocol.to_lowercase(),
                status: wire.status,
            })
            .collect()
    }

    fn id(item: &EntryView) -> String {
        item.id.clone()
    }
}
