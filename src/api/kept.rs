//! What a pod asks now, against what its record froze: settings that act when an EIP is created change nothing later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::request::settings::{
    BANDWIDTH, DESCRIPTION, INTERNET_CHARGE_TYPE, ISP, NAME, POOL, PROTECTION, RESOURCE_GROUP, TAGS,
};
use super::request::shown;
use crate::cloud::vpc::AllocateArgs;

/// What `AllocateEipAddress` takes where no ISP is sent.
const DEFAULT_ISP: &str = "BGP";
/// Our own tags begin so; the user's may not.
const OWN_TAGS: &str = "eipd-";

/// How the two differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Settings that stay as they were.
    pub settings: Vec<Change>,
    /// Mbit/s kept and asked: the configuration may let it reach a living EIP.
    pub bandwidth: Option<(u32, u32)>,
}

/// One create-only setting; its text is an Event's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The annotation's name, without a prefix.
    pub key: &'static str,
    /// What the EIP has, escaped and cut; empty for nothing.
    pub kept: String,
    /// What the pod asks for, escaped and cut; empty for nothing.
    pub asked: String,
}

/// Compares what the EIP was created with and what is asked now. A default that is written out is no change.
pub fn changes(frozen: &AllocateArgs, asked: &AllocateArgs) -> Changes {
    let bandwidth = (frozen.bandwidth, asked.bandwidth);
    let (tags_kept, tags_asked) = tags(frozen, asked);
    let charge = |args: &AllocateArgs| args.internet_charge_type.as_str();
    let (kept_types, asked_types) = (protection(frozen), protection(asked));
    let settings = [
        (INTERNET_CHARGE_TYPE, charge(frozen), charge(asked)),
        (ISP, isp(frozen), isp(asked)),
        (POOL, text(frozen.pool.as_ref()), text(asked.pool.as_ref())),
        (
            RESOURCE_GROUP,
            text(frozen.resource_group.as_ref()),
            text(asked.resource_group.as_ref()),
        ),
        (NAME, text(frozen.name.as_ref()), text(asked.name.as_ref())),
        (
            DESCRIPTION,
            text(frozen.description.as_ref()),
            text(asked.description.as_ref()),
        ),
        (PROTECTION, &kept_types, &asked_types),
        (TAGS, &tags_kept, &tags_asked),
    ];
    Changes {
        settings: settings
            .into_iter()
            .filter(|(_, kept, asked)| kept != asked)
            .map(|(key, kept, asked)| Change::new(key, kept, asked))
            .collect(),
        bandwidth: Some(bandwidth).filter(|(kept, asked)| kept != asked),
    }
}

impl Changes {
    /// The bandwidth as one more setting that stays, where the configuration does not let it reach a living EIP.
    pub fn bandwidth_stays(&self) -> Option<Change> {
        let (kept, asked) = self.bandwidth?;
        Some(Change::new(
            BANDWIDTH,
            &kept.to_string(),
            &asked.to_string(),
        ))
    }
}

impl Change {
    fn new(key: &'static str, kept: &str, asked: &str) -> Self {
        Self {
            key,
            kept: shown(kept),
            asked: shown(asked),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, kept, asked } = self;
        write!(
            f,
            "{key} \"{asked}\": acts when the EIP is created; this EIP "
        )?;
        match kept.as_str() {
            "" => f.write_str("has none")?,
            kept => write!(f, "keeps \"{kept}\"")?,
        }
        f.write_str("; delete the PodEIP to get another")
    }
}

fn text(value: Option<&String>) -> &str {
    value.map(String::as_str).unwrap_or_default()
}

fn isp(args: &AllocateArgs) -> &str {
    match text(args.isp.as_ref()) {
        "" => DEFAULT_ISP,
        isp => isp,
    }
}

/// In one order, for it has none.
fn protection(args: &AllocateArgs) -> String {
    let types: BTreeSet<&str> = args
        .security_protection_types
        .iter()
        .map(String::as_str)
        .collect();
    types.into_iter().collect::<Vec<_>>().join(",")
}

/// The user's tags in which the two differ, for all of them would not fit into an Event.
fn tags(frozen: &AllocateArgs, asked: &AllocateArgs) -> (String, String) {
    let but = |args: &AllocateArgs, other: &AllocateArgs| {
        let differing: BTreeMap<&str, &str> = args
            .tags
            .iter()
            .filter(|(key, value)| {
                !key.starts_with(OWN_TAGS) && other.tags.get(*key) != Some(value)
            })
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        match differing.is_empty() {
            true => String::new(),
            // A map of strings always has a JSON form.
            false => serde_json::to_string(&differing).unwrap_or_default(),
        }
    };
    (but(frozen, asked), but(asked, frozen))
}

#[cfg(test)]
mod tests;
