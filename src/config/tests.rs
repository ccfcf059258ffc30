//! Tables: what a file and an environment stand for, and which error a mistake gives.

use secrecy::ExposeSecret as _;

use super::*;

mod credential;
mod limits;
mod mistakes;
mod page;
mod show;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

fn parse_with(text: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut env = env(pairs);
    env.entry("NODE_NAME".into())
        .or_insert_with(|| "cn-hangzhou.10.0.0.1".into());
    Config::parse("config.yaml", text, &env)
}

fn parse(text: &str) -> Config {
    parse_with(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn error(text: &str) -> String {
    parse_with(text, &[]).unwrap_err().to_string()
}

#[test]
fn nothing_given_is_enough_inside_ack() {
    for text in ["", "# only a comment\n", "---\n", "log:\n", "{}"] {
        let config = parse(text);
        assert_eq!(config.node, "cn-hangzhou.10.0.0.1");
        assert_eq!(config.place, Place::default());
        assert_eq!(config.listen.to_string(), "0.0.0.0:9752");
        assert_eq!(
            config.controllers,
            Controllers {
                eip: true,
                natgw: true
            }
        );
        assert_eq!(
            config.log,
            Log {
                format: logs::Format::Text,
                level: "info".into()
            }
        );
        assert_eq!(config.deadlines.cloud, Duration::from_secs(10));
        assert!(config.metadata_plain_mode && config.credential.access_key.is_none());
        assert!(config.nat_gateways.is_empty() && config.warnings.is_empty());
        assert_eq!(config.eip, EipSettings::default());
    }
}

const ENC_FILE: &str = r#"
clusterID: "c11ba338192xxxxxxx"
regionID: "cn-hangzhou"
vpcID: "vpc-bp1rkq0zxxxxxx"
enableControllers:
  - eip
  - natgw
enableVirtualNode: true
kubeClientQPS: 12.5
kubeClientBurst: 20
networkController:
  vpcid: vpc-bp1rkq0zxxxxxx
  eipController:
    maxConcurrentReconciles: 3
    garbageCollectionPeriodInMinutes: 1
  customStatefulWorkloadKinds:
  - foo
  natGwPool:
    - natgwId: "ngw-1"
      zoneId: "cn-hangzhou-j"
      portRangeStart: 512
      portRangeEnd: 600
      eips:
        - "203.0.113.7"
    - natgwId: ngw-2
      zoneId: cn-hangzhou-k
      eips: [""]
credential:
  accessKey: ""
  accessSecret: ""
"#;

#[test]
fn a_values_file_of_enc_works_as_it_is() {
    let config = parse(ENC_FILE);
    assert_eq!(config.cluster_id.as_deref(), Some("c11ba338192xxxxxxx"));
    assert_eq!(config.place.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(config.place.vpc.as_deref(), Some("vpc-bp1rkq0zxxxxxx"));
    assert!(config.virtual_node && config.credential.access_key.is_none());
    assert_eq!(
        config.kube_client,
        KubeClient {
            qps: Some(12.5),
            burst: Some(20)
        }
    );
    assert_eq!(config.cloud_calls_in_flight, Some(3));
    assert_eq!(config.garbage_collection_minutes, Some(1));
    assert_eq!(config.custom_stateful_kinds, ["foo"]);
    let first = NatGateway {
        id: "ngw-1".into(),
        zone: Some("cn-hangzhou-j".into()),
        ports: 512..=600,
        eips: vec![PublicEip::Address([203, 0, 113, 7].into())],
    };
    assert_eq!(config.nat_gateways[0], first);
    assert_eq!(config.nat_gateways[1].ports, 512..=1024);
    assert!(config.nat_gateways[1].eips.is_empty());
}

#[test]
fn what_enc_has_and_we_do_not_need_is_said() {
    let warnings = parse(ENC_FILE).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("config.yaml:2: clusterID is accepted and has no effect"));
    assert!(warnings[1].contains("garbageCollectionPeriodInMinutes"));
}

#[test]
fn unknown_keys_are_refused_in_our_form_and_warned_of_in_encs() {
    let enc = format!("{ENC_FILE}\nreplicaCount: 2\nnetworkController2: {{a: 1}}\n");
    let warnings = parse(&enc).warnings;
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("replicaCount: unknown key, ignored")),
        "{warnings:?}"
    );
    assert!(error(&format!("{enc}listen: 0.0.0.0:1\n")).contains("replicaCount: unknown key"));
}

#[test]
fn our_own_keys() {
    let config = parse(
        "regionID: cn-hangzhou\nzoneID: cn-hangzhou-j\naccountID: 1234567890123456\n\
         endpoints: {network: public, vpc: 'http://127.0.0.1:8080', ecs: ecs.example, metadata: 'http://127.0.0.1:9'}\n\
         metadata: {plainMode: false}\ndeadlines: {cloudSeconds: 30, apiServerSeconds: 5}\n\
         listen: '[::1]:80'\nlog: {format: json, level: 'info,eipd::cloud=debug'}\n",
    );
    assert_eq!(config.place.account.as_deref(), Some("1234567890123456"));
    assert_eq!(config.place.zone.as_deref(), Some("cn-hangzhou-j"));
    let endpoints = Endpoints {
        network: Network::Public,
        vpc: Some("http://127.0.0.1:8080".into()),
        ecs: Some("ecs.example".into()),
        sts: None,
        metadata: Some("http://127.0.0.1:9".into()),
    };
    assert_eq!(config.endpoints, endpoints);
    assert!(!config.metadata_plain_mode);
    assert_eq!(config.deadlines.cloud, Duration::from_secs(30));
    assert_eq!(config.deadlines.api_server, Duration::from_secs(5));
    assert_eq!(config.listen.to_string(), "[::1]:80");
    assert_eq!(config.log.format, logs::Format::Json);
}

#[test]
fn bare_words_of_yaml_1_1_are_text() {
    assert_eq!(parse("log: {level: off}").log.level, "off");
    assert_eq!(parse("zoneID: n").place.zone.as_deref(), Some("n"));
}

#[test]
fn the_environment_wins() {
    let text = "regionID: cn-beijing\nenableControllers: [eip, natgw]\nlisten: 0.0.0.0:1\n";
    let pairs = [
        ("EIPD_REGION_ID", "cn-hangzhou"),
        ("EIPD_VPC_ID", ""),
        ("EIPD_ENABLE_CONTROLLERS", "eip, "),
        ("EIPD_ENABLE_RRSA", "false"),
        ("EIPD_KUBE_CLIENT_QPS", "0.5"),
        ("EIPD_KUBE_CLIENT_BURST", "7"),
        ("EIPD_LISTEN", "127.0.0.1:2"),
        ("NODE_NAME", "node-a"),
        // What Kubernetes puts there for a Service named eipd.
        ("EIPD_PORT", "tcp://10.0.0.1:9752"),
        ("EIPD_SERVICE_HOST", "10.0.0.1"),
    ];
    let config = parse_with(text, &pairs).unwrap();
    assert_eq!(config.node, "node-a");
    assert_eq!(
        config.place,
        Place {
            region: Some("cn-hangzhou".into()),
            ..Place::default()
        }
    );
    assert_eq!(
        config.controllers,
        Controllers {
            eip: true,
            natgw: false
        }
    );
    assert_eq!(config.credential.rrsa, None);
    assert_eq!(
        config.kube_client,
        KubeClient {
            qps: Some(0.5),
            burst: Some(7)
        }
    );
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
}

const SECRET: &str = "Hush30CharactersOfAccessSecret";

#[test]
fn secrets_show_nowhere() {
    let config = parse(&format!(
        "credential: {{accessKey: AK1, accessSecret: {SECRET}}}\n"
    ));
    assert_eq!(config.credential.access_key.as_ref().unwrap().id, "AK1");
    assert!(!format!("{config:?}").contains(SECRET));
    let table = [
        format!("credential: {{accessSecret: {SECRET}}}\n"),
        format!("credential: {{accessKey: a, accessSecret: [{SECRET}]}}\n"),
        format!("credential: {{accessKey: a, accessSecret: {SECRET}: x}}\n"),
        format!("credential:\n  accessSecret: {SECRET}\n accessKey: a\n"),
        format!("credential:\n  accessSecret: '{SECRET}\n"),
        format!("credential:\n  accessSecret: {SECRET}\n  accessSecret: {SECRET}\n"),
        format!("credential: {SECRET}\n"),
    ];
    for text in table {
        assert!(!error(&text).contains(SECRET), "{}", error(&text));
    }
    // Wrong types and broken lines are told without what stands there.
    for secret in ["271828.5", "false", "'271828.5", "[271828.5"] {
        let error = error(&format!(
            "credential: {{accessKey: a, accessSecret: {secret}}}\n"
        ));
        assert!(
            !error.contains("271828") && !error.contains("found false"),
            "{error}"
        );
    }
    let halves = error(&format!("credential: {{accessSecret: {SECRET}}}\n"));
    assert!(
        halves.contains("credential.accessKey is not set; set both or neither"),
        "{halves}"
    );
    let config = parse_with(
        "",
        &[("EIPD_ACCESS_KEY", "AK2"), ("EIPD_ACCESS_SECRET", SECRET)],
    )
    .unwrap();
    assert_eq!(
        config.credential.access_key.unwrap().secret.expose_secret(),
        SECRET
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("/nonexistent/eipd.yaml")))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot read the configuration /nonexistent/eipd.yaml: No such file"),
        "{error}"
    );
}

#[test]
fn every_key_has_a_name_of_its_own() {
    let mut names: Vec<_> = keys::KEYS
        .iter()
        .flat_map(|k| [Some(k.path), k.alias, k.env])
        .flatten()
        .collect();
    names.sort_unstable();
    let before = names.len();
    names.dedup();
    assert_eq!(names.len(), before);
    let taken = |env: &str| {
        env == "EIPD_PORT" || env.starts_with("EIPD_PORT_") || env.starts_with("EIPD_SERVICE_")
    };
    assert!(
        !keys::KEYS.iter().filter_map(|k| k.env).any(taken),
        "Kubernetes sets it for a Service named eipd"
    );
}
