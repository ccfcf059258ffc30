//! Puts eipd into a cluster as a user does: `kubectl apply -k`.

use std::path::Path;

use k8s_openapi::api::apps::v1::DaemonSet;
use kube::Api;

use crate::clock;
use crate::command::{CommandError, run_long};
use crate::paths::Paths;

/// The namespace of the installation, and the name of everything in it.
pub const NAMESPACE: &str = "eipd";

/// Why eipd is not running.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("the DaemonSet is not ready after {seconds} s: {ready} of {wanted} agents are")]
    NotReady {
        seconds: u64,
        ready: i32,
        wanted: i32,
    },
}

/// Runs kubectl with the administrator's rights.
pub async fn kubectl(
    paths: &Paths,
    kubeconfig: &Path,
    args: &[&str],
) -> Result<String, CommandError> {
    let program = paths.program("kubectl").to_string_lossy().into_owned();
    // Its cache of what is served would stay behind in the user's home.
    let cache = format!(
        "--cache-dir={}",
        kubeconfig.with_file_name("kubectl-cache").display()
    );
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    run_long(&program, &[&[&*kubeconfig, &*cache], args].concat()).await
}

/// Applies a kustomization of the clone, such as `daemonset/overlays/demo`, and waits until its definitions are served.
pub async fn apply(paths: &Paths, kubeconfig: &Path, folder: &str) -> Result<(), InstallError> {
    let folder = paths.root.join(folder).to_string_lossy().into_owned();
    kubectl(paths, kubeconfig, &["apply", "-k", &folder]).await?;
    let definitions = [
        "crd/podeips.alibabacloud.com",
        "crd/poddnats.alibabacloud.com",
    ];
    let wait = ["wait", "--for=condition=Established", "--timeout=30s"];
    kubectl(paths, kubeconfig, &[&wait[..], &definitions].concat()).await?;
    Ok(())
}

/// Waits until as many agents as there are nodes are ready, `seconds` at most.
pub async fn wait_agents(
    client: &kube::Client,
    nodes: usize,
    seconds: u64,
) -> Result<(), InstallError> {
    let daemonsets: Api<DaemonSet> = Api::namespaced(client.clone(), NAMESPACE);
    let wanted = i32::try_from(nodes).unwrap_or(i32::MAX);
    let mut ready = 0;
    for _ in 0..seconds * 5 {
        let status = daemonsets
            .get(NAMESPACE)
            .await
            .ok()
            .and_then(|daemonset| daemonset.status);
        ready = status.map_or(0, |status| status.number_ready);
        if ready >= wanted {
            return Ok(());
        }
        clock::sleep(std::time::Duration::from_millis(200)).await;
    }
    Err(InstallError::NotReady {
        seconds,
        ready,
        wanted,
    })
}
