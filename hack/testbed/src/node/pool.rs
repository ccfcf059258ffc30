//! A CNI plugin that gives each pod a whole ENI, as Terway does with exclusive and with member ENIs: it picks one that is
//! free and lets Debian's `host-device` move it into the pod. Started by containerd, as the CNI specification 1.0 has it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Args, ValueEnum};
use nix::fcntl::{Flock, FlockArg};
use serde_json::{Value, json};

/// "Try again later" in the specification.
const NONE_FREE: u32 = 11;
/// The first code that is a plugin's own.
const FAILED: u32 = 100;

/// What containerd says by the environment; the network's configuration comes on stdin.
#[derive(Debug, Args)]
pub struct PoolCommand {
    /// A folder with a file for each ENI: `host-device`'s configuration. The one in use is noted beside it.
    pool: PathBuf,
    #[arg(env = "CNI_COMMAND")]
    command: Verb,
    #[arg(long, env = "CNI_CONTAINERID", default_value = "")]
    container: String,
    /// Where plugins are.
    #[arg(long, env = "CNI_PATH", default_value = "")]
    path: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Verb {
    Add,
    Del,
    Check,
    Gc,
    Status,
    Version,
}

/// What the caller is told: a code and a text.
type Refusal = (u32, String);

impl PoolCommand {
    /// Does it; the answer is on stdout.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let done = match self.command {
            Verb::Version => Ok(
                json!({"cniVersion": "1.0.0", "supportedVersions": ["0.4.0", "1.0.0"]}).to_string(),
            ),
            Verb::Add => self.add(),
            Verb::Del => self.del(),
            Verb::Check | Verb::Gc | Verb::Status => Ok(String::new()),
        };
        match done {
            Ok(answer) => {
                println!("{answer}");
                ExitCode::SUCCESS
            }
            Err((code, message)) => {
                println!(
                    "{}",
                    json!({"cniVersion": "1.0.0", "code": code, "msg": message})
                );
                ExitCode::FAILURE
            }
        }
    }

    fn add(&self) -> Result<String, Refusal> {
        let _lock = self.lock()?;
        let mut network = String::new();
        std::io::stdin()
            .read_to_string(&mut network)
            .map_err(failed)?;
        let free = |eni: &PathBuf| !user_of(eni).exists() && is_here(eni);
        let eni = self.enis().into_iter().find(free);
        let eni = eni.ok_or_else(|| (NONE_FREE, "no free ENI".to_owned()))?;
        fs::write(user_of(&eni), &self.container).map_err(failed)?;
        self.delegate(&eni).inspect_err(|_| {
            let _ = fs::remove_file(user_of(&eni));
        })
    }

    /// What is given back already is no error.
    fn del(&self) -> Result<String, Refusal> {
        let _lock = self.lock()?;
        let ours = |eni: &PathBuf| {
            fs::read_to_string(user_of(eni)).is_ok_and(|user| user == self.container)
        };
        if let Some(eni) = self.enis().into_iter().find(ours) {
            self.delegate(&eni)?;
            fs::remove_file(user_of(&eni)).map_err(failed)?;
        }
        Ok(String::new())
    }

    /// `host-device` finds the rest in the same environment.
    fn delegate(&self, eni: &Path) -> Result<String, Refusal> {
        let configuration = fs::read(eni).map_err(failed)?;
        let mut child = Command::new(self.path.join("host-device"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&configuration).map_err(failed)?;
        }
        let output = child.wait_with_output().map_err(failed)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(said)
        } else {
            Err((FAILED, said))
        }
    }

    fn lock(&self) -> Result<Flock<File>, Refusal> {
        let file = File::create(self.pool.join("lock")).map_err(failed)?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| (FAILED, error.to_string()))
    }

    fn enis(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.pool).into_iter().flatten().flatten();
        let mut enis: Vec<_> = entries.map(|entry| entry.path()).collect();
        enis.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
        enis.sort_unstable();
        enis
    }
}

/// A device that ended inside its pod does not come back.
fn is_here(eni: &Path) -> bool {
    let text = fs::read_to_string(eni).unwrap_or_default();
    let configuration: Value = serde_json::from_str(&text).unwrap_or_default();
    let device = configuration["device"].as_str().unwrap_or_default();
    nix::net::if_::if_nametoindex(device).is_ok()
}

fn user_of(eni: &Path) -> PathBuf {
    eni.with_extension("user")
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    (FAILED, error.to_string())
}
