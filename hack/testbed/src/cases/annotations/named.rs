//! EIPs of the user's own: bound, passed on, and left as they are.

use serde_json::{Value, json};

use super::stage::{SOON, Stage, shown};
use crate::cases::eip::sight::{Mark, bound, nothing_left, pods, told};
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::world::World;

/// The id that the page's example has.
const MINE: &str = "eip-bp14qexample";

pub fn bound_and_left(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::a_named_eip_is_bound_and_left_as_it_is";
    Box::pin(shown(world, test, async |stage| {
        let mine = json!({"id": MINE, "args": {"Name": "by hand", "Bandwidth": "7"}});
        stage.world.cloud().post("/eips", &mine).await?;
        let before = looks(stage).await?;
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        for (_, _, eip) in stage.all_bound().await? {
            ensure!(eip.id == MINE, "{eip:?}");
        }
        passed_on(stage).await?;
        let after = looks(stage).await?;
        ensure!(before == after, "it was {before}, and is {after}");
        let changes = mark.changes(stage.world).await?;
        let bindings = ["AssociateEipAddress", "UnassociateEipAddress"];
        ensure!(
            changes.keys().all(|action| bindings.contains(&&**action)),
            "{changes:?}"
        );
        let calls = mark.calls(stage.world).await?;
        let others = calls.iter().filter(|call| {
            let action = call["action"].as_str().unwrap_or_default();
            !action.starts_with("Describe") && !bindings.contains(&action)
        });
        ensure!(others.count() == 0, "{calls:?}");
        refused(stage).await?;
        let release = json!({"do": "release"});
        stage
            .world
            .cloud()
            .post(&format!("/eips/{MINE}"), &release)
            .await?;
        Ok(())
    }))
}

/// What nobody may change of it.
async fn looks(stage: &Stage<'_>) -> Result<Value, CaseError> {
    let mut eip = stage.world.cloud().get(&format!("/eips/{MINE}")).await?;
    for passing in [
        "status",
        "place",
        "settles_ms",
        "history",
        "instance",
        "changed_ms",
    ] {
        eip.as_object_mut().map(|eip| eip.remove(passing));
    }
    Ok(eip)
}

/// A second pod waits for it, and has it when the first lets go; then it stands free.
async fn passed_on(stage: &Stage<'_>) -> Result<(), CaseError> {
    stage.apply_text("second", &naming("second", MINE)).await?;
    told(stage.world, "second", "EIPHeld", MINE).await?;
    let delete = |name| ["delete", "pod", name, "--wait=false"];
    stage.kubectl(&delete("named")).await?;
    let uid = pods(stage.world).get("second").await?.metadata.uid;
    let eip = bound(stage.world, "second", &uid.unwrap_or_default(), SOON).await?;
    ensure!(eip.id == MINE, "{eip:?}");
    stage.kubectl(&delete("second")).await?;
    for name in ["named", "second"] {
        nothing_left(stage.world, name, &[MINE], SOON).await?;
    }
    Ok(())
}

/// One that is not there, and one that an eipd made for a pod.
async fn refused(stage: &Stage<'_>) -> Result<(), CaseError> {
    stage
        .apply_text("unknown", &naming("unknown", "eip-nowhere"))
        .await?;
    let kept = json!({"do": "tag", "tags": {"eipd-cluster": "c", "eipd-record": "r"}});
    stage
        .world
        .cloud()
        .post(&format!("/eips/{MINE}"), &kept)
        .await?;
    stage.apply_text("taken", &naming("taken", MINE)).await?;
    told(stage.world, "unknown", "NoSuchEIP", "eip-nowhere").await?;
    told(stage.world, "taken", "EIPNotNameable", MINE).await
}

fn naming(pod: &str, eip: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod, "annotations": {"k8s.aliyun.com/pod-eip-instanceid": eip}},
        "spec": {"containers": [{"name": "main", "image": "nginx"}]},
    })
    .to_string()
}
