//! The whole cloud as one value, behind one lock that is never held across an await.

use std::collections::BTreeMap;

use crate::calls::CallLog;
use crate::clock::{Clock, Ms};
use crate::eip::Eips;
use crate::faults::Faults;
use crate::holds::Holds;
use crate::identity::{Caller, Identities};
use crate::ids::Ids;
use crate::metadata::MetadataState;
use crate::nat::Nats;
use crate::rpc::auth::Nonces;
use crate::rpc::rates::Rates;
use crate::rpc::replay::Replay;
use crate::rpc::{ApiError, Args};
use crate::settings::Settings;
use crate::world::World;

/// Everything the cloud knows.
#[derive(Debug)]
pub struct State {
    /// Settings.
    pub settings: Settings,
    /// The clock.
    pub clock: Clock,
    /// Ids.
    pub ids: Ids,
    /// Network, instances, packages.
    pub world: World,
    /// EIPs.
    pub eips: Eips,
    /// NAT gateways and their entries.
    pub nats: Nats,
    /// Keys and roles.
    pub identities: Identities,
    /// Client tokens.
    pub replay: Replay,
    /// Rates.
    pub rates: Rates,
    /// Signature nonces.
    pub nonces: Nonces,
    /// Faults ordered by tests.
    pub faults: Faults,
    /// Calls held.
    pub holds: Holds,
    /// Calls seen.
    pub calls: CallLog,
    /// Metadata tokens and rates.
    pub metadata: MetadataState,
    /// Calls that came, by action: for `GET /counts`.
    pub counts: BTreeMap<String, u64>,
}

impl State {
    /// An empty cloud.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self {
            ids: Ids::new(settings.seed),
            calls: CallLog::new(settings.calls_kept),
            settings,
            clock,
            world: World::default(),
            eips: Eips::default(),
            nats: Nats::default(),
            identities: Identities::default(),
            replay: Replay::default(),
            rates: Rates::default(),
            nonces: Nonces::default(),
            faults: Faults::default(),
            holds: Holds::default(),
            metadata: MetadataState::default(),
            counts: BTreeMap::new(),
        }
    }

    /// The present time, after everything due has happened.
    pub fn settled_now(&mut self) -> Ms {
        let now = self.clock.now();
        self.eips.settle(now);
        self.nats.settle(now);
        now
    }

    /// When a passing state that begins with this call ends: `base` is the settings' length.
    pub fn settles_at(&mut self, call: &Call, base: Ms) -> Ms {
        let jitter = self.ids.jitter(self.settings.settle.jitter_ms);
        call.now + call.settle.unwrap_or(base + jitter)
    }
}

/// One call at work.
#[derive(Clone, Debug)]
pub struct Call {
    /// The action.
    pub action: String,
    /// Its arguments.
    pub args: Args,
    /// Who calls.
    pub caller: Caller,
    /// When the work is done.
    pub now: Ms,
    /// Ordered length of the passing state that follows, instead of the settings' one.
    pub settle: Option<Ms>,
}

impl Call {
    /// The region named, which has to exist; none if none is named.
    pub fn region(&self, state: &State, code: &'static str) -> Result<Option<String>, ApiError> {
        let Some(region) = self.args.get("RegionId") else {
            return Ok(None);
        };
        if state.settings.regions.iter().any(|known| known == region) {
            return Ok(Some(region.to_owned()));
        }
        Err(ApiError::not_found(
            code,
            format!("The specified RegionId {region} does not exist."),
        ))
    }

    /// The region, which has to be named and to exist.
    pub fn required_region(&self, state: &State, code: &'static str) -> Result<String, ApiError> {
        self.args.required("RegionId")?;
        Ok(self.region(state, code)?.unwrap_or_default())
    }
}
