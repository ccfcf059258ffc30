//! A control group per node: the kubelet's pods and the node's daemons live below it, and by it all of them are found
//! again when the node goes. Both cgroup versions.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{clock, process};

const ROOT: &str = "/sys/fs/cgroup";

/// The hierarchies of this machine: one per controller with version 1 (and perhaps a bare one of version 2 beside them),
/// one in all with version 2.
fn hierarchies(kinds: &[&str]) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let lines = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let found = lines.filter(|fields| {
        fields.len() > 2 && kinds.contains(&fields[2]) && fields[1].starts_with(ROOT)
    });
    found.map(|fields| PathBuf::from(fields[1])).collect()
}

/// Whether the machine has version 1: kubelet must then be told not to mind.
#[must_use]
pub fn is_version_1() -> bool {
    !Path::new(ROOT).join("cgroup.controllers").exists()
}

/// Makes `name` in every hierarchy, and in it the group for the node's daemons; the daemons' `cgroup.procs`.
pub fn create(name: &str) -> io::Result<PathBuf> {
    let mut procs = None;
    for hierarchy in hierarchies(if is_version_1() {
        &["cgroup"]
    } else {
        &["cgroup2"]
    }) {
        let group = hierarchy.join(name);
        fs::create_dir_all(&group)?;
        // An empty cpuset takes no process; one without controllers passes none on.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = fs::read_to_string(hierarchy.join(file)) {
                fs::write(group.join(file), value.trim())?;
            }
        }
        if let Ok(controllers) = fs::read_to_string(group.join("cgroup.controllers")) {
            let all: Vec<String> = controllers
                .split_whitespace()
                .map(|name| format!("+{name}"))
                .collect();
            fs::write(group.join("cgroup.subtree_control"), all.join(" "))?;
        }
        if hierarchy.ends_with("pids") || hierarchy == Path::new(ROOT) {
            fs::create_dir_all(group.join("daemons"))?;
            procs = Some(group.join("daemons/cgroup.procs"));
        }
    }
    procs.ok_or_else(|| io::Error::other("no pids controller"))
}

/// Ends every process below the groups whose name starts with `prefix`, and removes the groups.
pub fn remove(prefix: &str) {
    for hierarchy in hierarchies(&["cgroup", "cgroup2"]) {
        for group in children(&hierarchy)
            .into_iter()
            .filter(|path| named(path, prefix))
        {
            end_processes(&group);
            remove_tree(&group);
        }
    }
    reap_shims();
}

/// Shims that ended by themselves while the world lived: each left its starter at once, and so became our child.
fn reap_shims() {
    for thread in children(Path::new("/proc/self/task")) {
        let pids = fs::read_to_string(thread.join("children")).unwrap_or_default();
        for pid in pids
            .split_whitespace()
            .filter_map(|pid| pid.parse::<i32>().ok())
        {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if zombie(pid) && name.starts_with("containerd-shim") {
                process::reap(pid);
            }
        }
    }
}

fn named(path: &Path, prefix: &str) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

fn children(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// SIGKILL to all, again until none is left: a process may have forked meanwhile (10 s at most). Those that have become
/// our children (see [`adopt_orphans`]) would stay as zombies on a machine whose first process does not look.
fn end_processes(group: &Path) {
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let mut pids = BTreeSet::new();
        collect(group, &mut pids);
        pids.retain(|pid| !zombie(*pid));
        for pid in &pids {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        seen.extend(pids.iter().copied());
        // Only now: what a shim leaves is our child from the moment that the shim is dead.
        if pids.is_empty() && seen.iter().filter(|pid| !process::reap(**pid)).count() == 0 {
            return;
        }
        clock::block(Duration::from_millis(50));
    }
}

/// From now on what our children leave behind (shims, containers) becomes our child, so that teardown can reap it.
pub fn adopt_orphans() {
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// The pids below a group.
fn collect(group: &Path, pids: &mut BTreeSet<i32>) {
    let procs = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    // 0 stands for a process of another pid namespace: not ours to name, and kill(0) would hit our own group.
    pids.extend(
        procs
            .lines()
            .filter_map(|line| line.parse::<i32>().ok())
            .filter(|pid| *pid > 0),
    );
    for child in children(group) {
        collect(&child, pids);
    }
}

/// Dead but for its entry, or gone altogether.
fn zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z'))
}

fn remove_tree(group: &Path) {
    for child in children(group) {
        remove_tree(&child);
    }
    for _ in 0..40 {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                clock::block(Duration::from_millis(50));
            }
            _ => return,
        }
    }
}
