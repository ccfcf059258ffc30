//! The keys that switch an EIP on and off, and which of several holds.

use std::time::Duration;

use kube::api::ListParams;

use super::settings::{allocated, same};
use super::stage::{SOON, shown};
use crate::cases::CaseFuture;
use crate::cases::eip::sight::{Mark, nothing_left, pods, records};
use crate::clock;
use crate::ensure;
use crate::played::is_true;
use crate::world::World;

/// What is asked of the cloud where nothing is set.
const DEFAULTS: [(&str, &str); 3] = [
    ("Bandwidth", "5"),
    ("InstanceChargeType", "PostPaid"),
    ("InternetChargeType", "PayByTraffic"),
];
/// What is asked where the page's example disagrees with itself.
const WINNERS: [(&str, &str); 3] = [
    ("Bandwidth", "20"),
    ("InstanceChargeType", "PostPaid"),
    ("InternetChargeType", "PayByTraffic"),
];

pub fn each_switch(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::each_switch_brings_an_eip";
    Box::pin(shown(world, test, async |stage| {
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        for (example, pod, _) in stage.all_bound().await? {
            let asked = allocated(stage.world, &mark, &pod).await?;
            let name = &example.name;
            ensure!(
                same(&asked, &DEFAULTS),
                "{name}: asked {asked:?}, due {DEFAULTS:?}"
            );
            let ready = |pod: &_| is_true(pod, "Ready");
            stage.played(&pod).wait("Ready", SOON, ready).await?;
        }
        Ok(())
    }))
}

pub fn off(world: &mut World) -> CaseFuture<'_> {
    Box::pin(shown(
        world,
        "annotations::false_means_none",
        async |stage| {
            let mark = Mark::now(stage.world).await?;
            stage.apply().await?;
            for example in &stage.examples {
                for pod in stage.pods(example).await? {
                    let runs = |pod: &_| is_true(pod, "Ready");
                    stage.played(&pod).wait("Ready", SOON, runs).await?;
                }
            }
            clock::sleep(Duration::from_secs(2)).await;
            let calls = mark.calls(stage.world).await?;
            ensure!(calls.is_empty(), "cloud calls were made: {calls:?}");
            let made = records(stage.world).list(&ListParams::default()).await?;
            ensure!(made.items.is_empty(), "records were made: {made:?}");
            Ok(())
        },
    ))
}

pub fn precedence(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::the_newer_prefix_wins_and_an_event_says_so";
    Box::pin(shown(world, test, async |stage| {
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        for (example, pod, _) in stage.all_bound().await? {
            let asked = allocated(stage.world, &mark, &pod).await?;
            ensure!(same(&asked, &WINNERS), "asked {asked:?}, due {WINNERS:?}");
            stage.told(example).await?;
        }
        Ok(())
    }))
}

pub fn taken_away(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::taken_away_from_a_living_pod";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        for example in &stage.examples {
            stage.bound(example).await?;
            let name = &example.name;
            let key = "network.alibabacloud.com/pod-with-eip-";
            stage.kubectl(&["annotate", "pod", name, key]).await?;
            nothing_left(stage.world, name, &[], SOON).await?;
            let pod = pods(stage.world).get(name).await?;
            let left = pod.metadata.annotations.unwrap_or_default();
            let ours = left
                .keys()
                .filter(|key| key.ends_with("allocated-eipAddress"));
            ensure!(ours.count() == 0, "the address is left: {left:?}");
        }
        Ok(())
    }))
}
