//! Settings -> [`Config`]: types, ranges, defaults, and what must go together.

use std::net::SocketAddr;
use std::time::Duration;

use super::error::ConfigError;
use super::settings::{Given, Settings};
use super::{
    Config, Controllers, DEFAULT_PORT, Deadlines, EipSettings, Endpoints, KubeClient, Log,
    NatGateway, Place, PublicEip,
};
use super::{credential, limits};
use crate::cloud::endpoints::{Endpoint, Network};
use crate::domain::ids::EipId;
use crate::telemetry::logs;

/// Names that go into host names: a region with a slash or a dot in it would choose somebody else's host.
const ID_WANTED: &str = "lower-case letters, digits and hyphens";

/// ENC's defaults for a gateway's ports.
const PORTS: (u32, u32) = (512, 1024);

pub(super) fn config(settings: &Settings) -> Result<Config, ConfigError> {
    let mut warnings = settings.warnings.clone();
    warnings.extend(without_meaning(settings));
    Ok(Config {
        node: node(settings)?,
        cluster_id: settings.text("clusterID")?,
        place: place(settings)?,
        controllers: controllers(settings)?,
        credential: credential::credential(settings)?,
        virtual_node: settings.flag("enableVirtualNode")?.unwrap_or(false),
        custom_stateful_kinds: settings
            .list("customStatefulWorkloadKinds")?
            .unwrap_or_default(),
        kube_client: kube_client(settings)?,
        cloud_calls_in_flight: settings.whole(
            "networkController.eipController.maxConcurrentReconciles",
            1..=1000,
        )?,
        garbage_collection_minutes: settings.whole(
            "networkController.eipController.garbageCollectionPeriodInMinutes",
            0..=u32::MAX,
        )?,
        nat_gateways: nat_gateways(settings)?,
        eip: eip(settings)?,
        endpoints: endpoints(settings)?,
        metadata_plain_mode: settings.flag("metadata.plainMode")?.unwrap_or(true),
        deadlines: deadlines(settings)?,
        listen: listen(settings)?,
        log: log(settings)?,
        warnings,
    })
}

/// Keys of ENC that are accepted so that its files work, and that change nothing here.
fn without_meaning(settings: &Settings) -> Vec<String> {
    let table = [
        (
            "clusterID",
            "the cluster's mark is the uid of its kube-system namespace",
        ),
        (
            "networkController.eipController.garbageCollectionPeriodInMinutes",
            "sweeps are timed by the number of nodes",
        ),
    ];
    let line = |(path, why): (&str, &str)| {
        let given = settings.get(path)?;
        Some(format!(
            "{}: {path} is accepted and has no effect: {why}",
            given.origin
        ))
    };
    table.into_iter().filter_map(line).collect()
}

fn node(settings: &Settings) -> Result<String, ConfigError> {
    let Some(given) = settings.get("nodeName") else {
        return Err(ConfigError::Missing {
            key: "nodeName",
            remedy: "let the DaemonSet fill NODE_NAME from spec.nodeName",
        });
    };
    let name = given.text()?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.len() > 253 || !name.chars().all(allowed) {
        return Err(given.unexpected("the name of a node"));
    }
    Ok(name)
}

fn place(settings: &Settings) -> Result<Place, ConfigError> {
    Ok(Place {
        region: id(settings, "regionID")?,
        zone: id(settings, "zoneID")?,
        vpc: id(settings, "vpcID")?,
        account: id(settings, "accountID")?,
    })
}

pub(super) fn id(settings: &Settings, path: &str) -> Result<Option<String>, ConfigError> {
    settings.get(path).map(id_of).transpose()
}

fn id_of(given: &Given) -> Result<String, ConfigError> {
    let text = given.text()?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.chars().all(allowed) {
        Ok(text)
    } else {
        Err(given.unexpected(ID_WANTED))
    }
}

fn controllers(settings: &Settings) -> Result<Controllers, ConfigError> {
    let path = "enableControllers";
    let (Some(given), Some(names)) = (settings.get(path), settings.list(path)?) else {
        return Ok(Controllers {
            eip: true,
            natgw: true,
        });
    };
    if let Some(other) = names
        .iter()
        .find(|name| !matches!(name.as_str(), "eip" | "natgw"))
    {
        return Err(given.refuse(format!(
            "{other:?} is no controller; there are eip and natgw"
        )));
    }
    let has = |name: &str| names.iter().any(|given| given == name);
    Ok(Controllers {
        eip: has("eip"),
        natgw: has("natgw"),
    })
}

fn kube_client(settings: &Settings) -> Result<KubeClient, ConfigError> {
    Ok(KubeClient {
        qps: settings.get("kubeClientQPS").map(Given::rate).transpose()?,
        burst: settings.whole("kubeClientBurst", 1..=1_000_000)?,
    })
}

fn nat_gateways(settings: &Settings) -> Result<Vec<NatGateway>, ConfigError> {
    match settings.get("networkController.natGwPool") {
        None => Ok(Vec::new()),
        Some(pool) => pool.items()?.iter().map(nat_gateway).collect(),
    }
}

fn nat_gateway(given: &Given) -> Result<NatGateway, ConfigError> {
    let fields = given.fields(&[
        "natgwId",
        "zoneId",
        "portRangeStart",
        "portRangeEnd",
        "eips",
    ])?;
    let id = fields
        .get("natgwId")
        .ok_or_else(|| given.refuse("natgwId is not set"))?;
    let port =
        |name: &str, default: u32| fields.get(name).map_or(Ok(default), |f| f.whole(1..=65535));
    let (first, last) = (
        port("portRangeStart", PORTS.0)?,
        port("portRangeEnd", PORTS.1)?,
    );
    if first > last {
        return Err(given.refuse(format!(
            "portRangeStart {first} is above portRangeEnd {last}"
        )));
    }
    let narrow = |port: u32| u16::try_from(port).unwrap_or(u16::MAX);
    let eips = fields.get("eips").map_or(Ok(Vec::new()), Given::items)?;
    Ok(NatGateway {
        id: id_of(id)?,
        zone: fields.get("zoneId").map(id_of).transpose()?,
        ports: narrow(first)..=narrow(last),
        eips: eips.iter().map(public_eip).collect::<Result<_, _>>()?,
    })
}

/// The published form is the address; Terway's users know ids.
fn public_eip(given: &Given) -> Result<PublicEip, ConfigError> {
    match given.text()? {
        id if id.starts_with("eip-") => Ok(PublicEip::Id(EipId::new(id))),
        _ => given
            .parsed("an IPv4 address or an EIP's id")
            .map(PublicEip::Address),
    }
}

fn eip(settings: &Settings) -> Result<EipSettings, ConfigError> {
    let limits = settings.get("eip.limits").map(limits::read).transpose()?;
    Ok(EipSettings {
        allow_rob: settings.flag("eip.allowRob")?.unwrap_or(false),
        live_bandwidth: settings.flag("eip.liveBandwidth")?.unwrap_or(false),
        limits: limits.unwrap_or_default(),
    })
}

fn endpoints(settings: &Settings) -> Result<Endpoints, ConfigError> {
    Ok(Endpoints {
        network: network(settings)?,
        vpc: endpoint(settings, "endpoints.vpc")?,
        ecs: endpoint(settings, "endpoints.ecs")?,
        sts: endpoint(settings, "endpoints.sts")?,
        metadata: settings.text("endpoints.metadata")?,
    })
}

fn network(settings: &Settings) -> Result<Network, ConfigError> {
    let Some(given) = settings.get("endpoints.network") else {
        return Ok(Network::default());
    };
    match given.text()?.as_str() {
        "internal" => Ok(Network::Internal),
        "public" => Ok(Network::Public),
        _ => Err(given.unexpected("internal or public")),
    }
}

pub(super) fn endpoint(settings: &Settings, path: &str) -> Result<Option<String>, ConfigError> {
    let Some(given) = settings.get(path) else {
        return Ok(None);
    };
    let text = given.text()?;
    Endpoint::parse(&text).map_err(|error| given.refuse(error.to_string()))?;
    Ok(Some(text))
}

fn deadlines(settings: &Settings) -> Result<Deadlines, ConfigError> {
    let seconds = |path: &str| {
        let seconds = settings.whole(path, 1..=30)?.unwrap_or(10);
        Ok(Duration::from_secs(seconds.into()))
    };
    Ok(Deadlines {
        cloud: seconds("deadlines.cloudSeconds")?,
        api_server: seconds("deadlines.apiServerSeconds")?,
    })
}

fn listen(settings: &Settings) -> Result<SocketAddr, ConfigError> {
    let wanted = "an address and a port, as in 0.0.0.0:9752";
    let default = SocketAddr::from(([0, 0, 0, 0], DEFAULT_PORT));
    Ok(settings.parsed("listen", wanted)?.unwrap_or(default))
}

fn log(settings: &Settings) -> Result<Log, ConfigError> {
    let level = settings.text("log.level")?;
    if let (Some(given), Some(level)) = (settings.get("log.level"), &level) {
        logs::filter(level).map_err(|error| given.refuse(error.to_string()))?;
    }
    Ok(Log {
        format: log_format(settings)?,
        level: level.unwrap_or_else(|| "info".to_owned()),
    })
}

fn log_format(settings: &Settings) -> Result<logs::Format, ConfigError> {
    let Some(given) = settings.get("log.format") else {
        return Ok(logs::Format::default());
    };
    match given.text()?.as_str() {
        "text" => Ok(logs::Format::Text),
        "json" => Ok(logs::Format::Json),
        _ => Err(given.unexpected("text or json")),
    }
}
