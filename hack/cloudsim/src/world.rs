//! What is in the account beside EIPs: VPCs, vSwitches, instances, ENIs, packages, pools, groups.

pub mod eni;
pub mod ip_plan;
pub mod parts;
pub mod routes;

use std::collections::BTreeMap;

pub use eni::{AssignIps, Eni, EniType, NewEni};
pub use parts::{
    AddressPool, BandwidthPackage, Instance, NewInstance, NewVSwitch, NewVpc, VSwitch, Vpc,
};

use crate::ids::Ids;

/// Why the control door (or the typed method behind it) refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such thing.
    #[error("there is no {0} {1}")]
    NotFound(&'static str, String),
    /// It exists already, or is in the way.
    #[error("{0}")]
    Conflict(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// Every resource but EIPs, by id.
#[derive(Debug, Default)]
pub struct World {
    /// VPCs.
    pub vpcs: BTreeMap<String, Vpc>,
    /// vSwitches.
    pub vswitches: BTreeMap<String, VSwitch>,
    /// Instances (nodes).
    pub instances: BTreeMap<String, Instance>,
    /// Network interfaces.
    pub enis: BTreeMap<String, Eni>,
    /// Shared bandwidth packages.
    pub packages: BTreeMap<String, BandwidthPackage>,
    /// Address pools.
    pub pools: BTreeMap<String, AddressPool>,
    /// Resource group ids; empty = any id is taken.
    pub resource_groups: Vec<String>,
    /// Custom route tables.
    pub route_tables: BTreeMap<String, routes::RouteTable>,
    /// Routes that were added.
    pub routes: BTreeMap<String, routes::Route>,
    /// Private addresses in use, by vSwitch.
    taken: BTreeMap<String, ip_plan::Taken>,
}

impl World {
    /// The ENI.
    pub fn eni(&self, id: &str) -> Result<&Eni, Refused> {
        self.enis
            .get(id)
            .ok_or_else(|| Refused::NotFound("ENI", id.to_owned()))
    }

    /// The ENI, to change.
    pub fn eni_mut(&mut self, id: &str) -> Result<&mut Eni, Refused> {
        self.enis
            .get_mut(id)
            .ok_or_else(|| Refused::NotFound("ENI", id.to_owned()))
    }

    /// The region of a VPC, or nothing.
    pub fn region_of_vpc(&self, vpc: &str) -> &str {
        self.vpcs.get(vpc).map_or("", |vpc| vpc.region.as_str())
    }

    /// Adds a VPC.
    pub fn add_vpc(
        &mut self,
        ids: &mut Ids,
        default_region: &str,
        new: NewVpc,
    ) -> Result<Vpc, Refused> {
        let vpc = Vpc {
            id: new.id.unwrap_or_else(|| ids.resource("vpc")),
            region: new.region.unwrap_or_else(|| default_region.to_owned()),
            cidr: ip_plan::Cidr::parse(new.cidr.as_deref().unwrap_or("10.0.0.0/8"))?,
        };
        insert_new(&mut self.vpcs, "VPC", &vpc.id, vpc.clone())?;
        Ok(vpc)
    }

    /// Adds a vSwitch.
    pub fn add_vswitch(&mut self, ids: &mut Ids, new: NewVSwitch) -> Result<VSwitch, Refused> {
        let Some(vpc) = self.vpcs.get(&new.vpc_id) else {
            return Err(Refused::NotFound("VPC", new.vpc_id));
        };
        let cidr = ip_plan::Cidr::parse(&new.cidr)?;
        if !vpc.cidr.contains_range(cidr) {
            return Err(Refused::Invalid(format!(
                "{} is not within the VPC's {}",
                new.cidr, vpc.cidr
            )));
        }
        let vswitch = VSwitch {
            id: new.id.unwrap_or_else(|| ids.resource("vsw")),
            zone: new.zone.unwrap_or_else(|| format!("{}-a", vpc.region)),
            name: new.name,
            vpc_id: new.vpc_id,
            cidr,
            tags: new.tags,
        };
        insert_new(&mut self.vswitches, "vSwitch", &vswitch.id, vswitch.clone())?;
        Ok(vswitch)
    }

    /// Adds an instance; its ENIs are added afterwards.
    pub fn add_instance(&mut self, ids: &mut Ids, new: NewInstance) -> Result<Instance, Refused> {
        let instance = Instance::make(
            ids,
            new,
            |vpc| self.region_of_vpc(vpc).to_owned(),
            &self.vswitches,
        )?;
        insert_new(
            &mut self.instances,
            "instance",
            &instance.id,
            instance.clone(),
        )?;
        Ok(instance)
    }

    /// The ENIs attached to an instance, in the order of their ids.
    pub fn enis_of<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = &'a Eni> {
        self.enis
            .values()
            .filter(move |eni| eni.instance_id.as_deref() == Some(instance))
    }

    /// The primary ENI of an instance.
    pub fn primary_eni(&self, instance: &str) -> Option<&Eni> {
        let mine = |eni: &&Eni| {
            eni.kind == EniType::Primary && eni.instance_id.as_deref() == Some(instance)
        };
        self.enis.values().find(mine)
    }

    /// How many addresses of a vSwitch are in use.
    pub fn used_ips(&self, vswitch: &str) -> usize {
        self.taken.get(vswitch).map_or(0, ip_plan::Taken::count)
    }
}

/// Inserts what must not exist yet.
pub(crate) fn insert_new<T>(
    map: &mut BTreeMap<String, T>,
    kind: &str,
    id: &str,
    value: T,
) -> Result<(), Refused> {
    if map.contains_key(id) {
        return Err(Refused::Conflict(format!("{kind} {id} exists already")));
    }
    map.insert(id.to_owned(), value);
    Ok(())
}
