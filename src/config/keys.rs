//! Every key there is: its path in the file, other names for it, its environment variable.

/// One key of the configuration.
#[derive(Debug)]
pub(super) struct Key {
    /// Its path in the file, with dots.
    pub path: &'static str,
    /// Another path that means the same.
    pub alias: Option<&'static str>,
    /// The variable that overrides it.
    pub env: Option<&'static str>,
    /// Whether its value must never be printed.
    pub secret: bool,
}

/// Keys of which no file of ack-extend-network-controller has any.
pub(super) const OWN_ROOTS: [&str; 10] = [
    "zoneID",
    "accountID",
    "nodeName",
    "eip",
    "rrsa",
    "endpoints",
    "metadata",
    "deadlines",
    "listen",
    "log",
];

/// The key that every file of ack-extend-network-controller has: it was required there.
pub(super) const ENC_ROOT: &str = "clusterID";

/// All keys. The first block has the names of ack-extend-network-controller, in its spelling.
pub(super) const KEYS: [Key; 39] = [
    key("clusterID", "EIPD_CLUSTER_ID"),
    key("regionID", "EIPD_REGION_ID"),
    aliased("vpcID", "networkController.vpcid", "EIPD_VPC_ID"),
    key("enableControllers", "EIPD_ENABLE_CONTROLLERS"),
    secret("credential.accessKey", "EIPD_ACCESS_KEY"),
    secret("credential.accessSecret", "EIPD_ACCESS_SECRET"),
    key("enableRRSA", "EIPD_ENABLE_RRSA"),
    key("rrsaRoleName", "EIPD_RRSA_ROLE_NAME"),
    key("enableVirtualNode", "EIPD_ENABLE_VIRTUAL_NODE"),
    aliased(
        "customStatefulWorkloadKinds",
        "networkController.customStatefulWorkloadKinds",
        "EIPD_CUSTOM_STATEFUL_WORKLOAD_KINDS",
    ),
    key("kubeClientQPS", "EIPD_KUBE_CLIENT_QPS"),
    key("kubeClientBurst", "EIPD_KUBE_CLIENT_BURST"),
    key(
        "networkController.eipController.maxConcurrentReconciles",
        "EIPD_MAX_CONCURRENT_RECONCILES",
    ),
    file_only("networkController.eipController.garbageCollectionPeriodInMinutes"),
    file_only("networkController.natGwPool"),
    key("zoneID", "EIPD_ZONE_ID"),
    key("accountID", "EIPD_ACCOUNT_ID"),
    key("nodeName", "NODE_NAME"),
    key("credential.folder", "EIPD_CREDENTIAL_FOLDER"),
    key("rrsa.roleArn", "ALIBABA_CLOUD_ROLE_ARN"),
    key("rrsa.providerArn", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
    key("rrsa.tokenFile", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
    key("rrsa.stsEndpoint", "ALIBABA_CLOUD_STS_ENDPOINT"),
    key("rrsa.stsRegion", "ALIBABA_CLOUD_STS_REGION"),
    key("rrsa.vpcEndpoint", "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"),
    key("eip.allowRob", "EIPD_EIP_ALLOW_ROB"),
    key("eip.liveBandwidth", "EIPD_EIP_LIVE_BANDWIDTH"),
    file_only("eip.limits"),
    key("endpoints.network", "EIPD_ENDPOINTS_NETWORK"),
    key("endpoints.vpc", "EIPD_ENDPOINTS_VPC"),
    key("endpoints.ecs", "EIPD_ENDPOINTS_ECS"),
    key("endpoints.sts", "EIPD_ENDPOINTS_STS"),
    key("endpoints.metadata", "EIPD_ENDPOINTS_METADATA"),
    key("metadata.plainMode", "EIPD_METADATA_PLAIN_MODE"),
    key("deadlines.cloudSeconds", "EIPD_DEADLINES_CLOUD_SECONDS"),
    key(
        "deadlines.apiServerSeconds",
        "EIPD_DEADLINES_API_SERVER_SECONDS",
    ),
    key("listen", "EIPD_LISTEN"),
    key("log.format", "EIPD_LOG_FORMAT"),
    key("log.level", "EIPD_LOG_LEVEL"),
];

const fn key(path: &'static str, env: &'static str) -> Key {
    Key {
        path,
        alias: None,
        env: Some(env),
        secret: false,
    }
}

const fn aliased(path: &'static str, alias: &'static str, env: &'static str) -> Key {
    Key {
        path,
        alias: Some(alias),
        env: Some(env),
        secret: false,
    }
}

const fn secret(path: &'static str, env: &'static str) -> Key {
    Key {
        path,
        alias: None,
        env: Some(env),
        secret: true,
    }
}

const fn file_only(path: &'static str) -> Key {
    Key {
        path,
        alias: None,
        env: None,
        secret: false,
    }
}

/// What a path in the file stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// A key, by either of its names.
    Key(&'static Key),
    /// The beginning of keys: a mapping.
    Section,
    /// Nothing.
    Unknown,
}

/// Looks a path up.
pub(super) fn find(path: &str) -> Found {
    let names = |key: &Key| key.path == path || key.alias == Some(path);
    if let Some(key) = KEYS.iter().find(|key| names(key)) {
        return Found::Key(key);
    }
    let inside = |name: &str| {
        name.strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let section = |key: &Key| inside(key.path) || key.alias.is_some_and(inside);
    if KEYS.iter().any(section) {
        Found::Section
    } else {
        Found::Unknown
    }
}

/// The key that a misspelt path probably means: the same letters in another case, or the same last part elsewhere.
pub(super) fn suggest(path: &str) -> Option<&'static str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    let same = KEYS.iter().find(|key| key.path.eq_ignore_ascii_case(path));
    let near = || KEYS.iter().find(|key| last(key.path) == last(path));
    same.or_else(near).map(|key| key.path)
}
