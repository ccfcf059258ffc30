//! From a pod's annotations to what is asked here and now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::api::limits::Limits;
use crate::api::request::{self, PodTraits, Request, Strategy};
use crate::config::Controllers;
use crate::dnat::ask as ports;
use crate::domain::keep::Keep;
use crate::domain::pod::{Ask, Nameable, Which, Wish};
use crate::domain::ports::PortAsk;
use crate::kubeapi::pods::{AskOf, Asks, PodWire};

/// The reader of requests for this configuration. What no controller here serves is not asked.
pub fn reader(serves: Controllers, custom_stateful_kinds: Vec<String>, limits: Limits) -> AskOf {
    Arc::new(move |pod| asks(pod, serves, &custom_stateful_kinds, &limits))
}

fn asks(pod: &PodWire, serves: Controllers, custom: &[String], limits: &Limits) -> Asks {
    let mut asks = Asks {
        eip: Ask::Nothing,
        ports: PortAsk::Nothing,
    };
    let Some(annotations) = &pod.metadata.annotations else {
        return asks;
    };
    let owners = pod.metadata.owner_references.iter().flatten();
    let traits = PodTraits {
        host_network: pod.spec.host_network,
        virtual_node: false,
        owner_kinds: owners.map(|owner| owner.kind.as_str()).collect(),
        custom_stateful_kinds: custom,
    };
    if serves.eip {
        asks.eip = ask(pod, annotations, &traits, limits);
    }
    if serves.natgw {
        asks.ports = ports::ask(pod, annotations, &traits, asks.eip != Ask::Nothing);
    }
    asks
}

fn ask(
    pod: &PodWire,
    annotations: &BTreeMap<String, String>,
    traits: &PodTraits<'_>,
    limits: &Limits,
) -> Ask {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let parsed = request::parse(annotations, traits);
    match parsed.and_then(|parsed| limits.admit(namespace, parsed)) {
        Err(wrong) => refused(wrong.iter().map(ToString::to_string)),
        Ok(parsed) => wish(parsed, limits.nameable(namespace)),
    }
}

fn wish(parsed: request::Parsed, nameable: Nameable) -> Ask {
    let warnings = parsed.warnings.iter().map(ToString::to_string).collect();
    let (which, strategy) = match parsed.request {
        Request::Nothing => return Ask::Nothing,
        Request::Static { eip, strategy } => (Which::Static { eip, nameable }, strategy),
        Request::Auto(auto) => match serde_json::to_string(&auto.args) {
            Ok(request) => {
                let (package, bandwidth) = (auto.package, auto.args.bandwidth);
                let which = Which::Auto {
                    request,
                    package,
                    bandwidth,
                };
                (which, auto.strategy)
            }
            Err(error) => {
                return refused([format!("the request cannot be stored: {error}")].into_iter());
            }
        },
    };
    Ask::Eip(Arc::new(Wish {
        which,
        keep: keep(&strategy),
        warnings,
    }))
}

fn keep(strategy: &Strategy) -> Keep {
    match strategy {
        Strategy::Follow => Keep::Follow,
        Strategy::Never => Keep::Never,
        Strategy::Ttl(after) => Keep::Ttl {
            after: Duration::from_nanos(after.nanos().try_into().unwrap_or(0)),
            text: after.as_given().to_owned(),
        },
    }
}

fn refused(texts: impl Iterator<Item = String>) -> Ask {
    Ask::Refused(texts.collect())
}
