//! Runs other programs: each in a process group of its own, with a time limit, and gone when we go.
//!
//! Ctrl-C reaches only us, not the programs: they get SIGTERM and some time to tidy up after themselves, then their
//! whole group is killed.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::clock::Stopwatch;

/// Output that came after its program was gone and its group killed is waited for this long.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("cannot {what}: {source}")]
pub struct ProcessError {
    what: String,
    source: io::Error,
}

impl ProcessError {
    pub fn new(what: impl Into<String>, source: io::Error) -> Self {
        Self {
            what: what.into(),
            source,
        }
    }
}

/// A program to run, said once: where, with what, and for how long at most.
#[derive(Debug, Clone)]
pub struct Job {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    pub folder: PathBuf,
    pub environment: Vec<(&'static str, OsString)>,
    pub limit: Duration,
    /// How long it may take to tidy up after SIGTERM.
    pub grace: Duration,
}

impl Job {
    pub fn new(folder: &Path, program: impl Into<OsString>, limit: Duration) -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        let grace = Duration::from_secs(1);
        Self {
            program: program.into(),
            arguments,
            folder: folder.to_owned(),
            environment,
            limit,
            grace,
        }
    }

    #[must_use]
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .process_group(0);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts it with its stdout piped to us and its stderr shown. End it with [`Supervisor::wait`].
    pub fn start(&self) -> Result<Child, ProcessError> {
        let child = self.command().stdout(Stdio::piped()).spawn();
        child.map_err(|error| ProcessError::new(self.said(), error))
    }

    fn said(&self) -> String {
        format!("run {}", Path::new(&self.program).display())
    }
}

/// How a program came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Exited(ExitStatus),
    TooSlow(Duration),
    Interrupted,
}

impl Ending {
    pub fn is_success(self) -> bool {
        matches!(self, Self::Exited(status) if status.success())
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status) => status.fmt(f),
            Self::TooSlow(limit) => write!(f, "killed after its limit of {} s", limit.as_secs()),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// A program that ended, and what it said on stdout and stderr, in the order it said it.
#[derive(Debug)]
pub struct Finished {
    pub ending: Ending,
    pub output: String,
    pub took: Duration,
}

/// Starts programs, and ends them when a signal asks us to end.
#[derive(Debug, Clone)]
pub struct Supervisor {
    stop: watch::Receiver<bool>,
}

impl Supervisor {
    /// From now on SIGINT, SIGTERM and SIGHUP end the programs first. Needs a running tokio runtime.
    pub fn new() -> Result<Self, ProcessError> {
        let (sender, stop) = watch::channel(false);
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            let mut signals =
                signal(kind).map_err(|error| ProcessError::new("listen to signals", error))?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    sender.send_replace(true);
                }
            });
        }
        Ok(Self { stop })
    }

    pub fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Runs `job` to its end and keeps what it says.
    pub async fn capture(&self, job: &Job) -> Result<Finished, ProcessError> {
        let said = |error| ProcessError::new(job.said(), error);
        let watch = Stopwatch::start();
        let (reader, writer) = io::pipe().map_err(said)?;
        let mut command = job.command();
        command
            .stdout(writer.try_clone().map_err(said)?)
            .stderr(writer);
        let child = command.spawn().map_err(said)?;
        drop(command); // it holds our ends of the pipe
        let reading = tokio::spawn(read_all(OwnedFd::from(reader)));
        let ending = self.wait(child, job).await.map_err(said)?;
        let output = tokio::time::timeout(LAST_OUTPUT, reading).await;
        let output = output
            .ok()
            .and_then(Result::ok)
            .unwrap_or_else(|| "(its output was lost)".to_owned());
        Ok(Finished {
            ending,
            output,
            took: watch.elapsed(),
        })
    }

    /// Waits for a child of [`Job::start`]; when this returns nothing of its process group is left.
    pub async fn wait(&self, mut child: Child, job: &Job) -> io::Result<Ending> {
        let group = Group(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .map(Pid::from_raw),
        );
        let mut stop = self.stop.clone();
        let early = tokio::select! {
            status = child.wait() => return Ok(Ending::Exited(status?)),
            () = crate::clock::sleep(job.limit) => Ending::TooSlow(job.limit),
            _ = stop.wait_for(|stopped| *stopped) => Ending::Interrupted,
        };
        group.ask_to_end();
        // An error here is the timeout: the group's end kills it.
        let _ = tokio::time::timeout(job.grace, child.wait()).await;
        drop(group);
        child.wait().await?;
        Ok(early)
    }
}

/// A process group that we started; killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    /// Tells the leader alone, so that it can end its own children in order.
    fn ask_to_end(&self) {
        if let Some(leader) = self.0 {
            let _ = kill(leader, Signal::SIGTERM);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = killpg(leader, Signal::SIGKILL); // an error means: nobody is left
        }
    }
}

async fn read_all(reader: OwnedFd) -> String {
    let mut output = Vec::new();
    if let Ok(mut receiver) = pipe::Receiver::from_owned_fd(reader) {
        // What was read before an error is still worth showing.
        let _ = receiver.read_to_end(&mut output).await;
    }
    String::from_utf8_lossy(&output).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Job {
        Job::new(Path::new("/"), "sh", limit).arguments(["-c", script])
    }

    #[tokio::test]
    async fn output_comes_in_the_order_it_was_written() {
        let job = shell(
            "echo one; echo two >&2; echo three; exit 3",
            Duration::from_secs(10),
        );
        let finished = Supervisor::new().unwrap().capture(&job).await.unwrap();
        assert_eq!(finished.output, "one\ntwo\nthree\n");
        assert!(!finished.ending.is_success());
    }

    #[tokio::test]
    async fn a_slow_program_is_ended_with_its_children() {
        let job = shell("sleep 60 & echo $!; wait", Duration::from_millis(300));
        let finished = Supervisor::new().unwrap().capture(&job).await.unwrap();
        assert_eq!(finished.ending, Ending::TooSlow(job.limit));
        let child = Pid::from_raw(finished.output.trim().parse().unwrap());
        for _ in 0..100 {
            if kill(child, None).is_err() || is_zombie(child) {
                return;
            }
            crate::clock::sleep(Duration::from_millis(20)).await;
        }
        panic!("process {child} lives");
    }

    /// Dead, but whoever it was handed to has not collected it yet.
    fn is_zombie(pid: Pid) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status
            .lines()
            .any(|line| line.starts_with("State:") && line.contains('Z'))
    }

    #[tokio::test]
    async fn a_program_may_tidy_up_before_it_is_killed() {
        let mut job = shell(
            "trap 'echo tidied; exit 0' TERM; sleep 60 & wait",
            Duration::from_millis(300),
        );
        job.grace = Duration::from_secs(10);
        let finished = Supervisor::new().unwrap().capture(&job).await.unwrap();
        assert_eq!(finished.output, "tidied\n");
    }
}
