//! What is in force, key by key, and where each value came from. Values are taken from [`Config`] itself: what is shown is
//! what the agent goes by.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::keys::{KEYS, Key};
use super::settings::Settings;
use super::{Config, yaml};
use crate::cloud::endpoints::Network;
use crate::telemetry::logs::Format;

/// One key's value. Its text and JSON hold no secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub key: &'static str,
    /// Null: nothing is set.
    pub value: Value,
    /// `file:line`, a variable, or what supplies it where nobody configured it.
    pub from: String,
}

/// Of a value that nobody configured.
pub const DEFAULT: &str = "default";
const HIDDEN: &str = "(hidden)";

pub(super) fn rows(settings: &Settings, config: &Config) -> Vec<Row> {
    KEYS.iter().map(|key| row(key, settings, config)).collect()
}

fn row(key: &'static Key, settings: &Settings, config: &Config) -> Row {
    let given = settings.get(key.path);
    let value = match (given, key.secret) {
        (Some(_), true) => json!(HIDDEN),
        (None, true) => Value::Null,
        (Some(given), false) if is_structure(key.path) => plain(&given.value),
        _ => in_force(key.path, config),
    };
    let from = given.map_or_else(|| DEFAULT.to_owned(), |given| given.origin.to_string());
    Row {
        key: key.path,
        value,
        from,
    }
}

/// Shown as written: each entry has its own meaning.
fn is_structure(path: &str) -> bool {
    matches!(path, "eip.limits" | "networkController.natGwPool")
}

fn in_force(path: &str, config: &Config) -> Value {
    let file = |path: Option<&Path>| json!(path.map(|path| path.display().to_string()));
    let (place, rrsa, hosts) = (&config.place, &config.credential.rrsa, &config.endpoints);
    let rrsa = rrsa.as_ref();
    match path {
        "clusterID" => json!(config.cluster_id),
        "regionID" => json!(place.region),
        "vpcID" => json!(place.vpc),
        "zoneID" => json!(place.zone),
        "accountID" => json!(place.account),
        "nodeName" => json!(config.node),
        "enableControllers" => controllers(config),
        "enableRRSA" => json!(rrsa.is_some()),
        "rrsaRoleName" => json!(rrsa.and_then(|it| it.role_arn.rsplit('/').next())),
        "enableVirtualNode" => json!(config.virtual_node),
        "customStatefulWorkloadKinds" => json!(config.custom_stateful_kinds),
        "kubeClientQPS" => json!(config.kube_client.qps),
        "kubeClientBurst" => json!(config.kube_client.burst),
        "networkController.eipController.maxConcurrentReconciles" => {
            json!(config.steps_in_flight())
        }
        "networkController.eipController.garbageCollectionPeriodInMinutes" => {
            json!(config.garbage_collection_minutes)
        }
        "credential.folder" => file(config.credential.folder.as_deref()),
        "rrsa.roleArn" => json!(rrsa.map(|it| &it.role_arn)),
        "rrsa.providerArn" => json!(rrsa.map(|it| &it.provider_arn)),
        "rrsa.tokenFile" => file(rrsa.map(|it| it.token_file.as_path())),
        "rrsa.stsEndpoint" => json!(rrsa.and_then(|it| it.endpoint.as_ref())),
        "rrsa.stsRegion" => json!(rrsa.and_then(|it| it.region.as_ref())),
        "rrsa.vpcEndpoint" => json!(rrsa.and_then(|it| it.internal)),
        "eip.allowRob" => json!(config.eip.allow_rob),
        "eip.liveBandwidth" => json!(config.eip.live_bandwidth),
        "endpoints.network" => json!(match hosts.network {
            Network::Internal => "internal",
            Network::Public => "public",
        }),
        "endpoints.vpc" => json!(hosts.vpc),
        "endpoints.ecs" => json!(hosts.ecs),
        "endpoints.sts" => json!(hosts.sts),
        "endpoints.metadata" => json!(hosts.metadata),
        "metadata.plainMode" => json!(config.metadata_plain_mode),
        "deadlines.cloudSeconds" => json!(config.deadlines.cloud.as_secs()),
        "deadlines.apiServerSeconds" => json!(config.deadlines.api_server.as_secs()),
        "listen" => json!(config.listen.to_string()),
        "log.format" => json!(match config.log.format {
            Format::Text => "text",
            Format::Json => "json",
        }),
        "log.level" => json!(config.log.level),
        _ => Value::Null, // a structure that is not given
    }
}

fn controllers(config: &Config) -> Value {
    let each = [
        ("eip", config.controllers.eip),
        ("natgw", config.controllers.natgw),
    ];
    let on = each.into_iter().filter(|(_, on)| *on);
    json!(on.map(|(name, _)| name).collect::<Vec<_>>())
}

fn plain(value: &yaml::Value) -> Value {
    match value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Flag(flag) => json!(flag),
        yaml::Value::Whole(number) => json!(number.to_string().parse::<i64>().ok()),
        yaml::Value::Float(number) => json!(number),
        yaml::Value::Text(text) => json!(text),
        yaml::Value::List(items) => items.iter().map(plain).collect(),
        yaml::Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), plain(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
