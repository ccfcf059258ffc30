//! VPCs, vSwitches, instances, bandwidth packages and address pools.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Refused;
use super::ip_plan::Cidr;
use crate::clock::Ms;
use crate::ids::Ids;

/// A VPC to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewVpc {
    /// Made up if not given.
    pub id: Option<String>,
    /// The first region of the settings if not given.
    pub region: Option<String>,
    /// 10.0.0.0/8 if not given.
    pub cidr: Option<String>,
}

/// A VPC.
#[derive(Clone, Debug, Serialize)]
pub struct Vpc {
    /// `vpc-...`
    pub id: String,
    /// Its region.
    pub region: String,
    /// Its range.
    pub cidr: Cidr,
}

/// A vSwitch to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewVSwitch {
    /// Made up if not given.
    pub id: Option<String>,
    /// The VPC it is in.
    pub vpc_id: String,
    /// Its zone; `<region>-a` if not given.
    pub zone: Option<String>,
    /// A range within the VPC's.
    pub cidr: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A vSwitch.
#[derive(Clone, Debug, Serialize)]
pub struct VSwitch {
    /// `vsw-...`
    pub id: String,
    /// The VPC it is in.
    pub vpc_id: String,
    /// Its zone.
    pub zone: String,
    /// Its range.
    pub cidr: Cidr,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An instance to add.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInstance {
    /// Made up if not given.
    pub id: Option<String>,
    /// The vSwitch of its primary ENI; region, zone and VPC follow from it.
    pub vswitch_id: String,
    /// Host name; the id if not given.
    pub hostname: Option<String>,
    /// Instance type; `ecs.g7.xlarge` if not given.
    pub instance_type: Option<String>,
    /// The RAM role that the metadata service shows; none = 404 there.
    pub role: Option<String>,
    /// The metadata service answers only requests with a token.
    pub http_tokens_required: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Primary private IP; the next free one if not given.
    pub primary_ip: Option<String>,
    /// Makes the primary ENI too (default true).
    pub without_primary_eni: bool,
}

/// An instance: a node of the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Instance {
    /// `i-...`
    pub id: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    pub zone: String,
    /// Its VPC.
    pub vpc_id: String,
    /// The vSwitch of its primary ENI.
    pub vswitch_id: String,
    /// Host name.
    pub hostname: String,
    /// Instance type.
    pub instance_type: String,
    /// The RAM role of the metadata service.
    pub role: Option<String>,
    /// The metadata service answers only requests with a token.
    pub http_tokens_required: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Instance {
    pub(super) fn make(
        ids: &mut Ids,
        new: NewInstance,
        region_of: impl Fn(&str) -> String,
        vswitches: &BTreeMap<String, VSwitch>,
    ) -> Result<Self, Refused> {
        let Some(vswitch) = vswitches.get(&new.vswitch_id) else {
            return Err(Refused::NotFound("vSwitch", new.vswitch_id));
        };
        let id = new.id.unwrap_or_else(|| ids.resource("i"));
        Ok(Self {
            region: region_of(&vswitch.vpc_id),
            zone: vswitch.zone.clone(),
            vpc_id: vswitch.vpc_id.clone(),
            vswitch_id: new.vswitch_id,
            hostname: new.hostname.unwrap_or_else(|| id.clone()),
            instance_type: new
                .instance_type
                .unwrap_or_else(|| "ecs.g7.xlarge".to_owned()),
            role: new.role,
            http_tokens_required: new.http_tokens_required,
            tags: new.tags,
            id,
        })
    }
}

/// A shared bandwidth package, also as the control door takes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandwidthPackage {
    /// `cbwp-...`; made up if empty.
    pub id: String,
    /// The first region of the settings if empty.
    pub region: String,
    /// The account; the settings' one if empty.
    pub account: String,
    /// Mbit/s.
    pub bandwidth: u32,
    /// The line; `BGP` if empty.
    pub isp: String,
    /// It is `BINDING` until then.
    #[serde(skip_deserializing)]
    pub binding_until_ms: Ms,
}

/// A pool of public addresses, also as the control door takes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressPool {
    /// `pippool-...`; made up if empty.
    pub id: String,
    /// Addresses it can give; none = no limit.
    pub size: Option<usize>,
    /// The line; `BGP` if empty.
    pub isp: String,
}
