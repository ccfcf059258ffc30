//! Does one step and says what came of it. Decides nothing.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::api::keys;
use crate::clock::{self, Clock};
use crate::cloud::ecs::Ecs;
use crate::cloud::vpc::Vpc;
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, EniId, Key, Uid};
use crate::domain::record::Record;
use crate::kubeapi::client::Kube;
use crate::kubeapi::crd;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::nodes::Nodes;
use crate::kubeapi::pods::{EIP_GATE, Pods};
use crate::kubeapi::records::{Adoption, Records};
use crate::node::places::{Found, PlaceError, Places};
use crate::pace::Pace;

use super::facts::Me;
use super::outcome::{Holder, Outcome, Trouble, TroubleKind};
use super::step::Step;

mod change;
mod seen;
mod trouble;

use seen::seen;
pub(crate) use trouble::trouble;

/// Everything that a step may touch.
#[derive(Clone)]
pub struct Ports {
    pub kube: Kube,
    pub pods: Pods,
    pub records: Records,
    pub vpc: Vpc,
    pub ecs: Ecs,
    pub pace: Pace,
    pub places: Places,
    pub clock: Clock,
    pub me: Me,
}

/// A look counts for 5 s from when it was asked.
const LOOK_DEADLINE: Duration = Duration::from_millis(4_500);

impl Ports {
    /// Runs `step` for the name `key`. Looks by id are not here: one call serves many names (see `look`).
    pub async fn drive(&self, key: &Key, step: &Step) -> Outcome {
        match step {
            Step::Rest | Step::Pause(_) | Step::Look(..) => Outcome::Accepted,
            Step::ReadPod => self
                .pods
                .get(key)
                .await
                .map_or_else(kube_failed, Outcome::Pod),
            Step::ReadRecord => self
                .records
                .get(key)
                .await
                .map_or_else(kube_failed, Outcome::Record),
            Step::ReadBoth => {
                let (pod, record) = tokio::join!(self.pods.get(key), self.records.get(key));
                match (pod, record) {
                    (Ok(pod), Ok(record)) => Outcome::Both(pod, record.map(Box::new)),
                    (Err(error), _) | (_, Err(error)) => kube_failed(error),
                }
            }
            Step::ReadCrd => crd::is_terminating(&self.kube, crate::api::podeip::CRD_NAME)
                .await
                .map_or_else(kube_failed, Outcome::CrdTerminating),
            Step::ReadNode { label } => Nodes::lives(&self.kube, label)
                .await
                .map_or_else(kube_failed, Outcome::NodeLives),
            Step::Resolve { pod, ip } => self.resolve(key, pod, *ip).await,
            Step::LookByTag { record, attempt } => self.look_by_tag(record, *attempt).await,
            Step::FindHolder(eni) => self.find_holder(eni).await,
            Step::ListNamers(id) => self
                .records
                .namers(id)
                .await
                .map_or_else(kube_failed, Outcome::Namers),
            Step::Allocate { .. }
            | Step::Associate { .. }
            | Step::Unassociate { .. }
            | Step::Release { .. }
            | Step::JoinPackage { .. }
            | Step::LeavePackage { .. }
            | Step::SetBandwidth { .. }
            | Step::Tag { .. } => self.change_cloud(key, step).await,
            Step::Annotate { .. } | Step::Condition { .. } | Step::ClearAnnotations { .. } => {
                self.write_pod(key, step).await
            }
            _ => self.write_record(key, step).await,
        }
    }

    /// One call for many EIPs; those that the cloud does not list are `Gone`.
    pub async fn look(&self, ids: &[EipId]) -> Result<Vec<(EipId, Look)>, Trouble> {
        // What takes longer is too old to count when it comes (rule Freshness).
        let look = clock::timeout(LOOK_DEADLINE, self.vpc.look(ids)).await;
        let views = look
            .map_err(|_| Trouble {
                kind: TroubleKind::Passing,
                text: "DescribeEipAddresses takes too long".to_owned(),
                retry_after: None,
            })?
            .map_err(|error| trouble(&error))?;
        let find = |id: &EipId| views.iter().find(|view| view.id == *id);
        let mut looks = Vec::with_capacity(ids.len());
        for id in ids {
            let look = match find(id) {
                Some(view) => Look::Seen(Box::new(self.whole(seen(view)).await)),
                None => Look::Gone,
            };
            looks.push((id.clone(), look));
        }
        Ok(looks)
    }

    /// The cloud reports an interface's primary address as none: where anybody knows it, it is filled in.
    async fn whole(&self, mut seen: Seen) -> Seen {
        if let Standing::At { eni, ip } = &mut seen.standing
            && ip.is_none()
        {
            *ip = self.places.primary(eni).await;
        }
        seen
    }

    async fn resolve(&self, key: &Key, pod: &Uid, ip: Ipv4Addr) -> Outcome {
        let (kind, text) = match self.places.find(key, pod, ip).await {
            Ok(Found::At(place)) => return Outcome::Resolved(place),
            Ok(Found::NotYet(why)) => (TroubleKind::Passing, why),
            Ok(Found::Odd(why)) => (TroubleKind::Lasting, why),
            Ok(Found::Nowhere(why)) => (TroubleKind::Nowhere, why),
            Err(PlaceError::Cloud(error)) => return Outcome::Failed(trouble(&error)),
            Err(error) => (TroubleKind::Passing, error.to_string()),
        };
        Outcome::Failed(Trouble {
            kind,
            text,
            retry_after: None,
        })
    }

    async fn find_holder(&self, eni: &EniId) -> Outcome {
        match self.ecs.interface(eni).await {
            Ok(Some(found)) => Outcome::Holder(Holder {
                eni: found.id,
                vpc: found.vpc,
                primary: found.primary,
            }),
            // Not listed: of another account, perhaps. Nobody's that we may take from.
            Ok(None) => Outcome::Holder(Holder {
                eni: eni.clone(),
                vpc: String::new(),
                primary: None,
            }),
            Err(error) => Outcome::Failed(trouble(&error)),
        }
    }

    async fn look_by_tag(&self, record: &Uid, attempt: u32) -> Outcome {
        let tags = own_tags(&self.me, record, attempt);
        match self.vpc.look_by_tags(&tags).await {
            Ok(views) => Outcome::Tagged(views.iter().map(seen).collect()),
            Err(error) => Outcome::Failed(trouble(&error)),
        }
    }

    async fn write_pod(&self, key: &Key, step: &Step) -> Outcome {
        let result = match step {
            Step::Annotate { pod, address } => self.pods.annotate(key, pod, Some(address)).await,
            Step::ClearAnnotations { pod } => self.pods.annotate(key, pod, None).await,
            Step::Condition { pod, verdict } => {
                self.pods
                    .set_condition(key, pod, &EIP_GATE, verdict, self.clock.wall())
                    .await
            }
            _ => return Outcome::Accepted,
        };
        match result {
            Ok(pod) => Outcome::PodWrote(pod),
            Err(KubeError::NotFound(_)) => Outcome::PodGone,
            Err(error) => kube_failed(error),
        }
    }

    async fn write_record(&self, key: &Key, step: &Step) -> Outcome {
        let (records, now) = (&self.records, self.clock.wall());
        let result = match step {
            Step::Create { pod, wish } => records.create(key, pod, wish, &self.me).await.map(Some),
            Step::Claim { at } => records.claim(key, at, &self.me).await.map(Some),
            Step::Take { at, from } => records.take(key, at, from, &self.me).await.map(Some),
            Step::Serve { at, pod, keep, new } => {
                records.serve(key, at, pod, keep, *new).await.map(Some)
            }
            Step::Blank { at, since } => {
                records.blank(key, at, since.unwrap_or(now)).await.map(Some)
            }
            Step::Adopt {
                at,
                id,
                target,
                pod,
                owned,
            } => {
                let adoption = Adoption {
                    id,
                    target: target.as_ref(),
                    pod: pod.as_ref(),
                    owned: *owned,
                };
                records
                    .adopt(key, at, &adoption, &self.me, now)
                    .await
                    .map(Some)
            }
            Step::WriteTake { at, place } => records.write_take(key, at, place).await.map(Some),
            Step::WritePackage { at, package } => {
                let package = package.as_deref();
                records.write_package(key, at, package).await.map(Some)
            }
            Step::WriteBandwidth { at, bandwidth } => {
                records.write_bandwidth(key, at, *bandwidth).await.map(Some)
            }
            Step::WriteId { at, id } => records.write_id(key, at, id).await.map(Some),
            Step::WriteTarget { at, place } => records.write_target(key, at, place).await.map(Some),
            Step::ClearStatus { at } => records.hide(key, at, now).await.map(Some),
            Step::WriteStatus { at, place, seen } => {
                records.show(key, at, place, seen, now).await.map(Some)
            }
            Step::NextAttempt { at, attempt } => {
                records.next_attempt(key, at, *attempt).await.map(Some)
            }
            Step::Delete { at } => records.delete(key, at).await,
            Step::DropFinalizer { at, keep } => records.drop_finalizer(key, at, keep).await,
            _ => return Outcome::Accepted,
        };
        wrote(result)
    }
}

fn wrote(result: Result<Option<Record>, KubeError>) -> Outcome {
    match result {
        Ok(Some(record)) => Outcome::Wrote(record),
        Ok(None) => Outcome::RecordGone,
        Err(KubeError::Conflict(_) | KubeError::Exists(_) | KubeError::NotFound(_)) => {
            Outcome::Conflict
        }
        Err(error) => kube_failed(error),
    }
}

// By value, to stand in `map_or_else`.
#[allow(clippy::needless_pass_by_value)]
fn kube_failed(error: KubeError) -> Outcome {
    Outcome::Failed(kube_trouble(&error))
}

/// A call to the API server that gave no result.
pub(crate) fn kube_trouble(error: &KubeError) -> Trouble {
    let kind = match error {
        KubeError::NoAnswer(_) => TroubleKind::NoAnswer,
        KubeError::Busy(_)
        | KubeError::Conflict(_)
        | KubeError::Exists(_)
        | KubeError::NotFound(_) => TroubleKind::Passing,
        KubeError::Refused { .. } => TroubleKind::Lasting,
    };
    Trouble {
        kind,
        text: error.to_string(),
        retry_after: None,
    }
}

/// The tags by which an EIP is proven to be this record's (rule Proof), and found again.
fn own_tags(me: &Me, record: &Uid, attempt: u32) -> [(String, String); 2] {
    [
        (keys::CLUSTER_TAG.to_owned(), me.cluster.to_string()),
        (
            keys::RECORD_TAG.to_owned(),
            keys::record_tag(record, attempt),
        ),
    ]
}
