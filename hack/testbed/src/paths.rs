//! Where the programs, images and worlds are. The only module that reads the environment.
#![allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]

use std::path::{Path, PathBuf};

/// What is missing before a world can start.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    #[error(
        "{0} is not set: start this by hack/demo, hack/test or hack/bench, which build what is needed"
    )]
    Unset(&'static str),
    #[error("{what} is not there: {path}")]
    Missing { what: &'static str, path: PathBuf },
}

/// The programs and files that a world is made of. `hack/lib/setup.sh` builds them and sets the variables.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The clone: `EIPD_ROOT`.
    pub root: PathBuf,
    /// The folder of etcd and the Kubernetes programs: `EIPD_CLUSTER_BIN`.
    pub cluster: PathBuf,
    /// The agent's release binary: `EIPD_AGENT_BIN`.
    pub agent: PathBuf,
    /// The simulated cloud: `EIPD_CLOUDSIM_BIN`.
    pub cloudsim: PathBuf,
    /// The folder of image tars, `eipd.tar` and `test.tar`: `EIPD_IMAGES`. Real nodes need it.
    pub images: PathBuf,
    /// The folder that holds a folder per world.
    pub worlds: PathBuf,
}

impl Paths {
    /// Reads the environment that `hack/lib/setup.sh` has set.
    pub fn from_environment() -> Result<Self, PathsError> {
        let paths = Self {
            root: variable("EIPD_ROOT")?,
            cluster: variable("EIPD_CLUSTER_BIN")?,
            agent: variable("EIPD_AGENT_BIN")?,
            cloudsim: variable("EIPD_CLOUDSIM_BIN")?,
            images: variable("EIPD_IMAGES")?,
            worlds: worlds(),
        };
        present("kube-apiserver", &paths.program("kube-apiserver"))?;
        present("the agent", &paths.agent)?;
        present("cloudsim", &paths.cloudsim)?;
        Ok(paths)
    }

    /// A program of the cluster by its name, such as `kubectl`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.cluster.join(name)
    }

    /// An image's tar by its name, `eipd` or `test`.
    #[must_use]
    pub fn image(&self, name: &str) -> PathBuf {
        self.images.join(format!("{name}.tar"))
    }
}

/// The folder of worlds: a short path, for unix sockets live in it and their paths end at 107 bytes.
#[must_use]
pub fn worlds() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/eipd-testbed");
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    cache
        .or_else(|| home.map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("eipd/worlds")
}

fn variable(name: &'static str) -> Result<PathBuf, PathsError> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .ok_or(PathsError::Unset(name))
}

fn present(what: &'static str, path: &Path) -> Result<(), PathsError> {
    if path.exists() {
        return Ok(());
    }
    Err(PathsError::Missing {
        what,
        path: path.to_owned(),
    })
}
