//! A world with NAT gateways, and pods that ask for ports.

use std::net::Ipv4Addr;
use std::time::Duration;

use cloudsim::control::eips::ConsoleAction;
use cloudsim::nat::{ForwardEntry, NewNatGateway};
use cloudsim::world::routes::{NewRouteTable, Route};
use eipd::clock;
use serde_json::{Value, json};
use testbed::apiserver::{ApiServer, PodSpec};

use crate::world::{NS, World};

pub const GATEWAY: &str = "ngw-1";
pub const TABLE: &str = "ftb-1";

/// A world whose route to the Internet leads to [`GATEWAY`], and an EIP there.
pub fn world() -> (World, Ipv4Addr) {
    let world = bare();
    gateway(&world, GATEWAY, TABLE);
    let ip = eip(&world, GATEWAY).1;
    route(&world, GATEWAY);
    (world, ip)
}

/// A world with the definitions as they are installed, and without any gateway.
pub fn bare() -> World {
    let world = World::new();
    for crd in ["poddnats", "paces"] {
        let path = format!("{}/daemonset/crds/{crd}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let crd: Value = serde_saphyr::from_str(&text).unwrap();
        world.api.install(&crd).unwrap();
    }
    world
}

/// A gateway in the node's vSwitch.
pub fn gateway(world: &World, id: &str, table: &str) {
    let gateway = NewNatGateway {
        id: Some(id.to_owned()),
        forward_table_id: Some(table.to_owned()),
        vswitch_id: world.eni.vswitch_id.clone(),
        ..NewNatGateway::default()
    };
    world.cloud.add_nat_gateway(gateway).unwrap();
}

/// Another EIP of a gateway: its id and address.
pub fn eip(world: &World, gateway: &str) -> (String, Ipv4Addr) {
    let eip = world.cloud.create_eip(&[].into(), None).unwrap();
    let bind = ConsoleAction::BindNat {
        gateway: gateway.to_owned(),
    };
    world.cloud.change_eip(&eip.id, &bind).unwrap();
    (eip.id, eip.ip)
}

/// The VPC's own route to the Internet.
pub fn route(world: &World, gateway: &str) {
    let route = Route {
        vpc_id: world.eni.vpc_id.clone(),
        next_hop_type: "NatGateway".to_owned(),
        next_hop_id: gateway.to_owned(),
        ..Route::default()
    };
    world.cloud.add_route(route).unwrap();
}

/// A table of its own for one vSwitch, which leads there.
pub fn route_of(world: &World, vswitch: &str, gateway: &str) {
    let table = NewRouteTable {
        id: Some(format!("vtb-{gateway}")),
        vpc_id: world.eni.vpc_id.clone(),
        vswitch_ids: vec![vswitch.to_owned()],
    };
    let table = world.cloud.add_route_table(table).unwrap();
    let route = Route {
        table_id: table.id,
        next_hop_type: "NatGateway".to_owned(),
        next_hop_id: gateway.to_owned(),
        ..Route::default()
    };
    world.cloud.add_route(route).unwrap();
}

/// A pod that asks for these of its ports.
pub fn asking(world: &World, name: &str, ports: &str) -> PodSpec {
    PodSpec::new(NS, name, &world.node)
        .annotation("k8s.aliyun.com/pod-dnat", "")
        .annotation("k8s.aliyun.com/pod-dnat-expose-port", ports)
}

pub fn record(view: &ApiServer, name: &str) -> Value {
    view.get("poddnats", NS, name).unwrap_or_default()
}

/// Record, annotation and condition all say so, and the record as many times as ports were asked for.
pub fn is_ready(view: &ApiServer, name: &str) -> bool {
    let record = record(view, name);
    let pod = view.get("pods", NS, name).unwrap_or_default();
    let entries = record["status"]["entries"].as_array().cloned();
    let entries = entries.unwrap_or_default();
    let asked = record["spec"]["portMapping"].as_array().map_or(0, Vec::len);
    let conditions = pod["status"]["conditions"].as_array().cloned();
    let ready = conditions.unwrap_or_default().iter().any(|condition| {
        condition["type"] == "eipd.io/dnat"
            && condition["status"] == "True"
            && condition["reason"] == "DNAT ready"
    });
    let text: Vec<String> = entries.iter().map(text).collect();
    !entries.is_empty()
        && entries.len() == asked
        && ready
        && pod["metadata"]["annotations"]["eipd.io/dnat"] == text.join(",")
}

fn text(entry: &Value) -> String {
    let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    format!(
        "{}:{}->{}/{}",
        field("externalIP"),
        field("externalPort"),
        field("internalPort"),
        field("ipProtocol")
    )
}

impl World {
    pub async fn until_ready(&self, within: Duration, name: &str) {
        self.until(within, |view| is_ready(view, name)).await;
        self.all_true(name);
    }

    /// What the record shows is what the cloud has.
    pub fn all_true(&self, name: &str) {
        let record = record(&self.api, name);
        for entry in record["status"]["entries"].as_array().unwrap() {
            let id = entry["forwardEntryId"].as_str().unwrap();
            let cloud = self.entries().into_iter().find(|it| it.id == id);
            let cloud = cloud.unwrap_or_else(|| panic!("no {id}\n{}", self.table()));
            let ports = |ports| json!(String::from(ports));
            assert_eq!(entry["externalIP"], cloud.external_ip.to_string());
            assert_eq!(entry["externalPort"], ports(cloud.external_port));
            assert_eq!(entry["internalIP"], cloud.internal_ip.to_string());
            assert_eq!(entry["internalPort"], ports(cloud.internal_port));
            assert_eq!(entry["ipProtocol"], cloud.protocol);
        }
    }

    /// Entries that exist.
    pub fn entries(&self) -> Vec<ForwardEntry> {
        self.cloud.forward_entries()
    }

    /// The record is gone, and so are the entries.
    pub async fn until_no_ports(&self, within: Duration, name: &str) {
        self.until(within, |view| view.get("poddnats", NS, name).is_none())
            .await;
        clock::sleep(Duration::from_secs(10)).await;
        assert!(self.entries().is_empty(), "{}", self.table());
    }

    /// Sets an annotation of a pod, or takes it away.
    pub fn annotate(&self, name: &str, key: &str, value: Option<&str>) {
        let change = |pod: &mut Value| {
            let annotations = pod["metadata"]["annotations"].as_object_mut().unwrap();
            match value {
                Some(value) => drop(annotations.insert(key.to_owned(), value.into())),
                None => drop(annotations.remove(key)),
            }
        };
        self.api.edit("pods", NS, name, change).unwrap();
    }

    pub fn table(&self) -> String {
        let all = self.cloud.forward_entries_even_gone();
        let calls = self.cloud.calls();
        let calls: Vec<_> = calls.iter().rev().take(15).collect();
        format!("entries: {all:#?}\nlast calls: {calls:#?}")
    }

    pub fn changes_of_ports(&self) -> u64 {
        self.count("CreateForwardEntry") + self.count("DeleteForwardEntry")
    }
}
