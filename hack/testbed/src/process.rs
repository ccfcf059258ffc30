//! Long-running processes: started with their pid on file before their first instruction, ended by that pid and their
//! start time, so that nobody else's process is ever hit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::clock;

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("{name} cannot be started: {source}")]
    Start {
        name: String,
        source: std::io::Error,
    },
    #[error("{name} ended before it was recorded; see {log}")]
    Vanished { name: String, log: PathBuf },
}

/// What to start, and where.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its name in this world: the stem of its log and of its pid file.
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// The network namespace to run in, by name; `None` for the machine's own.
    pub netns: Option<String>,
    /// The `cgroup.procs` file to enter first; what it starts is found there again.
    pub cgroup: Option<PathBuf>,
}

impl Program {
    #[must_use]
    pub fn new(name: &str, program: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            program,
            ..Self::default()
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Starts it; log and pid file go below `dir`.
    pub fn start(&self, dir: &Path) -> Result<Process, ProcessError> {
        let log = dir.join("log").join(format!("{}.log", self.name));
        let pid_file = dir.join("pids").join(&self.name);
        let failed = |source| ProcessError::Start {
            name: self.name.clone(),
            source,
        };
        fs::create_dir_all(dir.join("log"))
            .and_then(|()| fs::create_dir_all(dir.join("pids")))
            .map_err(failed)?;
        let _ = fs::remove_file(&pid_file);
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = self.command(&pid_file);
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let child = command.spawn().map_err(failed)?;
        let identity = wait_recorded(&pid_file).ok_or_else(|| ProcessError::Vanished {
            name: self.name.clone(),
            log: log.clone(),
        })?;
        Ok(Process {
            name: self.name.clone(),
            identity,
            log,
            child: Some(child),
        })
    }

    /// A shell writes down who it is, enters the cgroup, and becomes the program: no moment without a record.
    fn command(&self, pid_file: &Path) -> Command {
        let script = "set -e; if [ -n \"$2\" ]; then echo $$ >\"$2\"; fi; read -r line </proc/$$/stat; \
                      echo \"$line\" >\"$1\"; shift 2; exec \"$@\"";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "sh"]).arg(pid_file);
        command.arg(self.cgroup.as_deref().unwrap_or_else(|| Path::new("")));
        if let Some(netns) = &self.netns {
            command
                .arg("nsenter")
                .arg(format!("--net=/run/netns/{netns}"))
                .arg("--");
        }
        command.arg(&self.program).args(&self.args).envs(&self.env);
        command
    }
}

/// Who a process is: the pid alone may have gone to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    pub pid: i32,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub started: u64,
}

impl Identity {
    /// This very process.
    #[must_use]
    pub fn own() -> Option<Self> {
        parse_stat(&fs::read_to_string("/proc/self/stat").ok()?).map(|(identity, _)| identity)
    }

    /// Whether that process still runs; a zombie does not.
    #[must_use]
    pub fn alive(self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok();
        stat.as_deref()
            .and_then(parse_stat)
            .is_some_and(|(found, state)| found == self && state != 'Z')
    }

    /// Whether not even its entry is left.
    #[must_use]
    pub fn is_collected(self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok();
        let found = stat.as_deref().and_then(parse_stat);
        found.is_none_or(|(found, _)| found != self)
    }

    /// Sends a signal, if it is still that process.
    pub fn signal(self, signal: Signal) {
        if self.alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// SIGKILL, then waits until it is gone (10 s at most).
    pub fn end(self) {
        self.signal(Signal::SIGKILL);
        for _ in 0..1000 {
            if !self.alive() && reap(self.pid) {
                return;
            }
            clock::block(Duration::from_millis(10));
        }
    }
}

/// If it is a dead child of ours it would stay as a zombie. Not yet (false) while a thread of it is still ending.
pub fn reap(pid: i32) -> bool {
    !matches!(
        waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)),
        Ok(WaitStatus::StillAlive)
    )
}

/// A process of this world.
#[derive(Debug)]
pub struct Process {
    pub name: String,
    pub identity: Identity,
    /// Its output, both streams.
    pub log: PathBuf,
    child: Option<Child>,
}

impl Process {
    #[must_use]
    pub fn alive(&self) -> bool {
        self.identity.alive()
    }

    /// Sends a signal and returns at once.
    pub fn signal(&self, signal: Signal) {
        self.identity.signal(signal);
    }

    /// Waits for the end, `time` at most; its exit code (128 + n for signal n), or `None` while it still runs.
    pub async fn wait(&mut self, time: Duration) -> Option<i32> {
        let deadline = clock::now() + time;
        loop {
            if let Some(status) = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten())
            {
                use std::os::unix::process::ExitStatusExt;
                return status
                    .code()
                    .or_else(|| status.signal().map(|signal| 128 + signal));
            }
            if clock::now() >= deadline {
                return None;
            }
            clock::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Its whole output so far.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// SIGKILL, and gone when this returns.
    pub fn end(&mut self) {
        self.identity.signal(Signal::SIGKILL);
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
        self.identity.end();
    }
}

/// Everything recorded below `dir/pids`.
#[must_use]
pub fn recorded(dir: &Path) -> Vec<Identity> {
    let Ok(entries) = fs::read_dir(dir.join("pids")) else {
        return Vec::new();
    };
    let stats = entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path()).ok());
    stats
        .filter_map(|stat| parse_stat(&stat))
        .map(|(identity, _)| identity)
        .collect()
}

/// The shell's record, which is there within milliseconds (10 s on a very busy machine).
fn wait_recorded(pid_file: &Path) -> Option<Identity> {
    for _ in 0..2000 {
        let found = fs::read_to_string(pid_file)
            .ok()
            .filter(|text| text.ends_with('\n'));
        if let Some((identity, _)) = found.as_deref().and_then(parse_stat) {
            return Some(identity);
        }
        clock::block(Duration::from_millis(5));
    }
    None
}

/// Pid, start time and state; the program's name in between may hold spaces and brackets.
fn parse_stat(stat: &str) -> Option<(Identity, char)> {
    let pid = stat.split_whitespace().next()?.parse().ok()?;
    let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let started = rest.get(19)?.parse().ok()?;
    Some((Identity { pid, started }, rest.first()?.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_stat_with_a_bracket_in_its_name_is_read() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 1 1";
        assert_eq!(
            parse_stat(stat),
            Some((
                Identity {
                    pid: 42,
                    started: 777
                },
                'S'
            ))
        );
    }

    #[test]
    fn process_of_another_start_time_is_never_taken_for_ours() {
        let own = Identity::own().unwrap();
        assert!(own.alive());
        assert!(
            !Identity {
                started: own.started + 1,
                ..own
            }
            .alive()
        );
    }

    #[test]
    fn process_is_recorded_from_its_first_instruction_and_ended() {
        let dir = std::env::temp_dir().join(format!("eipd-process-{}", std::process::id()));
        let mut process = Program::new("sleeper", "sleep".into())
            .args(["60"])
            .start(&dir)
            .unwrap();
        assert!(process.alive());
        assert_eq!(recorded(&dir), vec![process.identity]);
        process.end();
        assert!(!process.alive());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
