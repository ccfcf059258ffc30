//! Route tables. Each VPC has one of its own; vSwitches may be given another.

use serde::{Deserialize, Serialize};

use super::{Refused, World, insert_new};
use crate::ids::Ids;

/// A custom route table to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewRouteTable {
    /// Made up if not given.
    pub id: Option<String>,
    /// Its VPC.
    pub vpc_id: String,
    /// The vSwitches that it is for.
    pub vswitch_ids: Vec<String>,
}

/// A custom route table.
#[derive(Clone, Debug, Serialize)]
pub struct RouteTable {
    /// `vtb-...`
    pub id: String,
    /// Its VPC.
    pub vpc_id: String,
    /// The vSwitches that it is for.
    pub vswitch_ids: Vec<String>,
}

/// A route that somebody added to a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    /// `rte-...`; made up if empty.
    pub id: String,
    /// The table; the VPC's own one if empty.
    pub table_id: String,
    /// The VPC, where no table is named.
    pub vpc_id: String,
    /// `0.0.0.0/0`, also if empty.
    pub destination: String,
    /// `NatGateway`, `NetworkInterface`, ...
    pub next_hop_type: String,
    /// `ngw-...`
    pub next_hop_id: String,
}

/// The id of a VPC's own route table.
pub fn system_table(vpc: &str) -> String {
    format!("vtb-{}", vpc.strip_prefix("vpc-").unwrap_or(vpc))
}

impl World {
    /// The route table of a vSwitch.
    pub fn table_of(&self, vswitch: &str) -> Option<String> {
        let vpc = &self.vswitches.get(vswitch)?.vpc_id;
        let mut tables = self.route_tables.values();
        let own = tables.find(|table| table.vswitch_ids.iter().any(|id| id == vswitch));
        Some(own.map_or_else(|| system_table(vpc), |table| table.id.clone()))
    }

    /// Adds a custom table; its vSwitches leave the one they had.
    pub fn add_route_table(
        &mut self,
        ids: &mut Ids,
        new: NewRouteTable,
    ) -> Result<RouteTable, Refused> {
        if !self.vpcs.contains_key(&new.vpc_id) {
            return Err(Refused::NotFound("VPC", new.vpc_id));
        }
        for id in &new.vswitch_ids {
            let vswitch = self.vswitches.get(id);
            if vswitch.is_none_or(|it| it.vpc_id != new.vpc_id) {
                return Err(Refused::NotFound("vSwitch", id.clone()));
            }
        }
        for table in self.route_tables.values_mut() {
            table.vswitch_ids.retain(|id| !new.vswitch_ids.contains(id));
        }
        let table = RouteTable {
            id: new.id.unwrap_or_else(|| ids.resource("vtb")),
            vpc_id: new.vpc_id,
            vswitch_ids: new.vswitch_ids,
        };
        insert_new(
            &mut self.route_tables,
            "route table",
            &table.id,
            table.clone(),
        )?;
        Ok(table)
    }

    /// Adds a route.
    pub fn add_route(&mut self, ids: &mut Ids, mut new: Route) -> Result<Route, Refused> {
        if new.table_id.is_empty() {
            if !self.vpcs.contains_key(&new.vpc_id) {
                return Err(Refused::NotFound("VPC", new.vpc_id));
            }
            new.table_id = system_table(&new.vpc_id);
        } else if let Some(table) = self.route_tables.get(&new.table_id) {
            new.vpc_id.clone_from(&table.vpc_id);
        }
        if new.id.is_empty() {
            new.id = ids.resource("rte");
        }
        if new.destination.is_empty() {
            "0.0.0.0/0".clone_into(&mut new.destination);
        }
        insert_new(&mut self.routes, "route", &new.id, new.clone())?;
        Ok(new)
    }
}
