//! Typed control of the cloud: what the control door does, for tests in the same process.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::show;
use crate::calls::CallRecord;
use crate::cloud::Cloud;
use crate::eip::Status;
use crate::faults::{Fault, NewFault};
use crate::holds::{Held, Release};
use crate::identity::{AccessKey, NewAccessKey, OidcProvider, Role};
use crate::settings::Settings;
use crate::state::State;
use crate::world::{
    AddressPool, AssignIps, BandwidthPackage, Eni, EniType, Instance, NewEni, NewInstance,
    NewVSwitch, NewVpc, Refused, VSwitch, Vpc, insert_new,
};

impl Cloud {
    /// Adds a VPC.
    pub fn add_vpc(&self, new: NewVpc) -> Result<Vpc, Refused> {
        let State {
            world,
            ids,
            settings,
            ..
        } = &mut *self.state();
        let region = settings.regions.first().map_or("", String::as_str);
        world.add_vpc(ids, region, new)
    }

    /// Adds a vSwitch.
    pub fn add_vswitch(&self, new: NewVSwitch) -> Result<VSwitch, Refused> {
        let State { world, ids, .. } = &mut *self.state();
        world.add_vswitch(ids, new)
    }

    /// Adds an instance, with its primary ENI unless told not to.
    pub fn add_instance(&self, new: NewInstance) -> Result<Instance, Refused> {
        let now = self.clock().now();
        let State { world, ids, .. } = &mut *self.state();
        let eni = (!new.without_primary_eni).then(|| NewEni {
            vswitch_id: new.vswitch_id.clone(),
            kind: EniType::Primary,
            primary_ip: new.primary_ip.clone(),
            ..NewEni::default()
        });
        let instance = world.add_instance(ids, new)?;
        if let Some(mut eni) = eni {
            eni.instance_id = Some(instance.id.clone());
            if let Err(refused) = world.add_eni(ids, eni, now) {
                world.instances.remove(&instance.id);
                return Err(refused);
            }
        }
        Ok(instance)
    }

    /// Changes an instance's role, hostname, tags or metadata mode.
    pub fn change_instance(
        &self,
        id: &str,
        change: impl FnOnce(&mut Instance),
    ) -> Result<Instance, Refused> {
        let mut state = self.state();
        let instance = state.world.instances.get_mut(id);
        let instance = instance.ok_or_else(|| Refused::NotFound("instance", id.to_owned()))?;
        change(instance);
        Ok(instance.clone())
    }

    /// Deletes an instance: its primary and member ENIs go with it, the others are detached.
    pub fn delete_instance(&self, id: &str) -> Result<(), Refused> {
        let enis: Vec<(String, bool)> = {
            let mut state = self.state();
            if state.world.instances.remove(id).is_none() {
                return Err(Refused::NotFound("instance", id.to_owned()));
            }
            let goes = |kind| matches!(kind, EniType::Primary | EniType::Member);
            state
                .world
                .enis_of(id)
                .map(|eni| (eni.id.clone(), goes(eni.kind)))
                .collect()
        };
        for (eni, goes) in enis {
            if goes {
                self.delete_eni(&eni)?;
            } else {
                self.detach_eni(&eni)?;
            }
        }
        Ok(())
    }

    /// Adds an ENI.
    pub fn add_eni(&self, new: NewEni) -> Result<Eni, Refused> {
        let now = self.clock().now();
        let State { world, ids, .. } = &mut *self.state();
        world.add_eni(ids, new, now)
    }

    /// Attaches an ENI.
    pub fn attach_eni(
        &self,
        id: &str,
        instance: &str,
        trunk: Option<&str>,
        metadata_late_ms: u64,
    ) -> Result<Eni, Refused> {
        let mut state = self.state();
        state.world.attach_eni(id, instance, trunk)?;
        let now = self.clock().now();
        let eni = state.world.eni_mut(id)?;
        eni.metadata_from_ms = now + metadata_late_ms;
        Ok(eni.clone())
    }

    /// Detaches an ENI; EIPs stay bound to it.
    pub fn detach_eni(&self, id: &str) -> Result<(), Refused> {
        self.state().world.detach_eni(id)
    }

    /// Deletes an ENI, which unbinds its EIPs (alibaba-api.md 8).
    pub fn delete_eni(&self, id: &str) -> Result<(), Refused> {
        let mut state = self.state();
        if !state.world.remove_eni(id) {
            return Err(Refused::NotFound("ENI", id.to_owned()));
        }
        let eips: Vec<String> = state.eips.on_eni(id).map(|eip| eip.id.clone()).collect();
        for eip in eips {
            begin_unbind(&mut state, &eip);
        }
        Ok(())
    }

    /// An ENI.
    pub fn eni(&self, id: &str) -> Result<Eni, Refused> {
        self.state().world.eni(id).cloned()
    }

    /// All ENIs.
    pub fn enis(&self) -> Vec<Eni> {
        self.state().world.enis.values().cloned().collect()
    }

    /// All instances.
    pub fn instances(&self) -> Vec<Instance> {
        self.state().world.instances.values().cloned().collect()
    }

    /// Sets an ENI's status (`Attaching`, `Detaching`, ...).
    pub fn set_eni_status(&self, id: &str, status: &str) -> Result<(), Refused> {
        status.clone_into(&mut self.state().world.eni_mut(id)?.status);
        Ok(())
    }

    /// Assigns private IPs and prefixes to an ENI; returns the new addresses.
    pub fn assign_ips(&self, eni: &str, order: &AssignIps) -> Result<Vec<Ipv4Addr>, Refused> {
        let now = self.clock().now();
        self.state().world.assign_ips(eni, order, now)
    }

    /// Takes private IPs from an ENI; unbinds the EIPs there if the settings say so.
    pub fn unassign_ips(&self, eni: &str, ips: &[Ipv4Addr]) -> Result<(), Refused> {
        let mut state = self.state();
        state.world.unassign_ips(eni, ips)?;
        if !state.settings.open.unassign_ip_unbinds {
            return Ok(());
        }
        for ip in ips {
            if let Some(eip) = state.eips.at(eni, *ip).map(|eip| eip.id.clone()) {
                begin_unbind(&mut state, &eip);
            }
        }
        Ok(())
    }

    /// Adds a shared bandwidth package.
    pub fn add_package(&self, mut new: BandwidthPackage) -> Result<BandwidthPackage, Refused> {
        let State {
            world,
            ids,
            settings,
            ..
        } = &mut *self.state();
        fill(&mut new.id, || ids.resource("cbwp"));
        fill(&mut new.region, || {
            settings.regions.first().cloned().unwrap_or_default()
        });
        fill(&mut new.account, || settings.account_id.clone());
        fill(&mut new.isp, || "BGP".to_owned());
        insert_new(&mut world.packages, "package", &new.id, new.clone())?;
        Ok(new)
    }

    /// Adds an address pool.
    pub fn add_pool(&self, mut new: AddressPool) -> Result<AddressPool, Refused> {
        let State { world, ids, .. } = &mut *self.state();
        fill(&mut new.id, || ids.resource("pippool"));
        fill(&mut new.isp, || "BGP".to_owned());
        insert_new(&mut world.pools, "pool", &new.id, new.clone())?;
        Ok(new)
    }

    /// Adds a resource group. With none known, any id is taken.
    pub fn add_resource_group(&self, id: &str) {
        self.state().world.resource_groups.push(id.to_owned());
    }

    /// Adds or replaces an `AccessKey`.
    pub fn add_access_key(&self, new: NewAccessKey) -> AccessKey {
        let State {
            identities,
            ids,
            settings,
            ..
        } = &mut *self.state();
        identities.add_key(ids, &settings.account_id, new)
    }

    /// Removes an `AccessKey`.
    pub fn remove_access_key(&self, id: &str) -> Result<(), Refused> {
        let removed = self.state().identities.keys.remove(id);
        removed
            .map(drop)
            .ok_or_else(|| Refused::NotFound("access key", id.to_owned()))
    }

    /// Adds or replaces a RAM role.
    pub fn add_role(&self, role: Role) {
        self.state()
            .identities
            .roles
            .insert(role.name.clone(), role);
    }

    /// Adds or replaces an OIDC provider.
    pub fn add_oidc_provider(&self, provider: OidcProvider) {
        self.state()
            .identities
            .providers
            .insert(provider.name.clone(), provider);
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes settings; they hold from the next call on.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Changes the settings named in a JSON object, at any depth.
    pub fn merge_settings(&self, part: &Value) -> Result<Settings, Refused> {
        let mut state = self.state();
        let mut all = show(&state.settings)?;
        merge(&mut all, part);
        let settings: Settings =
            serde_json::from_value(all).map_err(|error| Refused::Invalid(error.to_string()))?;
        state.settings = settings.clone();
        Ok(settings)
    }

    /// Orders a fault; returns its number.
    pub fn add_fault(&self, order: NewFault) -> u64 {
        self.state().faults.add(order)
    }

    /// Faults, spent ones too.
    pub fn faults(&self) -> Vec<Fault> {
        self.state().faults.iter().cloned().collect()
    }

    /// Removes a fault; false if there is none.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.state().faults.remove(id)
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Calls and answers that are held.
    pub fn holds(&self) -> Vec<Held> {
        self.state().holds.iter().cloned().collect()
    }

    /// Lets a held call or answer go; false if there is none.
    pub fn release_hold(&self, id: u64, release: Release) -> bool {
        self.state().holds.release(id, release)
    }

    /// Every kept call, oldest first.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.state().calls.iter().cloned().collect()
    }

    /// How many calls came, by action.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.state().counts.clone()
    }

    /// Forgets every client token, as a cloud might too early.
    pub fn forget_tokens(&self) {
        self.state().replay.forget();
    }

    /// Ends every temporary credential now.
    pub fn expire_credentials(&self) {
        let now = self.clock().now();
        for set in self.state().identities.temporary.values_mut() {
            set.expires_ms = set.expires_ms.min(now);
        }
    }

    /// Makes every metadata token invalid now.
    pub fn expire_metadata_tokens(&self) {
        self.state().metadata.tokens.clear();
    }

    /// An empty cloud again, with the settings kept. Held calls are lost. The clock goes on.
    pub fn reset(&self) {
        let mut state = self.state();
        let settings = state.settings.clone();
        *state = State::new(settings, self.clock());
    }
}

/// Unbinds an EIP whose place has gone, whatever it was doing.
pub(super) fn begin_unbind(state: &mut State, id: &str) {
    let now = state.settled_now();
    let Some(eip) = state.eips.get(id) else {
        return;
    };
    if !matches!(eip.status, Status::InUse | Status::Associating) {
        return;
    }
    let place = eip.place.clone();
    let settles = now + state.settings.settle.unassociate_ms;
    state
        .eips
        .enter(id, Status::Unassociating, place, now, Some(settles));
}

fn fill(field: &mut String, default: impl FnOnce() -> String) {
    if field.is_empty() {
        *field = default();
    }
}

/// Merges JSON objects; null takes the key away, so that its default comes back.
fn merge(all: &mut Value, part: &Value) {
    let (Value::Object(all), Value::Object(part)) = (&mut *all, part) else {
        all.clone_from(part);
        return;
    };
    for (key, value) in part {
        if value.is_null() {
            all.remove(key);
        } else {
            merge(all.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
