//! From a pod's annotations to the ports that are asked for here and now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::ports::{self, DNAT};
use crate::api::request::PodTraits;
use crate::domain::ids::Uid;
use crate::domain::ports::{PortAsk, PortWish, Workload};
use crate::kubeapi::pods::PodWire;

/// `asks_eip`: an EIP is asked for too. The cloud allows one of the two on an address, and the EIP comes first.
pub fn ask(
    pod: &PodWire,
    annotations: &BTreeMap<String, String>,
    traits: &PodTraits<'_>,
    asks_eip: bool,
) -> PortAsk {
    let texts = |all: Vec<_>| all.iter().map(ToString::to_string).collect::<Vec<String>>();
    match ports::parse(annotations, traits) {
        Ok(parsed) if parsed.ports.is_none() => PortAsk::Nothing,
        _ if asks_eip => PortAsk::EipInstead(format!(
            "{DNAT}: the pod asks for an EIP too, and the cloud allows an EIP or DNAT on one address; it gets the EIP; take one of the two annotations away"
        )),
        Err(wrong) => PortAsk::Refused(texts(wrong).into()),
        Ok(parsed) => parsed.ports.map_or(PortAsk::Nothing, |ports| {
            PortAsk::Ports(Arc::new(PortWish {
                workload: workload(pod).filter(|_| ports.fixed),
                ports,
                warnings: texts(parsed.warnings),
            }))
        }),
    }
}

fn workload(pod: &PodWire) -> Option<Workload> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let owner = owners.find(|it| it.controller == Some(true) && it.kind == "StatefulSet")?;
    Some(Workload {
        api_version: owner.api_version.clone(),
        name: owner.name.clone(),
        uid: Uid::new(&owner.uid),
    })
}
