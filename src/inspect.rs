//! `eipd config`: what is in force and where each value came from, what the node itself says included.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;
use crate::cloud::http::{Exchange, Wire};
use crate::config::{Config, DEFAULT, Row};
use crate::node::identity::Identity;
use crate::node::metadata::Metadata;
use crate::telemetry::escape::plain;

/// For all that the metadata service is asked.
const DEADLINE: Duration = Duration::from_secs(5);
const NODE: &str = "metadata service";
const SILENT: &str = "unknown: the metadata service does not answer";

/// What the node's metadata service says, or why it says nothing.
pub async fn node(config: &Config) -> Result<Identity, String> {
    let wire: Arc<dyn Exchange> = Arc::new(Wire::new().map_err(|error| error.to_string())?);
    let metadata = Metadata::for_config(config, wire).map_err(|error| error.to_string())?;
    match clock::timeout(DEADLINE, Identity::read(&metadata)).await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
    }
}

/// The rows with what only the node knows; what the agent would stop for is told in place.
pub fn completed(rows: Vec<Row>, node: &Result<Identity, String>) -> Vec<Row> {
    let mut rows: Vec<_> = rows.into_iter().map(|row| from_node(row, node)).collect();
    let further = |key, value: fn(&Identity) -> Value| Row {
        key,
        value: node.as_ref().map_or(Value::Null, value),
        from: if node.is_ok() { NODE } else { SILENT }.to_owned(),
    };
    rows.push(further("(vSwitch)", |node| json!(node.vswitch)));
    rows.push(further("(instance)", |node| json!(node.instance_id)));
    rows.push(further("(RAM role)", |node| json!(node.role)));
    rows
}

fn from_node(mut row: Row, node: &Result<Identity, String>) -> Row {
    let said: fn(&Identity) -> &str = match row.key {
        "regionID" => |node| &node.region,
        "vpcID" => |node| &node.vpc,
        "zoneID" => |node| &node.zone,
        "accountID" => |node| &node.account,
        _ => return row,
    };
    match (node, row.from == DEFAULT) {
        (Ok(node), true) => {
            row.value = json!(said(node));
            NODE.clone_into(&mut row.from);
        }
        (Err(_), true) => SILENT.clone_into(&mut row.from),
        (Ok(node), false) if row.value != said(node) => {
            row.from = format!("{}; the {NODE} says {}", row.from, said(node));
        }
        _ => {}
    }
    row
}

/// As columns, for people; whatever users wrote is escaped.
pub fn table(rows: &[Row]) -> String {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => plain(text).into_owned(),
        other => plain(&other.to_string()).into_owned(),
    };
    let lines: Vec<_> = rows.iter().map(|row| (row, text(&row.value))).collect();
    let keys = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    let values = lines.iter().map(|(_, text)| text.chars().count());
    let values = values.filter(|width| *width <= 40).max().unwrap_or(0);
    let mut out = format!("{:keys$}  {:values$}  FROM\n", "KEY", "VALUE");
    for (row, text) in lines {
        // Writing to a String never fails.
        let _ = writeln!(
            out,
            "{:keys$}  {text:values$}  {}",
            row.key,
            plain(&row.from)
        );
    }
    out
}

/// As a list of `{key, value, from}`.
pub fn json(rows: &[Row]) -> String {
    let text = serde_json::to_string_pretty(rows).unwrap_or_default();
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn identity() -> Identity {
        Identity {
            region: "cn-hangzhou".to_owned(),
            zone: "cn-hangzhou-a".to_owned(),
            vpc: "vpc-1".to_owned(),
            vswitch: "vsw-1".to_owned(),
            instance_id: "i-1".to_owned(),
            account: "123".to_owned(),
            role: Some("worker".to_owned()),
        }
    }

    fn rows(text: &str) -> Vec<Row> {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), "n1".to_owned())]);
        Config::explain("config.yaml", text, &env).unwrap().1
    }

    fn line(rows: &[Row], key: &str) -> String {
        let table = table(rows);
        let of = |line: &&str| line.split_whitespace().next() == Some(key);
        let line = table.lines().find(of).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_node_fills_in_what_nobody_configured() {
        let rows = completed(rows("vpcID: vpc-1"), &Ok(identity()));
        assert_eq!(
            line(&rows, "regionID"),
            "regionID cn-hangzhou metadata service"
        );
        assert_eq!(line(&rows, "vpcID"), "vpcID vpc-1 config.yaml:1");
        assert_eq!(line(&rows, "accountID"), "accountID 123 metadata service");
        assert!(table(&rows).contains("(RAM role)"));
    }

    #[test]
    fn where_both_speak_and_differ_both_are_told() {
        let rows = completed(rows("vpcID: vpc-2"), &Ok(identity()));
        let told = line(&rows, "vpcID");
        assert!(
            told.contains("vpc-2") && told.contains("says vpc-1"),
            "{told}"
        );
    }

    #[test]
    fn a_node_that_says_nothing_is_told() {
        let rows = completed(rows(""), &Err("connection refused".to_owned()));
        let told = line(&rows, "zoneID");
        assert!(told.contains("unknown"), "{told}");
    }

    #[test]
    fn what_users_wrote_cannot_forge_a_line() {
        let rows = rows("clusterID: \"a\\nregionID  forged\"");
        assert_eq!(table(&rows).lines().count(), rows.len() + 1);
        assert!(json(&rows).contains("\\n"));
    }
}
