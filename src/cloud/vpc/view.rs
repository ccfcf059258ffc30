//! An EIP as `DescribeEipAddresses` shows it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Deserializer};

use super::list;
use crate::cloud::loose;
use crate::domain::ids::{EipId, EniId, Place};

/// An EIP as the cloud reports it. Fields the cloud leaves empty are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EipView {
    pub id: EipId,
    pub address: String,
    pub status: EipStatus,
    /// What it stands on: an `eni-...`, but also an `i-...`, `ngw-...` or `lb-...`.
    pub instance_id: Option<String>,
    /// `NetworkInterface`, `EcsInstance`, `Nat`, ...
    pub instance_type: Option<String>,
    /// The private IP it stands on. `None` while it is bound: the ENI's primary IP.
    pub private_ip: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub isp: Option<String>,
    pub internet_charge_type: Option<String>,
    pub resource_group_id: Option<String>,
    pub name: Option<String>,
    /// `PublicIpAddressPoolId`.
    pub pool: Option<String>,
    pub bandwidth_package_id: Option<String>,
    /// The EIP's own, in Mbit/s, also while it is in a package; `None` where the cloud does not say.
    pub bandwidth: Option<u32>,
}

/// An EIP's state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EipStatus {
    Associating,
    InUse,
    Unassociating,
    Available,
    Releasing,
    /// One that the API's pages do not name.
    Other(String),
}

impl EipView {
    /// Whether the EIP stands, or is about to stand, exactly at `place`. `primary` is the primary IP of that ENI: an EIP
    /// on it is reported without a private IP.
    pub fn stands_at(&self, place: &Place, primary: Option<Ipv4Addr>) -> bool {
        let on_eni = self.instance_id.as_deref() == Some(place.eni.as_str());
        let at_ip = match &self.private_ip {
            Some(ip) => ip.parse() == Ok(place.ip),
            None => primary == Some(place.ip),
        };
        on_eni && at_ip
    }

    /// The ENI it stands on, if it stands on one.
    pub fn eni(&self) -> Option<EniId> {
        let on_eni = self.instance_type.as_deref() == Some("NetworkInterface");
        self.instance_id.as_ref().filter(|_| on_eni).map(EniId::new)
    }
}

impl EipStatus {
    /// The cloud's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Associating => "Associating",
            Self::InUse => "InUse",
            Self::Unassociating => "Unassociating",
            Self::Available => "Available",
            Self::Releasing => "Releasing",
            Self::Other(word) => word,
        }
    }

    fn read(word: String) -> Self {
        match word.as_str() {
            "Associating" => Self::Associating,
            "InUse" => Self::InUse,
            "Unassociating" => Self::Unassociating,
            "Available" => Self::Available,
            "Releasing" => Self::Releasing,
            _ => Self::Other(word),
        }
    }
}

/// A page of `DescribeEipAddresses`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    #[serde(rename = "TotalCount", deserialize_with = "count")]
    pub total: usize,
    #[serde(rename = "EipAddresses", deserialize_with = "eips")]
    pub eips: Vec<EipView>,
}

impl list::Page for Page {
    type Item = EipView;
    const ACTION: &'static str = "DescribeEipAddresses";
    const SIZE: usize = 100;

    fn total(&self) -> usize {
        self.total
    }

    fn items(self) -> Vec<EipView> {
        self.eips
    }

    fn id(item: &EipView) -> String {
        item.id.to_string()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    eip_address: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Wire {
    #[serde(deserialize_with = "loose::text")]
    allocation_id: String,
    #[serde(deserialize_with = "loose::text")]
    ip_address: String,
    #[serde(deserialize_with = "loose::text")]
    status: String,
    #[serde(deserialize_with = "loose::some_text")]
    instance_id: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    instance_type: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    private_ip_address: Option<String>,
    #[serde(rename = "ISP", deserialize_with = "loose::some_text")]
    isp: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    internet_charge_type: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    resource_group_id: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    name: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    public_ip_address_pool_id: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    bandwidth_package_id: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    bandwidth: Option<String>,
    #[serde(deserialize_with = "loose::some_text")]
    eip_bandwidth: Option<String>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(default)]
    tag: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    #[serde(deserialize_with = "loose::text")]
    key: String,
    #[serde(default, deserialize_with = "loose::text")]
    value: String,
}

fn count<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    loose::number(from).map(|n| n as usize)
}

/// An entry without id or state makes the whole page unreadable: it must not pass for an EIP that is not there.
fn eips<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<EipView>, D::Error> {
    let list = List::deserialize(from)?.eip_address;
    list.into_iter()
        .map(|wire| wire.view().map_err(serde::de::Error::custom))
        .collect()
}

impl Wire {
    fn view(self) -> Result<EipView, &'static str> {
        if self.allocation_id.is_empty() || self.status.is_empty() {
            return Err("an EIP without AllocationId or Status");
        }
        let tags = self.tags.map(|tags| tags.tag).unwrap_or_default();
        // In a package `Bandwidth` is the package's.
        let alone = self.bandwidth_package_id.is_none();
        let bandwidth = self
            .eip_bandwidth
            .or_else(|| self.bandwidth.filter(|_| alone));
        let bandwidth = bandwidth.and_then(|mbit| mbit.parse().ok());
        Ok(EipView {
            id: EipId::new(self.allocation_id),
            address: self.ip_address,
            status: EipStatus::read(self.status),
            instance_id: self.instance_id,
            instance_type: self.instance_type,
            private_ip: self.private_ip_address,
            tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            isp: self.isp,
            internet_charge_type: self.internet_charge_type,
            resource_group_id: self.resource_group_id,
            name: self.name,
            pool: self.public_ip_address_pool_id,
            bandwidth,
            bandwidth_package_id: self.bandwidth_package_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(eip: &str) -> Result<EipView, serde_json::Error> {
        let body = format!(r#"{{"TotalCount":"1","EipAddresses":{{"EipAddress":[{eip}]}}}}"#);
        serde_json::from_str::<Page>(&body).map(|mut page| page.eips.remove(0))
    }

    #[test]
    fn loose_types_are_read() {
        let eip = one(
            r#"{"AllocationId":"eip-1","IpAddress":"203.0.113.1","Status":"InUse","Bandwidth":5,
                "InstanceId":"eni-1","InstanceType":"NetworkInterface","PrivateIpAddress":"10.0.0.5",
                "ISP":"BGP","Name":null,"HDMonitorStatus":true,
                "Tags":{"Tag":[{"Key":"a","Value":1},{"Key":"b","Value":""}]}}"#,
        )
        .unwrap();
        assert_eq!(eip.bandwidth, Some(5));
        assert_eq!(eip.tags["a"], "1");
        assert_eq!(eip.tags["b"], "");
        assert_eq!(
            (eip.name.as_deref(), eip.isp.as_deref()),
            (None, Some("BGP"))
        );
        assert_eq!(
            (eip.status.as_str(), eip.eni()),
            ("InUse", Some(EniId::new("eni-1")))
        );
    }

    #[test]
    fn an_unbound_eip_stands_nowhere() {
        let eip = one(
            r#"{"AllocationId":"eip-1","Status":"Available","InstanceId":"","InstanceType":"","PrivateIpAddress":""}"#,
        )
        .unwrap();
        assert_eq!(
            (eip.instance_id.as_ref(), eip.private_ip.as_ref(), eip.eni()),
            (None, None, None)
        );
        let place = Place {
            eni: EniId::new("eni-1"),
            ip: Ipv4Addr::new(10, 0, 0, 5),
        };
        assert!(!eip.stands_at(&place, Some(place.ip)));
    }

    #[test]
    fn an_empty_private_ip_is_the_primary_one_and_no_other() {
        let eip = one(r#"{"AllocationId":"eip-1","Status":"InUse","InstanceId":"eni-1","PrivateIpAddress":""}"#)
            .unwrap();
        let at = |eni, last| Place {
            eni: EniId::new(eni),
            ip: Ipv4Addr::new(10, 0, 0, last),
        };
        let primary = Some(Ipv4Addr::new(10, 0, 0, 1));
        assert!(eip.stands_at(&at("eni-1", 1), primary));
        assert!(!eip.stands_at(&at("eni-1", 2), primary));
        assert!(!eip.stands_at(&at("eni-1", 1), None));
        assert!(!eip.stands_at(&at("eni-2", 1), primary));
    }

    #[test]
    fn the_bandwidth_is_the_eips_own_and_not_its_packages() {
        let with = |rest: &str| {
            let eip = format!(r#"{{"AllocationId":"eip-1","Status":"InUse",{rest}}}"#);
            one(&eip).unwrap().bandwidth
        };
        let package = r#""Bandwidth":"1000","BandwidthPackageId":"cbwp-1""#;
        assert_eq!(with(&format!(r#"{package},"EipBandwidth":"5""#)), Some(5));
        assert_eq!(with(&format!(r#"{package},"EipBandwidth":"""#)), None);
        assert_eq!(with(r#""Bandwidth":"10","EipBandwidth":null"#), Some(10));
        assert_eq!(with(r#""Bandwidth":"much""#), None);
    }

    #[test]
    fn states_not_documented_are_kept() {
        let eip = one(r#"{"AllocationId":"eip-1","Status":"BINDING"}"#).unwrap();
        assert_eq!(eip.status, EipStatus::Other("BINDING".into()));
    }

    #[test]
    fn what_is_no_eip_makes_the_page_unreadable() {
        for eip in [
            "null",
            "{}",
            r#"{"AllocationId":"eip-1"}"#,
            r#"{"Status":"InUse"}"#,
            "[]",
        ] {
            assert!(one(eip).is_err(), "{eip}");
        }
        let flat = r#"{"TotalCount":1,"EipAddresses":[]}"#;
        assert!(serde_json::from_str::<Page>(flat).is_err());
        assert!(serde_json::from_str::<Page>(r#"{"RequestId":"r"}"#).is_err());
    }
}
