//! What `eipd config` shows, key by key.

use super::super::keys::KEYS;
use super::super::show::Row;
use super::*;

fn shown(text: &str, pairs: &[(&str, &str)]) -> Vec<Row> {
    let mut env = env(pairs);
    env.entry("NODE_NAME".into()).or_insert_with(|| "n1".into());
    Config::explain("config.yaml", text, &env).unwrap().1
}

fn row(rows: &[Row], key: &str) -> (String, String) {
    let found = rows.iter().find(|row| row.key == key).unwrap();
    (found.value.to_string(), found.from.clone())
}

fn is(rows: &[Row], key: &str, value: &str, from: &str) {
    assert_eq!(row(rows, key), (value.to_owned(), from.to_owned()), "{key}");
}

#[test]
fn every_key_is_shown_once_with_its_value_and_where_it_came_from() {
    let text = "clusterID: c1\nregionID: cn-beijing\nkubeClientQPS: 2.5\n\
                networkController: {natGwPool: [{natgwId: ngw-1}]}\nlog:\n  format: json\n";
    let rows = shown(text, &[("EIPD_REGION_ID", "cn-hangzhou")]);
    let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
    let due: Vec<_> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(keys, due);
    is(&rows, "clusterID", "\"c1\"", "config.yaml:1");
    let variable = "environment variable EIPD_REGION_ID";
    is(&rows, "regionID", "\"cn-hangzhou\"", variable);
    is(&rows, "kubeClientQPS", "2.5", "config.yaml:3");
    let pool = "[{\"natgwId\":\"ngw-1\"}]";
    is(&rows, "networkController.natGwPool", pool, "config.yaml:4");
    is(&rows, "log.format", "\"json\"", "config.yaml:6");
    is(
        &rows,
        "nodeName",
        "\"n1\"",
        "environment variable NODE_NAME",
    );
    is(&rows, "enableControllers", "[\"eip\",\"natgw\"]", "default");
    is(&rows, "deadlines.cloudSeconds", "10", "default");
    is(&rows, "vpcID", "null", "default");
    let most = "networkController.eipController.maxConcurrentReconciles";
    is(&rows, most, "6", "default");
}

/// Each key given a value of its own: then none may show what it shows when nothing is given.
#[test]
fn every_value_that_is_given_shows() {
    let text = "\
clusterID: c1
regionID: r1
vpcID: v1
zoneID: z1
accountID: a1
enableControllers: [eip]
enableRRSA: true
rrsaRoleName: n
enableVirtualNode: true
customStatefulWorkloadKinds: [Foo]
kubeClientQPS: 1
kubeClientBurst: 2
networkController:
  natGwPool: [{natgwId: ngw-1}]
  eipController: {maxConcurrentReconciles: 3, garbageCollectionPeriodInMinutes: 4}
credential: {accessKey: AK, accessSecret: AS, folder: /f}
rrsa: {roleArn: 'acs:ram::1:role/n', providerArn: p, tokenFile: /t, stsEndpoint: sts.example, stsRegion: s1, vpcEndpoint: false}
eip: {allowRob: true, liveBandwidth: true, limits: [{namespaces: [a]}]}
endpoints: {network: public, vpc: v.example, ecs: e.example, sts: s.example, metadata: 'http://127.0.0.1'}
metadata: {plainMode: false}
deadlines: {cloudSeconds: 5, apiServerSeconds: 6}
listen: 127.0.0.1:1
log: {format: json, level: debug}
";
    let (given, none) = (shown(text, &[("NODE_NAME", "other")]), shown("", &[]));
    for (given, none) in given.iter().zip(&none) {
        assert_ne!(given.value, none.value, "{}", given.key);
        assert_ne!(given.from, "default", "{}", given.key);
    }
}

#[test]
fn no_secret_shows() {
    let secret = "Hush30CharactersOfAccessSecret";
    let text = format!("credential: {{accessKey: LTAIhush, accessSecret: {secret}}}\n");
    for (text, pairs) in [
        (text.as_str(), vec![]),
        (
            "",
            vec![
                ("EIPD_ACCESS_KEY", "LTAIhush"),
                ("EIPD_ACCESS_SECRET", secret),
            ],
        ),
    ] {
        let rows = shown(text, &pairs);
        let all = format!("{rows:?} {}", serde_json::to_string(&rows).unwrap());
        assert!(!all.contains(secret) && !all.contains("LTAIhush"), "{all}");
        assert_eq!(row(&rows, "credential.accessSecret").0, "\"(hidden)\"");
    }
}
