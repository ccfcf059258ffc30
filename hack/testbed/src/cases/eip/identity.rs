//! Who the agent is in the cloud, and what `eipd doctor` says of that and of the rest.

use std::fs;

use serde_json::{Value, json};

use super::life::start_agent;
use super::quiet::signers;
use super::sight::{Mark, bound, nothing_left};
use crate::agent::token;
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::played::PodSpec;
use crate::world::World;

const SUBJECT: &str = "system:serviceaccount:eipd:eipd";
/// As the API server of a world names itself.
const ISSUER: &str = "https://kubernetes.default.svc";
/// What an exchanged token has to be made for.
const AUDIENCE: &str = "sts.aliyuncs.com";
const PROVIDER: &str = "ack-rrsa-world";

/// RRSA: the API server's own token for the agent's `ServiceAccount` is exchanged; the node's role signs nothing.
pub fn rrsa(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        inject(world).await?;
        let begun = Mark::now(world).await?;
        start_agent(world).await?;
        let mark = Mark::now(world).await?;
        let pod = world.run_pod(0, &PodSpec::with_eip("exchanged")).await?;
        bound(world, "exchanged", &pod.uid, 60).await?;
        pod.delete_fully().await?;
        nothing_left(world, "exchanged", &[], 90).await?;
        let keys = signers(world, &mark).await?;
        let calls = begun.calls(world).await?;
        let exchanges = calls
            .iter()
            .filter(|call| call["action"] == "AssumeRoleWithOIDC");
        ensure!(exchanges.count() >= 1, "nothing was exchanged: {keys:?}");
        let report = report(world).await?.1;
        let found = about(&report, "credentials")?["found"].to_string();
        ensure!(found.contains("RRSA"), "{found}");
        let caller = about(&report, "account")?["found"].to_string();
        ensure!(caller.contains("eipd-by-token"), "{caller}");
        Ok(())
    })
}

/// What `ack-pod-identity-webhook` injects, and what an administrator has made for it.
async fn inject(world: &mut World) -> Result<(), CaseError> {
    let role = json!({"name": "eipd-by-token", "trusted_subjects": [SUBJECT]});
    world.cloud().post("/roles", &role).await?;
    let provider = json!({"name": PROVIDER, "issuer": ISSUER, "client_ids": [AUDIENCE]});
    world.cloud().post("/oidc-providers", &provider).await?;
    let settings = world.cloud().get("/settings").await?;
    let account = settings["account_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let file = world.dir().join("rrsa-token");
    let client = world.kube();
    let node = world.agent(0).node.clone();
    fs::write(&file, token(&client, &node, &[AUDIENCE]).await?)
        .map_err(|error| CaseError::new(error.to_string()))?;
    let agent = world.agent(0);
    for (name, value) in [
        ("ROLE_ARN", format!("acs:ram::{account}:role/eipd-by-token")),
        (
            "OIDC_PROVIDER_ARN",
            format!("acs:ram::{account}:oidc-provider/{PROVIDER}"),
        ),
        ("OIDC_TOKEN_FILE", file.to_string_lossy().into_owned()),
    ] {
        agent.set_env(&format!("ALIBABA_CLOUD_{name}"), &value);
    }
    Ok(())
}

/// With the rights of the `ServiceAccount` on a real API server.
pub fn doctor(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        let mark = Mark::now(world).await?;
        let (well, checks) = report(world).await?;
        ensure!(well, "{checks:#}");
        let rights = about(&checks, "RBAC")?;
        ensure!(rights["verdict"] == "ok", "{rights}");
        let eips = world.cloud().eips().await?;
        ensure!(eips.is_empty(), "{eips:?}");
        let accepted = mark.calls(world).await?;
        let changed = accepted.iter().filter(|call| {
            let action = call["action"].as_str().unwrap_or_default();
            call["status"] == 200
                && !action.starts_with("Describe")
                && action != "GetCallerIdentity"
        });
        let changed: Vec<_> = changed.collect();
        ensure!(changed.is_empty(), "{changed:?}");
        let elsewhere = json!({"regionID": "cn-beijing"});
        world.agent(0).configure(&elsewhere)?;
        let (well, checks) = report(world).await?;
        let place = about(&checks, "place")?;
        ensure!(!well && place["verdict"] == "bad", "{checks:#}");
        Ok(())
    })
}

/// Whether the exit status says that all is well, and the checks.
async fn report(world: &mut World) -> Result<(bool, Value), CaseError> {
    let output = world.agent(0).command("doctor", &["-o", "json"]).await?;
    let checks = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        CaseError::new(format!("{error}: {said}"))
    })?;
    Ok((output.status.success(), checks))
}

fn about(checks: &Value, about: &str) -> Result<Value, CaseError> {
    let mut all = checks.as_array().into_iter().flatten();
    let found = all.find(|check| check["about"] == about).cloned();
    found.ok_or_else(|| CaseError::new(format!("no {about} in {checks:#}")))
}
