//! Records of nodes that are gone or not Ready, and tombstones that a node leaves lying.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::Api;

use super::{Sweep, WHOLE};
use crate::api::keys::{BUCKET_LABEL, BUCKETS, NODE_LABEL, PODEIP_FINALIZER};
use crate::api::podeip::PodEip;
use crate::kubeapi::error::KubeError;
use crate::kubeapi::lists::{self, PAGE};
use crate::kubeapi::nodes::Nodes;
use crate::kubeapi::pods::key_of;
use crate::shard::found::{Due, What};
use crate::shard::held::{self, Why};
use crate::shard::sample::Sample;

/// So many nodes that are not Ready are looked at by one sweep; of the rest a sixteenth shows in every one.
const AWAY: usize = 5;

impl Sweep {
    /// Offers what is due of the records that nodes have, or of a random part where they are many.
    pub(super) async fn held(&self, sample: &mut Sample) -> Result<(), KubeError> {
        let api: Api<PodEip> = Api::all(self.kube.client().clone());
        let all = lists::count(&self.kube, "podeips", &api, u64::MAX).await?;
        if all == 0 {
            return Ok(());
        }
        let nodes = Nodes::list(&self.kube).await?;
        if nodes.is_empty() {
            tracing::warn!(
                "the API server names no node at all: no record is taken for a gone node's"
            );
            return Ok(());
        }
        if all <= u64::from(PAGE) * WHOLE {
            return self.list_held(NODE_LABEL, &nodes, sample).await;
        }
        let bucket = fastrand::u8(..BUCKETS);
        let one = format!("{BUCKET_LABEL}={bucket},{NODE_LABEL}");
        self.list_held(&one, &nodes, sample).await?;
        for node in fastrand::choose_multiple(nodes.not_ready(), AWAY) {
            let its = format!("{NODE_LABEL}={node}");
            self.list_held(&its, &nodes, sample).await?;
        }
        Ok(())
    }

    async fn list_held(
        &self,
        labels: &str,
        nodes: &Nodes,
        sample: &mut Sample,
    ) -> Result<(), KubeError> {
        let now = self.clock.wall();
        let offer = |meta: &ObjectMeta| {
            let held = held::read(meta, PODEIP_FINALIZER);
            if let Some(why) = held.and_then(|held| held::judge(&held, nodes, now)) {
                sample.offer(Due {
                    key: key_of(meta),
                    what: What::from(why),
                });
            }
        };
        let api: Api<PodEip> = Api::all(self.kube.client().clone());
        lists::each(&self.kube, "podeips", &api, labels, offer).await
    }
}

impl From<Why> for What {
    fn from(why: Why) -> Self {
        match why {
            Why::NodeAway => Self::NodeAway,
            Why::LeftLying => Self::LeftLying,
        }
    }
}
