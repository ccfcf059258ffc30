//! From a pod's annotations to what is asked here and now.

use std::sync::Arc;

use crate::api::request::{self, PodTraits, Request, Strategy};
use crate::domain::pod::{Ask, Wish};
use crate::kubeapi::pods::{AskOf, PodWire};

/// The reader of requests for this configuration.
pub fn reader(custom_stateful_kinds: Vec<String>) -> AskOf {
    Arc::new(move |pod| ask(pod, &custom_stateful_kinds))
}

fn ask(pod: &PodWire, custom_stateful_kinds: &[String]) -> Ask {
    let Some(annotations) = &pod.metadata.annotations else {
        return Ask::Nothing;
    };
    let owners = pod.metadata.owner_references.iter().flatten();
    let traits = PodTraits {
        host_network: pod.spec.host_network,
        virtual_node: false,
        owner_kinds: owners.map(|owner| owner.kind.as_str()).collect(),
        custom_stateful_kinds,
    };
    match request::parse(annotations, &traits) {
        Err(wrong) => refused(wrong.iter().map(ToString::to_string)),
        Ok(parsed) => wish(parsed),
    }
}

fn wish(parsed: request::Parsed) -> Ask {
    let warnings = parsed.warnings.iter().map(ToString::to_string).collect();
    match parsed.request {
        Request::Nothing => Ask::Nothing,
        Request::Static { .. } => later("pod-eip-instanceid", "take pod-with-eip \"true\" instead"),
        Request::Auto(auto) if auto.strategy != Strategy::Follow => {
            later("pod-eip-release-strategy", "take Follow, or leave it away")
        }
        Request::Auto(auto) if auto.package.is_some() => {
            later("eip-common-bandwidth-package-id", "leave it away")
        }
        Request::Auto(auto) => match serde_json::to_string(&auto.args) {
            Ok(request) => Ask::Auto(Arc::new(Wish { request, warnings })),
            Err(error) => refused([format!("the request cannot be stored: {error}")].into_iter()),
        },
    }
}

/// What the contract knows and this version does not do yet: said so, and nothing is spent.
fn later(key: &str, remedy: &str) -> Ask {
    refused(
        [format!(
            "{key}: not served by this version of eipd; {remedy}"
        )]
        .into_iter(),
    )
}

fn refused(texts: impl Iterator<Item = String>) -> Ask {
    Ask::Refused(texts.collect())
}
