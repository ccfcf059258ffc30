//! NAT gateways, their forward (DNAT) and SNAT tables, and the entries in them.
//!
//! Passing states end by themselves, as those of EIPs do: whoever looks at the state first calls [`Nats::settle`].

pub mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

pub use entry::{EntryStatus, ForwardEntry, Ports};

use crate::clock::Ms;
use crate::eip::{Eip, Eips};
use crate::ids::Ids;
use crate::settings::Settings;
use crate::world::{Refused, World, insert_new};

/// A NAT gateway to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewNatGateway {
    /// Made up if not given.
    pub id: Option<String>,
    /// Its forward table's id; made up if not given.
    pub forward_table_id: Option<String>,
    /// The vSwitch it stands in: its VPC and zone are the gateway's.
    pub vswitch_id: String,
    /// Its name.
    pub name: String,
    /// `internet` (also if empty) or `intranet`.
    pub network_type: String,
    /// The account; the settings' one if empty.
    pub account: String,
}

/// A NAT gateway.
#[derive(Clone, Debug, Serialize)]
pub struct NatGateway {
    /// `ngw-...`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its VPC.
    pub vpc_id: String,
    /// The vSwitch it stands in.
    pub vswitch_id: String,
    /// Its zone.
    pub zone: String,
    /// `internet` or `intranet`.
    pub network_type: String,
    /// `Available`, or as set by a test (`Modifying`, ...).
    pub status: String,
    /// `ftb-...`
    pub forward_table_id: String,
    /// `stb-...`
    pub snat_table_id: String,
    /// When it was made.
    pub created_ms: Ms,
}

/// An SNAT entry: the only thing about it that matters here is which EIPs it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnatEntry {
    /// `snat-...`; made up if empty.
    pub id: String,
    /// The gateway.
    pub gateway: String,
    /// The EIPs' addresses.
    pub ips: Vec<Ipv4Addr>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Nats {
    /// Gateways by id.
    pub gateways: BTreeMap<String, NatGateway>,
    /// SNAT entries by id.
    pub snat: BTreeMap<String, SnatEntry>,
    entries: BTreeMap<String, ForwardEntry>,
    gone: BTreeMap<String, ForwardEntry>,
    /// Ends of passing states, soonest first.
    passing: BTreeSet<(Ms, String)>,
}

impl Nats {
    /// Ends every passing state whose time has come.
    pub fn settle(&mut self, now: Ms) {
        while let Some((at, _)) = self.passing.first() {
            if *at > now {
                return;
            }
            let Some((at, id)) = self.passing.pop_first() else {
                return;
            };
            self.settle_one(&id, at);
        }
    }

    fn settle_one(&mut self, id: &str, at: Ms) {
        let Some(mut entry) = self.entries.remove(id) else {
            return;
        };
        let deleted = entry.status == EntryStatus::Deleting;
        entry.enter(
            if deleted {
                EntryStatus::Gone
            } else {
                EntryStatus::Available
            },
            at,
            None,
        );
        let map = if deleted {
            &mut self.gone
        } else {
            &mut self.entries
        };
        map.insert(id.to_owned(), entry);
    }

    /// Adds a gateway.
    pub fn add_gateway(
        &mut self,
        ids: &mut Ids,
        world: &World,
        settings: &Settings,
        new: NewNatGateway,
        now: Ms,
    ) -> Result<NatGateway, Refused> {
        let vswitch = world.vswitches.get(&new.vswitch_id);
        let vswitch = vswitch.ok_or(Refused::NotFound("vSwitch", new.vswitch_id))?;
        let or = |given: String, default: &str| match given.as_str() {
            "" => default.to_owned(),
            _ => given,
        };
        let gateway = NatGateway {
            id: new.id.unwrap_or_else(|| ids.resource("ngw")),
            forward_table_id: new.forward_table_id.unwrap_or_else(|| ids.resource("ftb")),
            snat_table_id: ids.resource("stb"),
            name: new.name,
            account: or(new.account, &settings.account_id),
            region: world.region_of_vpc(&vswitch.vpc_id).to_owned(),
            vpc_id: vswitch.vpc_id.clone(),
            zone: vswitch.zone.clone(),
            vswitch_id: vswitch.id.clone(),
            network_type: or(new.network_type, "internet"),
            status: "Available".to_owned(),
            created_ms: now,
        };
        insert_new(
            &mut self.gateways,
            "NAT gateway",
            &gateway.id,
            gateway.clone(),
        )?;
        Ok(gateway)
    }

    /// The gateway that has this forward table.
    pub fn of_table(&self, table: &str) -> Option<&NatGateway> {
        let has = |gateway: &&NatGateway| gateway.forward_table_id == table;
        self.gateways.values().find(has)
    }

    /// The entries of a table, those being deleted included.
    pub fn table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ForwardEntry> {
        self.entries
            .values()
            .filter(move |entry| entry.table_id == table)
    }

    /// Every entry that exists.
    pub fn entries(&self) -> impl Iterator<Item = &ForwardEntry> {
        self.entries.values()
    }

    /// Every entry that ever was.
    pub fn entries_even_gone(&self) -> impl Iterator<Item = &ForwardEntry> {
        self.entries.values().chain(self.gone.values())
    }

    /// An entry that exists.
    pub fn entry(&self, id: &str) -> Option<&ForwardEntry> {
        self.entries.get(id)
    }

    /// Adds an entry in its passing state.
    pub fn insert(&mut self, entry: ForwardEntry) {
        if let Some(at) = entry.settles_ms {
            self.passing.insert((at, entry.id.clone()));
        }
        self.entries.insert(entry.id.clone(), entry);
    }

    /// Changes an entry and puts it into a state, which ends at `settles`; `false`: there is none.
    pub fn change(
        &mut self,
        id: &str,
        status: EntryStatus,
        now: Ms,
        settles: Option<Ms>,
        change: impl FnOnce(&mut ForwardEntry),
    ) -> bool {
        let Some(mut entry) = self.entries.remove(id) else {
            return false;
        };
        if let Some(at) = entry.settles_ms {
            self.passing.remove(&(at, id.to_owned()));
        }
        change(&mut entry);
        entry.enter(status, now, settles);
        match status {
            EntryStatus::Gone => drop(self.gone.insert(id.to_owned(), entry)),
            _ => self.insert(entry),
        }
        true
    }

    /// Whether an SNAT entry uses the address.
    pub fn is_snat(&self, ip: Ipv4Addr) -> bool {
        self.snat.values().any(|entry| entry.ips.contains(&ip))
    }
}

/// The EIPs that are bound (or being bound) to a gateway.
pub fn eips_of<'a>(eips: &'a Eips, gateway: &'a str) -> impl Iterator<Item = &'a Eip> {
    eips.iter().filter(move |eip| {
        let place = eip.place.as_ref();
        place.is_some_and(|place| place.instance_id == gateway)
    })
}
