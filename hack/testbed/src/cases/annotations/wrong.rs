//! What cannot be met: an Event that names key, value and remedy, and nothing spent.

use std::net::Ipv4Addr;
use std::time::Duration;

use kube::api::ListParams;
use serde_json::Value;

use super::stage::{SOON, Stage, shown};
use crate::cases::eip::sight::{Mark, events, record, records};
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::clock;
use crate::ensure;
use crate::world::World;

/// An address as overlay networks give it.
const OVERLAY: Ipv4Addr = Ipv4Addr::new(172, 20, 0, 5);

pub fn values(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::wrong_values_are_events_and_cost_nothing";
    Box::pin(shown(world, test, async |stage| {
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        for example in &stage.examples {
            stage.told(example).await?;
            for pod in stage.pods(example).await? {
                let refused =
                    |pod: &_| condition(pod) == ("False".to_owned(), "InvalidRequest".to_owned());
                let what = "the condition InvalidRequest";
                stage.played(&pod).wait(what, SOON, refused).await?;
            }
        }
        clock::sleep(Duration::from_secs(2)).await;
        let calls = mark.calls(stage.world).await?;
        ensure!(calls.is_empty(), "cloud calls were made: {calls:?}");
        let made = records(stage.world).list(&ListParams::default()).await?;
        ensure!(made.items.is_empty(), "records were made: {made:?}");
        corrected(stage).await
    }))
}

/// A correction is all it takes.
async fn corrected(stage: &Stage<'_>) -> Result<(), CaseError> {
    let (on, none) = (
        "k8s.aliyun.com/pod-with-eip=true",
        "k8s.aliyun.com/pod-eip-instanceid-",
    );
    stage
        .kubectl(&["annotate", "--overwrite", "pod", "wrong-switch", on, none])
        .await?;
    stage.bound(stage.example("wrong-switch")?).await?;
    Ok(())
}

/// Status and reason of the pod's condition.
fn condition(pod: &k8s_openapi::api::core::v1::Pod) -> (String, String) {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    let ours = conditions
        .into_iter()
        .flatten()
        .find(|one| one.type_ == "k8s.aliyun.com/eip");
    ours.map(|one| (one.status.clone(), one.reason.clone().unwrap_or_default()))
        .unwrap_or_default()
}

pub fn stateless(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::a_stateless_pod_keeps_nothing";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        for (example, pod, _) in stage.all_bound().await? {
            let name = pod.metadata.name.unwrap_or_default();
            let strategy = &record(stage.world, &name).await?["spec"]["allocationType"];
            ensure!(
                strategy["releaseStrategy"] == "Follow",
                "{name}: {strategy}"
            );
            stage.told(example).await?;
        }
        Ok(()) // that nothing is kept is seen when the stage is cleared
    }))
}

pub fn outside(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let stage = Stage::set(world, "annotations::an_address_outside_the_vpc_is_told").await?;
        stage.apply().await?;
        for example in &stage.examples {
            for pod in stage.pods(example).await? {
                let played = stage.played(&pod);
                played.take().await?;
                played.give_ip(OVERLAY).await?;
                played.run().await?;
                told_of_the_interface(&stage, &played.name).await?;
                let status = record(stage.world, &played.name).await?["status"].clone();
                ensure!(
                    status["eipAddress"] == Value::Null,
                    "an address is shown: {status}"
                );
                played.delete_fully().await?;
            }
        }
        stage.clear().await
    })
}

async fn told_of_the_interface(stage: &Stage<'_>, name: &str) -> Result<(), CaseError> {
    until(
        &format!("the Event InterfaceNotFound on {name}"),
        SOON,
        async || {
            let seen = events(stage.world, name).await?;
            let told = seen.iter().any(|(reason, text)| {
                reason == "InterfaceNotFound" && text.contains(&OVERLAY.to_string())
            });
            Ok(told.then_some(()).ok_or_else(|| format!("{seen:?}")))
        },
    )
    .await
}
