//! Nothing that the tests started may outlive them: processes, mounts, network namespaces.
//!
//! We are the reaper of our orphans (`PR_SET_CHILD_SUBREAPER`), so a process that got away from whoever started it
//! has become our child, whatever it did to its process group or session.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::clock::{Stopwatch, sleep};
use crate::report::Report;

/// Where root's worlds are; others have none with mounts.
const WORLDS: &str = "/var/lib/eipd-testbed";

/// Orphans that were told to end may need a moment.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was there before the tests.
#[derive(Debug)]
pub struct Before {
    mounts: BTreeSet<String>,
}

impl Before {
    /// From now on orphans come to us. Without that (a kernel that does not know it) they are simply not found.
    pub fn tests() -> Self {
        if let Err(error) = nix::sys::prctl::set_child_subreaper(true) {
            eprintln!("warning: processes left behind will not be found: {error}");
        }
        Self {
            mounts: our_mounts(&mounts()),
        }
    }

    /// Reports what is left, and ends it as far as it is a process. To be called when no test runs any more.
    pub async fn compare(&self, report: &mut Report) {
        let watch = Stopwatch::start();
        let mut left = collect();
        while !left.is_empty() && watch.elapsed() < PATIENCE {
            sleep(Duration::from_millis(200)).await;
            left = collect();
        }
        let mut said: Vec<_> = left
            .iter()
            .map(|&pid| format!("process {pid}: {}", command_line(pid)))
            .collect();
        for &pid in &left {
            let _ = kill(pid, Signal::SIGKILL); // an error means: it is gone by now
        }
        let unwanted = |place: &&String| {
            world_of(place).is_some_and(|world| !is_wanted(Path::new(WORLDS), world))
        };
        let now = our_mounts(&mounts());
        let new = now.difference(&self.mounts).filter(unwanted);
        said.extend(new.map(|place| format!("mount {place}")));
        if !said.is_empty() {
            report.fault("runner::left_behind", &said.join("\n"));
        }
    }
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mounts").unwrap_or_default()
}

/// The places of mounts that belong to a world of the testbed; a named network namespace is a mount too.
fn our_mounts(table: &str) -> BTreeSet<String> {
    let places = table.lines().filter_map(|line| line.split(' ').nth(1));
    places
        .filter(|place| world_of(place).is_some())
        .map(str::to_owned)
        .collect()
}

/// The name of the world that has something at `place`.
fn world_of(place: &str) -> Option<&str> {
    let namespace = place
        .strip_prefix("/run/netns/eipd-")
        .and_then(|rest| rest.split('-').next());
    let below = || {
        place
            .strip_prefix(WORLDS)?
            .strip_prefix('/')?
            .split('/')
            .next()
    };
    namespace.or_else(below)
}

/// Whether a world stands because somebody wants it: its maker lives and holds the lock, or it was kept on purpose
/// (`hack/testbed/src/world/claim.rs`). Other tests and the demo may run beside us.
fn is_wanted(worlds: &Path, world: &str) -> bool {
    let lock = File::open(worlds.join(format!("{world}.lock")));
    let held = lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    held || worlds.join(world).join("kept").exists()
}

/// Our children that live, after those that are dead have been collected.
fn collect() -> Vec<Pid> {
    let pids = children();
    pids.into_iter().filter(|&pid| !is_over(pid)).collect()
}

/// Whether a child of ours is dead; if so, it is collected.
fn is_over(pid: Pid) -> bool {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
        Ok(status) => status.pid().is_some(),
        Err(error) => error == Errno::ECHILD,
    }
}

/// The children of all our threads, as the kernel lists them.
fn children() -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .map(Pid::from_raw)
        .collect()
}

fn command_line(pid: Pid) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mounts_of_worlds_are_ours() {
        let table = "proc /proc proc rw 0 0\nnsfs /run/netns/eipd-tabcde-n0 nsfs rw 0 0\nsome-eipd /mnt ext4 rw 0 0\n\
                     tmpfs /var/lib/eipd-testbed/demo/n0/shm tmpfs rw 0 0\n";
        let ours = our_mounts(table);
        let worlds: Vec<_> = ours.iter().map(|place| world_of(place)).collect();
        assert_eq!(worlds, [Some("tabcde"), Some("demo")]);
    }

    #[test]
    fn a_world_is_wanted_while_its_lock_is_held_or_it_is_kept() {
        let worlds = std::env::temp_dir().join(format!("eipd-leftovers-{}", std::process::id()));
        std::fs::create_dir_all(worlds.join("kept/kept")).unwrap();
        let lock = File::create(worlds.join("held.lock")).unwrap();
        lock.lock().unwrap();
        File::create(worlds.join("dead.lock")).unwrap();
        let wanted = ["kept", "held", "dead", "none"].map(|world| is_wanted(&worlds, world));
        std::fs::remove_dir_all(&worlds).unwrap();
        assert_eq!(wanted, [true, true, false, false]);
    }
}
