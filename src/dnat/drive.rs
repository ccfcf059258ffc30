//! Does one step and says what came of it. Decides nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::choose::{self, NoRoom};
use super::gateways::{Gateways, MarketError};
use super::names;
use super::outcome::{Outcome, Refusal};
use super::step::{Scope, Step};
use super::turns::Turns;
use crate::clock::{self, Clock};
use crate::cloud::error::{Class, CloudError};
use crate::cloud::vpc::forward::ForwardArgs;
use crate::cloud::vpc::{Vpc, fresh_token};
use crate::domain::dnat::DnatRecord;
use crate::domain::ids::{Key, Uid};
use crate::domain::ports::{PortWish, Spot};
use crate::eip::drive::{kube_trouble, trouble};
use crate::eip::facts::Me;
use crate::eip::outcome::{Trouble, TroubleKind};
use crate::kubeapi::client::Kube;
use crate::kubeapi::crd;
use crate::kubeapi::dnats::Dnats;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::nodes::Nodes;
use crate::kubeapi::pods::{DNAT_GATE, Pods};
use crate::kubeapi::workloads;
use crate::node::places::{Found, PlaceError, Places};

/// Everything that a step may touch.
#[derive(Clone)]
pub struct Ports {
    pub kube: Kube,
    pub pods: Pods,
    pub dnats: Dnats,
    pub vpc: Vpc,
    pub gateways: Gateways,
    pub turns: Turns,
    pub places: Places,
    pub clock: Clock,
    pub me: Me,
}

/// A look counts for 5 s from when it was asked.
const LOOK_DEADLINE: Duration = Duration::from_millis(4_500);

impl Ports {
    /// Runs `step` for the name `key`.
    pub async fn drive(&self, key: &Key, step: &Step) -> Outcome {
        match step {
            Step::Rest | Step::Pause(_) => Outcome::Accepted,
            Step::ReadPod | Step::ReadRecord | Step::ReadBoth => self.read(key, step).await,
            Step::ReadCrd => crd::is_terminating(&self.kube, crate::api::poddnat::CRD_NAME)
                .await
                .map_or_else(refused, Outcome::CrdTerminating),
            Step::ReadNode { label } => Nodes::lives(&self.kube, label)
                .await
                .map_or_else(refused, Outcome::NodeLives),
            Step::ReadWorkload(workload) => workloads::keeps(&self.kube, key, workload)
                .await
                .map_or_else(refused, Outcome::WorkloadKeeps),
            Step::Resolve { pod, ip } => self.resolve(key, pod, *ip).await,
            Step::Choose { spot, wish } => self.choose(key, spot, wish).await,
            Step::Look { table, scope, .. } => self.look(table, scope).await,
            Step::TakeNumber { table, what } => {
                self.turns.take(table, *what, key).await;
                Outcome::Numbered
            }
            Step::Make {
                table,
                entry,
                token,
            } => self.make(key, table, entry, token).await,
            Step::Remove { table, entries } => self.remove(key, table, entries).await,
            Step::Annotate { pod, text } => {
                let wrote = self.pods.annotate_ports(key, pod, text.as_deref());
                pod_wrote(wrote.await)
            }
            Step::Condition { pod, verdict } => {
                let now = self.clock.wall();
                let wrote = self.pods.set_condition(key, pod, &DNAT_GATE, verdict, now);
                pod_wrote(wrote.await)
            }
            _ => wrote(self.write(key, step).await),
        }
    }

    async fn read(&self, key: &Key, step: &Step) -> Outcome {
        match step {
            Step::ReadPod => self.pods.get(key).await.map_or_else(refused, Outcome::Pod),
            Step::ReadRecord => self
                .dnats
                .get(key)
                .await
                .map_or_else(refused, Outcome::Record),
            _ => match tokio::join!(self.pods.get(key), self.dnats.get(key)) {
                (Ok(pod), Ok(record)) => Outcome::Both(pod, record.map(Box::new)),
                (Err(error), _) | (_, Err(error)) => refused(error),
            },
        }
    }

    async fn resolve(&self, key: &Key, pod: &Uid, ip: Ipv4Addr) -> Outcome {
        let (kind, text) = match self.places.find(key, pod, ip).await {
            Ok(Found::At(place)) => match self.places.vswitch(&place.eni).await {
                Ok(vswitch) => {
                    return Outcome::Resolved(Spot {
                        ip,
                        eni: place.eni,
                        vswitch,
                        zone: self.places.zone().cloned(),
                    });
                }
                Err(error) => return place_failed(&error),
            },
            Ok(Found::NotYet(why)) => (TroubleKind::Passing, why),
            Ok(Found::Odd(why)) => (TroubleKind::Lasting, why),
            Ok(Found::Nowhere(why)) => (TroubleKind::Nowhere, why),
            Err(error) => return place_failed(&error),
        };
        failed(kind, text)
    }

    async fn choose(&self, key: &Key, spot: &Spot, wish: &PortWish) -> Outcome {
        match self.gateways.at(spot).await {
            Ok(offers) => match choose::choose(&offers, &wish.ports, seed(key)) {
                Ok(outside) => Outcome::Chosen(outside),
                Err(why @ NoRoom::NoGateway) => {
                    failed(TroubleKind::Lasting, no_gateway(spot, &why))
                }
                Err(why @ NoRoom::Full(_)) => failed(TroubleKind::Quota, why.to_string()),
            },
            Err(MarketError::Cloud(error)) => Outcome::Failed(trouble(&error)),
            Err(MarketError::Kube(error)) => refused(error),
            Err(error @ MarketError::NoVpc) => failed(TroubleKind::Lasting, error.to_string()),
        }
    }

    async fn look(&self, table: &str, scope: &Scope) -> Outcome {
        let look = async {
            match scope {
                Scope::Inside(ip) => self.gateways.look_inside(table, *ip).await,
                Scope::Own { record, ports } => {
                    let name = |n| names::name(&self.me.cluster, record, n);
                    let names: Vec<_> = (0..*ports).map(name).collect();
                    self.gateways.look_named(table, &names).await
                }
                Scope::Whole => self.gateways.look(table, clock::now()).await,
            }
        };
        match clock::timeout(LOOK_DEADLINE, look).await {
            Ok(Ok(table)) => Outcome::Looked(table),
            Ok(Err(error)) => Outcome::Failed(trouble(&error)),
            // What takes longer is too old to count when it comes (rule Freshness).
            Err(_) => failed(
                TroubleKind::Passing,
                "DescribeForwardTableEntries takes too long".to_owned(),
            ),
        }
    }

    async fn make(&self, key: &Key, table: &str, entry: &ForwardArgs, token: &str) -> Outcome {
        let began = self.turns.begin(table, key);
        match self.vpc.create_forward(table, entry, token).await {
            Ok(id) => {
                tracing::info!(pod = %key, entry = %id, table, name = %entry.name, "forward entry asked for");
                Outcome::Accepted
            }
            Err(error) => {
                let outcome = self.not_made(table, &error).await;
                if matches!(outcome, Outcome::Refused(..)) {
                    self.turns.unused(table, key, began);
                }
                outcome
            }
        }
    }

    async fn not_made(&self, table: &str, error: &CloudError) -> Outcome {
        let trouble = trouble(error);
        if trouble.kind == TroubleKind::NoAnswer {
            return Outcome::Failed(trouble);
        }
        match error.class() {
            Class::AlreadyBound => Outcome::Refused(Refusal::Taken, trouble),
            Class::Quota => Outcome::Refused(Refusal::Full, trouble),
            Class::PlaceNotFound => {
                self.gateways.forget().await;
                Outcome::Refused(Refusal::NotThere, trouble)
            }
            // The table is for SNAT above that port: the address is of no use for it.
            Class::SnatPorts => Outcome::Refused(Refusal::NotThere, trouble),
            class => {
                self.was_busy(table, class).await;
                Outcome::Failed(trouble)
            }
        }
    }

    async fn remove(&self, key: &Key, table: &str, entries: &[(String, String)]) -> Outcome {
        self.turns.begin(table, key);
        for (id, name) in entries {
            match self.vpc.delete_forward(table, id, &fresh_token()).await {
                Ok(request) => {
                    tracing::info!(pod = %key, entry = %id, table, %name, request = request.as_str(), "forward entry taken away");
                }
                // A look shows whether it is gone.
                Err(error) if error.class() == Class::NotFound => {}
                Err(error) => {
                    self.was_busy(table, error.class()).await;
                    return Outcome::Failed(trouble(&error));
                }
            }
        }
        Outcome::Accepted
    }

    /// A change was refused in its turn: what the table is busy with is worth a look.
    async fn was_busy(&self, table: &str, class: Class) {
        if class != Class::Busy {
            return;
        }
        self.turns.refused(table).await;
        let since = clock::now().checked_sub(LOOK_DEADLINE);
        let look = self.gateways.whole(table, since.unwrap_or_else(clock::now));
        // For the Event only: a failure is told by the next look that counts.
        let _ = clock::timeout(LOOK_DEADLINE, look).await;
    }

    async fn write(&self, key: &Key, step: &Step) -> Result<Option<DnatRecord>, KubeError> {
        let (dnats, me) = (&self.dnats, &self.me);
        match step {
            Step::Create {
                pod,
                wish,
                spot,
                outside,
            } => dnats
                .create(key, pod, wish, spot, outside, me)
                .await
                .map(Some),
            Step::Claim { at } => dnats.claim(key, at, me).await.map(Some),
            Step::Take { at, from } => dnats.take(key, at, from, me).await.map(Some),
            Step::Serve {
                at,
                pod,
                wish,
                settled,
            } => dnats.serve(key, at, pod, wish, *settled).await.map(Some),
            Step::Place { at, spot, outside } => {
                let outside = outside.as_ref().map(|(outside, wish)| (outside, &**wish));
                dnats.place(key, at, spot, outside).await.map(Some)
            }
            Step::WriteStatus { at, entries } => dnats.show(key, at, entries).await.map(Some),
            Step::Blank { at } => {
                let now = self.clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                dnats.blank(key, at, &now).await.map(Some)
            }
            Step::Delete { at } => dnats.delete(key, at).await,
            Step::DropFinalizer { at, keep } => dnats.drop_finalizer(key, at, keep).await,
            _ => Ok(None),
        }
    }

    /// How long a change of this table takes, as far as anybody knows.
    pub fn expected(&self, table: &str) -> Option<Duration> {
        self.turns.expected(table)
    }
}

/// The same for a name in every agent, and as good as random among names.
fn seed(key: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&key.namespace, &key.name).hash(&mut hasher);
    hasher.finish()
}

fn no_gateway(spot: &Spot, why: &NoRoom) -> String {
    let zone = spot.zone.as_deref().unwrap_or("unknown");
    let vswitch = spot.vswitch.as_deref().unwrap_or("unknown");
    format!(
        "{why} for zone {zone} and vSwitch {vswitch}: make an Internet NAT gateway to which the vSwitch's default route leads, or name one in networkController.natGwPool"
    )
}

fn failed(kind: TroubleKind, text: String) -> Outcome {
    Outcome::Failed(Trouble {
        kind,
        text,
        retry_after: None,
    })
}

fn place_failed(error: &PlaceError) -> Outcome {
    match error {
        PlaceError::Cloud(error) => Outcome::Failed(trouble(error)),
        error => failed(TroubleKind::Passing, error.to_string()),
    }
}

fn pod_wrote(result: Result<crate::domain::pod::Pod, KubeError>) -> Outcome {
    match result {
        Ok(pod) => Outcome::PodWrote(pod),
        Err(KubeError::NotFound(_)) => Outcome::PodGone,
        Err(error) => refused(error),
    }
}

fn wrote(result: Result<Option<DnatRecord>, KubeError>) -> Outcome {
    match result {
        Ok(Some(record)) => Outcome::Wrote(Box::new(record)),
        Ok(None) => Outcome::RecordGone,
        Err(KubeError::Conflict(_) | KubeError::Exists(_) | KubeError::NotFound(_)) => {
            Outcome::Conflict
        }
        Err(error) => refused(error),
    }
}

// By value, to stand in `map_or_else`.
#[allow(clippy::needless_pass_by_value)]
fn refused(error: KubeError) -> Outcome {
    Outcome::Failed(kube_trouble(&error))
}
