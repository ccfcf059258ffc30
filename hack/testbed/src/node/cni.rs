//! The node's CNI: exactly the addresses, or the ENIs, that the cloud gave to the node. So every pod's address belongs to a
//! known ENI, and nothing has to watch or ask back.
//!
//! Where pods share an ENI these are Debian's ptp and host-local; where each has its own, [`super::pool`].

use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Instance, NodeError, OwnEni, Wiring, write};
use crate::net::{Network, own_link};

/// Where Debian has its plugins.
const DEBIAN: &str = "/usr/lib/cni";
const POOL: &str = "eni-pool";

/// Writes the configuration below `home/cni`.
pub fn write_configuration(
    home: &Path,
    network: &Network,
    instance: &Instance,
) -> Result<(), NodeError> {
    let network = match instance.wiring {
        Wiring::Shared => shared(home, network, instance),
        Wiring::Exclusive | Wiring::Member => {
            for (number, eni) in instance.own_enis.iter().enumerate() {
                let file = pool(home).join(format!("{number:02}.json"));
                write(&file, &whole(network, number, eni).to_string())?;
            }
            // Named, so that what libcni keeps of it is found again at the end.
            json!({"type": POOL, "pool": pool(home)})
        }
    };
    let configuration = json!({"cniVersion": "1.0.0", "name": "eni", "plugins": [network]});
    write(
        &home.join("cni/conf/10-eni.conflist"),
        &format!("{configuration:#}\n"),
    )
}

/// The folder of the plugins, [`super::pool`] among them where it is wanted.
pub fn plugins(home: &Path, instance: &Instance) -> Result<PathBuf, NodeError> {
    if instance.wiring == Wiring::Shared {
        return Ok(DEBIAN.into());
    }
    let folder = home.join("cni/bin");
    let script = folder.join(POOL);
    let failed = |source| NodeError::File {
        path: script.clone(),
        source,
    };
    let this = std::env::current_exe().map_err(failed)?;
    let text = format!(
        "#!/bin/sh\nexec '{}' eni-pool '{}'\n",
        this.display(),
        pool(home).display()
    );
    write(&script, &text)?;
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).map_err(failed)?;
    for plugin in ["host-device", "static", "loopback"] {
        symlink(Path::new(DEBIAN).join(plugin), folder.join(plugin)).map_err(failed)?;
    }
    Ok(folder)
}

fn pool(home: &Path) -> PathBuf {
    home.join("cni/pool")
}

/// `host-device`'s configuration for that ENI.
fn whole(network: &Network, number: usize, eni: &OwnEni) -> Value {
    let address = format!("{}/16", eni.address);
    json!({
        "cniVersion": "1.0.0",
        "name": "eni",
        "type": "host-device",
        "device": own_link(number),
        "ipam": {
            "type": "static",
            "addresses": [{"address": address, "gateway": network.gateway()}],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    })
}

fn shared(home: &Path, network: &Network, instance: &Instance) -> Value {
    let subnet = network.cidr();
    // Not the bridge's address: ptp puts this one on the host's end of every pod's link.
    let gateway = Ipv4Addr::new(10, network.octet, 255, 254);
    let ranges: Vec<_> = runs(&instance.pod_addresses)
        .into_iter()
        .map(|(first, last)| json!({"subnet": subnet, "rangeStart": first, "rangeEnd": last, "gateway": gateway}))
        .collect();
    json!({
        "type": "ptp",
        "ipMasq": false,
        "ipam": {
            "type": "host-local",
            "dataDir": home.join("cni/addresses"),
            "ranges": [ranges],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    })
}

/// Neighbouring addresses as first and last.
fn runs(addresses: &[Ipv4Addr]) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let mut sorted = addresses.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::new();
    for address in sorted {
        match runs.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(address) => *last = address,
            _ => runs.push((address, address)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cni_ranges_hold_exactly_the_addresses() {
        let address = |last| Ipv4Addr::new(10, 77, 0, last);
        let found = runs(&[address(12), address(10), address(11), address(20)]);
        assert_eq!(
            found,
            vec![(address(10), address(12)), (address(20), address(20))]
        );
    }
}
