//! The node's containerd: its own root, state, socket and CNI, so that nodes share nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{NodeError, ctr, write};
use crate::clock;
use crate::paths::Paths;
use crate::process::Program;

/// What every sandbox runs.
const PAUSE_IMAGE: &str = "localhost/eipd-pause:dev";

/// Writes `home/containerd/config.toml`, with the folder of the CNI plugins; the socket's path.
pub fn configure(home: &Path, plugins: &Path) -> Result<PathBuf, NodeError> {
    let dir = home.join("containerd");
    let socket = dir.join("c.sock");
    let text = format!(
        r#"version = 2
root = "{dir}/root"
state = "{dir}/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
]
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# A host that withholds CAP_SYS_RESOURCE lets nobody lower an oom_score_adj.
restrict_oom_score_adj = true
disable_apparmor = true
stream_server_address = "127.0.0.1"
# A pod's network namespace is mounted below `state`, where teardown finds it.
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{cni}/conf"
"#,
        dir = dir.display(),
        socket = socket.display(),
        cni = home.join("cni").display(),
        plugins = plugins.display(),
    );
    write(&dir.join("config.toml"), &text)?;
    Ok(socket)
}

/// containerd with that configuration.
pub fn program(home: &Path, index: usize) -> Program {
    let configuration = home
        .join("containerd/config.toml")
        .to_string_lossy()
        .into_owned();
    Program::new(&format!("containerd-{index}"), "containerd".into())
        .args(["--config", &configuration])
}

/// Waits for the socket to answer (30 s at most), then loads the two images.
pub async fn load_images(paths: &Paths, socket: &Path) -> Result<(), NodeError> {
    for _ in 0..150 {
        if ctr(socket, &["version"]).await.is_ok() {
            break;
        }
        clock::sleep(Duration::from_millis(200)).await;
    }
    import(socket, &paths.image("test")).await?;
    import(socket, &paths.image("eipd")).await
}

/// Loads one tar.
pub async fn import(socket: &Path, tar: &Path) -> Result<(), NodeError> {
    ctr(socket, &["images", "import", &tar.to_string_lossy()])
        .await
        .map(|_| ())
}
