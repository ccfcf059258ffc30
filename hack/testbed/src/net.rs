//! The machine's side of the simulated VPC: a bridge, and a network namespace per node that hangs on it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use crate::command::{CommandError, run, words};

/// The prefix of every name that this testbed gives to a namespace, link or cgroup.
pub const PREFIX: &str = "eipd-";
/// The addresses of the services, as ACK chooses them; the API server is the first.
pub const SERVICE_CIDR: &str = "172.21.0.0/20";
/// What in-cluster clients are told to call.
pub const SERVICE_ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 21, 0, 1);
/// Where every instance finds its metadata service.
pub const METADATA_ADDRESS: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// The network of one world: 10.N.0.0/16, the machine itself at 10.N.255.253 as a vSwitch's gateway.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Network {
    /// The world's tag: at most 6 bytes, for a link's name has 15.
    pub tag: String,
    /// N of 10.N.0.0/16.
    pub octet: u8,
}

impl Network {
    /// A range that no route of the machine touches.
    pub fn choose(tag: &str) -> Result<Self, CommandError> {
        let routes = words("ip", "-4 route show table all")?;
        let octet = (77..=127)
            .find(|octet| !routes.contains(&format!("10.{octet}.")))
            .unwrap_or(77);
        Ok(Self {
            tag: tag.to_owned(),
            octet,
        })
    }

    #[must_use]
    pub fn cidr(&self) -> String {
        format!("10.{}.0.0/16", self.octet)
    }

    /// The bridge's own address: the API server's, and the nodes' way out.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, self.octet, 255, 253)
    }

    #[must_use]
    pub fn bridge(&self) -> String {
        format!("{PREFIX}{}", self.tag)
    }

    /// The namespace of node `index`.
    #[must_use]
    pub fn netns(&self, index: usize) -> String {
        format!("{PREFIX}{}-n{index}", self.tag)
    }

    /// Makes the bridge.
    pub fn create(&self) -> Result<(), CommandError> {
        let bridge = self.bridge();
        words("ip", &format!("link add {bridge} type bridge"))?;
        words(
            "ip",
            &format!("addr add {}/16 dev {bridge}", self.gateway()),
        )?;
        words("ip", &format!("link set {bridge} up"))?;
        Ok(())
    }

    /// Makes the namespace of node `index` with its primary ENI (`address`, `mac`) on the bridge, the metadata address on
    /// its loopback, and the way to the API server's service address.
    pub fn create_node(
        &self,
        index: usize,
        address: Ipv4Addr,
        mac: &str,
        port: u16,
    ) -> Result<(), CommandError> {
        let (netns, bridge) = (self.netns(index), self.bridge());
        let outer = format!("e{}n{index}", self.tag);
        words("ip", &format!("netns add {netns}"))?;
        words(
            "ip",
            &format!("link add {outer} type veth peer name eth0 address {mac} netns {netns}"),
        )?;
        words("ip", &format!("link set {outer} master {bridge} up"))?;
        for line in [
            "link set lo up".to_owned(),
            format!("addr add {METADATA_ADDRESS}/32 dev lo"),
            format!("addr add {address}/16 dev eth0"),
            "link set eth0 up".to_owned(),
            format!("route add default via {}", self.gateway()),
        ] {
            words("ip", &format!("-n {netns} {line}"))?;
        }
        // Pods answer through their node: it forwards, and it answers ARP for the addresses it has routes to.
        inside(
            &netns,
            "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp",
        )?;
        self.serve_api(&netns, port)
    }

    /// Gives node `index` a further ENI on the bridge, by the name of [`own_link`]; down, for a pod is to have it.
    pub fn create_eni(&self, index: usize, number: usize, mac: &str) -> Result<(), CommandError> {
        let (netns, bridge) = (self.netns(index), self.bridge());
        let (outer, inner) = (format!("e{}n{index}p{number}", self.tag), own_link(number));
        words(
            "ip",
            &format!("link add {outer} type veth peer name {inner} address {mac} netns {netns}"),
        )?;
        words("ip", &format!("link set {outer} master {bridge} up"))?;
        Ok(())
    }

    /// Nothing serves the service address: the node itself turns calls to it into calls to the API server.
    fn serve_api(&self, netns: &str, port: u16) -> Result<(), CommandError> {
        let rule = format!(
            "ip daddr {SERVICE_ADDRESS} tcp dport 443 dnat to {}:{port}",
            self.gateway()
        );
        let chain = |hook: &str, priority: &str| {
            format!("chain {hook} {{\ntype nat hook {hook} priority {priority};\n{rule}\n}}\n")
        };
        let table = format!(
            "table ip eipd {{\n{}{}}}\n",
            chain("output", "-100"),
            chain("prerouting", "dstnat")
        );
        inside(
            netns,
            &format!("printf '{}' | nft -f -", table.replace('\n', "\\n")),
        )
        .map(|_| ())
    }
}

/// What a further ENI is called on its node.
#[must_use]
pub fn own_link(number: usize) -> String {
    format!("eth{}", number + 1)
}

/// Runs a shell line in a namespace. `nsenter`, because `ip netns exec` hides `/sys/fs/cgroup`.
fn inside(netns: &str, line: &str) -> Result<String, CommandError> {
    run(
        "nsenter",
        &[
            &format!("--net=/run/netns/{netns}"),
            "--",
            "sh",
            "-ec",
            line,
        ],
    )
}

/// Removes the namespaces and links of the world `tag`; what is not there is no error.
pub fn remove(tag: &str) {
    let prefix = format!("{PREFIX}{tag}-n");
    for netns in names(Path::new("/run/netns"))
        .iter()
        .filter(|name| name.starts_with(&prefix))
    {
        let _ = words("ip", &format!("netns del {netns}"));
    }
    let bridge = format!("{PREFIX}{tag}");
    if Path::new("/sys/class/net").join(&bridge).exists() {
        let _ = words("ip", &format!("link del {bridge}"));
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
