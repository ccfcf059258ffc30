//! `testbed demo`: what a newcomer sees. Two pods get an EIP each, are deleted, and nothing is left.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock;
use crate::command::CommandError;
use crate::paths;
use crate::played::PlayError;
use crate::process::{ProcessError, Program};
use crate::world::{Claim, ClaimError, World, WorldError, WorldSpec};

mod story;
mod table;

/// The demo's world; there is one at a time.
pub const TAG: &str = "demo";

/// Why the story has no happy end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("a demo is standing already: look around in it, or remove it with `hack/demo --down`")]
    Standing,
    #[error("a demo is running already: stop it with Ctrl-C first")]
    Running,
    #[error(transparent)]
    World(WorldError),
    #[error(transparent)]
    Claim(ClaimError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Play(#[from] PlayError),
    #[error(transparent)]
    Cloud(#[from] crate::cloud::CloudError),
    #[error("kube-apiserver: {0}")]
    Kube(#[from] kube::Error),
    #[error("{what} did not come about within {seconds} s\n{evidence}")]
    Overdue {
        what: String,
        seconds: u64,
        evidence: String,
    },
    #[error("no signals: {0}")]
    Signals(std::io::Error),
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("interrupted")]
    Interrupted,
}

impl From<WorldError> for DemoError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Claim(error) => error.into(),
            other => Self::World(other),
        }
    }
}

impl From<ClaimError> for DemoError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Kept(_) => Self::Standing,
            ClaimError::Used(_) => Self::Running,
            file @ ClaimError::File { .. } => Self::Claim(file),
        }
    }
}

/// Starts a cluster and a simulated cloud, shows two pods getting an EIP each, and removes everything.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct DemoCommand {
    /// Leave control plane, nodes, agents and cloud running when the story is over.
    #[arg(long, conflicts_with = "down")]
    keep: bool,
    /// Remove what --keep left, and do nothing else.
    #[arg(long)]
    down: bool,
    /// Real nodes, each in a network namespace of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=50), conflicts_with = "down")]
    nodes: u16,
    /// Without kubelets: nodes and pods are played, agents are processes. The default without root.
    #[arg(long)]
    light: bool,
    /// The last line of stdout is one JSON object.
    #[arg(long)]
    json: bool,
}

impl DemoCommand {
    /// Does it. On SIGINT and SIGTERM everything is removed first.
    pub async fn run(&self) -> Result<(), DemoError> {
        if self.down {
            let removed = Claim::remove(&paths::worlds(), TAG)?;
            eprintln!(
                "{}",
                if removed {
                    "removed"
                } else {
                    "nothing to remove"
                }
            );
            return Ok(());
        }
        let mut interrupt = signal(SignalKind::interrupt()).map_err(DemoError::Signals)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(DemoError::Signals)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(DemoError::Signals)?;
        tokio::select! {
            told = self.tell() => told,
            _ = interrupt.recv() => Err(DemoError::Interrupted),
            _ = terminate.recv() => Err(DemoError::Interrupted),
            _ = hangup.recv() => Err(DemoError::Interrupted),
        }
    }

    async fn tell(&self) -> Result<(), DemoError> {
        let light = self.light || !nix::unistd::geteuid().is_root();
        if light {
            say(
                "light: without kubelets; nodes and pods are played by the testbed, agents are processes",
            );
        }
        let mut world = World::start(&self.spec(light)).await?;
        if light {
            start_player(&world)?;
            say("starting the agents");
            world.start_agents().await?;
        }
        let told = story::tell(&world)
            .await
            .map_err(|error| with_evidence(error, &world))?;
        table::print(&told);
        let kept = if self.keep {
            Some(table::Kept::of(&world, light).await?)
        } else {
            None
        };
        if let Some(kept) = &kept {
            world.keep()?;
            kept.explain();
        } else {
            say("cleaning up");
            drop(world);
        }
        if self.json {
            println!("{}", table::json(&told, kept.as_ref()));
        }
        Ok(())
    }

    fn spec(&self, light: bool) -> WorldSpec {
        let nodes = usize::from(self.nodes);
        let spec = if light {
            WorldSpec::light(nodes)
        } else {
            WorldSpec::real(nodes)
        };
        WorldSpec {
            tag: Some(TAG.to_owned()),
            progress: say,
            ..spec
        }
    }
}

/// Progress goes to stderr, with the seconds since the first word: stdout is for the table and the JSON.
pub fn say(words: &str) {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let begin = *BEGIN.get_or_init(clock::now);
    eprintln!("[{:>3} s] {words} ...", (clock::now() - begin).as_secs());
}

fn with_evidence(error: DemoError, world: &World) -> DemoError {
    match error {
        DemoError::Overdue { what, seconds, .. } => DemoError::Overdue {
            what,
            seconds,
            evidence: world.evidence(),
        },
        other => other,
    }
}

/// The one who plays the pods is a process of its own: a kept world needs it when we are gone.
fn start_player(world: &World) -> Result<(), DemoError> {
    let path = world.dir().join("instances.json");
    let instances = serde_json::to_string(&world.instances).unwrap_or_default();
    std::fs::write(&path, instances).map_err(|source| DemoError::File {
        path: path.clone(),
        source,
    })?;
    let own = std::env::current_exe().map_err(|source| DemoError::File {
        path: "testbed".into(),
        source,
    })?;
    let kubeconfig = world.plane.kubeconfig.to_string_lossy().into_owned();
    let program = Program::new("player", own).args(["play", &kubeconfig, &path.to_string_lossy()]);
    program.start(&world.dir())?;
    Ok(())
}

/// Asks again and again, ten times a second, until there is an answer.
async fn until<T, F>(what: &str, seconds: u64, mut ask: impl FnMut() -> F) -> Result<T, DemoError>
where
    F: Future<Output = Result<Option<T>, DemoError>>,
{
    for _ in 0..seconds * 10 {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        clock::sleep(Duration::from_millis(100)).await;
    }
    Err(DemoError::Overdue {
        what: what.to_owned(),
        seconds,
        evidence: String::new(),
    })
}
