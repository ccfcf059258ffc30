//! Which gateways are a pod's: those of its zone in the pool, else those that its traffic leaves by. Pure.

use std::ops::RangeInclusive;

use crate::cloud::vpc::nat::{NatEip, NatView};
use crate::config::{NatGateway, PublicEip};
use crate::dnat::choose::Address;

/// Ports while no pool says otherwise: below those that SNAT takes.
const PORTS: RangeInclusive<u16> = 512..=1024;

/// A gateway that the pod may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub gateway: String,
    pub table: String,
    pub range: RangeInclusive<u16>,
    pub addresses: Vec<Address>,
}

/// Whether the pod's routes decide: there is no pool, or its zone has no gateway in it.
pub fn needs_routes(pool: &[NatGateway], found: &[NatView], zone: Option<&str>) -> bool {
    !pool.iter().any(|it| is_in(it, found, zone))
}

/// In the order of the pool, else as the cloud lists them. `led`: the gateways that the pod's default route leads to.
pub fn candidates(
    pool: &[NatGateway],
    found: &[NatView],
    zone: Option<&str>,
    led: &[String],
) -> Vec<Candidate> {
    if pool.is_empty() {
        let routed = found.iter().filter(|it| led.contains(&it.id));
        return routed.filter_map(|it| candidate(it, PORTS, &[])).collect();
    }
    let local = !needs_routes(pool, found, zone);
    let may = |it: &&NatGateway| match local {
        true => is_in(it, found, zone),
        false => led.contains(&it.id),
    };
    let all = pool.iter().filter(may);
    all.filter_map(|it| {
        let view = found.iter().find(|view| view.id == it.id)?;
        candidate(view, it.ports.clone(), &it.eips)
    })
    .collect()
}

/// Of the pod's zone, as the pool says, or else as the gateway stands.
fn is_in(gateway: &NatGateway, found: &[NatView], zone: Option<&str>) -> bool {
    let stands = found.iter().find(|view| view.id == gateway.id);
    match (stands, &gateway.zone) {
        (None, _) => false, // of another VPC, or of none
        (Some(_), Some(configured)) => zone == Some(configured.as_str()),
        (Some(view), None) => zone == Some(view.zone.as_str()),
    }
}

fn candidate(view: &NatView, range: RangeInclusive<u16>, eips: &[PublicEip]) -> Option<Candidate> {
    let wanted = |eip: &&NatEip| {
        let is = |wanted: &PublicEip| match wanted {
            PublicEip::Address(ip) => *ip == eip.address,
            PublicEip::Id(id) => *id == eip.id,
        };
        eips.is_empty() || eips.iter().any(is)
    };
    let usable = matches!(view.status.as_str(), "Available" | "Modifying");
    Some(Candidate {
        gateway: view.id.clone(),
        table: view.table.clone().filter(|_| usable)?,
        range,
        addresses: view.eips.iter().filter(wanted).map(Address::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EipId;

    fn view(id: &str, zone: &str) -> NatView {
        let eip = |n: u8| NatEip {
            id: EipId::new(format!("eip-{n}")),
            address: [203, 0, 113, n].into(),
            snat: false,
        };
        NatView {
            id: id.to_owned(),
            zone: zone.to_owned(),
            status: "Available".to_owned(),
            table: Some(format!("ftb-{id}")),
            eips: vec![eip(1), eip(2)],
        }
    }

    fn pooled(id: &str, zone: Option<&str>) -> NatGateway {
        NatGateway {
            id: id.to_owned(),
            zone: zone.map(str::to_owned),
            ports: 600..=700,
            eips: Vec::new(),
        }
    }

    fn ids(pool: &[NatGateway], zone: &str, led: &[&str]) -> Vec<String> {
        let found = [
            view("a", "zone-a"),
            view("b", "zone-b"),
            view("c", "zone-b"),
        ];
        let led: Vec<_> = led.iter().map(|it| (*it).to_owned()).collect();
        let all = candidates(pool, &found, Some(zone), &led);
        all.into_iter().map(|it| it.gateway).collect()
    }

    #[test]
    fn without_a_pool_the_routes_lead_to_the_gateways() {
        assert_eq!(ids(&[], "zone-a", &["b", "unknown"]), ["b"]);
        assert_eq!(ids(&[], "zone-a", &[]), Vec::<String>::new());
    }

    #[test]
    fn a_pool_is_used_by_zone_and_what_the_zone_lacks_by_route() {
        let pool = [
            pooled("a", Some("zone-a")),
            pooled("b", None),
            pooled("c", Some("zone-b")),
            pooled("elsewhere", Some("zone-a")),
        ];
        assert_eq!(ids(&pool, "zone-a", &["b"]), ["a"]);
        assert_eq!(ids(&pool, "zone-b", &[]), ["b", "c"]);
        assert_eq!(ids(&pool, "zone-x", &[]), Vec::<String>::new());
        assert_eq!(ids(&pool, "zone-x", &["c", "unknown"]), ["c"]);
    }

    #[test]
    fn the_pool_names_eips_by_address_or_by_id() {
        let mut one = pooled("a", None);
        let addresses = |one: &NatGateway| {
            let found = [view("a", "zone-a")];
            let mut all = candidates(std::slice::from_ref(one), &found, Some("zone-a"), &[]);
            let all = all.remove(0).addresses;
            all.iter().map(|it| it.ip.octets()[3]).collect::<Vec<_>>()
        };
        assert_eq!(addresses(&one), [1, 2]);
        one.eips = vec![PublicEip::Id(EipId::new("eip-2"))];
        assert_eq!(addresses(&one), [2]);
        one.eips = vec![PublicEip::Address([203, 0, 113, 1].into())];
        assert_eq!(addresses(&one), [1]);
    }

    #[test]
    fn a_gateway_that_goes_is_none() {
        let mut going = view("a", "zone-a");
        going.status = "Deleting".to_owned();
        assert_eq!(candidates(&[], &[going], None, &["a".to_owned()]), []);
    }
}
