//! The definitions of both records, as `kubectl apply -k daemonset` installs them and `eipd crds` prints them.

/// `PodEIP` and `PodDNAT` as YAML, two documents.
pub const YAML: &str = concat!(
    include_str!("../../daemonset/crds/podeips.yaml"),
    "---\n",
    include_str!("../../daemonset/crds/poddnats.yaml"),
);

#[cfg(test)]
mod tests;
