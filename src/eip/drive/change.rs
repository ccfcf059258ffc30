//! Changes at the cloud: in their turn, with tokens of their own, and told to the pace.

use super::super::outcome::{Outcome, Trouble, TroubleKind};
use super::super::step::Step;
use super::trouble::{came, trouble};
use super::{Ports, own_tags};
use crate::cloud::error::Class;
use crate::cloud::vpc::{AllocateArgs, fresh_token};
use crate::domain::ids::{Key, Uid};
use crate::pace::{Action, Admission, Came};

impl Ports {
    /// In its turn, and what came of it is told to the pace.
    pub(super) async fn change_cloud(&self, key: &Key, step: &Step) -> Outcome {
        let action = paced(step);
        if let Some(action) = action
            && let Admission::Later { at, why } = self.pace.admit(action, key).await
        {
            return Outcome::Later { at, why };
        }
        let (outcome, came) = self.call_cloud(key, step).await;
        let no_more = matches!(came, Came::Quota(_) | Came::FrequentPurchase(_));
        match action {
            Some(action) => self.pace.report(action, came).await,
            None if matches!((step, &outcome), (Step::Release { .. }, Outcome::Accepted)) => {
                self.pace.released().await;
            }
            None => {}
        }
        match action {
            Some(Action::Allocate) if no_more => self.wait_with_all(key, outcome).await,
            _ => outcome,
        }
    }

    /// The account has no more: the pod waits for the breaker like any other, for that may end at any moment.
    async fn wait_with_all(&self, key: &Key, refused: Outcome) -> Outcome {
        match (self.pace.after_refusal().await, &refused) {
            (Some(Admission::Later { at, why }), Outcome::Failed(trouble)) => {
                tracing::warn!(pod = %key, error = %trouble.text, "no EIP may be allocated now");
                Outcome::Later { at, why }
            }
            _ => refused,
        }
    }

    async fn call_cloud(&self, key: &Key, step: &Step) -> (Outcome, Came) {
        let result = match step {
            Step::Allocate {
                record,
                attempt,
                request,
            } => return self.allocate(key, record, *attempt, request).await,
            // A fresh token each: nothing that an earlier binding was answered may answer this one.
            Step::Associate { id, place } => self.vpc.associate(id, place, &fresh_token()).await,
            Step::Unassociate { id, place } => {
                self.vpc.unassociate(id, place, &fresh_token()).await
            }
            Step::Release { id } => self.vpc.release(id).await,
            Step::JoinPackage { id, package } => {
                self.vpc.join_package(id, package, &fresh_token()).await
            }
            Step::LeavePackage { id, package } => {
                self.vpc.leave_package(id, package, &fresh_token()).await
            }
            Step::SetBandwidth { id, mbit } => self.vpc.modify_bandwidth(id, *mbit).await,
            Step::Tag {
                id,
                record,
                attempt,
            } => {
                self.vpc
                    .tag(id, &own_tags(&self.me, record, *attempt))
                    .await
            }
            _ => return (Outcome::Accepted, Came::Other),
        };
        match result {
            Ok(request_id) => {
                log_change(key, step, request_id.as_str());
                (Outcome::Accepted, Came::Accepted)
            }
            Err(error) => {
                if error.class() == Class::PlaceNotFound {
                    self.places.forget().await;
                }
                (Outcome::Failed(trouble(&error)), came(&error))
            }
        }
    }

    async fn allocate(
        &self,
        key: &Key,
        record: &Uid,
        attempt: u32,
        request: &str,
    ) -> (Outcome, Came) {
        let Ok(mut args) = serde_json::from_str::<AllocateArgs>(request) else {
            let text =
                "eipd.io/request on the record cannot be read; delete the record to start anew";
            let trouble = Trouble {
                kind: TroubleKind::Lasting,
                text: text.to_owned(),
                retry_after: None,
            };
            return (Outcome::Failed(trouble), Came::Other);
        };
        args.tags.extend(own_tags(&self.me, record, attempt));
        let token = format!("{record}-{attempt}");
        match self.vpc.allocate(&args, &token).await {
            Ok(new) => {
                tracing::info!(pod = %key, eip = %new.id, address = %new.address, request_id = %new.request_id, "EIP allocated");
                (Outcome::Allocated(new.id), Came::Accepted)
            }
            Err(error) => (Outcome::Failed(trouble(&error)), came(&error)),
        }
    }
}

/// What of the account's rates a step uses up.
fn paced(step: &Step) -> Option<Action> {
    match step {
        Step::Allocate { .. } => Some(Action::Allocate),
        Step::Associate { .. } => Some(Action::Associate),
        Step::Unassociate { .. } => Some(Action::Unassociate),
        _ => None,
    }
}

/// What the cloud accepted, with its name for the call.
fn log_change(key: &Key, step: &Step, request_id: &str) {
    match step {
        Step::Associate { id, place } => {
            tracing::info!(pod = %key, eip = %id, eni = %place.eni, ip = %place.ip, request_id, "EIP is being bound");
        }
        Step::Unassociate { id, place } => {
            tracing::info!(pod = %key, eip = %id, eni = %place.eni, ip = %place.ip, request_id, "EIP is being unbound");
        }
        Step::Release { id } => {
            tracing::info!(pod = %key, eip = %id, request_id, "EIP released");
        }
        _ => {}
    }
}
