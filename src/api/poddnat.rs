//! `PodDNAT`, the record of a pod's public ports on a NAT gateway, as it stands on the wire.
//!
//! All ports are strings. Alibaba's document shows `v1`, kruise-game reads `v1beta1`: the version is a value, found by
//! discovery, and the schema is the same.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{DynamicResourceScope, Resource};
use serde::{Deserialize, Serialize};

use super::podeip::GROUP;
use super::wire::{lenient, lenient_items};

pub const KIND: &str = "PodDNAT";
pub const PLURAL: &str = "poddnats";
/// Name of the CRD object.
pub const CRD_NAME: &str = "poddnats.alibabacloud.com";

/// The versions that are about; a client of one that is not served waits for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// The one to work at where it is served.
    #[default]
    V1beta1,
    V1,
}

impl Version {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1beta1 => "v1beta1",
            Self::V1 => "v1",
        }
    }
}

/// The record of one pod; it has the pod's namespace and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodDnat {
    #[serde(default)]
    pub api_version: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub metadata: ObjectMeta,
    #[serde(default, deserialize_with = "lenient")]
    pub spec: Spec,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<Status>,
}

/// What is intended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Old.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub vswitch: Option<String>,
    /// Old.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub eni: Option<String>,
    #[serde(
        rename = "zoneID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub zone_id: Option<String>,
    #[serde(
        rename = "externalIP",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub external_ip: Option<String>,
    /// Old: the one port of a record without `port_mapping`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub external_port: Option<String>,
    #[serde(
        rename = "internalIP",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub internal_ip: Option<String>,
    /// Old, as `external_port`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub internal_port: Option<String>,
    /// `tcp` or `udp`; upper case occurs.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub protocol: Option<String>,
    /// The NAT gateway's id in the published sample, a forward table's by its name.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub table_id: Option<String>,
    /// Old: the one entry.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub entry_id: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient_items",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub port_mapping: Vec<PortMapping>,
}

/// One port that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    #[serde(default, deserialize_with = "lenient")]
    pub external_port: String,
    #[serde(default, deserialize_with = "lenient")]
    pub internal_port: String,
}

/// What is so. Third parties take it as complete when there are as many entries as ports asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Old.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient_items",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub entries: Vec<Entry>,
}

/// One forward entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    #[serde(rename = "externalIP", default, deserialize_with = "lenient")]
    pub external_ip: String,
    #[serde(default, deserialize_with = "lenient")]
    pub external_port: String,
    #[serde(rename = "internalIP", default, deserialize_with = "lenient")]
    pub internal_ip: String,
    #[serde(default, deserialize_with = "lenient")]
    pub internal_port: String,
    #[serde(default, deserialize_with = "lenient")]
    pub forward_entry_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub ip_protocol: String,
}

impl PodDnat {
    /// A record of that namespace and name, at the version that is served; the rest is the caller's.
    pub fn new(version: Version, namespace: &str, name: &str, spec: Spec) -> Self {
        Self {
            api_version: Self::api_version(&version).into_owned(),
            kind: KIND.to_owned(),
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec,
            status: None,
        }
    }
}

impl Resource for PodDnat {
    type DynamicType = Version;
    type Scope = DynamicResourceScope;

    fn kind(_: &Version) -> Cow<'_, str> {
        KIND.into()
    }

    fn group(_: &Version) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version(version: &Version) -> Cow<'_, str> {
        version.as_str().into()
    }

    fn plural(_: &Version) -> Cow<'_, str> {
        PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests;
