//! Network interfaces and their private addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::ip_plan::Cidr;
use super::{Refused, World, insert_new};
use crate::clock::Ms;
use crate::ids::Ids;

/// What an ENI is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EniType {
    /// The instance's first interface.
    Primary,
    /// A further interface.
    #[default]
    Secondary,
    /// A secondary interface that carries members.
    Trunk,
    /// An interface attached through a trunk; not in the metadata service.
    Member,
}

impl EniType {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Secondary => "Secondary",
            Self::Trunk => "Trunk",
            Self::Member => "Member",
        }
    }
}

/// An ENI to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewEni {
    /// Made up if not given.
    pub id: Option<String>,
    /// The vSwitch it takes its addresses from.
    pub vswitch_id: String,
    /// `Primary`, `Secondary`, `Trunk` or `Member`.
    #[serde(rename = "type")]
    pub kind: EniType,
    /// Attached to this instance at once.
    pub instance_id: Option<String>,
    /// For a member: the trunk it is attached through; the instance's only trunk if not given.
    pub trunk_eni_id: Option<String>,
    /// Primary private IP; the next free one if not given.
    pub primary_ip: Option<String>,
    /// MAC address; the next one if not given.
    pub mac: Option<String>,
    /// Secondary private IPs by name.
    pub secondary_ips: Vec<String>,
    /// So many further secondary private IPs.
    pub secondary_count: usize,
    /// IP prefixes, `10.0.1.16/28`.
    pub prefixes: Vec<String>,
    /// IPv6 addresses.
    pub ipv6s: Vec<String>,
    /// Appears in the metadata service so much later.
    pub metadata_late_ms: Ms,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Managed by a cloud service.
    pub service_managed: bool,
}

/// A private address of an ENI.
#[derive(Clone, Debug, Serialize)]
pub struct PrivateIp {
    /// The address.
    pub ip: Ipv4Addr,
    /// The ENI's first address.
    pub primary: bool,
    /// The metadata service lists it from then on.
    pub listed_from_ms: Ms,
}

/// Private addresses to assign.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssignIps {
    /// By name.
    pub ips: Vec<String>,
    /// So many further ones.
    pub count: usize,
    /// Prefixes.
    pub prefixes: Vec<String>,
    /// They appear in the metadata service so much later.
    pub metadata_late_ms: Ms,
}

/// An ENI.
#[derive(Clone, Debug, Serialize)]
pub struct Eni {
    /// `eni-...`
    pub id: String,
    /// MAC address.
    pub mac: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EniType,
    /// `Available` when attached to nothing, else `InUse`; or as set by a test (`Attaching`, ...).
    pub status: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its vSwitch.
    pub vswitch_id: String,
    /// Its zone.
    pub zone: String,
    /// The instance it is attached to.
    pub instance_id: Option<String>,
    /// The trunk that a member is attached through.
    pub trunk_eni_id: Option<String>,
    /// Place in the instance; 0 = primary.
    pub device_index: u32,
    /// Addresses, the primary one first.
    pub ips: Vec<PrivateIp>,
    /// Prefixes.
    pub prefixes: Vec<Cidr>,
    /// IPv6 addresses.
    pub ipv6s: Vec<String>,
    /// The metadata service lists it from then on.
    pub metadata_from_ms: Ms,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Managed by a cloud service.
    pub service_managed: bool,
    /// When it was made.
    pub created_ms: Ms,
}

impl Eni {
    /// The primary private IP.
    pub fn primary_ip(&self) -> Option<Ipv4Addr> {
        self.ips.iter().find(|ip| ip.primary).map(|ip| ip.ip)
    }

    /// True if the address is one of this ENI's.
    pub fn has_ip(&self, ip: Ipv4Addr) -> bool {
        self.ips.iter().any(|own| own.ip == ip)
    }

    /// True if the address is in one of this ENI's prefixes.
    pub fn has_prefix_ip(&self, ip: Ipv4Addr) -> bool {
        self.prefixes.iter().any(|prefix| prefix.contains(ip))
    }
}

impl World {
    /// Adds an ENI with its addresses, attached if the order says so.
    pub fn add_eni(&mut self, ids: &mut Ids, new: NewEni, now: Ms) -> Result<Eni, Refused> {
        let Some(vswitch) = self.vswitches.get(&new.vswitch_id) else {
            return Err(Refused::NotFound("vSwitch", new.vswitch_id));
        };
        let eni = Eni {
            id: new.id.unwrap_or_else(|| ids.resource("eni")),
            mac: new.mac.unwrap_or_else(|| ids.mac()),
            kind: new.kind,
            status: "Available".to_owned(),
            vpc_id: vswitch.vpc_id.clone(),
            vswitch_id: new.vswitch_id,
            zone: vswitch.zone.clone(),
            instance_id: None,
            trunk_eni_id: None,
            device_index: 0,
            ips: Vec::new(),
            prefixes: Vec::new(),
            ipv6s: new.ipv6s,
            metadata_from_ms: now + new.metadata_late_ms,
            security_groups: new.security_groups,
            tags: new.tags,
            service_managed: new.service_managed,
            created_ms: now,
        };
        let id = eni.id.clone();
        insert_new(&mut self.enis, "ENI", &id, eni)?;
        let order = AssignIps {
            ips: new.secondary_ips,
            count: new.secondary_count,
            prefixes: new.prefixes,
            metadata_late_ms: new.metadata_late_ms,
        };
        let made = self.fill_eni(&id, new.primary_ip.as_deref(), &order, now);
        let made = made.and_then(|()| match &new.instance_id {
            Some(instance) => self.attach_eni(&id, instance, new.trunk_eni_id.as_deref()),
            None => Ok(()),
        });
        if let Err(refused) = made {
            self.remove_eni(&id);
            return Err(refused);
        }
        self.eni(&id).cloned()
    }

    fn fill_eni(
        &mut self,
        id: &str,
        primary: Option<&str>,
        order: &AssignIps,
        now: Ms,
    ) -> Result<(), Refused> {
        let from = now + order.metadata_late_ms;
        let ip = self.take_ip(id, primary)?;
        self.eni_mut(id)?.ips.push(PrivateIp {
            ip,
            primary: true,
            listed_from_ms: from,
        });
        self.assign_ips(id, order, now).map(|_| ())
    }

    /// Assigns secondary private IPs and prefixes. Returns the new addresses.
    pub fn assign_ips(
        &mut self,
        id: &str,
        order: &AssignIps,
        now: Ms,
    ) -> Result<Vec<Ipv4Addr>, Refused> {
        let named = order.ips.iter().map(|ip| Some(ip.as_str()));
        let wanted: Vec<_> = named
            .chain(std::iter::repeat_n(None, order.count))
            .collect();
        let mut given = Vec::new();
        for ip in wanted {
            let ip = self.take_ip(id, ip)?;
            let listed_from_ms = now + order.metadata_late_ms;
            self.eni_mut(id)?.ips.push(PrivateIp {
                ip,
                primary: false,
                listed_from_ms,
            });
            given.push(ip);
        }
        for prefix in &order.prefixes {
            let prefix = Cidr::parse(prefix)?;
            self.eni_mut(id)?.prefixes.push(prefix);
        }
        Ok(given)
    }

    /// Takes secondary private IPs away from their ENI: all of them or none.
    pub fn unassign_ips(&mut self, id: &str, ips: &[Ipv4Addr]) -> Result<(), Refused> {
        let eni = self.eni_mut(id)?;
        let is_secondary = |ip: &Ipv4Addr| eni.ips.iter().any(|own| own.ip == *ip && !own.primary);
        if let Some(ip) = ips.iter().find(|ip| !is_secondary(ip)) {
            return Err(Refused::NotFound("secondary private IP", ip.to_string()));
        }
        eni.ips.retain(|own| !ips.contains(&own.ip));
        let vswitch_id = eni.vswitch_id.clone();
        self.free_ips(&vswitch_id, ips);
        Ok(())
    }

    /// Takes an ENI away with its addresses; false if there is none.
    pub fn remove_eni(&mut self, id: &str) -> bool {
        let Some(eni) = self.enis.remove(id) else {
            return false;
        };
        let ips: Vec<Ipv4Addr> = eni.ips.iter().map(|ip| ip.ip).collect();
        self.free_ips(&eni.vswitch_id, &ips);
        true
    }

    fn free_ips(&mut self, vswitch: &str, ips: &[Ipv4Addr]) {
        if let Some(taken) = self.taken.get_mut(vswitch) {
            for ip in ips {
                taken.give_back(*ip);
            }
        }
    }

    fn take_ip(&mut self, eni: &str, wanted: Option<&str>) -> Result<Ipv4Addr, Refused> {
        let ip = self.choose_ip(eni, wanted)?;
        let vswitch_id = self.eni(eni)?.vswitch_id.clone();
        self.taken.entry(vswitch_id).or_default().take(ip);
        Ok(ip)
    }

    fn choose_ip(&mut self, eni: &str, wanted: Option<&str>) -> Result<Ipv4Addr, Refused> {
        let vswitch_id = self.eni(eni)?.vswitch_id.clone();
        let taken = self.taken.entry(vswitch_id.clone()).or_default();
        let Some(vswitch) = self.vswitches.get(&vswitch_id) else {
            return Err(Refused::NotFound("vSwitch", vswitch_id));
        };
        let Some(wanted) = wanted else {
            let full = || Refused::Conflict(format!("vSwitch {vswitch_id} has no free address"));
            return taken.free(vswitch.cidr).ok_or_else(full);
        };
        let ip: Ipv4Addr = wanted
            .parse()
            .map_err(|_| Refused::Invalid(format!("{wanted} is no IPv4 address")))?;
        if !vswitch.cidr.contains(ip) {
            return Err(Refused::Invalid(format!("{ip} is not in {}", vswitch.cidr)));
        }
        if taken.has(ip) {
            return Err(Refused::Conflict(format!("{ip} is in use")));
        }
        Ok(ip)
    }

    /// Attaches an ENI to an instance, a member through its trunk.
    pub fn attach_eni(
        &mut self,
        id: &str,
        instance: &str,
        trunk: Option<&str>,
    ) -> Result<(), Refused> {
        if !self.instances.contains_key(instance) {
            return Err(Refused::NotFound("instance", instance.to_owned()));
        }
        if let Some(other) = &self.eni(id)?.instance_id {
            return Err(Refused::Conflict(format!("{id} is attached to {other}")));
        }
        let trunk = match (self.eni(id)?.kind, trunk) {
            (EniType::Member, Some(trunk)) => Some(self.eni(trunk)?.id.clone()),
            (EniType::Member, None) => Some(self.only_trunk(instance)?),
            _ => None,
        };
        let taken = self.enis_of(instance).map(|eni| eni.device_index).max();
        let primary = self.eni(id)?.kind == EniType::Primary;
        let eni = self.eni_mut(id)?;
        eni.device_index = if primary { 0 } else { taken.unwrap_or(0) + 1 };
        eni.instance_id = Some(instance.to_owned());
        eni.trunk_eni_id = trunk;
        "InUse".clone_into(&mut eni.status);
        Ok(())
    }

    fn only_trunk(&self, instance: &str) -> Result<String, Refused> {
        let trunk = self
            .enis_of(instance)
            .find(|eni| eni.kind == EniType::Trunk);
        let none = || Refused::Conflict(format!("instance {instance} has no trunk ENI"));
        trunk.map(|eni| eni.id.clone()).ok_or_else(none)
    }

    /// Detaches an ENI.
    pub fn detach_eni(&mut self, id: &str) -> Result<(), Refused> {
        let eni = self.eni_mut(id)?;
        eni.instance_id = None;
        eni.trunk_eni_id = None;
        eni.device_index = 0;
        "Available".clone_into(&mut eni.status);
        Ok(())
    }
}
