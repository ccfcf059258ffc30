//! The node's CNI: Debian's ptp and host-local, with exactly the addresses that the cloud gave to the node's ENI. So
//! every pod's address belongs to a known ENI, and nothing has to watch or ask back.

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::json;

use super::{Instance, NodeError, write};
use crate::net::Network;

/// Writes the configuration below `home/cni`.
pub fn write_configuration(
    home: &Path,
    network: &Network,
    instance: &Instance,
) -> Result<(), NodeError> {
    let subnet = network.cidr();
    // Not the bridge's address: ptp puts this one on the host's end of every pod's link.
    let gateway = Ipv4Addr::new(10, network.octet, 255, 254);
    let ranges: Vec<_> = runs(&instance.pod_addresses)
        .into_iter()
        .map(|(first, last)| json!({"subnet": subnet, "rangeStart": first, "rangeEnd": last, "gateway": gateway}))
        .collect();
    let configuration = json!({
        "cniVersion": "1.0.0",
        "name": "eni",
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": {
                "type": "host-local",
                "dataDir": home.join("cni/addresses"),
                "ranges": [ranges],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    });
    write(
        &home.join("cni/conf/10-eni.conflist"),
        &format!("{configuration:#}\n"),
    )
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
