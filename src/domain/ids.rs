//! Names of things in the cloud and in the cluster, each a type of its own so that none is taken for another.

use std::fmt;
use std::net::Ipv4Addr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An EIP's instance id (`AllocationId` in the VPC API), `eip-...`.
    EipId
}
id! {
    /// A network interface's id, `eni-...`.
    EniId
}
id! {
    /// A Kubernetes object's uid; another object of the same name has another one.
    Uid
}
id! {
    /// The cluster's mark: the uid of the kube-system namespace.
    ClusterUid
}
id! {
    /// An object's resourceVersion: opaque, compared for equality only.
    ResourceVersion
}
id! {
    /// The cloud's `RequestId`, kept in every error, log line and Event that comes from the cloud.
    RequestId
}

/// A private address on a network interface: where an EIP can stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub eni: EniId,
    pub ip: Ipv4Addr,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.eni, self.ip)
    }
}

/// A namespaced object's key. Pod and record of one pod share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
