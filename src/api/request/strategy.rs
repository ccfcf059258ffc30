//! When the EIP is given back.

use super::annotations::Reader;
use super::{Notice, PodTraits};
use crate::api::goduration::GoDuration;
use crate::api::podeip::AllocationType;

const RELEASE_STRATEGY: &str = "pod-eip-release-strategy";
/// Longest duration that is kept as it was written, in bytes: Go reads any number of parts and digits, and an annotation
/// may have 256 KB, but the record is not the place for them.
const KEPT_AS_GIVEN: usize = 64;

/// When an EIP is given back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// With the pod.
    #[default]
    Follow,
    /// So long after the pod; never negative.
    Ttl(GoDuration),
    /// When the record is deleted by hand.
    Never,
}

impl Strategy {
    /// As it stands in a record.
    pub(super) fn allocation_type(&self, type_: &str) -> AllocationType {
        let (strategy, after) = match self {
            Self::Follow => ("Follow", None),
            Self::Ttl(after) => ("TTL", Some(after.as_given().to_owned())),
            Self::Never => ("Never", None),
        };
        AllocationType {
            type_: type_.to_owned(),
            release_strategy: strategy.to_owned(),
            release_after: after,
        }
    }
}

/// The strategy that is asked for; of a stateless pod nothing may outlive it, so that is said and Follow holds.
pub(super) fn read(reader: &mut Reader<'_>, pod: &PodTraits<'_>) -> Strategy {
    let asked = reader.setting(RELEASE_STRATEGY, None, parse);
    let Some(asked) = asked.filter(|asked| *asked != Strategy::Follow) else {
        return Strategy::Follow;
    };
    if pod.is_stateful() {
        return asked;
    }
    let text = "only for pods of a StatefulSet, pods without an owner, and kinds in customStatefulWorkloadKinds; Follow holds";
    let found = reader.peek(RELEASE_STRATEGY, None);
    reader
        .warnings
        .extend(found.map(|found| Notice::new(found.key, found.value, text)));
    Strategy::Follow
}

fn parse(value: &str) -> Result<Strategy, String> {
    const ALLOWED: &str = "must be Follow, Never or a Go duration such as 5m30s";
    match value {
        "Follow" => return Ok(Strategy::Follow),
        "Never" => return Ok(Strategy::Never),
        _ => {}
    }
    match GoDuration::parse(value) {
        Ok(after) if after.nanos() >= 0 => Ok(Strategy::Ttl(short(after))),
        Ok(_) => Err(format!("{ALLOWED}: it is negative")),
        Err(error) => Err(format!("{ALLOWED}: it is {error}")),
    }
}

/// The same duration, in few bytes.
fn short(after: GoDuration) -> GoDuration {
    if after.as_given().len() <= KEPT_AS_GIVEN {
        return after;
    }
    GoDuration::parse(&format!("{}ns", after.nanos())).unwrap_or(after)
}
