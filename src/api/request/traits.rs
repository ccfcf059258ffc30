//! What about the pod itself bears on its request.

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

impl PodTraits<'_> {
    /// Whether its name means something: a `StatefulSet`'s pod (apps or apps.kruise.io), a bare pod, or a kind that was
    /// configured as stateful.
    pub(in crate::api) fn is_stateful(&self) -> bool {
        let stateful = |kind: &&str| {
            *kind == "StatefulSet" || self.custom_stateful_kinds.iter().any(|k| k == kind)
        };
        self.owner_kinds.is_empty() || self.owner_kinds.iter().any(stateful)
    }
}
