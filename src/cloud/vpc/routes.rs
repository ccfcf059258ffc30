//! Route tables: where a vSwitch's traffic to the Internet goes.

use serde::Deserialize;

use super::Vpc;
use super::list::Page;
use crate::cloud::error::CloudError;
use crate::cloud::loose;
use crate::cloud::rpc::args;

/// A table with the vSwitches that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableView {
    /// `vtb-...`
    pub id: String,
    pub vswitches: Vec<String>,
}

/// The largest page of `DescribeRouteEntryList`. A table has one route to a destination, so there is no second one.
const ROUTES: &str = "100";
const INTERNET: &str = "0.0.0.0/0";

impl Vpc {
    /// `DescribeRouteTableList`: the VPC's tables.
    pub async fn route_tables(&self, vpc: &str) -> Result<Vec<TableView>, CloudError> {
        self.pages::<List>(&args([("VpcId", vpc)])).await
    }

    /// The NAT gateways that a vSwitch's routes to the Internet lead to.
    pub async fn led_to(&self, vpc: &str, vswitch: &str) -> Result<Vec<String>, CloudError> {
        let tables = self.route_tables(vpc).await?;
        let is_its = |table: &&TableView| table.vswitches.iter().any(|it| it == vswitch);
        match tables.iter().find(is_its) {
            Some(table) => self.default_gateways(&table.id).await,
            None => Ok(Vec::new()),
        }
    }

    /// `DescribeRouteEntryList`: the NAT gateways that a table's routes to the Internet lead to.
    pub async fn default_gateways(&self, table: &str) -> Result<Vec<String>, CloudError> {
        let args = args([
            ("RouteTableId", table),
            ("DestinationCidrBlock", INTERNET),
            ("MaxResult", ROUTES),
        ]);
        let answer = self.call("DescribeRouteEntryList", args).await?;
        let routes: Routes = answer.parse()?;
        let routes = routes.route_entrys.route_entry.into_iter();
        let to_internet = routes.filter(|route| route.destination_cidr_block == INTERNET);
        let hops = to_internet.flat_map(|route| route.next_hops.next_hop);
        let to_nat = hops.filter(|hop| hop.next_hop_type == "NatGateway");
        Ok(to_nat.map(|hop| hop.next_hop_id).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    #[serde(deserialize_with = "loose::number")]
    total_count: u32,
    router_table_list: Tables,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tables {
    router_table_list_type: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    route_table_id: String,
    v_switch_ids: Option<VSwitches>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VSwitches {
    #[serde(default)]
    v_switch_id: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Routes {
    route_entrys: Entries,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries {
    route_entry: Vec<Route>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Route {
    #[serde(deserialize_with = "loose::text")]
    destination_cidr_block: String,
    next_hops: Hops,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Hops {
    next_hop: Vec<Hop>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Hop {
    #[serde(deserialize_with = "loose::text")]
    next_hop_type: String,
    #[serde(deserialize_with = "loose::text")]
    next_hop_id: String,
}

impl Page for List {
    type Item = TableView;
    const ACTION: &'static str = "DescribeRouteTableList";
    const SIZE: usize = 50;

    fn total(&self) -> usize {
        self.total_count as usize
    }

    fn items(self) -> Vec<TableView> {
        let all = self.router_table_list.router_table_list_type;
        all.into_iter()
            .map(|wire| TableView {
                id: wire.route_table_id,
                vswitches: wire.v_switch_ids.unwrap_or_default().v_switch_id,
            })
            .collect()
    }

    fn id(item: &TableView) -> String {
        item.id.clone()
    }
}
