//! Shared bandwidth packages: joined before the EIP is bound, changed on a living pod, left before the EIP is released.

use serde_json::{Value, json};

use super::stage::{SOON, Stage, shown};
use crate::cases::eip::sight::{Mark, nothing_left, record};
use crate::cases::eip::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::world::World;

const KEY: &str = "network.alibabacloud.com/eip-common-bandwidth-package-id";

/// The changes of a pod that joins a package, changes to another, leaves it, joins again and goes; in this order.
const DUE: [(&str, &str); 10] = [
    ("AllocateEipAddress", ""),
    ("AddCommonBandwidthPackageIp", "cbwp-games"),
    ("AssociateEipAddress", ""),
    ("RemoveCommonBandwidthPackageIp", "cbwp-games"),
    ("AddCommonBandwidthPackageIp", "cbwp-more"),
    ("RemoveCommonBandwidthPackageIp", "cbwp-more"),
    ("AddCommonBandwidthPackageIp", "cbwp-games"),
    ("UnassociateEipAddress", ""),
    ("RemoveCommonBandwidthPackageIp", "cbwp-games"),
    ("ReleaseEipAddress", ""),
];

pub fn joined_and_left(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::a_bandwidth_package_is_joined_and_left";
    Box::pin(shown(world, test, async |stage| {
        for package in ["cbwp-games", "cbwp-more"] {
            let make = json!({"id": package, "bandwidth": 1000});
            stage.world.cloud().post("/packages", &make).await?;
        }
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        stage.all_bound().await?;
        shows(stage, "cbwp-games").await?;
        for package in ["cbwp-more", "", "cbwp-games"] {
            let set = match package {
                "" => format!("{KEY}-"),
                package => format!("{KEY}={package}"),
            };
            let annotate = ["annotate", "--overwrite", "pod", "package", &set];
            stage.kubectl(&annotate).await?;
            shows(stage, package).await?;
        }
        stage
            .kubectl(&["delete", "pod", "package", "--wait=false"])
            .await?;
        nothing_left(stage.world, "package", &[], SOON).await?;
        let calls = mark.calls(stage.world).await?;
        let made: Vec<_> = calls.iter().filter_map(change).collect();
        ensure!(made == DUE, "{made:?} where {DUE:?} is due");
        Ok(())
    }))
}

/// A change that was accepted, and the package that it names.
fn change(call: &Value) -> Option<(&str, &str)> {
    let action = call["action"].as_str()?;
    let accepted = call["code"].is_null() && !action.starts_with("Describe");
    accepted.then(|| {
        (
            action,
            call["args"]["BandwidthPackageId"]
                .as_str()
                .unwrap_or_default(),
        )
    })
}

async fn shows(stage: &Stage<'_>, package: &str) -> Result<(), CaseError> {
    until(&format!("the package {package:?}"), SOON, async || {
        let record = record(stage.world, "package").await?;
        let (spec, status) = (
            &record["spec"]["bandwidthPackageID"],
            &record["status"]["bandwidthPackageID"],
        );
        let is = |value: &Value| value.as_str().unwrap_or_default() == package;
        Ok((is(spec) && is(status))
            .then_some(())
            .ok_or_else(|| format!("spec {spec}, status {status}")))
    })
    .await
}
