//! `PodEIP`, the record of a pod's EIP, as it stands on the wire.
//!
//! Names, odd cases included, are those of ack-extend-network-controller, whose CRD may be the one that is installed.
//! Everything enum-like is a string here and parsed in the domain: a foreign record must never stop a watch.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{NamespaceResourceScope, Resource};
use serde::{Deserialize, Serialize};

use super::wire::lenient;

pub const GROUP: &str = "alibabacloud.com";
pub const VERSION: &str = "v1beta1";
pub const API_VERSION: &str = "alibabacloud.com/v1beta1";
pub const KIND: &str = "PodEIP";
pub const PLURAL: &str = "podeips";
/// Name of the CRD object.
pub const CRD_NAME: &str = "podeips.alibabacloud.com";

/// The record of one pod; it has the pod's namespace and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodEip {
    #[serde(default = "api_version")]
    pub api_version: Cow<'static, str>,
    #[serde(default = "kind")]
    pub kind: Cow<'static, str>,
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
    /// The EIP's instance id, `eip-...`; empty until one is known.
    #[serde(rename = "allocationID", default, deserialize_with = "lenient")]
    pub allocation_id: String,
    #[serde(
        rename = "bandwidthPackageID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub bandwidth_package_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub allocation_type: AllocationType,
}

/// Whose the EIP is, and when it is given back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AllocationType {
    /// `Auto` or `Static` (the user named the EIP).
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub type_: String,
    /// `Follow`, `TTL` or `Never`.
    #[serde(default, deserialize_with = "lenient")]
    pub release_strategy: String,
    /// A Go duration; with `TTL` only.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub release_after: Option<String>,
}

/// What is so. Third parties take the pod as reachable as soon as `eipAddress` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    #[serde(
        rename = "networkInterfaceID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub network_interface_id: Option<String>,
    #[serde(
        rename = "privateIPAddress",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub private_ip_address: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub eip_address: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub isp: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub internet_charge_type: Option<String>,
    #[serde(
        rename = "resourceGroupID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub resource_group_id: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    #[serde(
        rename = "publicIpAddressPoolID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub public_ip_address_pool_id: Option<String>,
    #[serde(
        rename = "bandwidthPackageID",
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub bandwidth_package_id: Option<String>,
    /// The EIP's own state in the cloud's words: `InUse`, `Available`, ...
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<String>,
    /// RFC 3339, as written.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub pod_last_seen: Option<String>,
}

impl PodEip {
    /// A record of that namespace and name; the rest is the caller's.
    pub fn new(namespace: &str, name: &str, spec: Spec) -> Self {
        Self {
            api_version: api_version(),
            kind: kind(),
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

impl Resource for PodEip {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

fn api_version() -> Cow<'static, str> {
    API_VERSION.into()
}

fn kind() -> Cow<'static, str> {
    KIND.into()
}

#[cfg(test)]
mod tests;
