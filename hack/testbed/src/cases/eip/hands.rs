//! What people do wrong, or meanwhile: bad annotations, hands on a record, the CRD deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use super::life::start_agent;
use super::sight::{Mark, bound, events, nothing_left, records};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::played::{PlayedPod, PodSpec};
use crate::world::World;

/// Name of the pod, annotation and value, all but the last one as users mistype them.
const WRONG: [(&str, &str, &str); 5] = [
    ("switch", "pod-with-eip", "yes"),
    ("word", "eip-bandwidth", "fast"),
    ("wide", "eip-bandwidth", "201"),
    ("prepaid", "eip-instance-charge-type", "PrePaid"),
    ("host", "pod-with-eip", "true"),
];

pub fn bad_input(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let mut created = Vec::new();
        for (name, key, value) in WRONG {
            let mut spec = PodSpec::with_eip(name);
            spec.annotations
                .insert(format!("k8s.aliyun.com/{key}"), value.to_owned());
            spec.host_network = name == "host";
            created.push(world.run_pod(0, &spec).await?);
        }
        for (name, key, value) in WRONG {
            refused(world, name, key, value).await?;
        }
        clock::sleep(Duration::from_secs(3)).await;
        let calls = mark.calls(world).await?;
        ensure!(calls.is_empty(), "bad input made cloud calls: {calls:?}");
        let made = records(world).list(&ListParams::default()).await?.items;
        ensure!(made.is_empty(), "bad input made records: {made:?}");
        for pod in created {
            pod.delete_fully().await?;
        }
        Ok(())
    })
}

/// Waits for the Event that names annotation and value (or hostNetwork, where that is what is wrong).
async fn refused(world: &World, name: &str, key: &str, value: &str) -> Result<(), CaseError> {
    let what = if name == "host" { "hostNetwork" } else { value };
    let expected = format!("an Event on {name} about {key} and {what}");
    until(&expected, 60, async || {
        let seen = events(world, name).await?;
        let told = seen.iter().any(|(reason, text)| {
            reason == "InvalidRequest" && text.contains(key) && text.contains(what)
        });
        Ok(told.then_some(()).ok_or_else(|| format!("{seen:?}")))
    })
    .await
}

pub fn edited_record(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let stranger = world.cloud().post("/eips", &json!({"args": {}})).await?;
        let stranger = stranger["id"].as_str().unwrap_or_default().to_owned();
        let pod = world.run_pod(0, &PodSpec::with_eip("edited")).await?;
        let own = bound(world, "edited", &pod.uid, 60).await?.id;
        let edit = json!({"spec": {"allocationID": stranger}});
        records(world)
            .patch("edited", &PatchParams::default(), &Patch::Merge(&edit))
            .await?;
        let mark = Mark::now(world).await?;
        pod.delete_fully().await?;
        nothing_left(world, "edited", &[&stranger], 90).await?;
        for call in mark.calls(world).await? {
            let named = call["args"]["AllocationId"].as_str().unwrap_or_default();
            ensure!(
                named != stranger,
                "the stranger's EIP was touched (own: {own}): {call}"
            );
        }
        let path = format!("/eips/{stranger}");
        let eip = world.cloud().get(&path).await?;
        ensure!(
            eip["status"] == "Available",
            "the stranger's EIP is now {eip}"
        );
        world.cloud().post(&path, &json!({"do": "release"})).await?;
        nothing_left(world, "edited", &[], 60).await
    })
}

pub fn deleted_crd(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        start_agent(world).await?;
        let mut living: BTreeMap<String, PlayedPod> = BTreeMap::new();
        for name in ["one", "two"] {
            let pod = world.run_pod(0, &PodSpec::with_eip(name)).await?;
            bound(world, name, &pod.uid, 60).await?;
            living.insert(name.to_owned(), pod);
        }
        let mark = Mark::now(world).await?;
        Api::<CustomResourceDefinition>::all(world.kube())
            .delete("podeips.alibabacloud.com", &DeleteParams::default())
            .await?;
        for name in living.keys() {
            told_of_the_crd(world, name).await?;
        }
        // A pod that goes meanwhile takes nothing back either.
        if let Some(pod) = living.remove("two") {
            pod.delete_fully().await?;
        }
        clock::sleep(Duration::from_secs(20)).await;
        mark.expect(world, &[]).await?;
        for (name, pod) in living {
            bound(world, &name, &pod.uid, 5).await?;
        }
        let eips = world.cloud().eips().await?;
        let standing = eips.iter().filter(|eip| eip.status == "InUse").count();
        ensure!(standing == 2, "both EIPs are to stand: {eips:?}");
        Ok(())
    })
}

async fn told_of_the_crd(world: &World, name: &str) -> Result<(), CaseError> {
    let expected = format!("the Event CRDTerminating on {name}");
    until(&expected, 60, async || {
        let seen = events(world, name).await?;
        let told = seen.iter().any(|(reason, _)| reason == "CRDTerminating");
        Ok(told.then_some(()).ok_or_else(|| format!("{seen:?}")))
    })
    .await
}
