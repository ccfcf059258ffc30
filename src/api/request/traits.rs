//! What about the pod itself bears on its request.

use k8s_openapi::api::core::v1::Pod;

/// Facts of a pod that its request is judged by.
#[derive(Clone, Debug, Default)]
pub struct PodTraits<'a> {
    pub host_network: bool,
    /// On a virtual node (ECI, ACS).
    pub virtual_node: bool,
    /// Kinds of the pod's owners.
    pub owner_kinds: Vec<&'a str>,
    /// Configuration's customStatefulWorkloadKinds.
    pub custom_stateful_kinds: &'a [String],
}

impl<'a> PodTraits<'a> {
    /// The traits of `pod`; whether its node is a virtual one is for the caller to know.
    pub fn of(pod: &'a Pod, virtual_node: bool, custom_stateful_kinds: &'a [String]) -> Self {
        let spec = pod.spec.as_ref();
        let owners = pod.metadata.owner_references.as_deref();
        Self {
            host_network: spec.and_then(|spec| spec.host_network).unwrap_or(false),
            virtual_node,
            owner_kinds: owners
                .unwrap_or_default()
                .iter()
                .map(|owner| owner.kind.as_str())
                .collect(),
            custom_stateful_kinds,
        }
    }

    /// Whether its name means something: a `StatefulSet`'s pod (apps or apps.kruise.io), a bare pod, or a kind that was
    /// configured as stateful.
    pub(super) fn is_stateful(&self) -> bool {
        let stateful = |kind: &&str| {
            *kind == "StatefulSet" || self.custom_stateful_kinds.iter().any(|k| k == kind)
        };
        self.owner_kinds.is_empty() || self.owner_kinds.iter().any(stateful)
    }
}
