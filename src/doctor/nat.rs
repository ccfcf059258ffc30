//! What pods that ask for public ports (DNAT) would find: the VPC's NAT gateways, and which of them the node's routes lead to.

use super::{Check, actions};
use crate::cloud::error::{Class, CloudError};
use crate::cloud::vpc::Vpc;
use crate::cloud::vpc::nat::NatView;
use crate::config::NatGateway;

const GATEWAYS: &str = "NAT gateways";
const ROUTES: &str = "routes";
const NEEDED: &str = "needed only for pods that ask for ports (pod-dnat)";

/// Where the node is.
pub struct Net<'a> {
    pub vpc: Option<&'a String>,
    pub vswitch: Option<&'a String>,
    /// `natGwPool`.
    pub pool: &'a [NatGateway],
}

pub async fn examine(vpc: &Vpc, net: &Net<'_>) -> Vec<Check> {
    let Some(id) = net.vpc else {
        let why = "not looked for: this node's VPC is not known".to_owned();
        return vec![Check::unknown(GATEWAYS, why)];
    };
    match vpc.nat_gateways(id).await {
        Err(error) => vec![failed(GATEWAYS, &error)],
        Ok(found) => vec![
            gateways(&found, net.pool),
            routes(vpc, id, net.vswitch, &found).await,
        ],
    }
}

/// A pool names gateways that have to be there; without one those of the VPC are used.
fn gateways(found: &[NatView], pool: &[NatGateway]) -> Check {
    let named = found.iter().map(|gateway| {
        let (id, zone, status) = (&gateway.id, &gateway.zone, &gateway.status);
        format!("{id} ({zone}, {status}, {} EIPs)", gateway.eips.len())
    });
    let named: Vec<_> = named.collect();
    let known = |id: &String| found.iter().any(|gateway| gateway.id == *id);
    let missing = pool.iter().map(|it| &it.id).filter(|id| !known(id));
    let missing: Vec<_> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let found = format!("natGwPool names {missing}, which this VPC has not");
        return Check::bad(GATEWAYS, found, "correct networkController.natGwPool");
    }
    match named.is_empty() {
        true => Check::note(GATEWAYS, format!("none of the Internet; {NEEDED}")),
        false => Check::ok(GATEWAYS, named.join(", ")),
    }
}

async fn routes(vpc: &Vpc, id: &str, vswitch: Option<&String>, found: &[NatView]) -> Check {
    let Some(vswitch) = vswitch else {
        let why = "not looked for: this node's vSwitch is not known".to_owned();
        return Check::unknown(ROUTES, why);
    };
    match vpc.led_to(id, vswitch).await {
        Err(error) => failed(ROUTES, &error),
        Ok(gateways) => judged(vswitch, &gateways, found),
    }
}

fn judged(vswitch: &str, gateways: &[String], found: &[NatView]) -> Check {
    let internet = |id: &&String| found.iter().any(|gateway| gateway.id == **id);
    let led: Vec<_> = gateways.iter().filter(internet).cloned().collect();
    match led.is_empty() {
        true => Check::note(
            ROUTES,
            format!("from {vswitch} to no NAT gateway of the Internet; {NEEDED}"),
        ),
        false => Check::ok(ROUTES, format!("from {vswitch} to {}", led.join(", "))),
    }
}

/// A policy without the actions for DNAT is well as long as nobody asks for it.
fn failed(about: &str, error: &CloudError) -> Check {
    match error.class() {
        Class::Denied => Check {
            remedy: actions::POLICY.to_owned(),
            ..Check::note(about, format!("{error}; {NEEDED}"))
        },
        _ => Check::unknown(about, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn gateway(id: &str) -> NatView {
        NatView {
            id: id.to_owned(),
            zone: "cn-hangzhou-a".to_owned(),
            status: "Available".to_owned(),
            table: Some("ftb-1".to_owned()),
            eips: Vec::new(),
        }
    }

    fn pooled(id: &str) -> NatGateway {
        NatGateway {
            id: id.to_owned(),
            zone: None,
            ports: 512..=1024,
            eips: Vec::new(),
        }
    }

    #[test]
    fn a_pool_that_names_a_stranger_is_bad_and_none_at_all_is_a_note() {
        let found = [gateway("ngw-1")];
        assert_eq!(gateways(&found, &[]).verdict, Verdict::Ok);
        assert_eq!(gateways(&found, &[pooled("ngw-1")]).verdict, Verdict::Ok);
        let bad = gateways(&found, &[pooled("ngw-1"), pooled("ngw-2")]);
        assert_eq!(bad.verdict, Verdict::Bad);
        assert!(bad.found.contains("ngw-2") && !bad.found.contains("ngw-1"));
        assert_eq!(gateways(&[], &[]).verdict, Verdict::Note);
    }

    #[test]
    fn a_route_counts_where_it_leads_to_the_internet() {
        let found = [gateway("ngw-1")];
        let route = |to: &str| judged("vsw-1", &[to.to_owned()], &found).verdict;
        assert_eq!(route("ngw-1"), Verdict::Ok);
        assert_eq!(route("ngw-intranet"), Verdict::Note);
    }
}
