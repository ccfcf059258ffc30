//! The gateways that a pod may use, with their addresses and tables; clones share what was read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::Mutex;

use super::choose::{Address, Gateway};
use super::facts::Table;
use super::stuck::Stuck;
use crate::clock::{self, Instant};
use crate::cloud::error::{Class, CloudError};
use crate::cloud::vpc::Vpc;
use crate::cloud::vpc::forward::EntryView;
use crate::cloud::vpc::nat::NatView;
use crate::config;
use crate::domain::ports::Spot;
use crate::kubeapi::dnats::Dnats;
use crate::kubeapi::error::KubeError;

mod candidates;

use candidates::{Candidate, candidates};

/// Reads of gateways, routes and tables.
#[derive(Clone)]
pub struct Gateways {
    vpc: Vpc,
    dnats: Dnats,
    inner: Arc<Inner>,
}

struct Inner {
    pool: Vec<config::NatGateway>,
    /// The VPC, as far as known.
    vpc: Option<String>,
    found: Mutex<Option<(Instant, Vec<NatView>)>>,
    /// The NAT gateways that a vSwitch's route to the Internet leads to.
    routes: Mutex<HashMap<String, (Instant, Vec<String>)>>,
    tables: Mutex<HashMap<String, Arc<Mutex<Read>>>>,
    marks: StdMutex<Marks>,
}

/// The newest read of a table, and when it was asked for.
type Read = Option<(Instant, Arc<Vec<EntryView>>)>;

/// What is known of tables beside their entries.
#[derive(Default)]
struct Marks {
    /// Gateways that take no more entries, until then.
    full: BTreeMap<String, Instant>,
    stuck: Stuck,
}

/// Why nothing is known of them.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MarketError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Kube(#[from] KubeError),
    #[error("no NAT gateway can be looked for, for this node's VPC is not known: set vpcID")]
    NoVpc,
}

/// How long gateways, their EIPs and the routes are believed.
const BELIEVED: Duration = Duration::from_mins(1);
/// A table is as good as new for a choice: a port that was taken meanwhile is found out when it is asked for.
const FRESH: Duration = Duration::from_secs(5);
/// How long a gateway that is full is passed over.
const FULL: Duration = Duration::from_secs(45);

impl Gateways {
    pub fn new(
        vpc: Vpc,
        dnats: Dnats,
        pool: Vec<config::NatGateway>,
        vpc_id: Option<String>,
    ) -> Self {
        let inner = Inner {
            pool,
            vpc: vpc_id,
            found: Mutex::default(),
            routes: Mutex::default(),
            tables: Mutex::default(),
            marks: StdMutex::default(),
        };
        Self {
            vpc,
            dnats,
            inner: Arc::new(inner),
        }
    }

    /// What there is to choose from at that place.
    pub async fn at(&self, spot: &Spot) -> Result<Vec<Gateway>, MarketError> {
        let found = self.found().await?;
        let pool = &self.inner.pool;
        let led = match candidates::needs_routes(pool, &found, spot.zone.as_deref()) {
            true => self.led_to(spot).await?,
            false => Vec::new(),
        };
        let mut all = Vec::new();
        for candidate in candidates(pool, &found, spot.zone.as_deref(), &led) {
            all.push(self.offer(candidate).await?);
        }
        Ok(all)
    }

    async fn offer(&self, candidate: Candidate) -> Result<Gateway, MarketError> {
        let Candidate { gateway, table, .. } = &candidate;
        let now = clock::now();
        let entries = self
            .whole(table, now.checked_sub(FRESH).unwrap_or(now))
            .await?;
        let records = self.dnats.of_gateway(gateway).await?;
        let mappings = records.into_iter().filter_map(|record| record.mapping);
        let chosen = mappings.flat_map(|it| {
            let (ip, protocol) = (it.external, it.protocol);
            it.ports.into_iter().map(move |port| (ip, port.0, protocol))
        });
        let full = {
            let marks = self.marks();
            let full = marks.full.get(gateway).is_some_and(|until| *until > now);
            full || marks.stuck.entry(table, now).is_some()
        };
        Ok(Gateway {
            id: candidate.gateway.clone(),
            table: candidate.table.clone(),
            range: candidate.range,
            addresses: candidate.addresses,
            chosen: chosen.collect(),
            entries: entries.to_vec(),
            full,
        })
    }

    /// The whole table, by a read that was asked for at `since` or later; askers at the same time share one.
    pub async fn whole(
        &self,
        table: &str,
        since: Instant,
    ) -> Result<Arc<Vec<EntryView>>, CloudError> {
        let one = {
            let mut all = self.inner.tables.lock().await;
            all.entry(table.to_owned()).or_default().clone()
        };
        let mut read = one.lock().await;
        if let Some((_, entries)) = read.as_ref().filter(|(asked, _)| *asked >= since) {
            return Ok(entries.clone());
        }
        let asked = clock::now();
        let entries = Arc::new(self.vpc.forward_entries(table).await?);
        self.marks().stuck.seen(table, &entries, asked);
        *read = Some((asked, entries.clone()));
        Ok(entries)
    }

    /// A look at all of a table, by a read that was asked for at `since` or later.
    pub async fn look(&self, table: &str, since: Instant) -> Result<Table, CloudError> {
        let read = self.whole(table, since).await.map(|it| it.to_vec());
        seen(read, |entries| Table {
            entries,
            whole: true,
            own: true,
            missing: false,
        })
    }

    /// A look at what leads to one address.
    pub async fn look_inside(&self, table: &str, ip: Ipv4Addr) -> Result<Table, CloudError> {
        let read = self.vpc.forward_entries_of(table, ip).await;
        seen(read, |entries| Table {
            entries,
            ..Table::default()
        })
    }

    /// A look at what bears these names.
    pub async fn look_named(&self, table: &str, names: &[String]) -> Result<Table, CloudError> {
        let reads = names
            .iter()
            .map(|it| self.vpc.forward_entries_named(table, it));
        let read = try_join_all(reads).await.map(|all| all.concat());
        seen(read, |entries| Table {
            entries,
            own: true,
            ..Table::default()
        })
    }

    /// What was read of gateways and their EIPs is not true any more.
    pub async fn forget(&self) {
        *self.inner.found.lock().await = None;
    }

    /// The gateway has refused an entry, for it is full.
    pub fn is_full(&self, gateway: &str) {
        let until = clock::now() + clock::jitter(FULL, 0.3);
        self.marks().full.insert(gateway.to_owned(), until);
    }

    /// The entry that has kept the table busy for over a minute.
    pub fn stuck(&self, table: &str) -> Option<String> {
        self.marks().stuck.entry(table, clock::now())
    }

    /// How many tables are kept busy so.
    pub fn stuck_tables(&self) -> usize {
        self.marks().stuck.count(clock::now())
    }

    /// All gateways' tables that this agent knows of.
    pub async fn tables(&self) -> Result<BTreeSet<String>, MarketError> {
        let found = self.found().await?;
        let pool: BTreeSet<_> = self.inner.pool.iter().map(|it| it.id.as_str()).collect();
        let ours = |it: &&NatView| pool.is_empty() || pool.contains(it.id.as_str());
        Ok(found
            .iter()
            .filter(ours)
            .filter_map(|it| it.table.clone())
            .collect())
    }

    async fn found(&self) -> Result<Vec<NatView>, MarketError> {
        let vpc = self.inner.vpc.as_ref().ok_or(MarketError::NoVpc)?;
        let mut found = self.inner.found.lock().await;
        let now = clock::now();
        let known = found.as_ref();
        if let Some((_, all)) = known.filter(|(at, _)| now.duration_since(*at) < BELIEVED) {
            return Ok(all.clone());
        }
        let all = self.vpc.nat_gateways(vpc).await?;
        *found = Some((now, all.clone()));
        Ok(all)
    }

    async fn led_to(&self, spot: &Spot) -> Result<Vec<String>, MarketError> {
        let vpc = self.inner.vpc.as_ref().ok_or(MarketError::NoVpc)?;
        let Some(vswitch) = &spot.vswitch else {
            return Ok(Vec::new());
        };
        let mut routes = self.inner.routes.lock().await;
        let now = clock::now();
        let known = routes.get(vswitch);
        if let Some((_, led)) = known.filter(|(at, _)| now.duration_since(*at) < BELIEVED) {
            return Ok(led.clone());
        }
        let led = self.vpc.led_to(vpc, vswitch).await?;
        routes.insert(vswitch.clone(), (now, led.clone()));
        Ok(led)
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.inner
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A table that is not there is something to be seen.
fn seen(
    read: Result<Vec<EntryView>, CloudError>,
    of: impl FnOnce(Vec<EntryView>) -> Table,
) -> Result<Table, CloudError> {
    match read {
        Ok(entries) => Ok(of(entries)),
        Err(error) if error.class() == Class::PlaceNotFound => Ok(Table {
            whole: true,
            own: true,
            missing: true,
            ..Table::default()
        }),
        Err(error) => Err(error),
    }
}

impl From<&crate::cloud::vpc::nat::NatEip> for Address {
    fn from(eip: &crate::cloud::vpc::nat::NatEip) -> Self {
        Self {
            ip: eip.address,
            snat: eip.snat,
        }
    }
}
