//! The testbed itself: a world is what it says it is.

use k8s_openapi::api::core::v1::Node;
use kube::Api;

use super::{Case, CaseFuture, Ring};
use crate::ensure;
use crate::world::World;

pub const CASES: &[Case<World>] = &[Case::new(
    "testbed::a_world_has_nodes_and_an_empty_cloud",
    Ring::Processes,
    nodes_and_an_empty_cloud,
)];

fn nodes_and_an_empty_cloud(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let nodes = Api::<Node>::all(world.kube())
            .list(&kube::api::ListParams::default())
            .await?;
        let names: Vec<_> = nodes
            .items
            .iter()
            .filter_map(|node| node.metadata.name.as_deref())
            .collect();
        let known: Vec<_> = world
            .instances
            .iter()
            .map(|instance| instance.name.as_str())
            .collect();
        ensure!(
            names == known,
            "the API server has {names:?}, the cloud {known:?}"
        );
        let eips = world.cloud().eips().await?;
        ensure!(eips.is_empty(), "the cloud has EIPs: {eips:?}");
        Ok(())
    })
}
