//! EIPs: their states, where they are bound, and the history of both.
//!
//! Passing states end by themselves: every EIP carries the time when, and whoever looks at the
//! state first calls [`Eips::settle`]. So no task and no timer is needed.

pub mod past;
pub mod tagging;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Serialize;

pub use past::Past;
pub use tagging::Tags;

use crate::clock::Ms;

/// The state of an EIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Status {
    /// Bound to nothing.
    Available,
    /// Being bound.
    Associating,
    /// Bound.
    InUse,
    /// Being unbound.
    Unassociating,
    /// Being released.
    Releasing,
    /// Released; only its history is left.
    Gone,
}

impl Status {
    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Associating => "Associating",
            Self::InUse => "InUse",
            Self::Unassociating => "Unassociating",
            Self::Releasing => "Releasing",
            Self::Gone => "Gone",
        }
    }

    /// True for the states that end by themselves.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::Associating | Self::Unassociating | Self::Releasing
        )
    }
}

/// Where an EIP is bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// `eni-...`, `i-...`, `ngw-...`
    pub instance_id: String,
    /// `NetworkInterface`, `EcsInstance`, `Nat`.
    pub instance_type: String,
    /// The ENI that really has it.
    pub eni_id: Option<String>,
    /// The private IP that really has it.
    pub private_ip: Option<Ipv4Addr>,
    /// That is the ENI's primary IP: Describe then reports an empty `PrivateIpAddress`.
    pub at_primary_ip: bool,
    /// `NAT`, `BINDED`, `MULTI_BINDED`; empty for other types.
    pub mode: String,
}

/// One entry of an EIP's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When, in milliseconds since the cloud's start.
    pub ms: Ms,
    /// The state from then on.
    pub status: Status,
    /// The place from then on.
    pub place: Option<Place>,
}

/// An EIP.
#[derive(Clone, Debug, Serialize)]
pub struct Eip {
    /// `eip-...`
    pub id: String,
    /// The public address.
    pub ip: Ipv4Addr,
    /// The account that pays for it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Mbit/s, its own.
    pub bandwidth: Past<u32>,
    /// `PayByBandwidth` or `PayByTraffic`.
    pub internet_charge_type: String,
    /// `PostPaid` or `PrePaid`.
    pub charge_type: String,
    /// The line.
    pub isp: String,
    /// Resource group.
    pub resource_group_id: String,
    /// The address pool it came from.
    pub pool_id: String,
    /// Special zone.
    pub zone: String,
    /// `AntiDDoS_Enhanced` or nothing.
    pub security_protection: Vec<String>,
    /// Tags.
    pub tags: Tags,
    /// The shared bandwidth package it is in.
    pub package_id: Past<Option<String>>,
    /// `financial`, `security`.
    pub locks: Vec<String>,
    /// Refuses Release.
    pub deletion_protection: bool,
    /// Managed by a cloud service.
    pub service_managed: bool,
    /// When it was allocated.
    pub allocated_ms: Ms,
    /// The present state.
    pub status: Status,
    /// The present place.
    pub place: Option<Place>,
    /// When the passing state ends.
    pub settles_ms: Option<Ms>,
    /// Every state and place it ever had, oldest first.
    pub history: Vec<Change>,
}

impl Eip {
    /// Puts the EIP into a state, and notes it.
    pub fn enter(&mut self, status: Status, place: Option<Place>, ms: Ms, settles: Option<Ms>) {
        self.status = status;
        self.place = place;
        self.settles_ms = settles;
        self.history.push(Change {
            ms,
            status,
            place: self.place.clone(),
        });
    }

    /// True until it is released.
    pub fn exists(&self) -> bool {
        self.status != Status::Gone
    }

    /// State and place as a reader sees them who is `lag` late; at first the first ones.
    pub fn seen(&self, now: Ms, lag: Ms) -> (Status, Option<&Place>) {
        let mut latest_first = self.history.iter().rev();
        let past = latest_first.find(|change| change.ms.saturating_add(lag) <= now);
        let past = past.or_else(|| self.history.first());
        past.map_or((self.status, self.place.as_ref()), |change| {
            (change.status, change.place.as_ref())
        })
    }

    /// Ends a passing state whose time has come.
    fn settle(&mut self, now: Ms) {
        let Some(due) = self.settles_ms.filter(|due| *due <= now) else {
            return;
        };
        let place = self.place.take();
        match self.status {
            Status::Associating => self.enter(Status::InUse, place, due, None),
            Status::Unassociating => self.enter(Status::Available, None, due, None),
            Status::Releasing => {
                self.package_id.set(None, due);
                self.enter(Status::Gone, None, due, None);
            }
            settled => self.enter(settled, place, due, None),
        }
    }
}

/// All EIPs, also the released ones.
#[derive(Debug, Default)]
pub struct Eips {
    alive: BTreeMap<String, Eip>,
    gone: BTreeMap<String, Eip>,
    /// Ends of passing states, soonest first, so that settling does not walk over all.
    passing: BTreeSet<(Ms, String)>,
    /// (ENI, private IP) -> EIP, so that a place is found at once among many thousands.
    places: BTreeMap<(String, Ipv4Addr), String>,
    made: u32,
}

impl Eips {
    /// Ends every passing state whose time has come.
    pub fn settle(&mut self, now: Ms) {
        while let Some((at, _)) = self.passing.first() {
            if *at > now {
                return;
            }
            if let Some((_, id)) = self.passing.pop_first() {
                self.change(&id, |eip| eip.settle(now));
            }
        }
    }

    /// The number of the next public address.
    pub fn next_number(&mut self) -> u32 {
        self.made += 1;
        self.made - 1
    }

    /// Adds a new EIP.
    pub fn insert(&mut self, eip: Eip) {
        self.alive.insert(eip.id.clone(), eip);
    }

    /// Gives an EIP that stands nowhere yet another id; one of that id that is gone is forgotten.
    pub fn rename(&mut self, id: &str, to: &str) {
        if let Some(mut eip) = self.alive.remove(id) {
            to.clone_into(&mut eip.id);
            self.gone.remove(to);
            self.insert(eip);
        }
    }

    /// Puts an EIP into a state; a passing one ends at `settles`.
    pub fn enter(
        &mut self,
        id: &str,
        status: Status,
        place: Option<Place>,
        now: Ms,
        settles: Option<Ms>,
    ) {
        self.change(id, |eip| eip.enter(status, place, now, settles));
    }

    /// Changes state or place, and keeps the indexes right.
    fn change(&mut self, id: &str, change: impl FnOnce(&mut Eip)) {
        let Some(mut eip) = self.alive.remove(id) else {
            return;
        };
        if let Some(key) = place_key(&eip) {
            self.places.remove(&key);
        }
        if let Some(at) = eip.settles_ms {
            self.passing.remove(&(at, id.to_owned()));
        }
        change(&mut eip);
        if let Some(at) = eip.settles_ms {
            self.passing.insert((at, id.to_owned()));
        }
        if let Some(key) = place_key(&eip) {
            self.places.insert(key, id.to_owned());
        }
        let map = if eip.exists() {
            &mut self.alive
        } else {
            &mut self.gone
        };
        map.insert(id.to_owned(), eip);
    }

    /// An EIP that exists.
    pub fn get(&self, id: &str) -> Option<&Eip> {
        self.alive.get(id)
    }

    /// An EIP that exists, to change anything but its state.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Eip> {
        self.alive.get_mut(id)
    }

    /// An EIP, also after its release.
    pub fn get_even_gone(&self, id: &str) -> Option<&Eip> {
        self.alive.get(id).or_else(|| self.gone.get(id))
    }

    /// Those that exist, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Eip> {
        self.alive.values()
    }

    /// All that ever were.
    pub fn iter_even_gone(&self) -> impl Iterator<Item = &Eip> {
        self.alive.values().chain(self.gone.values())
    }

    /// The EIP that has (or is getting, or losing) this private IP.
    pub fn at(&self, eni: &str, ip: Ipv4Addr) -> Option<&Eip> {
        self.get(self.places.get(&(eni.to_owned(), ip))?)
    }

    /// The EIPs on an ENI.
    pub fn on_eni(&self, eni: &str) -> impl Iterator<Item = &Eip> {
        let first = (eni.to_owned(), Ipv4Addr::UNSPECIFIED);
        let last = (eni.to_owned(), Ipv4Addr::BROADCAST);
        self.places
            .range(first..=last)
            .filter_map(|(_, id)| self.get(id))
    }
}

fn place_key(eip: &Eip) -> Option<(String, Ipv4Addr)> {
    let place = eip.place.as_ref()?;
    Some((place.eni_id.clone()?, place.private_ip?))
}
