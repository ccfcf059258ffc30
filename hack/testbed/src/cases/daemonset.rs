//! The admission policies of the installation, on a real API server: what the agent of one node may write, and what a
//! stolen token may not. Agents are impersonated, so none has to run.

mod attempt;
mod paces;
mod pods;
mod records;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use super::{Case, CaseError, CaseFuture, Ring};
use crate::world::World;

pub const CASES: &[Case<World>] = &[
    Case::new(
        "daemonset::an_agent_writes_its_outputs_on_its_pods_only",
        Ring::Processes,
        on_pods,
    ),
    Case::new(
        "daemonset::an_agent_writes_its_records_only",
        Ring::Processes,
        on_records,
    ),
    Case::new(
        "daemonset::an_agent_changes_the_three_paces_only",
        Ring::Processes,
        on_paces,
    ),
];

fn on_pods(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let client = world.kube();
        create_namespace(&client, "policy-pods").await?;
        pods::hold(&client, "policy-pods").await?;
        delete_namespace(&client, "policy-pods").await
    })
}

fn on_records(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let client = world.kube();
        create_namespace(&client, "policy-records").await?;
        records::hold(&client, "policy-records").await?;
        records::hold_ports(&client, "policy-records").await?;
        delete_namespace(&client, "policy-records").await
    })
}

fn on_paces(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async { paces::hold(&world.kube()).await })
}

async fn create_namespace(client: &Client, name: &str) -> Result<(), CaseError> {
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    let namespaces = Api::<Namespace>::all(client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await?;
    Ok(())
}

async fn delete_namespace(client: &Client, name: &str) -> Result<(), CaseError> {
    let namespaces = Api::<Namespace>::all(client.clone());
    namespaces.delete(name, &DeleteParams::default()).await?;
    Ok(())
}
