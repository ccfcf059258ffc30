//! Whether the API server grants what `daemonset/agent/rbac.yaml` asks for: one `SelfSubjectAccessReview` for each right.

use futures::{StreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use serde::Deserialize;

use super::Check;
use crate::kubeapi::client::Kube;

/// The manifest itself, so that both are always the same.
const MANIFEST: &str = include_str!("../../daemonset/agent/rbac.yaml");
const ABOUT: &str = "RBAC";
/// Reviews at once.
const AT_ONCE: usize = 4;

/// What of the manifest's objects is read.
#[derive(Debug, Deserialize)]
struct Role {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
    verbs: Vec<String>,
}

pub async fn examine(kube: &Kube) -> Check {
    let rights = match rights(MANIFEST) {
        Ok(rights) => rights,
        Err(error) => return Check::unknown(ABOUT, error),
    };
    let reviews = rights.iter().map(|right| review(kube, right.clone()));
    let answers: Vec<_> = stream::iter(reviews).buffered(AT_ONCE).collect().await;
    let (mut missing, mut failed) = (Vec::new(), None);
    for (right, answer) in rights.iter().zip(answers) {
        match answer {
            Ok(true) => {}
            Ok(false) => missing.push(said(right)),
            Err(error) => failed = Some(error),
        }
    }
    judged(rights.len(), &missing, failed)
}

fn judged(all: usize, missing: &[String], failed: Option<String>) -> Check {
    if !missing.is_empty() {
        let found = format!("not allowed: {}", missing.join(", "));
        return Check::bad(ABOUT, found, "kubectl apply -k daemonset");
    }
    match failed {
        Some(error) => Check::unknown(ABOUT, error),
        None => Check::ok(ABOUT, format!("all {all} rights")),
    }
}

async fn review(kube: &Kube, right: ResourceAttributes) -> Result<bool, String> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(right),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(kube.client().clone());
    let params = PostParams::default();
    let call = api.create(&params, &review);
    let answer = kube.call("create", "selfsubjectaccessreviews", call).await;
    let answer = answer.map_err(|error| error.to_string())?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Each right of the manifest's roles by itself.
fn rights(manifest: &str) -> Result<Vec<ResourceAttributes>, String> {
    let roles: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(manifest).map_err(|error| error.to_string())?;
    let roles = roles
        .into_iter()
        .filter_map(|role| serde_json::from_value(role).ok());
    let roles = roles.filter(|role: &Role| role.kind.ends_with("Role"));
    Ok(roles.flat_map(|role| of_role(&role)).collect())
}

fn of_role(role: &Role) -> Vec<ResourceAttributes> {
    let mut rights = Vec::new();
    for rule in &role.rules {
        let names = rule.resource_names.iter().map(|name| Some(name.clone()));
        let names: Vec<_> = names.collect();
        let names = if names.is_empty() { vec![None] } else { names };
        for group in &rule.api_groups {
            for resource in &rule.resources {
                for name in &names {
                    for verb in &rule.verbs {
                        let namespace = role.metadata.namespace.clone();
                        rights.push(right(namespace, group, resource, name.clone(), verb));
                    }
                }
            }
        }
    }
    rights
}

fn right(
    namespace: Option<String>,
    group: &str,
    resource: &str,
    name: Option<String>,
    verb: &str,
) -> ResourceAttributes {
    let (resource, subresource) = match resource.split_once('/') {
        Some((resource, sub)) => (resource, Some(sub.to_owned())),
        None => (resource, None),
    };
    ResourceAttributes {
        namespace,
        group: Some(group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        name,
        verb: Some(verb.to_owned()),
        ..ResourceAttributes::default()
    }
}

fn said(right: &ResourceAttributes) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut said = format!("{} {}", text(&right.verb), text(&right.resource));
    for (mark, part) in [
        ("/", &right.subresource),
        (" ", &right.name),
        (" in ", &right.namespace),
    ] {
        if let Some(part) = part {
            said = format!("{said}{mark}{part}");
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn every_right_of_the_manifest_is_asked_about() {
        let rights: Vec<_> = rights(MANIFEST).unwrap().iter().map(said).collect();
        for right in [
            "patch pods/status",
            "get namespaces kube-system",
            "get configmaps eni-config in kube-system",
            "delete podeips",
            "get daemonsets eipd in eipd",
        ] {
            assert!(rights.iter().any(|it| it == right), "{right} in {rights:?}");
        }
        let verbs = MANIFEST.matches("verbs:").count();
        assert!(rights.len() > verbs, "{rights:?}");
    }

    #[test]
    fn what_is_missing_is_named_and_a_failure_is_no_denial() {
        let denied = judged(9, &["get pods".to_owned()], None);
        assert_eq!(denied.verdict, Verdict::Bad);
        assert_eq!(denied.found, "not allowed: get pods");
        let failed = judged(9, &[], Some("no answer".to_owned()));
        assert_eq!(failed.verdict, Verdict::Unknown);
        assert_eq!(judged(9, &[], None).verdict, Verdict::Ok);
    }
}
