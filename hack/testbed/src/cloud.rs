//! The simulated cloud as a process, and a client of its control door (`hack/cloudsim/README.md`).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock;
use crate::net::{METADATA_ADDRESS, Network};
use crate::node::Instance;
use crate::paths::Paths;
use crate::process::{Process, ProcessError, Program};

mod instances;

/// The port of the API door inside a node's namespace, on its loopback; `daemonset/overlays/demo` names it too.
pub const NODE_API_PORT: u16 = 9780;
/// The RAM role of every node.
pub const ROLE: &str = "eipd-node";

/// What the cloud did not do.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("cloudsim did not say where it listens; its output:\n{0}")]
    Silent(String),
    #[error("cloudsim: {0}")]
    Http(#[from] reqwest::Error),
    #[error("cloudsim refused {method} {path}: {answer}")]
    Refused {
        method: Method,
        path: String,
        answer: String,
    },
    #[error("cloudsim answered {path} with something else than expected: {source}")]
    Form {
        path: String,
        source: serde_json::Error,
    },
}

/// Where an EIP stands, as `GET /eips` has it; what is not here is in [`Eip::raw`].
#[derive(Debug, Clone, Deserialize)]
pub struct Eip {
    pub id: String,
    pub ip: Ipv4Addr,
    /// `Available`, `Associating`, `InUse`, ...
    pub status: String,
    pub place: Option<Place>,
    #[serde(skip)]
    pub raw: Value,
}

/// The place of an EIP.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    pub eni_id: Option<String>,
    pub private_ip: Option<Ipv4Addr>,
}

/// What `GET /calls` has of a call; times are milliseconds of the cloud's clock.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub sequence: u64,
    pub door: String,
    pub action: String,
    pub args: BTreeMap<String, String>,
    pub received_ms: u64,
    pub answered_ms: Option<u64>,
    pub code: Option<String>,
    pub request_id: String,
    /// `open`, `answered`, `dropped` (before the work), `lost` (after it).
    pub outcome: String,
}

/// An `AccessKey` of the cloud's account.
#[derive(Debug, Clone, Deserialize)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
}

/// A running cloud.
#[derive(Debug)]
pub struct Cloud {
    http: reqwest::Client,
    /// The control door's URL.
    pub control: String,
    /// The API door on the machine's loopback, `host:port` for plain http.
    pub api: String,
    pub region: String,
    pub zone: String,
    /// The VPC and the vSwitch that all nodes are in; empty until [`Cloud::create_vpc`].
    pub vpc: String,
    pub vswitch: String,
    pub process: Process,
}

impl Cloud {
    /// Starts a cloud that is empty but for the nodes' role.
    pub async fn start(paths: &Paths, dir: &Path) -> Result<Self, CloudError> {
        let program = Program::new("cloudsim", paths.cloudsim.clone());
        let process = program
            .args(["--control", "127.0.0.1:0", "--api", "127.0.0.1:0"])
            .start(dir)?;
        let doors = wait_doors(&process).await?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Nothing of this goes through a proxy, whatever the environment says.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let (vpc, vswitch) = (String::new(), String::new());
        let (region, zone) = ("cn-hangzhou".to_owned(), "cn-hangzhou-i".to_owned());
        let cloud = Self {
            http,
            control: doors.control,
            api: doors.api,
            region,
            zone,
            vpc,
            vswitch,
            process,
        };
        cloud.post("/roles", &json!({"name": ROLE})).await?;
        Ok(cloud)
    }

    /// Adds the VPC and its vSwitch, both with the network's whole range.
    pub async fn create_vpc(&mut self, network: &Network) -> Result<(), CloudError> {
        let vpc = self.post("/vpcs", &json!({"cidr": network.cidr()})).await?;
        self.vpc = text(&vpc, "id");
        let order =
            json!({"vpc_id": self.vpc, "cidr": network.cidr(), "zone": self.zone, "name": "nodes"});
        self.vswitch = text(&self.post("/vswitches", &order).await?, "id");
        Ok(())
    }

    /// Serves metadata and API inside the node's namespace, where the agent looks for them without being told.
    pub async fn serve_namespace(
        &self,
        instance: &Instance,
        netns: &str,
    ) -> Result<(), CloudError> {
        let netns = format!("/run/netns/{netns}");
        let metadata = format!("{METADATA_ADDRESS}:80");
        self.listen(&json!({
            "door": "metadata", "instance": instance.instance_id, "address": metadata, "netns": netns,
        }))
        .await?;
        let api = format!("127.0.0.1:{NODE_API_PORT}");
        self.listen(&json!({"door": "api", "address": api, "netns": netns}))
            .await?;
        Ok(())
    }

    /// Serves an instance's metadata on a free port of the machine's loopback; `host:port`.
    pub async fn serve_metadata(&self, instance: &Instance) -> Result<String, CloudError> {
        self.listen(&json!({"door": "metadata", "instance": instance.instance_id, "address": "127.0.0.1:0"})).await
    }

    async fn listen(&self, order: &Value) -> Result<String, CloudError> {
        Ok(text(&self.post("/listeners", order).await?, "address"))
    }

    /// An `AccessKey` that may do everything.
    pub async fn create_access_key(&self) -> Result<AccessKey, CloudError> {
        form("/access-keys", self.post("/access-keys", &json!({})).await?)
    }

    /// Changes the settings that are named, at any depth: `{"settle": {"associate_ms": 2000}}`.
    pub async fn set(&self, settings: &Value) -> Result<(), CloudError> {
        self.call(Method::PATCH, "/settings", Some(settings))
            .await
            .map(|_| ())
    }

    /// Orders a fault, such as `{"action": "AllocateEipAddress", "count": 1, "fault": {"kind": "hold"}}`; its number.
    pub async fn order_fault(&self, fault: &Value) -> Result<u64, CloudError> {
        Ok(self.post("/faults", fault).await?["id"]
            .as_u64()
            .unwrap_or_default())
    }

    /// Removes all faults.
    pub async fn clear_faults(&self) -> Result<(), CloudError> {
        self.call(Method::DELETE, "/faults", None).await.map(|_| ())
    }

    /// Calls and answers that are held now.
    pub async fn holds(&self) -> Result<Vec<Value>, CloudError> {
        self.read("/holds").await
    }

    /// Lets a held one go: `deliver` or `lose`.
    pub async fn release_hold(&self, id: u64, release: &str) -> Result<(), CloudError> {
        self.post(&format!("/holds/{id}"), &json!({"release": release}))
            .await
            .map(|_| ())
    }

    /// The EIPs that exist.
    pub async fn eips(&self) -> Result<Vec<Eip>, CloudError> {
        let all: Vec<Value> = self.read("/eips").await?;
        all.into_iter()
            .map(|raw| form::<Eip>("/eips", raw.clone()).map(|eip| Eip { raw, ..eip }))
            .collect()
    }

    /// Every call that reached the API door, oldest first.
    pub async fn calls(&self) -> Result<Vec<Call>, CloudError> {
        self.read("/calls?door=api").await
    }

    /// The number of calls by action since the start.
    pub async fn counts(&self) -> Result<BTreeMap<String, u64>, CloudError> {
        self.read("/counts").await
    }

    /// Any other call of the control door.
    pub async fn get(&self, path: &str) -> Result<Value, CloudError> {
        self.call(Method::GET, path, None).await
    }

    /// Any other call of the control door.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CloudError> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, CloudError> {
        form(path, self.get(path).await?)
    }

    /// Any other call of the control door.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CloudError> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.control));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let answer = answer.text().await?;
        if !status.is_success() {
            return Err(CloudError::Refused {
                method,
                path: path.to_owned(),
                answer,
            });
        }
        serde_json::from_str(&answer).map_err(|source| CloudError::Form {
            path: path.to_owned(),
            source,
        })
    }
}

/// What cloudsim prints when it listens.
#[derive(Deserialize)]
struct Doors {
    control: String,
    api: String,
}

/// Its log holds both streams; the line is the only one of that form. 10 s at most.
async fn wait_doors(process: &Process) -> Result<Doors, CloudError> {
    for _ in 0..200 {
        let output = process.output();
        if let Some(doors) = output
            .lines()
            .find_map(|line| serde_json::from_str(line).ok())
        {
            return Ok(doors);
        }
        if !process.alive() {
            break;
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    Err(CloudError::Silent(process.output()))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn form<T: serde::de::DeserializeOwned>(path: &str, value: Value) -> Result<T, CloudError> {
    serde_json::from_value(value).map_err(|source| CloudError::Form {
        path: path.to_owned(),
        source,
    })
}
