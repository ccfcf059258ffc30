//! Tests that another program knows how to list and to run: the cases that need a cluster, and the SDK tests.
//!
//! The program is called in two ways, after whatever arguments it needs of its own:
//! - `PROGRAM --list` prints the names of its cases, one a line, and starts nothing;
//! - `PROGRAM run NAME...` runs those and prints, as each ends, one line of JSON on stdout:
//!   `{"case": NAME, "ok": true, "seconds": 1.5, "log": "shown if it failed"}`. Stderr is shown as it comes.
//!   On SIGTERM it ends what it started, then itself. A case without a line counts as failed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;

use crate::process::{Ending, Finished, Job, ProcessError, Supervisor};
use crate::report::{Outcome, Report};

const LIST_LIMIT: Duration = Duration::from_mins(1);
/// All cases of a program together; each has a limit of its own inside the program.
const RUN_LIMIT: Duration = Duration::from_mins(30);
/// What a program gets to take down its clusters.
const GRACE: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("{program} --list: {ending}\n{output}")]
    List {
        program: String,
        ending: Ending,
        output: String,
    },
}

/// How to call a program.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, OsString)>,
}

/// What a program says when a case has ended.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    ok: bool,
    seconds: f64,
    log: String,
}

impl Line {
    fn outcome(self) -> Outcome {
        let took = Duration::try_from_secs_f64(self.seconds).unwrap_or_default();
        Outcome {
            name: self.case,
            ok: self.ok,
            took,
            log: self.log,
        }
    }
}

impl Program {
    fn job(&self, root: &Path, limit: Duration) -> Job {
        let mut job = Job::new(root, &self.path, limit).arguments(&self.arguments);
        job.environment.clone_from(&self.environment);
        job.grace = GRACE;
        job
    }

    pub async fn names(
        &self,
        root: &Path,
        supervisor: &Supervisor,
    ) -> Result<Vec<String>, ProgramError> {
        let Finished { ending, output, .. } = supervisor
            .capture(&self.job(root, LIST_LIMIT).arguments(["--list"]))
            .await?;
        if !ending.is_success() {
            return Err(ProgramError::List {
                program: self.path.display().to_string(),
                ending,
                output,
            });
        }
        Ok(output.lines().map(str::to_owned).collect())
    }

    /// Runs the cases called `names`; every one of them gets an outcome.
    pub async fn run(
        &self,
        names: &[String],
        root: &Path,
        supervisor: &Supervisor,
        report: &mut Report,
    ) {
        let job = self
            .job(root, RUN_LIMIT)
            .arguments(["run"])
            .arguments(names);
        let mut open: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let each = |line: Line| {
            if open.remove(line.case.as_str()) {
                report.add(&line.outcome());
            }
        };
        let ending = match lines(&job, supervisor, each).await {
            // The interruption is reported once, not for every case.
            Ok(Ending::Interrupted) => return,
            Ok(ending) if ending.is_success() => "ended without a word about it".to_owned(),
            Ok(ending) => ending.to_string(),
            Err(error) => error.to_string(),
        };
        for name in open {
            report.fault(name, &format!("{}: {ending}", self.path.display()));
        }
    }
}

/// Runs `job`; `each` gets its lines that speak of a case.
async fn lines(
    job: &Job,
    supervisor: &Supervisor,
    mut each: impl FnMut(Line),
) -> Result<Ending, ProcessError> {
    let mut child = job.start()?;
    let (sender, mut receiver) = mpsc::channel(16);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match serde_json::from_str::<Line>(&line) {
                    Ok(line) => drop(sender.send(line).await),
                    Err(_) => eprintln!("{line}"), // not for us: for the person who watches
                }
            }
        });
    }
    let reporting = async {
        while let Some(line) = receiver.recv().await {
            each(line);
        }
    };
    let (ending, ()) = tokio::join!(supervisor.wait(child, job), reporting);
    ending.map_err(|error| ProcessError::new("wait", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let arguments = ["-c", script, "sh"].map(OsString::from).to_vec();
        Program {
            path: "/bin/sh".into(),
            arguments,
            environment: Vec::new(),
        }
    }

    async fn sum(script: &str, names: &[&str]) -> String {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut report = Report::new();
        let supervisor = Supervisor::new().unwrap();
        shell(script)
            .run(&names, Path::new("/"), &supervisor, &mut report)
            .await;
        report.last_line()
    }

    #[tokio::test]
    async fn a_list_has_one_name_a_line() {
        let names = shell(r#"[ "$1" = --list ] && printf 'a::b\nc\n'"#);
        assert_eq!(
            names
                .names(Path::new("/"), &Supervisor::new().unwrap())
                .await
                .unwrap(),
            ["a::b", "c"]
        );
    }

    #[tokio::test]
    async fn a_failing_list_is_an_error() {
        let list = shell("echo broken; exit 1")
            .names(Path::new("/"), &Supervisor::new().unwrap())
            .await;
        assert!(list.unwrap_err().to_string().contains("broken"));
    }

    const ONE: &str = r#"echo starting; echo '{"case":"a","ok":true,"seconds":0.1,"log":""}'"#;

    #[tokio::test]
    async fn every_case_needs_a_line_of_its_own() {
        assert_eq!(sum(ONE, &["a"]).await, "1 passed, 0 failed");
        assert_eq!(sum(ONE, &["a", "b"]).await, "1 passed, 1 failed");
        assert_eq!(
            sum(&format!("{ONE}; {ONE}"), &["a"]).await,
            "1 passed, 0 failed"
        );
    }

    #[tokio::test]
    async fn what_failed_there_fails_here() {
        let line = r#"echo '{"case":"a","ok":false,"seconds":0.1,"log":"why"}'"#;
        assert_eq!(sum(line, &["a"]).await, "0 passed, 1 failed");
    }
}
