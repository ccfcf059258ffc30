//! `DescribeNatGateways`: the VPC's Internet NAT gateways, with their forward tables and EIPs.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::Vpc;
use super::list::Page;
use crate::cloud::error::CloudError;
use crate::cloud::loose;
use crate::cloud::rpc::args;
use crate::domain::ids::EipId;

/// An Internet NAT gateway as the cloud reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatView {
    /// `ngw-...`
    pub id: String,
    pub zone: String,
    /// `Available`, `Modifying`, ...
    pub status: String,
    /// Its forward table, `ftb-...`; `None`: it has none that the answer names.
    pub table: Option<String>,
    pub eips: Vec<NatEip>,
}

/// An EIP that is bound to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatEip {
    pub id: EipId,
    pub address: Ipv4Addr,
    /// `UsingStatus`: SNAT uses it too, so the ports above 1024 are not free.
    pub snat: bool,
}

impl Vpc {
    /// The Internet NAT gateways of a VPC.
    pub async fn nat_gateways(&self, vpc: &str) -> Result<Vec<NatView>, CloudError> {
        let filter = args([("VpcId", vpc), ("NetworkType", "internet")]);
        self.pages::<List>(&filter).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(deserialize_with = "loose::number")]
    total_count: u32,
    nat_gateways: Gateways,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Gateways {
    nat_gateway: Vec<Wire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wire {
    #[serde(deserialize_with = "loose::text")]
    nat_gateway_id: String,
    #[serde(deserialize_with = "loose::text")]
    status: String,
    forward_table_ids: Option<Tables>,
    ip_lists: Option<Ips>,
    nat_gateway_private_info: Option<Private>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tables {
    #[serde(default)]
    forward_table_id: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Private {
    #[serde(deserialize_with = "loose::text")]
    iz_no: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ips {
    #[serde(default)]
    ip_list: Vec<Ip>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Ip {
    #[serde(deserialize_with = "loose::text")]
    allocation_id: String,
    #[serde(rename = "IpAddress", deserialize_with = "loose::text")]
    address: String,
    #[serde(deserialize_with = "loose::text")]
    using_status: String,
}

impl Page for List {
    type Item = NatView;
    const ACTION: &'static str = "DescribeNatGateways";
    const SIZE: usize = 50;

    fn total(&self) -> usize {
        self.total_count as usize
    }

    fn items(self) -> Vec<NatView> {
        let all = self.nat_gateways.nat_gateway.into_iter();
        all.map(Wire::view).collect()
    }

    fn id(item: &NatView) -> String {
        item.id.clone()
    }
}

impl Wire {
    fn view(self) -> NatView {
        let ips = self.ip_lists.map(|ips| ips.ip_list).unwrap_or_default();
        let tables = self.forward_table_ids.map(|it| it.forward_table_id);
        NatView {
            id: self.nat_gateway_id,
            zone: self.nat_gateway_private_info.unwrap_or_default().iz_no,
            status: self.status,
            table: tables.unwrap_or_default().into_iter().next(),
            eips: ips.into_iter().filter_map(Ip::view).collect(),
        }
    }
}

impl Ip {
    /// `None`: no address, so nothing to use.
    fn view(self) -> Option<NatEip> {
        Some(NatEip {
            address: self.address.parse().ok()?,
            id: EipId::new(self.allocation_id),
            snat: matches!(
                self.using_status.as_str(),
                "UsedBySnatTable" | "UsedByForwardSnatTable"
            ),
        })
    }
}
