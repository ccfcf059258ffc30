//! The settings of a new EIP: create-only, checked against the limits of `AllocateEipAddress`.

use sha2::{Digest, Sha256};

use super::annotations::Reader;
use super::{INSTANCE_ID, Notice, tags};
use crate::api::keys;
use crate::cloud::vpc::{AllocateArgs, InternetChargeType};
use crate::domain::ids::EipId;

pub(in crate::api) const BANDWIDTH: &str = "eip-bandwidth";
pub(in crate::api) const INTERNET_CHARGE_TYPE: &str = "eip-internet-charge-type";
const CHARGE_TYPE_ALIAS: &str = "eip-charge-type";
const INSTANCE_CHARGE_TYPE: &str = "eip-instance-charge-type";
pub(in crate::api) const PACKAGE: &str = "eip-common-bandwidth-package-id";
pub(in crate::api) const ISP: &str = "eip-isp";
pub(in crate::api) const POOL: &str = "eip-public-ip-address-pool-id";
pub(in crate::api) const RESOURCE_GROUP: &str = "eip-resource-group-id";
pub(in crate::api) const NAME: &str = "eip-name";
pub(in crate::api) const DESCRIPTION: &str = "eip-description";
pub(in crate::api) const PROTECTION: &str = "eip-security-protection-types";
pub(in crate::api) const TAGS: &str = "eip-tags";
/// All of the above, with their aliases: what a named EIP has no use for.
const ALL: [(&str, Option<&str>); 11] = [
    (BANDWIDTH, None),
    (INTERNET_CHARGE_TYPE, Some(CHARGE_TYPE_ALIAS)),
    (INSTANCE_CHARGE_TYPE, None),
    (PACKAGE, None),
    (ISP, None),
    (POOL, None),
    (RESOURCE_GROUP, None),
    (NAME, None),
    (DESCRIPTION, None),
    (PROTECTION, None),
    (TAGS, None),
];

/// Mbit/s.
const DEFAULT_BANDWIDTH: u32 = 5;
/// The most that any EIP can have, in Mbit/s.
pub const BANDWIDTH_MAX: u32 = 500;
/// Line types; the first is the API's own default. `BGP_PRO` exists in some regions only, the single lines (with either
/// charge type) for accounts on a whitelist, the last in the finance cloud, which takes no other: that is the cloud's to say.
pub const ISPS: [&str; 9] = [
    "BGP",
    "BGP_PRO",
    "ChinaTelecom",
    "ChinaUnicom",
    "ChinaMobile",
    "ChinaTelecom_L2",
    "ChinaUnicom_L2",
    "ChinaMobile_L2",
    "BGP_FinanceCloud",
];
/// What protects an EIP beyond the basics.
pub const PROTECTIONS: [&str; 1] = ["AntiDDoS_Enhanced"];
/// Characters.
const NAME_MAX: usize = 128;
/// Characters.
const DESCRIPTION_MAX: usize = 256;
/// Longer than any id of the cloud.
const ID_MAX: usize = 64;

/// Everything that `AllocateEipAddress` takes.
pub(super) fn read(reader: &mut Reader<'_>) -> AllocateArgs {
    let charge = reader
        .setting(INTERNET_CHARGE_TYPE, Some(CHARGE_TYPE_ALIAS), charge_type)
        .unwrap_or_default();
    let _ = reader.setting(INSTANCE_CHARGE_TYPE, None, instance_charge_type);
    let bandwidth = reader
        .setting(BANDWIDTH, None, |value| bandwidth(value, charge))
        .unwrap_or(DEFAULT_BANDWIDTH);
    AllocateArgs {
        isp: reader.setting(ISP, None, isp),
        pool: reader.setting(POOL, None, id),
        resource_group: reader.setting(RESOURCE_GROUP, None, id),
        name: reader.setting(NAME, None, name),
        description: reader.setting(DESCRIPTION, None, description),
        security_protection_types: reader
            .setting(PROTECTION, None, protections)
            .unwrap_or_default(),
        tags: reader.setting(TAGS, None, tags::parse).unwrap_or_default(),
        ..AllocateArgs::new(bandwidth, charge)
    }
}

/// The shared bandwidth package to join; the one setting that is not create-only.
pub(super) fn package(reader: &mut Reader<'_>) -> Option<String> {
    reader.setting(PACKAGE, None, id)
}

/// Says that a named EIP stays as it is.
pub(super) fn warn_unused(reader: &mut Reader<'_>) {
    let text = format!("ignored: an EIP named by {INSTANCE_ID} is never reconfigured");
    let unused: Vec<Notice> = ALL
        .iter()
        .filter_map(|(name, alias)| reader.peek(name, *alias))
        .filter(|found| !found.value.is_empty())
        .map(|found| Notice::new(found.key, found.value, text.as_str()))
        .collect();
    reader.warnings.extend(unused);
}

/// An EIP's id; it becomes a label's value, so it has to be one.
pub(super) fn eip_id(value: &str) -> Result<EipId, String> {
    if value.starts_with("eip-") && keys::is_label_value(value) {
        Ok(EipId::new(value))
    } else {
        Err("must be the id of one EIP, eip-...".into())
    }
}

pub(crate) fn charge_type(value: &str) -> Result<InternetChargeType, String> {
    match value {
        "PayByTraffic" => Ok(InternetChargeType::PayByTraffic),
        "PayByBandwidth" => Ok(InternetChargeType::PayByBandwidth),
        _ => Err("must be PayByTraffic or PayByBandwidth".into()),
    }
}

fn instance_charge_type(value: &str) -> Result<(), String> {
    match value {
        "PostPaid" => Ok(()),
        "PrePaid" => Err(
            "must be PostPaid: a subscription outlives its pod, so PrePaid is not supported; to use an EIP that was bought so, name it with pod-eip-instanceid".into(),
        ),
        _ => Err("must be PostPaid".into()),
    }
}

fn bandwidth(value: &str, charge: InternetChargeType) -> Result<u32, String> {
    let max = charge.most_bandwidth();
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let number = value.parse().ok().filter(|_| digits);
    number.filter(|n| (1..=max).contains(n)).ok_or_else(|| {
        format!(
            "must be a whole number of Mbit/s, 1 to {max} with {}",
            charge.as_str()
        )
    })
}

fn isp(value: &str) -> Result<String, String> {
    one_of(value, &ISPS)
}

/// A comma list of which the API takes one.
fn protections(value: &str) -> Result<Vec<String>, String> {
    let mut types = Vec::new();
    for item in value.split(',').map(str::trim) {
        let item = one_of(item, &PROTECTIONS)?;
        if !types.contains(&item) {
            types.push(item);
        }
    }
    Ok(types)
}

pub(crate) fn one_of(value: &str, allowed: &[&str]) -> Result<String, String> {
    if allowed.contains(&value) {
        Ok(value.to_owned())
    } else {
        Err(format!("must be one of {}", allowed.join(", ")))
    }
}

pub(crate) fn id(value: &str) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if value.len() <= ID_MAX && value.bytes().all(fits) {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "must be an id: at most {ID_MAX} letters, digits, '-', '_' and '.'"
        ))
    }
}

/// Too long a name is cut and told apart by a hash: kruise-game sends namespace/pod, which can be 317 characters.
fn name(value: &str) -> Result<String, String> {
    plain_text(value)?;
    if value.chars().count() <= NAME_MAX {
        return Ok(value.to_owned());
    }
    let hash = format!("-{}", &keys::hex(&Sha256::digest(value))[..10]);
    let kept = value.chars().take(NAME_MAX - hash.len());
    Ok(kept.chain(hash.chars()).collect())
}

fn description(value: &str) -> Result<String, String> {
    plain_text(value)?;
    if value.chars().count() <= DESCRIPTION_MAX {
        Ok(value.to_owned())
    } else {
        Err(format!("must have at most {DESCRIPTION_MAX} characters"))
    }
}

/// The API's rule for names and descriptions, and no control characters.
fn plain_text(value: &str) -> Result<(), String> {
    if value.starts_with("http://") || value.starts_with("https://") {
        Err("must not begin with http:// or https://".into())
    } else if value.contains(char::is_control) {
        Err("must not hold control characters such as line ends".into())
    } else {
        Ok(())
    }
}
