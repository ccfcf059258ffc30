//! EIPs as somebody at the console sees and changes them: no signature, no quota, no rate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::eip::{Change, Eip, Place, Status};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};
use crate::vpc;
use crate::world::Refused;

/// A console user's change of an EIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsoleAction {
    /// Binds it to an ENI's private IP, away from where it is; at once unless `settle_ms`.
    Bind {
        /// `eni-...`
        eni: String,
        /// The private IP; the primary one if not given.
        #[serde(default)]
        private_ip: Option<std::net::Ipv4Addr>,
        /// Length of the passing state.
        #[serde(default)]
        settle_ms: u64,
    },
    /// Binds it to a NAT gateway; at once.
    BindNat {
        /// `ngw-...`
        gateway: String,
    },
    /// Unbinds it; at once unless `settle_ms`.
    Unbind {
        /// Length of the passing state.
        #[serde(default)]
        settle_ms: u64,
    },
    /// Releases it, bound or not; at once.
    Release,
    /// Sets tags.
    Tag {
        /// Key to value.
        tags: BTreeMap<String, String>,
    },
    /// Removes tags.
    Untag {
        /// Keys.
        keys: Vec<String>,
    },
    /// Locks it (`financial`, `security`).
    Lock {
        /// The reason.
        reason: String,
    },
    /// Takes every lock away.
    Unlock,
    /// Switches deletion protection.
    Protect {
        /// On or off.
        on: bool,
    },
    /// Takes it out of its bandwidth package.
    LeavePackage,
    /// Joins a bandwidth package.
    JoinPackage {
        /// `cbwp-...`
        package: String,
    },
}

impl Cloud {
    /// Allocates an EIP as at the console: any argument of `AllocateEipAddress`, no rate and no
    /// client token. `account` none = the settings' one.
    pub fn create_eip(
        &self,
        args: &BTreeMap<String, String>,
        account: Option<&str>,
    ) -> Result<Eip, ApiError> {
        let mut guard = self.state();
        let state = &mut *guard;
        let mut args = args.clone();
        let first = state.settings.regions.first().cloned();
        args.entry("RegionId".to_owned())
            .or_insert_with(|| first.unwrap_or_default());
        let mut call = Call {
            action: "AllocateEipAddress".to_owned(),
            args: Args(args),
            caller: crate::identity::Caller::default(),
            now: state.settled_now(),
            settle: None,
        };
        account
            .unwrap_or(&state.settings.account_id)
            .clone_into(&mut call.caller.account);
        let answer = vpc::allocate::allocate(state, &call)?;
        let id = answer["AllocationId"].as_str().unwrap_or_default();
        state
            .eips
            .get(id)
            .cloned()
            .ok_or_else(|| ApiError::missing("AllocationId"))
    }

    /// As [`Self::create_eip`], with an id that a document or manifest names.
    pub fn create_eip_as(
        &self,
        id: &str,
        args: &BTreeMap<String, String>,
        account: Option<&str>,
    ) -> Result<Eip, ApiError> {
        if self.state().eips.get(id).is_some() {
            return Err(ApiError::invalid("AllocationId", "there is one of that id"));
        }
        let mut eip = self.create_eip(args, account)?;
        self.state().eips.rename(&eip.id, id);
        id.clone_into(&mut eip.id);
        Ok(eip)
    }

    /// Changes an EIP as at the console.
    pub fn change_eip(&self, id: &str, action: &ConsoleAction) -> Result<Eip, Refused> {
        let mut guard = self.state();
        let state = &mut *guard;
        let now = state.settled_now();
        let unknown = || Refused::NotFound("EIP", id.to_owned());
        let eip = state.eips.get(id).ok_or_else(unknown)?;
        let place = eip.place.clone();
        match action {
            ConsoleAction::Bind {
                eni,
                private_ip,
                settle_ms,
            } => {
                let place = place_on(state, id, eni, *private_ip)?;
                passing(
                    state,
                    id,
                    (Status::Associating, Status::InUse),
                    Some(place),
                    *settle_ms,
                );
            }
            ConsoleAction::BindNat { gateway } => {
                if !state.nats.gateways.contains_key(gateway) {
                    return Err(Refused::NotFound("NAT gateway", gateway.clone()));
                }
                let place = Some(vpc::associate::on_nat(gateway));
                state.eips.enter(id, Status::InUse, place, now, None);
            }
            ConsoleAction::Unbind { settle_ms } => {
                let there = if *settle_ms > 0 { place } else { None };
                let states = (Status::Unassociating, Status::Available);
                passing(state, id, states, there, *settle_ms);
            }
            ConsoleAction::Release => state.eips.enter(id, Status::Gone, None, now, None),
            other => change_attribute(state.eips.get_mut(id).ok_or_else(unknown)?, other, now),
        }
        state.eips.get_even_gone(id).cloned().ok_or_else(unknown)
    }

    /// EIPs that exist.
    pub fn eips(&self) -> Vec<Eip> {
        self.state().eips.iter().cloned().collect()
    }

    /// EIPs that exist or existed.
    pub fn eips_even_gone(&self) -> Vec<Eip> {
        self.state().eips.iter_even_gone().cloned().collect()
    }

    /// An EIP, also after its release.
    pub fn eip(&self, id: &str) -> Result<Eip, Refused> {
        let state = self.state();
        let found = state.eips.get_even_gone(id).cloned();
        found.ok_or_else(|| Refused::NotFound("EIP", id.to_owned()))
    }

    /// Every state and place of an EIP, oldest first.
    pub fn eip_history(&self, id: &str) -> Result<Vec<Change>, Refused> {
        Ok(self.eip(id)?.history)
    }
}

fn passing(
    state: &mut State,
    id: &str,
    (during, after): (Status, Status),
    place: Option<Place>,
    settle_ms: u64,
) {
    let now = state.settled_now();
    if settle_ms == 0 {
        state.eips.enter(id, after, place, now, None);
    } else {
        state
            .eips
            .enter(id, during, place, now, Some(now + settle_ms));
    }
}

fn place_on(
    state: &State,
    id: &str,
    eni: &str,
    ip: Option<std::net::Ipv4Addr>,
) -> Result<Place, Refused> {
    let eni = state.world.eni(eni)?;
    let ip = ip.or_else(|| eni.primary_ip());
    let ip = ip.filter(|ip| eni.has_ip(*ip));
    let ip = ip.ok_or_else(|| Refused::Invalid(format!("{} has no such address", eni.id)))?;
    if let Some(other) = state.eips.at(&eni.id, ip).filter(|other| other.id != id) {
        return Err(Refused::Conflict(format!("{} is bound there", other.id)));
    }
    Ok(Place {
        instance_id: eni.id.clone(),
        instance_type: "NetworkInterface".to_owned(),
        eni_id: Some(eni.id.clone()),
        private_ip: Some(ip),
        at_primary_ip: eni.primary_ip() == Some(ip),
        mode: "NAT".to_owned(),
    })
}

fn change_attribute(eip: &mut Eip, action: &ConsoleAction, now: u64) {
    match action {
        ConsoleAction::Tag { tags } => {
            for (key, value) in tags {
                eip.tags.set(key, value, now);
            }
        }
        ConsoleAction::Untag { keys } => {
            for key in keys {
                eip.tags.remove(key, now);
            }
        }
        ConsoleAction::Lock { reason } => eip.locks.push(reason.clone()),
        ConsoleAction::Unlock => eip.locks.clear(),
        ConsoleAction::Protect { on } => eip.deletion_protection = *on,
        ConsoleAction::LeavePackage => eip.package_id.set(None, now),
        ConsoleAction::JoinPackage { package } => eip.package_id.set(Some(package.clone()), now),
        ConsoleAction::Bind { .. }
        | ConsoleAction::BindNat { .. }
        | ConsoleAction::Unbind { .. }
        | ConsoleAction::Release => {}
    }
}
