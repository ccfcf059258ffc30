//! What `AllocateEipAddress` is called with: frozen in the record before the call, so that a repeat is the same call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::push_tags;
use crate::cloud::rpc::{Args, push};

/// The arguments of `AllocateEipAddress` but region and token.
///
/// Its JSON form is kept in records, perhaps read by another version of eipd. It is compact, names each key for good,
/// and is refused as a whole where any of it is unknown: a repeat with fewer arguments would be another request. What
/// is always sent the same way (and so is not here): `InstanceChargeType` `PostPaid`, and no Netmode, Zone or `ActivityId`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocateArgs {
    /// The form's version.
    #[serde(rename = "v")]
    pub version: Version,
    /// Mbit/s.
    #[serde(rename = "bw")]
    pub bandwidth: u32,
    #[serde(rename = "charge")]
    pub internet_charge_type: InternetChargeType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isp: Option<String>,
    /// `PublicIpAddressPoolId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// `ResourceGroupId`.
    #[serde(rename = "group", default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "desc", default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `SecurityProtectionTypes`.
    #[serde(rename = "protect", default, skip_serializing_if = "Vec::is_empty")]
    pub security_protection_types: Vec<String>,
    /// At most 20, ours included. Sent in the order of their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The one form there is: 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Version;

const VERSION: u32 = 1;

/// How an EIP's traffic is paid. The API's own default is `PayByBandwidth`, eipd's is `PayByTraffic`: it is always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum InternetChargeType {
    #[default]
    PayByTraffic,
    PayByBandwidth,
}

impl AllocateArgs {
    /// `bandwidth` Mbit/s paid so, and nothing else asked for.
    pub fn new(bandwidth: u32, internet_charge_type: InternetChargeType) -> Self {
        Self {
            version: Version,
            bandwidth,
            internet_charge_type,
            isp: None,
            pool: None,
            resource_group: None,
            name: None,
            description: None,
            security_protection_types: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    /// The same arguments, in the same order, for the same value.
    pub(super) fn to_wire(&self) -> Args {
        let mut args = Args::new();
        push(&mut args, "Bandwidth", &self.bandwidth.to_string());
        push(
            &mut args,
            "InternetChargeType",
            self.internet_charge_type.as_str(),
        );
        // The API's default, but what is paid by the month can't be released.
        push(&mut args, "InstanceChargeType", "PostPaid");
        let optional = [
            ("ISP", &self.isp),
            ("PublicIpAddressPoolId", &self.pool),
            ("ResourceGroupId", &self.resource_group),
            ("Name", &self.name),
            ("Description", &self.description),
        ];
        for (name, value) in optional {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                push(&mut args, name, value);
            }
        }
        for (n, kind) in (1..).zip(&self.security_protection_types) {
            push(&mut args, &format!("SecurityProtectionTypes.{n}"), kind);
        }
        push_tags(
            &mut args,
            self.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        );
        args
    }
}

impl InternetChargeType {
    /// The most bandwidth that a pay-as-you-go EIP can have, in Mbit/s (`AllocateEipAddress`, `Bandwidth`).
    pub fn most_bandwidth(self) -> u32 {
        match self {
            Self::PayByTraffic => 200,
            Self::PayByBandwidth => 500,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::PayByTraffic => "PayByTraffic",
            Self::PayByBandwidth => "PayByBandwidth",
        }
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        if version == VERSION {
            Ok(Self)
        } else {
            Err(format!(
                "written by another version of eipd: form {version}, this one knows {VERSION}"
            ))
        }
    }
}

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> AllocateArgs {
        AllocateArgs {
            isp: Some("BGP_PRO".into()),
            pool: Some("pippool-1".into()),
            resource_group: Some("rg-1".into()),
            name: Some("ns/pod".into()),
            description: Some("d e".into()),
            security_protection_types: vec!["AntiDDoS_Enhanced".into()],
            tags: [("team", "a"), ("eipd-record", "u-1")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
            ..AllocateArgs::new(5, InternetChargeType::PayByTraffic)
        }
    }

    /// Records out there hold this text: it may not change within version 1.
    const FULL: &str = r#"{"v":1,"bw":5,"charge":"PayByTraffic","isp":"BGP_PRO","pool":"pippool-1","group":"rg-1","name":"ns/pod","desc":"d e","protect":["AntiDDoS_Enhanced"],"tags":{"eipd-record":"u-1","team":"a"}}"#;

    #[test]
    fn the_kept_form_is_stable() {
        assert_eq!(serde_json::to_string(&full()).unwrap(), FULL);
        assert_eq!(serde_json::from_str::<AllocateArgs>(FULL).unwrap(), full());
        let least = AllocateArgs::new(100, InternetChargeType::PayByBandwidth);
        let text = r#"{"v":1,"bw":100,"charge":"PayByBandwidth"}"#;
        assert_eq!(serde_json::to_string(&least).unwrap(), text);
        assert_eq!(serde_json::from_str::<AllocateArgs>(text).unwrap(), least);
    }

    #[test]
    fn a_form_not_wholly_known_is_refused() {
        for text in [
            r#"{"v":2,"bw":5,"charge":"PayByTraffic"}"#,
            r#"{"v":1,"bw":5,"charge":"PayByTraffic","zone":"a"}"#,
            r#"{"v":1,"charge":"PayByTraffic"}"#,
            r#"{"bw":5,"charge":"PayByTraffic"}"#,
        ] {
            assert!(
                serde_json::from_str::<AllocateArgs>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_frozen_gives_the_same_call_again() {
        let again: AllocateArgs = serde_json::from_str(FULL).unwrap();
        assert_eq!(again.to_wire(), full().to_wire());
        let expected = [
            ("Bandwidth", "5"),
            ("InternetChargeType", "PayByTraffic"),
            ("InstanceChargeType", "PostPaid"),
            ("ISP", "BGP_PRO"),
            ("PublicIpAddressPoolId", "pippool-1"),
            ("ResourceGroupId", "rg-1"),
            ("Name", "ns/pod"),
            ("Description", "d e"),
            ("SecurityProtectionTypes.1", "AntiDDoS_Enhanced"),
            ("Tag.1.Key", "eipd-record"),
            ("Tag.1.Value", "u-1"),
            ("Tag.2.Key", "team"),
            ("Tag.2.Value", "a"),
        ];
        assert_eq!(full().to_wire(), crate::cloud::rpc::args(expected));
    }
}
