//! Which nodes there are and whether they are Ready, as the rows of `kubectl get nodes`: some 200 bytes for each.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::client::Kube;
use super::error::KubeError;
use crate::api::keys::{LABEL_HASH_PREFIX, node_label};

/// Rows only: the objects would be fifty times as long.
const ACCEPT: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PATH: &str = "/api/v1/nodes?includeObject=None";

/// Nodes by their value of the label `eipd.io/node`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes(BTreeMap<String, bool>);

/// As in k8s.io/apimachinery, `meta/v1.Table`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    #[serde(default)]
    column_definitions: Vec<Column>,
    /// `null` where there are none.
    rows: Option<Vec<Row>>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    cells: Vec<Value>,
}

impl Nodes {
    /// All of them, from the API server's cache. Empty means that the answer is not to be believed: somebody asked.
    pub async fn list(kube: &Kube) -> Result<Self, KubeError> {
        Self::read(kube, &format!("{PATH}&resourceVersion=0")).await
    }

    /// Whether the node of that label is there and Ready, read live.
    pub async fn lives(kube: &Kube, label: &str) -> Result<bool, KubeError> {
        // Behind a hash may be any of them.
        let path = match label.starts_with(LABEL_HASH_PREFIX) {
            true => PATH.to_owned(),
            false => format!("{PATH}&fieldSelector=metadata.name%3D{label}"),
        };
        Ok(Self::read(kube, &path).await?.is_ready(label))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// It is there, and Ready.
    pub fn is_ready(&self, label: &str) -> bool {
        self.0.get(label).copied().unwrap_or_default()
    }

    /// Those that are there and not Ready.
    pub fn not_ready(&self) -> impl Iterator<Item = &str> {
        let away = self.0.iter().filter(|(_, ready)| !**ready);
        away.map(|(label, _)| label.as_str())
    }

    async fn read(kube: &Kube, path: &str) -> Result<Self, KubeError> {
        let call = async {
            let request = http::Request::get(path).header(http::header::ACCEPT, ACCEPT);
            let request = request.body(Vec::new()).map_err(kube::Error::HttpError)?;
            kube.client().request::<Table>(request).await
        };
        Ok(Self::of(&kube.call("list", "nodes", call).await?))
    }

    fn of(table: &Table) -> Self {
        let column = |name: &str| {
            let mut all = table.column_definitions.iter();
            all.position(|column| column.name == name)
        };
        let (Some(name), Some(status)) = (column("Name"), column("Status")) else {
            return Self::default();
        };
        let row = |row: &Row| {
            let text = |at: usize| row.cells.get(at).and_then(Value::as_str);
            // "Ready", "NotReady", "Unknown", and ",SchedulingDisabled" behind each.
            let ready = text(status)?.split(',').next() == Some("Ready");
            Some((node_label(text(name)?), ready))
        };
        Self(table.rows.iter().flatten().filter_map(row).collect())
    }
}

/// For tests: labels, and whether the node is Ready.
#[cfg(test)]
impl<const N: usize> From<[(&str, bool); N]> for Nodes {
    fn from(nodes: [(&str, bool); N]) -> Self {
        Self(nodes.map(|(label, ready)| (label.to_owned(), ready)).into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use testbed::apiserver::{ApiServer, When};

    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn cluster() -> (ApiServer, Kube) {
        let api = ApiServer::new();
        let client = api.client("a");
        (
            api,
            Kube::new(client, Duration::from_secs(5), Metrics::new()),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn each_node_is_told_by_its_label_and_a_cordoned_one_lives() {
        let (api, kube) = cluster();
        let long = "n".repeat(70);
        for (name, ready) in [("a", true), ("b", false), (long.as_str(), true)] {
            api.set_node(name, ready).unwrap();
        }
        api.edit("nodes", "", "a", |node| {
            node["spec"]["unschedulable"] = Value::Bool(true);
        })
        .unwrap();
        let nodes = Nodes::list(&kube).await.unwrap();
        let ready = |label: &str| nodes.is_ready(label);
        assert!(ready("a") && !ready("b") && ready(&node_label(&long)) && !ready("c"));
        assert_eq!(nodes.not_ready().collect::<Vec<_>>(), ["b"]);
        for (label, lives) in [
            ("a", true),
            ("b", false),
            ("c", false),
            (&node_label(&long), true),
        ] {
            assert_eq!(Nodes::lives(&kube, label).await.unwrap(), lives, "{label}");
        }
        assert_eq!(api.count(&When::any().resource("nodes").client("a")), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn no_row_is_no_node() {
        let (_api, kube) = cluster();
        assert!(Nodes::list(&kube).await.unwrap().is_empty());
        let odd = serde_json::from_str::<Table>(r#"{"rows":null}"#).unwrap();
        assert!(Nodes::of(&odd).is_empty());
    }
}
