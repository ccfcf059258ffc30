//! What the node's kernel says of addresses: the node's own, and with `hostPID` those inside a pod's network namespace.
//!
//! No namespace is entered: `/proc/PID/net` shows each process its own one, to any user.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use procfs::process::{Process, all_processes_with_root};

use crate::domain::ids::Uid;

mod trie;

/// Where addresses are looked for. Tests put a node without a kernel in its place.
pub trait Kernel: Send + Sync {
    /// The node's own interfaces.
    fn links(&self) -> Vec<Link>;

    /// The addresses inside the pod's network namespace, loopback's left out; `None`: no process of the pod is seen. May
    /// take some milliseconds.
    fn of_pod(&self, pod: &Uid) -> Option<BTreeSet<Ipv4Addr>>;
}

/// An interface in the agent's own network namespace, which is the node's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// `00:16:3e:...`, as the metadata service writes it; empty where it has none.
    pub mac: String,
    pub addresses: Vec<Ipv4Addr>,
}

/// Whether a pod's address is inside the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    Yes,
    /// The pod has these instead.
    No(BTreeSet<Ipv4Addr>),
    /// Not seen: the agent has no `hostPID`, or the pod is a virtual machine.
    Unseen,
}

/// Linux.
#[derive(Debug, Clone)]
pub struct Linux {
    proc: PathBuf,
}

impl Linux {
    /// The kernel that runs this process.
    pub fn shared() -> Arc<dyn Kernel> {
        Arc::new(Self {
            proc: PathBuf::from("/proc"),
        })
    }
}

impl Kernel for Linux {
    fn links(&self) -> Vec<Link> {
        let mut links: Vec<(String, Link)> = Vec::new();
        for part in getifaddrs().into_iter().flatten() {
            if part.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
                continue;
            }
            let name = &part.interface_name;
            let at = links.iter().position(|(known, _)| known == name);
            let at = at.unwrap_or_else(|| {
                links.push((name.clone(), Link::default()));
                links.len() - 1
            });
            let (link, address) = (&mut links[at].1, part.address);
            if let Some(mac) = address.and_then(|it| it.as_link_addr()?.addr()) {
                link.mac = mac.map(|byte| format!("{byte:02x}")).join(":");
            }
            let ip = address.and_then(|it| Some(it.as_sockaddr_in()?.ip()));
            link.addresses.extend(ip);
        }
        links.into_iter().map(|(_, link)| link).collect()
    }

    fn of_pod(&self, pod: &Uid) -> Option<BTreeSet<Ipv4Addr>> {
        let mut seen = None;
        // What ends meanwhile is passed over.
        for process in all_processes_with_root(&self.proc).into_iter().flatten() {
            let Some(process) = process.ok().filter(|process| is_of(process, pod)) else {
                continue;
            };
            if let Some(text) = self.trie(process.pid) {
                let inside = seen.get_or_insert_with(BTreeSet::new);
                inside.extend(trie::addresses(&text));
            }
        }
        seen
    }
}

impl Linux {
    fn trie(&self, pid: i32) -> Option<String> {
        let path = Path::new(&self.proc).join(format!("{pid}/net/fib_trie"));
        std::fs::read_to_string(path).ok()
    }
}

/// kubelet puts a pod's processes below a control group named after its uid, with `_` for `-` where systemd makes it.
fn is_of(process: &Process, pod: &Uid) -> bool {
    let dashed = format!("pod{pod}");
    let systemd = dashed.replace('-', "_");
    let groups = process.cgroups().into_iter().flatten();
    let mut paths = groups.map(|group| group.pathname);
    paths.any(|path| path.contains(&dashed) || path.contains(&systemd))
}

/// Whether what was seen inside a pod speaks against its address. A pod may have further addresses, and containers of its
/// own; an interface that was handed on to a virtual machine leaves none behind.
pub fn judge(seen: Option<BTreeSet<Ipv4Addr>>, ip: Ipv4Addr) -> Inside {
    match seen {
        Some(inside) if inside.contains(&ip) => Inside::Yes,
        Some(inside) if !inside.is_empty() => Inside::No(inside),
        _ => Inside::Unseen,
    }
}

#[cfg(test)]
mod tests;
