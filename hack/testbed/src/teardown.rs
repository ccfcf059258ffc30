//! Takes a world away by what is on file and by its name: in the end no process, mount, namespace, link, cgroup or
//! file of it is left, whoever made it and however far it had come. Needs no runtime and no API server, so it also
//! works from a guard, after a crash, and for a world of another run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::mount::{MntFlags, umount2};

use crate::{cgroup, clock, net, process};

/// Removes the world `tag` whose folder is `dir`.
pub fn remove(tag: &str, dir: &Path) {
    let processes = process::recorded(dir);
    for process in &processes {
        process.signal(nix::sys::signal::Signal::SIGKILL);
    }
    for process in &processes {
        process.end();
    }
    if nix::unistd::geteuid().is_root() {
        cgroup::remove(&format!("{}{tag}-n", net::PREFIX));
        remove_shim_sockets(dir);
        remove_traces(dir);
        unmount_below(dir);
        net::remove(tag);
    }
    wait_collected(&processes);
    remove_folder(dir);
}

/// Those that are not our children are collected by the machine's first process, in its own time: 3 s at most.
fn wait_collected(processes: &[process::Identity]) {
    for _ in 0..60 {
        if processes.iter().all(|process| process.is_collected()) {
            return;
        }
        clock::block(Duration::from_millis(50));
    }
}

/// A shim's socket lies outside of the state directory; its address is in the container's bundle.
fn remove_shim_sockets(dir: &Path) {
    for node in entries(dir) {
        for bundle in entries(&node.join("containerd/state/io.containerd.runtime.v2.task/k8s.io")) {
            let address = fs::read_to_string(bundle.join("address")).unwrap_or_default();
            if let Some(path) = address.strip_prefix("unix://") {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// kubelet links each container's log, and CNI keeps each result, in folders that cannot be chosen.
fn remove_traces(dir: &Path) {
    let ours = dir.to_string_lossy();
    let linked = |path: &PathBuf| fs::read_link(path).is_ok_and(|target| target.starts_with(dir));
    for link in entries(Path::new("/var/log/containers"))
        .into_iter()
        .filter(linked)
    {
        let _ = fs::remove_file(link);
    }
    let named = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(&*ours));
    for result in entries(Path::new("/var/lib/cni/results"))
        .into_iter()
        .filter(named)
    {
        let _ = fs::remove_file(result);
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// Unmounts what is mounted below `dir`, the last one first: sandboxes, volumes, pods' network namespaces.
fn unmount_below(dir: &Path) {
    for _ in 0..5 {
        let mounts = mounts_below(dir);
        if mounts.is_empty() {
            return;
        }
        for mount in mounts.iter().rev() {
            let _ = umount2(mount.as_path(), MntFlags::MNT_DETACH);
        }
    }
}

fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescape);
    points.filter(|point| point.starts_with(dir)).collect()
}

/// mountinfo writes a space as `\040`, and so on.
fn unescape(field: &str) -> PathBuf {
    PathBuf::from(
        field
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\012", "\n")
            .replace("\\134", "\\"),
    )
}

/// A process that is just ending may still write: try again for a second.
fn remove_folder(dir: &Path) {
    for _ in 0..10 {
        if fs::remove_dir_all(dir).is_ok() || !dir.exists() {
            return;
        }
        clock::block(Duration::from_millis(100));
    }
}
