//! Which ENI of this node a pod's IP is on, as the metadata service lists them.
//!
//! Trunk member ENIs are not listed there, nor are overlay addresses: both are "not here".

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::metadata::{Metadata, MetadataError};
use crate::clock;
use crate::domain::ids::{EniId, Place};

/// The ENIs of this node with their addresses; clones share what was read.
#[derive(Clone)]
pub struct Enis {
    metadata: Metadata,
    inner: Arc<Inner>,
}

/// Where a pod's IP is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodIp {
    /// On this ENI. `primary` is the ENI's primary IP: an EIP that stands on that one is reported without a private IP.
    Found { place: Place, primary: Ipv4Addr },
    /// On no ENI of this node so far; the service may be some seconds late. Ask again.
    NotYet,
    /// Within an IP prefix that is assigned to the ENI: the cloud binds no EIP there.
    Prefix { eni: EniId, prefix: String },
    /// On no ENI that the service lists, for longer than it is ever late.
    NotHere,
}

/// An ENI as the service lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub eni: EniId,
    pub mac: String,
    /// How many private IPs it has.
    pub addresses: usize,
}

#[derive(Default)]
struct Inner {
    /// Reads begun so far.
    begun: AtomicU64,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    interfaces: Vec<Interface>,
    /// When the read that gave `interfaces` began; `None`: what it gave is not believed any more.
    read_at: Option<Instant>,
    /// Which read that was, counted from 1.
    read: u64,
    /// The latest read that failed, and how: it answers for all who waited for it.
    failed: Option<(u64, MetadataError)>,
    /// Addresses that were asked for in vain: since when, and when last.
    missed: HashMap<Ipv4Addr, Missed>,
}

#[derive(Clone)]
struct Interface {
    mac: String,
    eni: EniId,
    primary: Ipv4Addr,
    ips: Vec<Ipv4Addr>,
}

#[derive(Clone, Copy)]
struct Missed {
    first: Instant,
    last: Instant,
}

/// How late the service may be; Terway waits as long.
const LATE: Duration = Duration::from_secs(10);
/// How long what was read is believed: an address can be moved to another ENI of the node.
const BELIEVED: Duration = Duration::from_mins(2);
/// An address nobody asked for in that time starts anew.
const FORGOTTEN: Duration = Duration::from_mins(10);
const MACS: &str = "network/interfaces/macs/";

impl Enis {
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            inner: Arc::default(),
        }
    }

    /// Where `ip` is. A miss reads anew; askers at the same time share one read.
    pub async fn find(&self, ip: Ipv4Addr) -> Result<PodIp, MetadataError> {
        let asked = self.inner.begun.load(Ordering::Relaxed);
        let mut table = self.inner.table.lock().await;
        if let Some(found) = table.lookup(ip).filter(|_| table.is_believed()) {
            return Ok(found);
        }
        if let Some((_, error)) = table.failed.as_ref().filter(|(read, _)| *read > asked) {
            return Err(error.clone());
        }
        // A read that began after we asked, while we waited for the table, is as good as one of our own.
        if table.read_at.is_none() || table.read <= asked {
            self.read(&mut table).await?;
        }
        if let Some(found) = table.lookup(ip) {
            table.missed.remove(&ip);
            return Ok(found);
        }
        self.missed(&mut table, ip).await
    }

    /// All of them, as far as the service lists them.
    pub async fn list(&self) -> Result<Vec<Listed>, MetadataError> {
        let mut table = self.inner.table.lock().await;
        if !table.is_believed() {
            self.read(&mut table).await?;
        }
        let all = table.interfaces.iter();
        Ok(all
            .map(|it| Listed {
                eni: it.eni.clone(),
                mac: it.mac.clone(),
                addresses: it.ips.len(),
            })
            .collect())
    }

    /// The primary IP of one of this node's ENIs; `None` where the node has no such ENI (any more).
    pub async fn primary(&self, eni: &EniId) -> Result<Option<Ipv4Addr>, MetadataError> {
        let mut table = self.inner.table.lock().await;
        if table.primary(eni).is_none() && !table.is_believed() {
            self.read(&mut table).await?;
        }
        Ok(table.primary(eni))
    }

    /// The vSwitch of one of this node's ENIs; `None` where the node has no such ENI.
    pub async fn vswitch(&self, eni: &EniId) -> Result<Option<String>, MetadataError> {
        let mac = {
            let table = self.inner.table.lock().await;
            let mut all = table.interfaces.iter();
            all.find(|it| it.eni == *eni).map(|it| it.mac.clone())
        };
        match mac {
            Some(mac) => self.detail(&mac, "vswitch-id").await,
            None => Ok(None),
        }
    }

    /// What was read is not true any more: the cloud knows no such place.
    pub async fn forget(&self) {
        self.inner.table.lock().await.read_at = None;
    }

    async fn missed(&self, table: &mut Table, ip: Ipv4Addr) -> Result<PodIp, MetadataError> {
        for interface in &table.interfaces {
            if let Some(prefix) = self.prefix_of(interface, ip).await? {
                return Ok(PodIp::Prefix {
                    eni: interface.eni.clone(),
                    prefix,
                });
            }
        }
        let first = table.miss(ip, clock::now());
        Ok(if clock::now() < first + LATE {
            PodIp::NotYet
        } else {
            PodIp::NotHere
        })
    }

    async fn read(&self, table: &mut Table) -> Result<(), MetadataError> {
        let number = self.inner.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let result = self.read_all(table, number).await;
        table.failed = result.as_ref().err().map(|error| (number, error.clone()));
        result
    }

    async fn read_all(&self, table: &mut Table, number: u64) -> Result<(), MetadataError> {
        let began = clock::now();
        let macs = self.metadata.get(MACS).await?;
        let macs = macs
            .lines()
            .map(|line| line.trim().trim_end_matches('/'))
            .filter(|mac| !mac.is_empty());
        let known = &table.interfaces;
        let read = try_join_all(macs.map(|mac| self.interface(mac, known))).await?;
        table.interfaces = read.into_iter().flatten().collect();
        (table.read_at, table.read) = (Some(began), number);
        Ok(())
    }

    /// `None`: the ENI went away meanwhile, or is not yet wholly there.
    async fn interface(
        &self,
        mac: &str,
        known: &[Interface],
    ) -> Result<Option<Interface>, MetadataError> {
        let Some(ips) = self.detail(mac, "private-ipv4s").await? else {
            return Ok(None);
        };
        let ips = addresses(mac, &ips)?;
        // A MAC keeps its ENI and its primary IP for life: one request for each ENI is all that a pod start waits for.
        let seen = known
            .iter()
            .find(|known| known.mac == mac && ips.contains(&known.primary));
        if let Some(seen) = seen {
            return Ok(Some(Interface {
                ips,
                ..seen.clone()
            }));
        }
        let eni = self.detail(mac, "network-interface-id").await?;
        let primary = self.detail(mac, "primary-ip-address").await?;
        let (Some(eni), Some(primary)) = (eni, primary) else {
            return Ok(None);
        };
        let primary = primary
            .parse()
            .map_err(|_| odd(mac, "primary-ip-address"))?;
        Ok(Some(Interface {
            mac: mac.to_owned(),
            eni: EniId::new(eni),
            primary,
            ips,
        }))
    }

    async fn prefix_of(
        &self,
        on: &Interface,
        ip: Ipv4Addr,
    ) -> Result<Option<String>, MetadataError> {
        let prefixes = self
            .detail(&on.mac, "ipv4-prefixes")
            .await?
            .unwrap_or_default();
        let words = prefixes.split(|c: char| !(c.is_ascii_digit() || ".".contains(c) || c == '/'));
        Ok(words
            .filter(|word| covers(word, ip))
            .map(str::to_owned)
            .next())
    }

    async fn detail(&self, mac: &str, what: &str) -> Result<Option<String>, MetadataError> {
        let text = self.metadata.find(&format!("{MACS}{mac}/{what}")).await?;
        Ok(text.filter(|text| !text.is_empty()))
    }
}

impl Table {
    fn is_believed(&self) -> bool {
        self.read_at.is_some_and(|at| clock::now() < at + BELIEVED)
    }

    /// An address on two ENIs is being moved: as good as on none.
    fn lookup(&self, ip: Ipv4Addr) -> Option<PodIp> {
        let mut hits = self
            .interfaces
            .iter()
            .filter(|interface| interface.ips.contains(&ip));
        let (Some(hit), None) = (hits.next(), hits.next()) else {
            return None;
        };
        Some(PodIp::Found {
            place: Place {
                eni: hit.eni.clone(),
                ip,
            },
            primary: hit.primary,
        })
    }

    fn primary(&self, eni: &EniId) -> Option<Ipv4Addr> {
        self.interfaces
            .iter()
            .find(|interface| interface.eni == *eni)
            .map(|interface| interface.primary)
    }

    /// Notes a miss; gives back when the first one was.
    fn miss(&mut self, ip: Ipv4Addr, now: Instant) -> Instant {
        self.missed
            .retain(|_, missed| now < missed.last + FORGOTTEN);
        let missed = self.missed.entry(ip).or_insert(Missed {
            first: now,
            last: now,
        });
        missed.last = now;
        missed.first
    }
}

/// A JSON list of strings.
fn addresses(mac: &str, text: &str) -> Result<Vec<Ipv4Addr>, MetadataError> {
    serde_json::from_str(text).map_err(|_| odd(mac, "private-ipv4s"))
}

/// Whether `prefix` (`10.0.0.16/28`) covers `ip`; what is no prefix covers nothing.
fn covers(prefix: &str, ip: Ipv4Addr) -> bool {
    let Some((base, bits)) = prefix.split_once('/') else {
        return false;
    };
    let (Ok(base), Ok(bits)) = (base.parse::<Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(bits))
        .unwrap_or(0);
    bits <= 32 && base.to_bits() & mask == ip.to_bits() & mask
}

fn odd(mac: &str, what: &str) -> MetadataError {
    let path = format!("{MACS}{mac}/{what}");
    MetadataError::Odd {
        path,
        detail: "no addresses".to_owned(),
    }
}

#[cfg(test)]
mod tests;
