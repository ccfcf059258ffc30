//! Whose pods and whose definitions: a Job's pod that is over, and a CRD that somebody else installed.

use super::stage::{SOON, Stage, shown};
use crate::apiserver::default_crd;
use crate::cases::eip::sight::nothing_left;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::install;
use crate::world::World;

pub fn job(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::a_finished_job_gives_its_eip_back";
    Box::pin(shown(world, test, async |stage| {
        stage.apply().await?;
        for (_, pod, _) in stage.all_bound().await? {
            let played = stage.played(&pod);
            played.finish("Succeeded").await?;
            nothing_left(stage.world, &played.name, &[], SOON).await?;
            let there = played.get().await?.is_some();
            ensure!(there, "the pod is gone: then it is no wonder");
        }
        Ok(())
    }))
}

pub fn published_fields(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::the_published_fields_are_enough";
    Box::pin(shown(world, test, async |stage| {
        replace_crd(stage).await?;
        stage.apply().await?;
        stage.all_bound().await?;
        stage.clear().await?;
        let (paths, plane) = (&stage.world.paths, &stage.world.plane);
        install::apply(paths, &plane.kubeconfig, "daemonset/crds").await?;
        Ok(())
    }))
}

/// Puts the published definition in the place of eipd's.
async fn replace_crd(stage: &Stage<'_>) -> Result<(), CaseError> {
    let file = stage.world.dir().join("published-crd.json");
    std::fs::write(&file, default_crd::podeip(true).to_string())?;
    stage
        .kubectl(&["replace", "-f", &file.to_string_lossy()])
        .await?;
    let columns = "jsonpath={.spec.versions[*].additionalPrinterColumns}";
    let crd = "crd/podeips.alibabacloud.com";
    let columns = stage.kubectl(&["get", crd, "-o", columns]).await?;
    ensure!(
        columns.is_empty(),
        "eipd's definition is still there: {columns}"
    );
    Ok(())
}
