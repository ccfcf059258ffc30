//! From another controller to eipd on a real API server: what runs is waited for, what was left is taken over as it stands.

use std::time::Duration;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::sight::{Mark, bound, no_record, nothing_left, pods, record, records, told};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::install;
use crate::played::{PlayedPod, PodSpec};
use crate::world::World;

const SWITCH: &str = "enable_eip_pool";

/// Objects have creation times of whole seconds.
const OLDER: Duration = Duration::from_millis(1_100);

pub fn taken_over(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        switch_terway(world, true).await?;
        let (living, kept) = left_by_the_other(world, "living").await?;
        let (gone, _) = left_by_the_other(world, "gone").await?;
        gone.delete_fully().await?;
        clock::sleep(OLDER).await;
        install_anew(world).await?;
        clock::sleep(OLDER).await;
        let (young, left) = left_by_the_other(world, "young").await?;
        let mark = Mark::now(world).await?;
        world.start_agents().await?;
        nothing_while_terway_runs(world, &mark).await?;
        switch_terway(world, false).await?;
        // Its pod has no condition yet, so there is something to do for it: it is taken over at once.
        let eip = bound(world, "living", &living.uid, 120).await?;
        ensure!(eip.id == kept, "{eip:?} where {kept} stood");
        until("our tags on the EIP", 60, async || {
            let eip = world.cloud().get(&format!("/eips/{kept}")).await?;
            let tags = eip["tags"].to_string();
            Ok(tags.contains("eipd-record").then_some(()).ok_or(tags))
        })
        .await?;
        no_record(world, "gone", 120).await?;
        told(world, "young", "RecordLeftAlone", "younger").await?;
        for (action, args) in changes(world, &mark).await? {
            ensure!(args != left, "{action} of what is not ours: {left}");
            ensure!(args != kept, "{action} of an EIP in use: {kept}");
        }
        end(world, &[living, young], &left).await
    })
}

/// A pod, its record and its EIP, bound at its address; without a stamp, so that nobody works on it any more.
async fn left_by_the_other(world: &World, name: &str) -> Result<(PlayedPod, String), CaseError> {
    let pod = world.run_pod(0, &PodSpec::with_eip(name)).await?;
    let seen = pods(world).get(name).await?;
    let ip = seen.status.and_then(|status| status.pod_ip);
    let eni = &world.instances[0].pod_eni;
    let eip = world.cloud().post("/eips", &json!({"args": {}})).await?;
    let id = eip["id"].as_str().unwrap_or_default().to_owned();
    let bind = json!({"do": "bind", "eni": eni, "private_ip": ip});
    world.cloud().post(&format!("/eips/{id}"), &bind).await?;
    let object = json!({
        "apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP",
        "metadata": {"name": name, "finalizers": ["podeip-controller.alibabacloud.com/finalizer"]},
        "spec": {"allocationID": id, "allocationType": {"type": "Auto", "releaseStrategy": "Follow"}},
    });
    let api = records(world);
    api.create(&PostParams::default(), &serde_json::from_value(object)?)
        .await?;
    let status = json!({"status": {
        "eipAddress": eip["ip"], "privateIPAddress": ip, "networkInterfaceID": eni, "status": "InUse",
    }});
    let params = PatchParams::default();
    api.patch_status(name, &params, &Patch::Merge(&status))
        .await?;
    Ok((pod, id))
}

/// eipd comes after what was there.
async fn install_anew(world: &World) -> Result<(), CaseError> {
    let api: Api<DaemonSet> = Api::namespaced(world.kube(), install::NAMESPACE);
    api.delete("eipd", &DeleteParams::default()).await?;
    until("no DaemonSet", 30, async || {
        let left = api.get_opt("eipd").await?;
        Ok(left
            .is_none()
            .then_some(())
            .ok_or_else(|| "it is there".to_owned()))
    })
    .await?;
    let (paths, plane) = (&world.paths, &world.plane);
    install::apply(paths, &plane.kubeconfig, "daemonset/overlays/demo").await?;
    Ok(())
}

async fn switch_terway(world: &World, on: bool) -> Result<(), CaseError> {
    let api: Api<ConfigMap> = Api::namespaced(world.kube(), "kube-system");
    let conf = json!({SWITCH: on.to_string()}).to_string();
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eni-config"},
        "data": {"eni_conf": conf},
    });
    let params = PatchParams::apply("administrator").force();
    api.patch("eni-config", &params, &Patch::Apply(&object))
        .await?;
    Ok(())
}

async fn nothing_while_terway_runs(world: &World, mark: &Mark) -> Result<(), CaseError> {
    let new = world.run_pod(0, &PodSpec::with_eip("new")).await?;
    told(world, "new", "OtherController", "Terway").await?;
    let none = record(world, "new").await?;
    ensure!(none.is_null(), "a record was made: {none}");
    let changes = changes(world, mark).await?;
    ensure!(changes.is_empty(), "{changes:?}");
    new.delete_fully().await?;
    Ok(())
}

/// Action and EIP of every call since that was no question and no tag.
async fn changes(world: &World, mark: &Mark) -> Result<Vec<(String, String)>, CaseError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calls = mark.calls(world).await?;
    let all = calls
        .iter()
        .map(|call| (text(&call["action"]), text(&call["args"]["AllocationId"])));
    Ok(all
        .filter(|(action, _)| !action.starts_with("Describe") && action != "TagResources")
        .collect())
}

/// Takes away what was made; what eipd left alone by hand.
async fn end(world: &World, made: &[PlayedPod], left: &str) -> Result<(), CaseError> {
    for pod in made {
        pod.delete_fully().await?;
    }
    nothing_left(world, "living", &[left], 60).await?;
    let untouched = record(world, "young").await?;
    ensure!(
        untouched["metadata"]["labels"].is_null(),
        "it was touched: {untouched}"
    );
    Ok(())
}
