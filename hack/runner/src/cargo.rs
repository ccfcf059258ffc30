//! The tests that cargo builds: every `#[test]` of the workspace, each run in a process of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::name::prefix;
use crate::process::{Ending, Job, ProcessError, Supervisor};
use crate::report::Outcome;

/// A cold build of everything takes some six minutes on two cores.
const BUILD_LIMIT: Duration = Duration::from_mins(40);
const LIST_LIMIT: Duration = Duration::from_secs(30);
const TEST_LIMIT: Duration = Duration::from_mins(3);

#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the build failed ({0}); its output is above")]
    Build(Ending),
    #[error("{path} does not list its tests ({ending}):\n{output}")]
    List {
        path: PathBuf,
        ending: Ending,
        output: String,
    },
}

/// What one build produced.
#[derive(Debug, Default)]
pub struct Built {
    pub tests: Vec<Executable>,
    /// Name -> path of the workspace's binaries.
    pub programs: BTreeMap<String, PathBuf>,
}

/// One executable full of tests.
#[derive(Debug)]
pub struct Executable {
    path: PathBuf,
    /// The folder of its package: tests run there, as under `cargo test`.
    folder: PathBuf,
    prefix: String,
}

/// One `#[test]` function.
#[derive(Debug, Clone)]
pub struct CargoTest {
    pub name: String,
    /// What the executable itself calls it.
    path_in_executable: String,
    executable: PathBuf,
    folder: PathBuf,
}

/// One line of `--message-format=json`; only what we use.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// The `cargo` that runs us, else the one on the path.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Builds the tests and the binaries of the whole workspace at `root`.
pub async fn build(root: &Path, supervisor: &Supervisor) -> Result<Built, CargoError> {
    let arguments = [
        "build",
        "--workspace",
        "--bins",
        "--tests",
        "--message-format=json-render-diagnostics",
    ];
    let job = Job::new(root, cargo(), BUILD_LIMIT).arguments(arguments);
    let mut child = job.start()?;
    let stdout = child.stdout.take();
    let owned = root.to_owned();
    let reading = tokio::spawn(async move {
        let mut built = Built::default();
        let Some(stdout) = stdout else { return built };
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            built.take(&owned, &line);
        }
        built
    });
    let ending = supervisor
        .wait(child, &job)
        .await
        .map_err(|error| ProcessError::new("wait for cargo", error))?;
    match reading.await {
        Ok(built) if ending.is_success() => Ok(built),
        _ => Err(CargoError::Build(ending)),
    }
}

impl Built {
    /// Notes the executable that a line of cargo's names, if it names one.
    fn take(&mut self, root: &Path, line: &str) {
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            return;
        };
        let (Some(path), Some(target), Some(profile)) =
            (message.executable, message.target, message.profile)
        else {
            return;
        };
        if message.reason != "compiler-artifact" {
            return;
        }
        if !profile.test {
            self.programs.insert(target.name, path);
            return;
        }
        let folder = message
            .manifest_path
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(root)
            .to_owned();
        let kind = target.kind.first().map_or("test", String::as_str);
        let prefix = prefix(
            folder.strip_prefix(root).unwrap_or(&folder),
            kind,
            &target.name,
        );
        self.tests.push(Executable {
            path,
            folder,
            prefix,
        });
    }
}

impl Executable {
    /// Asks the executable for the names of its tests.
    pub async fn tests(&self, supervisor: &Supervisor) -> Result<Vec<CargoTest>, CargoError> {
        let job = Job::new(&self.folder, &self.path, LIST_LIMIT)
            .arguments(["--list", "--format", "terse"]);
        let finished = supervisor.capture(&job).await?;
        if !finished.ending.is_success() {
            let (path, ending) = (self.path.clone(), finished.ending);
            return Err(CargoError::List {
                path,
                ending,
                output: finished.output,
            });
        }
        let names = finished
            .output
            .lines()
            .filter_map(|line| line.strip_suffix(": test"));
        Ok(names.map(|name| self.test(name)).collect())
    }

    fn test(&self, path: &str) -> CargoTest {
        CargoTest {
            name: format!("{}{path}", self.prefix),
            path_in_executable: path.to_owned(),
            executable: self.path.clone(),
            folder: self.folder.clone(),
        }
    }
}

impl CargoTest {
    pub async fn run(&self, supervisor: &Supervisor) -> Outcome {
        let arguments = [
            "--exact",
            &self.path_in_executable,
            "--nocapture",
            "--include-ignored",
        ];
        let mut job = Job::new(&self.folder, &self.executable, TEST_LIMIT).arguments(arguments);
        job.environment = vec![
            ("CARGO_MANIFEST_DIR", self.folder.clone().into()),
            ("RUST_BACKTRACE", "1".into()),
        ];
        let name = self.name.clone();
        match supervisor.capture(&job).await {
            // A name that meets no test is a success to the executable, not to us.
            Ok(done) => {
                let ok =
                    done.ending.is_success() && done.output.contains("test result: ok. 1 passed");
                Outcome {
                    name,
                    ok,
                    took: done.took,
                    log: format!("{}\n({})", done.output, done.ending),
                }
            }
            Err(error) => Outcome {
                name,
                ok: false,
                took: Duration::ZERO,
                log: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = r#"{"reason":"compiler-artifact","manifest_path":"/r/hack/cloudsim/Cargo.toml",
        "target":{"kind":["lib"],"name":"cloudsim"},"profile":{"test":true},"executable":"/t/deps/cloudsim-1"}"#;
    const PROGRAM: &str = r#"{"reason":"compiler-artifact","manifest_path":"/r/Cargo.toml",
        "target":{"kind":["bin"],"name":"eipd"},"profile":{"test":false},"executable":"/t/eipd"}"#;
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","manifest_path":"/r/Cargo.toml",
        "target":{"kind":["lib"],"name":"eipd"},"profile":{"test":false},"executable":null}"#;

    #[test]
    fn an_executable_is_a_program_or_full_of_tests() {
        let mut built = Built::default();
        for line in [
            TEST,
            PROGRAM,
            LIBRARY,
            r#"{"reason":"build-finished","success":true}"#,
            "no json",
        ] {
            built.take(Path::new("/r"), line);
        }
        assert_eq!(
            built.programs,
            BTreeMap::from([("eipd".to_owned(), PathBuf::from("/t/eipd"))])
        );
        let names: Vec<_> = built
            .tests
            .iter()
            .map(|executable| executable.test("a::b").name)
            .collect();
        assert_eq!(names, ["cloudsim::a::b"]);
    }
}
