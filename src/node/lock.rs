//! Keeps a second agent of the same cluster off this node: an abstract unix socket, held while the agent lives.
//!
//! Abstract sockets belong to the network namespace, here the host's, and the kernel frees them with the process: a
//! killed agent leaves nothing behind that would keep the next one out.

use std::fmt::Write;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use sha2::{Digest, Sha256};

use crate::domain::ids::ClusterUid;

/// Held for as long as this value lives.
#[derive(Debug)]
pub struct NodeLock {
    _socket: UnixListener,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another eipd agent of this cluster serves node {node} already; remove one of the two")]
    AlreadyRunning { node: String },
    #[error("cannot make the socket that keeps a second agent off node {node}: {cause}")]
    Socket { node: String, cause: io::Error },
}

/// A unix socket's name has 108 bytes, the first of which makes it abstract.
const NAME_LIMIT: usize = 107;

impl NodeLock {
    /// Takes the lock of `node` in the cluster, in the network namespace of the calling thread.
    pub fn take(cluster: &ClusterUid, node: &str) -> Result<Self, LockError> {
        let bound = SocketAddr::from_abstract_name(name(cluster, node))
            .and_then(|address| UnixListener::bind_addr(&address));
        match bound {
            Ok(socket) => Ok(Self { _socket: socket }),
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {
                Err(LockError::AlreadyRunning {
                    node: node.to_owned(),
                })
            }
            Err(cause) => Err(LockError::Socket {
                node: node.to_owned(),
                cause,
            }),
        }
    }
}

/// Readable in `ss -xl` where it fits; node names reach 253 bytes.
fn name(cluster: &ClusterUid, node: &str) -> String {
    let plain = format!("eipd/{cluster}/{node}");
    if plain.len() <= NAME_LIMIT {
        return plain;
    }
    let hash = Sha256::digest(&plain);
    hash.iter().fold("eipd/".to_owned(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> ClusterUid {
        ClusterUid::new(format!("test-{:032x}", fastrand::u128(..)))
    }

    #[test]
    fn a_second_agent_is_kept_out_until_the_first_is_gone() {
        let cluster = cluster();
        let first = NodeLock::take(&cluster, "node-1").unwrap();
        let second = NodeLock::take(&cluster, "node-1");
        assert!(matches!(second, Err(LockError::AlreadyRunning { node }) if node == "node-1"));
        drop(first);
        NodeLock::take(&cluster, "node-1").unwrap();
    }

    #[test]
    fn other_nodes_and_other_clusters_do_not_matter() {
        let cluster = cluster();
        let _held = NodeLock::take(&cluster, "node-1").unwrap();
        NodeLock::take(&cluster, "node-2").unwrap();
        NodeLock::take(&self::cluster(), "node-1").unwrap();
    }

    #[test]
    fn the_longest_node_names_are_told_apart() {
        let (cluster, stem) = (cluster(), "n".repeat(252));
        let _held = NodeLock::take(&cluster, &format!("{stem}a")).unwrap();
        NodeLock::take(&cluster, &format!("{stem}b")).unwrap();
        let again = NodeLock::take(&cluster, &format!("{stem}a"));
        assert!(matches!(again, Err(LockError::AlreadyRunning { .. })));
    }
}
