//! A network interface as `DescribeNetworkInterfaces` shows it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Deserializer};

use crate::cloud::loose;
use crate::domain::ids::EniId;

/// A network interface as the cloud reports it. Fields the cloud leaves empty are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub id: EniId,
    pub vpc: String,
    pub vswitch: Option<String>,
    pub zone: String,
    /// `Primary`, `Secondary`, `Trunk` or `Member`.
    pub kind: String,
    /// `Available`, `Attaching`, `InUse`, `Detaching` or `Deleting`.
    pub status: String,
    pub primary: Option<Ipv4Addr>,
    /// All its private addresses, the primary one included.
    pub ips: Vec<Ipv4Addr>,
    /// The instance it is attached to; of a member, the one that its trunk is attached to.
    pub instance: Option<String>,
}

impl Interface {
    /// Whether it has this private address.
    pub fn has(&self, ip: Ipv4Addr) -> bool {
        self.primary == Some(ip) || self.ips.contains(&ip)
    }
}

/// A page of `DescribeNetworkInterfaces`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    #[serde(rename = "NetworkInterfaceSets", deserialize_with = "interfaces")]
    pub interfaces: Vec<Interface>,
    /// Where the next page begins; `None`: there is none.
    #[serde(rename = "NextToken", default, deserialize_with = "loose::some_text")]
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    network_interface_set: Vec<Wire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wire {
    #[serde(deserialize_with = "loose::text")]
    network_interface_id: String,
    #[serde(deserialize_with = "loose::text")]
    vpc_id: String,
    #[serde(deserialize_with = "loose::some_text")]
    v_switch_id: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    zone_id: String,
    #[serde(rename = "Type", deserialize_with = "loose::text")]
    kind: String,
    #[serde(deserialize_with = "loose::text")]
    status: String,
    #[serde(deserialize_with = "loose::some_text")]
    instance_id: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    private_ip_address: Option<String>,
    private_ip_sets: Option<Ips>,
    attachment: Option<Attachment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ips {
    #[serde(default)]
    private_ip_set: Vec<Ip>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ip {
    #[serde(default, deserialize_with = "loose::text")]
    private_ip_address: String,
    #[serde(default, deserialize_with = "loose::text")]
    primary: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Attachment {
    #[serde(deserialize_with = "loose::some_text")]
    instance_id: Option<String>,
}

/// An entry without an id makes the whole page unreadable: it must not pass for an interface that is not there.
fn interfaces<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Interface>, D::Error> {
    let list = List::deserialize(from)?.network_interface_set;
    list.into_iter()
        .map(|wire| wire.view().map_err(serde::de::Error::custom))
        .collect()
}

impl Wire {
    fn view(self) -> Result<Interface, &'static str> {
        if self.network_interface_id.is_empty() || self.vpc_id.is_empty() {
            return Err("a network interface without NetworkInterfaceId or VpcId");
        }
        let sets = self.private_ip_sets.map(|ips| ips.private_ip_set);
        let sets = sets.unwrap_or_default();
        let marked = sets.iter().find(|ip| ip.primary == "true");
        let primary = self.private_ip_address.as_deref();
        let primary = primary.or_else(|| marked.map(|ip| ip.private_ip_address.as_str()));
        Ok(Interface {
            id: EniId::new(self.network_interface_id),
            vpc: self.vpc_id,
            vswitch: self.v_switch_id,
            zone: self.zone_id,
            kind: self.kind,
            status: self.status,
            primary: primary.and_then(|ip| ip.parse().ok()),
            ips: sets
                .iter()
                .filter_map(|ip| ip.private_ip_address.parse().ok())
                .collect(),
            instance: self
                .instance_id
                .or_else(|| self.attachment.and_then(|it| it.instance_id)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(sets: &str) -> Result<Page, serde_json::Error> {
        let body = format!(
            r#"{{"NetworkInterfaceSets":{{"NetworkInterfaceSet":[{sets}]}},"NextToken":""}}"#
        );
        serde_json::from_str(&body)
    }

    fn one(set: &str) -> Interface {
        page(set).unwrap().interfaces.remove(0)
    }

    #[test]
    fn an_interface_is_read_with_its_addresses() {
        let seen = one(
            r#"{"NetworkInterfaceId":"eni-1","VpcId":"vpc-1","ZoneId":"cn-hangzhou-a","Type":"Secondary",
                "Status":"InUse","InstanceId":"i-1","PrivateIpAddress":"10.0.0.10","OwnerId":1,"PrivateIpSets":{"PrivateIpSet":[
                {"PrivateIpAddress":"10.0.0.10","Primary":true},{"PrivateIpAddress":"10.0.0.11","Primary":false}]}}"#,
        );
        let ip = |last| Ipv4Addr::new(10, 0, 0, last);
        let expected = Interface {
            id: EniId::new("eni-1"),
            vpc: "vpc-1".into(),
            vswitch: None,
            zone: "cn-hangzhou-a".into(),
            kind: "Secondary".into(),
            status: "InUse".into(),
            primary: Some(ip(10)),
            ips: vec![ip(10), ip(11)],
            instance: Some("i-1".into()),
        };
        assert!(expected.has(ip(11)) && !expected.has(ip(12)));
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_member_shows_its_instance_in_the_attachment_only() {
        let id = r#""NetworkInterfaceId":"eni-1","VpcId":"vpc-1","InstanceId":"""#;
        let seen = one(&format!(
            r#"{{{id},"Attachment":{{"InstanceId":"i-1","DeviceIndex":0}}}}"#
        ));
        assert_eq!(seen.instance.as_deref(), Some("i-1"));
        assert_eq!(
            one(&format!(r#"{{{id},"Attachment":null}}"#)).instance,
            None
        );
    }

    #[test]
    fn the_primary_address_is_also_found_by_its_mark() {
        let seen = one(
            r#"{"NetworkInterfaceId":"eni-1","VpcId":"vpc-1","PrivateIpSets":{"PrivateIpSet":[
                {"PrivateIpAddress":"10.0.0.11","Primary":"false"},{"PrivateIpAddress":"10.0.0.10","Primary":"true"}]}}"#,
        );
        assert_eq!(seen.primary, Some(Ipv4Addr::new(10, 0, 0, 10)));
    }

    #[test]
    fn what_is_no_interface_makes_the_page_unreadable() {
        for set in [
            "{}",
            "null",
            r#"{"NetworkInterfaceId":"eni-1"}"#,
            r#"{"VpcId":"vpc-1"}"#,
        ] {
            assert!(page(set).is_err(), "{set}");
        }
        assert!(serde_json::from_str::<Page>(r#"{"RequestId":"r"}"#).is_err());
    }

    #[test]
    fn an_empty_token_is_the_end() {
        assert_eq!(page("").unwrap().next, None);
        let more = r#"{"NetworkInterfaceSets":{"NetworkInterfaceSet":[]},"NextToken":"t"}"#;
        let more: Page = serde_json::from_str(more).unwrap();
        assert_eq!(more.next.as_deref(), Some("t"));
    }
}
