//! The control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock;
use crate::net::SERVICE_CIDR;
use crate::paths::Paths;
use crate::pki::{Pki, PkiError};
use crate::process::{Process, ProcessError, Program};

/// The API server's port where it has an address of its own (the bridge's).
pub const API_PORT: u16 = 6443;

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("no free port: {0}")]
    Port(std::io::Error),
    #[error("{name} {what}; the end of {log}:\n{tail}", log = log.display())]
    NotReady {
        name: String,
        what: &'static str,
        log: PathBuf,
        tail: String,
    },
    #[error("client: {0}")]
    Client(#[from] kube::Error),
    #[error("kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
}

/// What differs from one control plane to another.
#[derive(Debug, Clone, Default)]
pub struct PlaneSpec {
    /// The bridge's address; `None` means loopback, on a free port.
    pub address: Option<Ipv4Addr>,
    /// The names of all nodes that will ever join: each gets a token.
    pub nodes: Vec<String>,
    /// Whether nodes are only played: then nobody renews their leases, and nobody judges them by these.
    pub played: bool,
    /// Further arguments of the API server, such as `--runtime-config=...`.
    pub api_arguments: Vec<String>,
    /// Further arguments of the controller manager.
    pub manager_arguments: Vec<String>,
}

/// A running control plane.
#[derive(Debug)]
pub struct Plane {
    pub pki: Pki,
    /// `https://ADDRESS:PORT`
    pub server: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// etcd, kube-apiserver, kube-controller-manager, kube-scheduler, in this order.
    pub processes: Vec<Process>,
}

impl Plane {
    /// Starts all four; the API server answers `/readyz` when this returns.
    pub async fn start(paths: &Paths, dir: &Path, spec: &PlaneSpec) -> Result<Self, PlaneError> {
        let pki = Pki::create(&dir.join("pki"), &spec.nodes)?;
        let (etcd_url, etcd) = start_etcd(paths, dir)?;
        let address = spec.address.unwrap_or(Ipv4Addr::LOCALHOST);
        let port = if spec.address.is_some() {
            API_PORT
        } else {
            free_port()?
        };
        let server = format!("https://{address}:{port}");
        let mut api = start_api(paths, dir, spec, &pki, &etcd_url, (address.into(), port))?;
        wait_certificate(&pki, &mut api).await?;
        let kubeconfig = pki.kubeconfig("admin", &server)?;
        wait_ready(&client(&kubeconfig).await?, &mut api).await?;
        let manager = start_manager(paths, dir, spec, &pki, &server)?;
        let scheduler = start_scheduler(paths, dir, &pki, &server)?;
        Ok(Self {
            pki,
            server,
            kubeconfig,
            processes: vec![etcd, api, manager, scheduler],
        })
    }

    /// A client with the administrator's rights.
    pub async fn client(&self) -> Result<kube::Client, PlaneError> {
        client(&self.kubeconfig).await
    }
}

/// A client from a kubeconfig file.
pub async fn client(kubeconfig: &Path) -> Result<kube::Client, PlaneError> {
    // Another crate of this process may have chosen a provider before: then that one is good too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let config =
        kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
            .await?;
    Ok(kube::Client::try_from(config)?)
}

/// A port of loopback that nobody listens on now.
pub fn free_port() -> Result<u16, PlaneError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(PlaneError::Port)?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(PlaneError::Port)
}

fn start_etcd(paths: &Paths, dir: &Path) -> Result<(String, Process), PlaneError> {
    let client = format!("http://127.0.0.1:{}", free_port()?);
    let peer = format!("http://127.0.0.1:{}", free_port()?);
    let data = dir.join("etcd").to_string_lossy().into_owned();
    let program = Program::new("etcd", paths.program("etcd")).args([
        format!("--data-dir={data}"),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]);
    Ok((client, program.start(dir)?))
}

fn start_api(
    paths: &Paths,
    dir: &Path,
    spec: &PlaneSpec,
    pki: &Pki,
    etcd: &str,
    (address, port): (IpAddr, u16),
) -> Result<Process, PlaneError> {
    let program = Program::new("kube-apiserver", paths.program("kube-apiserver")).args([
        format!("--etcd-servers={etcd}"),
        format!("--bind-address={address}"),
        format!("--advertise-address={address}"),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", pki.text("apiserver")),
        format!("--token-auth-file={}", pki.text("tokens.csv")),
        format!("--service-account-key-file={}", pki.text("sa.key")),
        format!("--service-account-signing-key-file={}", pki.text("sa.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_CIDR}"),
        format!(
            "--kubelet-client-certificate={}",
            pki.text("kubelet-client.crt")
        ),
        format!("--kubelet-client-key={}", pki.text("kubelet-client.key")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--allow-privileged".to_owned(),
        "--profiling=false".to_owned(),
    ]);
    Ok(program
        .args(spec.api_arguments.iter().cloned())
        .start(dir)?)
}

fn start_manager(
    paths: &Paths,
    dir: &Path,
    spec: &PlaneSpec,
    pki: &Pki,
    server: &str,
) -> Result<Process, PlaneError> {
    let kubeconfig = pki.kubeconfig("controller-manager", server)?;
    let played = ",-node-lifecycle-controller,-taint-eviction-controller,-daemonset-controller";
    let program = Program::new(
        "kube-controller-manager",
        paths.program("kube-controller-manager"),
    )
    .args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--root-ca-file={}", pki.ca()),
        format!("--service-account-private-key-file={}", pki.text("sa.key")),
        format!("--controllers=*{}", if spec.played { played } else { "" }),
        "--use-service-account-credentials".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
    ]);
    Ok(program
        .args(spec.manager_arguments.iter().cloned())
        .start(dir)?)
}

fn start_scheduler(
    paths: &Paths,
    dir: &Path,
    pki: &Pki,
    server: &str,
) -> Result<Process, PlaneError> {
    let kubeconfig = pki.kubeconfig("scheduler", server)?;
    let program = Program::new("kube-scheduler", paths.program("kube-scheduler"));
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    Ok(program
        .args([&kubeconfig, "--leader-elect=false", "--secure-port=0"])
        .start(dir)?)
}

/// The API server makes its certificate before it listens.
async fn wait_certificate(pki: &Pki, api: &mut Process) -> Result<(), PlaneError> {
    for _ in 0..600 {
        if Path::new(&pki.ca()).exists() {
            return Ok(());
        }
        if !api.alive() {
            break;
        }
        clock::sleep(Duration::from_millis(50)).await;
    }
    Err(not_ready(api, "wrote no certificate"))
}

/// Ready within 60 s, or its log's end.
async fn wait_ready(client: &kube::Client, api: &mut Process) -> Result<(), PlaneError> {
    for _ in 0..600 {
        let request = http::Request::get("/readyz")
            .body(Vec::new())
            .unwrap_or_default();
        if client.request_text(request).await.is_ok() {
            return Ok(());
        }
        if !api.alive() {
            break;
        }
        clock::sleep(Duration::from_millis(100)).await;
    }
    Err(not_ready(api, "did not become ready"))
}

fn not_ready(process: &Process, what: &'static str) -> PlaneError {
    let output = process.output();
    let lines: Vec<&str> = output.lines().collect();
    let tail = lines[lines.len().saturating_sub(20)..].join("\n");
    PlaneError::NotReady {
        name: process.name.clone(),
        what,
        log: process.log.clone(),
        tail,
    }
}
