//! NAT gateways, routes and entries as somebody at the console makes, sees and changes them.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::nat::{EntryStatus, ForwardEntry, NatGateway, NewNatGateway, Ports, SnatEntry};
use crate::state::State;
use crate::world::routes::{NewRouteTable, Route, RouteTable};
use crate::world::{Refused, insert_new};

/// A console user's change of a forward entry, at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum EntryAction {
    /// Deletes it.
    #[default]
    Delete,
    /// Sends it elsewhere.
    Modify {
        /// The private address.
        #[serde(default)]
        internal_ip: Option<Ipv4Addr>,
        /// The private port.
        #[serde(default)]
        internal_port: Option<String>,
        /// The name.
        #[serde(default)]
        name: Option<String>,
    },
    /// Puts it into `Pending` until it is told otherwise.
    Stick,
    /// Ends whatever it is in.
    Settle,
}

impl Cloud {
    /// Adds a NAT gateway.
    pub fn add_nat_gateway(&self, new: NewNatGateway) -> Result<NatGateway, Refused> {
        let now = self.clock().now();
        let State {
            nats,
            ids,
            world,
            settings,
            ..
        } = &mut *self.state();
        nats.add_gateway(ids, world, settings, new, now)
    }

    /// Sets a gateway's status (`Modifying`, ...).
    pub fn set_nat_status(&self, id: &str, status: &str) -> Result<(), Refused> {
        let mut state = self.state();
        let gateway = state.nats.gateways.get_mut(id);
        let gateway = gateway.ok_or_else(|| Refused::NotFound("NAT gateway", id.to_owned()))?;
        status.clone_into(&mut gateway.status);
        Ok(())
    }

    /// A gateway is deleted, with its entries, whatever they lead to.
    pub fn remove_nat_gateway(&self, id: &str) -> Result<(), Refused> {
        let now = self.clock().now();
        let mut state = self.state();
        let gateway = state.nats.gateways.remove(id);
        let gateway = gateway.ok_or_else(|| Refused::NotFound("NAT gateway", id.to_owned()))?;
        let entries = state.nats.table(&gateway.forward_table_id);
        let entries: Vec<_> = entries.map(|entry| entry.id.clone()).collect();
        for id in entries {
            state.nats.change(&id, EntryStatus::Gone, now, None, |_| {});
        }
        Ok(())
    }

    /// All gateways.
    pub fn nat_gateways(&self) -> Vec<NatGateway> {
        self.state().nats.gateways.values().cloned().collect()
    }

    /// Adds an SNAT entry.
    pub fn add_snat_entry(&self, mut new: SnatEntry) -> Result<SnatEntry, Refused> {
        let State { nats, ids, .. } = &mut *self.state();
        if !nats.gateways.contains_key(&new.gateway) {
            return Err(Refused::NotFound("NAT gateway", new.gateway));
        }
        if new.id.is_empty() {
            new.id = ids.resource("snat");
        }
        insert_new(&mut nats.snat, "SNAT entry", &new.id, new.clone())?;
        Ok(new)
    }

    /// Adds a custom route table.
    pub fn add_route_table(&self, new: NewRouteTable) -> Result<RouteTable, Refused> {
        let State { world, ids, .. } = &mut *self.state();
        world.add_route_table(ids, new)
    }

    /// Adds a route.
    pub fn add_route(&self, new: Route) -> Result<Route, Refused> {
        let State { world, ids, .. } = &mut *self.state();
        world.add_route(ids, new)
    }

    /// Forward entries that exist.
    pub fn forward_entries(&self) -> Vec<ForwardEntry> {
        self.state().nats.entries().cloned().collect()
    }

    /// Those that ever were.
    pub fn forward_entries_even_gone(&self) -> Vec<ForwardEntry> {
        self.state().nats.entries_even_gone().cloned().collect()
    }

    /// Adds an entry as at the console: at once, and whatever the table holds.
    pub fn add_forward_entry(&self, mut new: ForwardEntry) -> ForwardEntry {
        let now = self.clock().now();
        let State { nats, ids, .. } = &mut *self.state();
        if new.id.is_empty() {
            new.id = ids.resource("fwd");
        }
        new.enter(EntryStatus::Available, now, None);
        nats.insert(new.clone());
        new
    }

    /// Changes an entry as at the console.
    pub fn change_forward_entry(&self, id: &str, action: &EntryAction) -> Result<(), Refused> {
        let now = self.clock().now();
        let mut state = self.state();
        let status = match action {
            EntryAction::Delete => EntryStatus::Gone,
            EntryAction::Stick => EntryStatus::Pending,
            EntryAction::Modify { .. } | EntryAction::Settle => EntryStatus::Available,
        };
        let changed = state.nats.change(id, status, now, None, |entry| {
            if let EntryAction::Modify {
                internal_ip,
                internal_port,
                name,
            } = action
            {
                entry.internal_ip = internal_ip.unwrap_or(entry.internal_ip);
                let port = internal_port.as_deref().and_then(Ports::parse);
                entry.internal_port = port.unwrap_or(entry.internal_port);
                entry.name = name.clone().unwrap_or_else(|| entry.name.clone());
            }
        });
        let unknown = || Refused::NotFound("forward entry", id.to_owned());
        changed.then_some(()).ok_or_else(unknown)
    }
}
