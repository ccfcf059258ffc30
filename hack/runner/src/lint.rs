//! What the compiler does not check, each as a test: formatting, clippy, documentation, dependencies, scripts, house
//! rules.

mod house;
mod scripts;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cargo::cargo;
use crate::clock::Stopwatch;
use crate::process::{Finished, Job, ProcessError, Supervisor};
use crate::report::Outcome;

/// Cold, on two cores: clippy 2 minutes, installing cargo-deny 5.
const LIMIT: Duration = Duration::from_mins(20);

/// The pages are for whoever works on eipd, so private items have one, and public ones may point to it.
const RUSTDOC: &str = "-D warnings -A rustdoc::private-intra-doc-links";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lint {
    Fmt,
    House,
    Shell,
    Python,
    Clippy,
    Doc,
    DocTests,
    Deny,
}

impl Lint {
    pub const fn all() -> &'static [Self] {
        &[
            Self::Fmt,
            Self::House,
            Self::Shell,
            Self::Python,
            Self::Clippy,
            Self::Doc,
            Self::DocTests,
            Self::Deny,
        ]
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Fmt => "lint::fmt",
            Self::House => "lint::house",
            Self::Shell => "lint::shell",
            Self::Python => "lint::python",
            Self::Clippy => "lint::clippy",
            Self::Doc => "lint::doc",
            Self::DocTests => "lint::doctests",
            Self::Deny => "lint::deny",
        }
    }

    pub async fn run(self, root: &Path, supervisor: &Supervisor) -> Outcome {
        let watch = Stopwatch::start();
        let (ok, log) = match self.verdict(root, supervisor).await {
            Ok(findings) => (findings.is_empty(), findings),
            Err(error) => (false, error.to_string()),
        };
        Outcome {
            name: self.name().to_owned(),
            ok,
            took: watch.elapsed(),
            log,
        }
    }

    /// The findings; "" means none.
    async fn verdict(self, root: &Path, supervisor: &Supervisor) -> Result<String, ProcessError> {
        let ours = |arguments: &[&str]| Job::new(root, cargo(), LIMIT).arguments(arguments);
        let job = match self {
            Self::House => {
                return Ok(house::findings(root, &files(root, supervisor).await?).join("\n"));
            }
            Self::Shell => {
                return scripts::shell(root, &files(root, supervisor).await?, supervisor).await;
            }
            Self::Python => {
                return scripts::python(root, &files(root, supervisor).await?, supervisor).await;
            }
            Self::Fmt => ours(&["fmt", "--all", "--check", "--", "--color", "never"]),
            Self::Clippy => ours(&[
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
            Self::Doc => {
                let mut job = ours(&[
                    "doc",
                    "--quiet",
                    "--workspace",
                    "--no-deps",
                    "--document-private-items",
                ]);
                job.environment = vec![("RUSTDOCFLAGS", RUSTDOC.into())];
                job
            }
            Self::DocTests => ours(&["test", "--quiet", "--workspace", "--doc"]),
            Self::Deny => Job::new(root, root.join("hack/runner/deny"), LIMIT),
        };
        Ok(failed(supervisor.capture(&job).await?))
    }
}

/// What a job said, if it failed.
fn failed(finished: Finished) -> String {
    let Finished { ending, output, .. } = finished;
    if ending.is_success() {
        String::new()
    } else {
        format!("{output}\n({ending})")
    }
}

/// The files that git tracks or would track, relative to `root`.
async fn files(root: &Path, supervisor: &Supervisor) -> Result<Vec<PathBuf>, ProcessError> {
    let arguments = [
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ];
    let finished = supervisor
        .capture(&Job::new(root, "git", LIMIT).arguments(arguments))
        .await?;
    if !finished.ending.is_success() {
        return Err(ProcessError::new(
            "list the files",
            std::io::Error::other(finished.output),
        ));
    }
    let paths = finished
        .output
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    Ok(paths.filter(|path| root.join(path).is_file()).collect())
}
