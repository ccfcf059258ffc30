//! Pod annotations -> request: parsed and checked once, in pure code, then frozen in the record.
//!
//! Keys, defaults and limits are those of Alibaba's documents for ack-extend-network-controller and of
//! `AllocateEipAddress`. What is wrong is told all at once, each with key, value and what is allowed.

mod annotations;
pub mod known;
mod notice;
pub(super) mod settings;
mod strategy;
mod tags;
mod traits;

use std::collections::BTreeMap;

use crate::cloud::vpc::AllocateArgs;
use crate::domain::ids::EipId;

use super::podeip::AllocationType;
use annotations::Reader;
pub use notice::Notice;
pub(super) use notice::shown;
pub use settings::{BANDWIDTH_MAX, ISPS, PROTECTIONS};
pub(crate) use settings::{charge_type, id, one_of};
pub use strategy::Strategy;
pub use traits::PodTraits;

/// What a pod's annotations ask of the EIP controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    pub request: Request,
    /// What the user should hear although nothing is refused.
    pub warnings: Vec<Notice>,
    /// The annotation that held for each name that was looked at, prefix included, for whoever judges the request further.
    pub written: BTreeMap<&'static str, String>,
}

/// The EIP that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// No EIP of ours.
    Nothing,
    /// A new EIP for this pod.
    Auto(Box<Auto>),
    /// An EIP that the user named: bound and unbound, nothing else.
    Static { eip: EipId, strategy: Strategy },
}

/// A new EIP, as it is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auto {
    /// With the user's tags only.
    pub args: AllocateArgs,
    /// The shared bandwidth package to join.
    pub package: Option<String>,
    pub strategy: Strategy,
}

const WITH_EIP: &str = "pod-with-eip";
pub(super) const INSTANCE_ID: &str = "pod-eip-instanceid";
const ECI_WITH_EIP: &str = "eci-with-eip";
const ECI_INSTANCE_ID: &str = "eci-eip-instanceid";

/// Reads the annotations of a pod with these traits. The error lists everything that is wrong; then nothing is asked.
pub fn parse(
    annotations: &BTreeMap<String, String>,
    pod: &PodTraits<'_>,
) -> Result<Parsed, Vec<Notice>> {
    let mut reader = Reader::new(annotations);
    if pod.virtual_node && reader.has_eci(&[ECI_WITH_EIP, ECI_INSTANCE_ID]) {
        return Ok(reader.finish_eci(&[WITH_EIP, INSTANCE_ID]));
    }
    let switch = reader.value(WITH_EIP, Some(ECI_WITH_EIP), on_or_off);
    if switch == Some(false) {
        return Ok(reader.finish(Request::Nothing));
    }
    // Beside the switch an empty id is a setting not made; alone it is all that was asked, so it is told.
    let named = match switch {
        Some(_) => reader.setting(INSTANCE_ID, Some(ECI_INSTANCE_ID), settings::eip_id),
        None => reader.value(INSTANCE_ID, Some(ECI_INSTANCE_ID), settings::eip_id),
    };
    let request = match (switch, named) {
        (_, Some(eip)) => {
            let strategy = strategy::read(&mut reader, pod);
            settings::warn_unused(&mut reader);
            Request::Static { eip, strategy }
        }
        (Some(_), None) => Request::Auto(Box::new(Auto {
            args: settings::read(&mut reader),
            package: settings::package(&mut reader),
            strategy: strategy::read(&mut reader, pod),
        })),
        (None, None) => Request::Nothing,
    };
    if pod.host_network && request != Request::Nothing {
        reader.refuse_first(
            &[WITH_EIP, INSTANCE_ID, ECI_WITH_EIP, ECI_INSTANCE_ID],
            "a pod with hostNetwork has the node's address and can't have an EIP of its own; remove the annotation or hostNetwork",
        );
    }
    if reader.problems.is_empty() {
        Ok(reader.finish(request))
    } else {
        Err(reader.problems)
    }
}

impl Request {
    /// `spec.allocationType` of the record; `None` when nothing is asked.
    pub fn allocation_type(&self) -> Option<AllocationType> {
        match self {
            Self::Nothing => None,
            Self::Auto(auto) => Some(auto.strategy.allocation_type("Auto")),
            Self::Static { strategy, .. } => Some(strategy.allocation_type("Static")),
        }
    }
}

fn on_or_off(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be \"true\" for an EIP or \"false\" for none".into()),
    }
}

#[cfg(test)]
mod tests;
