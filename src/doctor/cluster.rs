//! What the API server says: whether it answers, what is installed, what eipd may do there, and who else gives out EIPs.

use super::{Check, rights};
use crate::clock::Clock;
use crate::kubeapi::client::Kube;
use crate::kubeapi::crd;
use crate::shard::rivals::{self, Rival, Stamps};

const SERVER: &str = "API server";
const RIVALS: &str = "other EIP controllers";
/// Group, version, resource, and whether eipd writes its status.
const DEFINED: [(&str, &str, &str, bool); 4] = [
    ("alibabacloud.com", "v1beta1", "podeips", true),
    ("alibabacloud.com", "v1beta1", "poddnats", true),
    ("alibabacloud.com", "v1", "poddnats", true),
    ("eipd.io", "v1", "paces", false),
];
const APPLY: &str = "kubectl apply -k daemonset";

/// There is no configuration of a client.
pub fn no_way(why: &str) -> Check {
    Check::bad(SERVER, why.to_owned(), "run in the pod, or set KUBECONFIG")
}

pub async fn examine(kube: &Kube, clock: &Clock) -> Vec<Check> {
    let version = kube.client().apiserver_version();
    let version = match kube.call("get", "version", version).await {
        Ok(version) => version.git_version,
        Err(error) => {
            let remedy = "see whether this node reaches the API server";
            return vec![Check::bad(SERVER, error.to_string(), remedy)];
        }
    };
    let mut report = vec![Check::ok(SERVER, version)];
    for (group, version, resource, has_status) in DEFINED {
        report.push(definition(kube, group, version, resource, has_status).await);
    }
    if let Ok(true) = crd::is_terminating(kube, crate::api::podeip::CRD_NAME).await {
        let found = "the CRD of PodEIP is gone, or being deleted: eipd touches nothing".to_owned();
        report.push(Check::bad("PodEIP", found, APPLY));
    }
    report.push(rights::examine(kube).await);
    report.push(others(kube, clock).await);
    report
}

async fn definition(
    kube: &Kube,
    group: &str,
    version: &str,
    resource: &str,
    has_status: bool,
) -> Check {
    let (about, at) = (format!("CRD {resource}"), format!("{group}/{version}"));
    let served = kube.client().list_api_group_resources(&at);
    let served = match kube.call("get", "discovery", served).await {
        Ok(list) => list.resources,
        Err(crate::kubeapi::error::KubeError::NotFound(_)) => Vec::new(),
        Err(error) => return Check::unknown(&about, error.to_string()),
    };
    let is_there = |name: &str| served.iter().any(|it| it.name == name);
    let status = format!("{resource}/status");
    if !is_there(resource) {
        Check::bad(&about, format!("{at} is not served"), APPLY)
    } else if has_status && !is_there(&status) {
        let found = format!("{at} has no status subresource");
        Check::bad(
            &about,
            found,
            "eipd crds | kubectl apply --server-side -f -",
        )
    } else {
        Check::ok(&about, format!("{at} is served"))
    }
}

async fn others(kube: &Kube, clock: &Clock) -> Check {
    let mut stamps = Stamps::default();
    match rivals::look(kube, clock, &mut stamps).await {
        Err(error) => Check::unknown(RIVALS, error.to_string()),
        Ok(found) => judged(&found.rivals),
    }
}

fn judged(rivals: &[Rival]) -> Check {
    let Some(rival) = rivals.first() else {
        return Check::ok(RIVALS, "none seen at work".to_owned());
    };
    let (found, remedy) = match rival {
        Rival::Enc { seen, record } => (
            format!("ack-extend-network-controller stamped {record} at {seen}"),
            "uninstall it; eipd then takes its records over, and until then begins nothing new",
        ),
        Rival::Terway => (
            "Terway's EIP function is on".to_owned(),
            "remove enable_eip_pool from eni_conf in the ConfigMap kube-system/eni-config; until then eipd begins nothing new",
        ),
    };
    Check::bad(RIVALS, found, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn another_controller_is_bad_and_the_remedy_names_it() {
        assert_eq!(judged(&[]).verdict, Verdict::Ok);
        let check = judged(&[Rival::Terway]);
        assert_eq!(check.verdict, Verdict::Bad);
        assert!(check.remedy.contains("enable_eip_pool"));
    }
}
