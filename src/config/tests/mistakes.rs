//! Which error a mistake gives: file, line, key, and what to do.

use super::*;

/// File, and how its error begins.
type Row = (&'static str, &'static str);

const KEYS: &[Row] = &[
    ("a: 1\n", "config.yaml:1: a: unknown key"),
    (
        "\nregionId: x\n",
        "config.yaml:2: regionId: unknown key; did you mean regionID?",
    ),
    (
        "eipController: {maxConcurrentReconciles: 1}",
        "config.yaml:1: eipController: unknown key",
    ),
    (
        "log:\n  format: text\n  colour: true\n",
        "config.yaml:3: log.colour: unknown key",
    ),
];

const VALUES: &[Row] = &[
    (
        "networkController:\n  eipController:\n    maxConcurrentReconciles: many\n",
        "config.yaml:3: networkController.eipController.maxConcurrentReconciles: \
             expected a whole number from 1 to 1000, found \"many\"",
    ),
    (
        "networkController: {eipController: {maxConcurrentReconciles: '3'}}",
        "config.yaml:1: networkController.eipController.maxConcurrentReconciles: \
             expected a whole number from 1 to 1000, found \"3\"",
    ),
    (
        "kubeClientBurst: -1",
        "config.yaml:1: kubeClientBurst: expected a whole number from 1 to 1000000, found -1",
    ),
    (
        "kubeClientQPS: 0",
        "config.yaml:1: kubeClientQPS: expected a number above 0, found 0",
    ),
    ("kubeClientQPS: .inf", "config.yaml:1: "),
    (
        "kubeClientQPS: yes please",
        "config.yaml:1: kubeClientQPS: expected a number above 0, found \"yes please\"",
    ),
    (
        "enableVirtualNode: 1",
        "config.yaml:1: enableVirtualNode: expected true or false, found 1",
    ),
    (
        "regionID: [a]",
        "config.yaml:1: regionID: expected text, found a list",
    ),
    (
        "regionID: 1.5",
        "config.yaml:1: regionID: expected text (put it in quotes), found 1.5",
    ),
    (
        "regionID: cn/evil.example",
        "config.yaml:1: regionID: expected lower-case letters, digits and hyphens",
    ),
    (
        "enableControllers: eip",
        "config.yaml:1: enableControllers: expected a list, found \"eip\"",
    ),
    (
        "enableControllers: [dnat]",
        "config.yaml:1: enableControllers: \"dnat\" is no controller",
    ),
    (
        "log: info",
        "config.yaml:1: log: expected a mapping of keys, found text",
    ),
    (
        "- a\n",
        "config.yaml:1: the file: expected a mapping of keys, found a list",
    ),
    (
        "log: {level: inof}",
        "config.yaml:1: log.level: log level \"inof\": \"inof\" is none of off, error,",
    ),
    (
        "log: {format: xml}",
        "config.yaml:1: log.format: expected text or json, found \"xml\"",
    ),
    (
        "listen: 9752",
        "config.yaml:1: listen: expected an address and a port, as in 0.0.0.0:9752, found 9752",
    ),
    (
        "deadlines: {cloudSeconds: 31}",
        "config.yaml:1: deadlines.cloudSeconds: expected a whole number from 1 to 30",
    ),
    (
        "endpoints: {network: lan}",
        "config.yaml:1: endpoints.network: expected internal or public, found \"lan\"",
    ),
    (
        "endpoints: {vpc: 'http://vpc.example'}",
        "config.yaml:1: endpoints.vpc: ",
    ),
    (
        "nodeName: 'a b'",
        "config.yaml:1: nodeName: expected the name of a node, found \"a b\"",
    ),
    (
        "vpcID: vpc-1\nnetworkController: {vpcid: vpc-2}",
        "config.yaml:2: networkController.vpcid: differs from vpcID (config.yaml:1), which means the same",
    ),
];

#[test]
fn mistakes_are_named_with_file_line_and_key() {
    for (text, want) in KEYS.iter().chain(VALUES) {
        // The environment would hide a wrong nodeName.
        let env = if text.contains("nodeName") {
            env(&[])
        } else {
            env(&[("NODE_NAME", "n")])
        };
        let error = Config::parse("config.yaml", text, &env)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(want),
            "\n{text}\n gave {error}\n not {want}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn mistakes_in_the_nat_pool_are_named_to_the_item() {
    let pool = |item: &str| {
        error(&format!(
            "networkController:\n  natGwPool:\n  - natgwId: ngw-1\n  - {item}\n"
        ))
    };
    let table = [
        (
            "zoneId: z",
            ":2: networkController.natGwPool[1]: natgwId is not set",
        ),
        (
            "{natgwId: n, portRangeStart: 0}",
            ":4: networkController.natGwPool[1].portRangeStart: expected a whole",
        ),
        (
            "{natgwId: n, portRangeStart: 9, portRangeEnd: 8}",
            ":2: networkController.natGwPool[1]: portRangeStart 9",
        ),
        (
            "{natgwId: n, eips: [x]}",
            ":4: networkController.natGwPool[1].eips[0]: expected an IPv4 address or an EIP's id, found \"x\"",
        ),
        (
            "{natgwID: n}",
            ":4: networkController.natGwPool[1].natgwID: unknown key; there are natgwId,",
        ),
        (
            "ngw-2",
            ":2: networkController.natGwPool[1]: expected a mapping, found \"ngw-2\"",
        ),
    ];
    for (item, want) in table {
        let error = pool(item);
        assert!(
            error.starts_with(&format!("config.yaml{want}")),
            "\n{item}\n gave {error}\n not {want}"
        );
    }
}

#[test]
fn broken_yaml_is_named_with_its_line() {
    for (text, line) in [
        ("a: b: c\n", 1),
        ("log:\n  level: info\n level: x\n", 3),
        ("listen: 'x\n", 1),
    ] {
        let error = error(text);
        let lines = [
            format!("config.yaml:{line}: "),
            format!("config.yaml:{}: ", line + 1),
        ];
        assert!(
            lines.iter().any(|l| error.starts_with(l)),
            "{text:?} gave {error}"
        );
        assert!(
            !error.contains('|') && !error.contains("<input>"),
            "a snippet: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
    let twice = error("regionID: a\nlisten: 0.0.0.0:1\nregionID: b\n");
    assert!(
        twice.starts_with("config.yaml:3: duplicate mapping key `regionID` is not allowed here"),
        "{twice}"
    );
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let error = parse_with("", &[("EIPD_LISTEN", "x\ny")])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("environment variable EIPD_LISTEN: listen: expected an address"),
        "{error}"
    );
    assert!(!error.contains('\n'));
    let error = Config::parse("", "", &env(&[])).unwrap_err().to_string();
    assert!(
        error.contains("nodeName") && error.contains("NODE_NAME"),
        "{error}"
    );
}
