//! An agent as a process: the release binary with a configuration file, and a token of the `ServiceAccount` that is bound
//! to its node, as a `DaemonSet` pod has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::clock;
use crate::install::NAMESPACE;
use crate::pki::{Pki, PkiError};
use crate::plane::{PlaneError, free_port};
use crate::process::{Process, ProcessError, Program};

/// Why an agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error("no port for the agent: {0}")]
    Port(#[from] Box<PlaneError>),
    #[error("no token for the agent of {node}: {source}")]
    Token {
        node: String,
        source: Box<kube::Error>,
    },
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{name} is not ready after {seconds} s; its output ends with:\n{tail}")]
    NotReady {
        name: String,
        seconds: u64,
        tail: String,
    },
}

/// What an agent needs to know; it can be started and killed as often as a test likes.
#[derive(Debug)]
pub struct Agent {
    /// Its name in this world, such as `agent-0`: log and pid file have it too.
    pub name: String,
    /// The node it serves.
    pub node: String,
    /// The port of `/healthz`, `/readyz` and `/metrics` on loopback.
    pub port: u16,
    binary: PathBuf,
    dir: PathBuf,
    kubeconfig: PathBuf,
    config: PathBuf,
    env: BTreeMap<String, String>,
    /// Configuration and environment as they were made.
    plain: (Value, BTreeMap<String, String>),
    process: Option<Process>,
}

/// What [`Agent::new`] takes.
#[derive(Debug)]
pub struct AgentSpec<'a> {
    pub name: &'a str,
    pub node: &'a str,
    pub binary: &'a Path,
    /// The world's folder.
    pub dir: &'a Path,
    pub pki: &'a Pki,
    /// The API server's URL.
    pub server: &'a str,
    /// The cloud's API door, `host:port`.
    pub api: &'a str,
    /// The node's metadata service, `host:port`.
    pub metadata: &'a str,
}

impl Agent {
    /// Writes its files; it is not started yet. The `ServiceAccount` and the node must exist.
    pub async fn new(client: &kube::Client, spec: &AgentSpec<'_>) -> Result<Self, AgentError> {
        let token = token(client, spec.node, &[]).await?;
        let kubeconfig = spec.pki.kubeconfig_with(spec.name, spec.server, &token)?;
        let mut agent = Self {
            name: spec.name.to_owned(),
            node: spec.node.to_owned(),
            port: free_port().map_err(Box::new)?,
            binary: spec.binary.to_owned(),
            dir: spec.dir.to_owned(),
            kubeconfig,
            config: spec.dir.join(format!("{}.yaml", spec.name)),
            env: BTreeMap::new(),
            plain: (Value::Null, BTreeMap::new()),
            process: None,
        };
        let api = format!("http://{}", spec.api);
        agent.plain.0 = json!({
            "endpoints": {"vpc": api, "ecs": api, "sts": api, "metadata": format!("http://{}", spec.metadata)},
            "listen": format!("127.0.0.1:{}", agent.port),
        });
        agent.plain.1 = BTreeMap::from([
            ("NODE_NAME".to_owned(), spec.node.to_owned()),
            (
                "KUBECONFIG".to_owned(),
                agent.kubeconfig.to_string_lossy().into_owned(),
            ),
        ]);
        agent.reset()?;
        Ok(agent)
    }

    /// Takes back what was configured and set since it was made; in force from its next start.
    pub fn reset(&mut self) -> Result<(), AgentError> {
        self.env = self.plain.1.clone();
        self.write(&self.plain.0)
    }

    /// Runs another command of its binary, with its configuration and environment.
    pub async fn command(&self, name: &str, further: &[&str]) -> Result<Output, AgentError> {
        let output = tokio::process::Command::new(&self.binary)
            .args([name, "--config"])
            .arg(&self.config)
            .args(further)
            .envs(&self.env)
            .kill_on_drop(true)
            .output();
        output.await.map_err(|source| AgentError::File {
            path: self.binary.clone(),
            source,
        })
    }

    /// Adds keys to its configuration file; in force from its next start.
    pub fn configure(&mut self, keys: &Value) -> Result<(), AgentError> {
        let old = std::fs::read(&self.config)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut config = old.unwrap_or_else(|| json!({}));
        if let (Some(config), Some(keys)) = (config.as_object_mut(), keys.as_object()) {
            config.extend(keys.clone());
        }
        self.write(&config)
    }

    fn write(&self, config: &Value) -> Result<(), AgentError> {
        // JSON is YAML.
        std::fs::write(&self.config, format!("{config:#}\n")).map_err(|source| AgentError::File {
            path: self.config.clone(),
            source,
        })
    }

    /// Sets a variable of its environment; in force from its next start.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    /// Starts it, ending the one before if there is one.
    pub fn start(&mut self) -> Result<(), AgentError> {
        self.sigkill();
        let config = self.config.to_string_lossy().into_owned();
        let program = Program {
            env: self.env.clone(),
            ..Program::new(&self.name, self.binary.clone())
        };
        self.process = Some(
            program
                .args(["run", "--config", &config])
                .start(&self.dir)?,
        );
        Ok(())
    }

    /// Waits until `/readyz` says 200, 30 s at most.
    pub async fn wait_ready(&self) -> Result<(), AgentError> {
        for _ in 0..300 {
            if self.get("/readyz").await.is_some() {
                return Ok(());
            }
            if !self.process.as_ref().is_some_and(Process::alive) {
                break;
            }
            clock::sleep(Duration::from_millis(100)).await;
        }
        let output = self.logs();
        let lines: Vec<&str> = output.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        Err(AgentError::NotReady {
            name: self.name.clone(),
            seconds: 30,
            tail,
        })
    }

    /// A page of its own server, such as `/metrics`, if it answers 200.
    pub async fn get(&self, path: &str) -> Option<String> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()
            .ok()?;
        let answer = http
            .get(format!("http://127.0.0.1:{}{path}", self.port))
            .send()
            .await
            .ok()?;
        if answer.status() != 200 {
            return None;
        }
        answer.text().await.ok()
    }

    /// Ends it as a crash does; it is gone when this returns.
    pub fn sigkill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.end();
        }
    }

    /// Asks it to drain and waits `time` at most for its end; its exit code.
    pub async fn sigterm(&mut self, time: Duration) -> Option<i32> {
        self.process.as_ref()?.signal(Signal::SIGTERM);
        self.wait(time).await
    }

    /// Waits for it to end by itself; its exit code.
    pub async fn wait(&mut self, time: Duration) -> Option<i32> {
        self.process.as_mut()?.wait(time).await
    }

    /// Its pid while it was started and not killed.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.identity.pid)
    }

    /// Resident memory in bytes.
    #[must_use]
    pub fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
            .map(|kib| kib * 1024)
    }

    /// Its whole output, of all its lives.
    #[must_use]
    pub fn logs(&self) -> String {
        let log = self.dir.join("log").join(format!("{}.log", self.name));
        std::fs::read(log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

/// A token for a day, bound to the node: admission sees the node's name in it, as in that of a pod. No `audiences`: the
/// API server's own.
pub async fn token(
    client: &kube::Client,
    node: &str,
    audiences: &[&str],
) -> Result<String, AgentError> {
    let failed = |source| AgentError::Token {
        node: node.to_owned(),
        source: Box::new(source),
    };
    let nodes: Api<Node> = Api::all(client.clone());
    let bound = BoundObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Node".to_owned()),
        name: Some(node.to_owned()),
        uid: nodes.get(node).await.map_err(failed)?.uid(),
    };
    let spec = TokenRequestSpec {
        bound_object_ref: Some(bound),
        expiration_seconds: Some(86_400),
        audiences: audiences.iter().map(|&it| it.to_owned()).collect(),
    };
    let request = TokenRequest {
        spec,
        ..TokenRequest::default()
    };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let answer = accounts
        .create_token_request(NAMESPACE, &PostParams::default(), &request)
        .await
        .map_err(failed)?;
    Ok(answer.status.map(|status| status.token).unwrap_or_default())
}
