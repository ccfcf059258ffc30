//! EIPs that outlive their pods, under real controllers: the same address comes back, and is given back in the end.

use kube::ResourceExt as _;

use super::stage::{SOON, Stage, shown};
use crate::cases::eip::sight::{no_record, nothing_left, pods, resting};
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::page::Example;
use crate::world::World;

/// A sweep finds what is nobody's: not in an agent's first minute, and then at random.
const SWEPT: u64 = 240;
/// The page's examples have names for hours; this one's time is over when somebody looks.
const SHORT: &str = r#"
apiVersion: v1
kind: Pod
metadata:
  name: short
  annotations:
    k8s.aliyun.com/pod-with-eip: "true"
    k8s.aliyun.com/pod-eip-release-strategy: 5s
spec:
  containers:
  - name: main
    image: nginx
"#;

pub fn comes_back(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::a_pod_that_comes_back_has_its_eip_again";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        stage.apply_text("short", SHORT).await?;
        for example in &stage.examples {
            same_again(stage, example).await?;
        }
        given_back(stage).await
    }))
}

/// Its pods are deleted, and made again by their controller or by hand: other pods, the same EIPs.
async fn same_again(stage: &Stage<'_>, example: &Example) -> Result<(), CaseError> {
    let before = stage.bound(example).await?;
    for (pod, _) in &before {
        let name = pod.name_any();
        stage
            .kubectl(&["delete", "pod", &name, "--wait=false"])
            .await?;
        until(&format!("pod {name} is gone"), SOON, async || {
            let now = pods(stage.world).get_opt(&name).await?;
            let uid = now.and_then(|pod| pod.uid());
            Ok((uid != pod.uid()).then_some(()).ok_or_else(|| name.clone()))
        })
        .await?;
    }
    // What has a controller is there again already: that changes nothing.
    stage.apply_text(&example.name, &example.yaml).await?;
    let after = stage.bound(example).await?;
    for (pod, eip) in before {
        let next = after
            .iter()
            .find(|(next, _)| next.name_any() == pod.name_any());
        ensure!(
            next.is_some_and(|(next, same)| next.uid() != pod.uid() && same.id == eip.id),
            "{} had {eip:?}, and then there was {next:?}",
            pod.name_any()
        );
    }
    Ok(())
}

/// All pods go, and their records rest. One whose time is over goes by itself, the others when they are deleted.
async fn given_back(stage: &Stage<'_>) -> Result<(), CaseError> {
    let kept = ["statefulset-0", "statefulset-1", "never"];
    let scale = ["scale", "statefulset", "statefulset", "--replicas=0"];
    stage.kubectl(&scale).await?;
    let gone = ["delete", "pod", "never", "short", "--wait=false"];
    stage.kubectl(&gone).await?;
    for name in kept {
        resting(stage.world, name, SOON).await?;
    }
    let delete = ["delete", "podeip", "--wait=false"];
    stage.kubectl(&[delete.as_slice(), &kept].concat()).await?;
    for name in [kept.as_slice(), &["short"]].concat() {
        no_record(stage.world, name, SWEPT).await?;
    }
    nothing_left(stage.world, "short", &[], SOON).await
}
