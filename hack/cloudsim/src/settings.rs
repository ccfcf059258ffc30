//! What can be set about the cloud's behaviour: times, quotas, rates, and what the documents leave open.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All settings. Over the control door a part of them may be given; the rest stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seed of all ids and jitters: the same seed and calls give the same ids.
    pub seed: u64,
    /// Wall time at the start; none = the machine's. Read once, when the cloud is made.
    pub start_wall: Option<Timestamp>,
    /// The account that owns what does not name another one.
    pub account_id: String,
    /// Regions that exist. The first one is the default of VPCs made without one.
    pub regions: Vec<String>,
    /// How long asynchronous states last.
    pub settle: Settle,
    /// Latency by action (`*` = every other action; `metadata` = the metadata service).
    pub latency: BTreeMap<String, Latency>,
    /// Calls allowed in any 60 s, by action and account. Over it: HTTP 400 `Throttling.User`.
    pub rates: BTreeMap<String, u32>,
    /// Sends `x-acs-retry-after` (ms) with a throttled answer.
    pub throttle_retry_after: bool,
    /// Quotas.
    pub quotas: Quotas,
    /// What the documents leave open.
    pub open: Open,
    /// The metadata service.
    pub metadata: MetadataSettings,
    /// Records of calls that are kept; older ones are forgotten, counts are not.
    pub calls_kept: usize,
}

/// Lengths of asynchronous states, in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settle {
    /// `Associating` to `InUse`.
    pub associate_ms: u64,
    /// `Unassociating` to `Available`.
    pub unassociate_ms: u64,
    /// `Releasing` to gone.
    pub release_ms: u64,
    /// `BINDING` to `BINDED` of a bandwidth package.
    pub package_ms: u64,
    /// `Pending` to `Available` of a forward entry.
    pub forward_create_ms: u64,
    /// `Deleting` to gone of a forward entry.
    pub forward_delete_ms: u64,
    /// At most this is added to each, evenly spread.
    pub jitter_ms: u64,
}

/// Latency of a call, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// From the arrival to the work.
    pub before_ms: u64,
    /// From the work to the answer.
    pub after_ms: u64,
    /// At most this is added to the part before the work, evenly spread.
    pub jitter_ms: u64,
}

/// Quotas; alibaba-api.md section 7.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// EIPs per account and region.
    pub eips: usize,
    /// EIPs per ENI beside "as many as it has private IPs"; none = only that.
    pub eips_per_eni: Option<usize>,
    /// EIPs per shared bandwidth package.
    pub eips_per_package: usize,
    /// Forward entries per table.
    pub forward_entries: usize,
    /// Tags per resource.
    pub tags_per_resource: usize,
}

/// Behaviours that the documents leave open; tests try both ways.
// A list of independent switches is what this is.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Open {
    /// `UnassociateEipAddress` refuses when a given `InstanceId`, `InstanceType` or
    /// `PrivateIpAddress` is not where the EIP is bound.
    pub unassociate_compares: bool,
    /// How long a `ClientToken` is remembered, in milliseconds.
    pub client_token_ms: u64,
    /// How late tags show in Describe and List, in milliseconds.
    pub tag_lag_ms: u64,
    /// How late a new EIP shows in Describe, in milliseconds.
    pub describe_after_allocate_ms: u64,
    /// Describe shows states, places, packages and bandwidths as they were this long ago, in milliseconds.
    pub describe_state_lag_ms: u64,
    /// Type `NetworkInterface` may name a primary ENI (documented: secondary only).
    pub primary_eni_accepted: bool,
    /// Type `NetworkInterface` may name a member ENI.
    pub member_eni_accepted: bool,
    /// The code for a change of an EIP that is in a passing state.
    pub busy_code: BusyCode,
    /// A second binding or unbinding on one ENI at the same time is a `TaskConflict`.
    pub one_task_per_eni: bool,
    /// A package takes no other change while it is `BINDING`.
    pub one_task_per_package: bool,
    /// The code for a change of a package that takes none now.
    pub package_busy_code: PackageBusyCode,
    /// Describe shows a new member of a package at once; else when the package is `BINDED` again.
    pub package_shows_at_once: bool,
    /// Taking an EIP out of a package is as slow as putting it in (the documents say nothing): the package is `BINDING`,
    /// and Describe shows the EIP in it until it is not.
    pub package_leave_is_slow: bool,
    /// The own bandwidth of an EIP in a package can be changed; else: `IncorrectEipStatus`.
    pub bandwidth_within_package: bool,
    /// The code for a change of a forward table in which another is going on.
    pub forward_busy_code: ForwardBusyCode,
    /// No entry is made while another is being deleted (documented: while one is `Pending` or `Modifying`).
    pub forward_create_waits_for_deletions: bool,
    /// The code for a public port that is taken: `Forbidden.Already.Bounded`; else `OperationUnsupported.ForwardEntry`.
    pub forward_taken_is_bounded: bool,
    /// Deleting an entry that does not exist is an `IncorretForwardEntryStatus`; else `InvalidForwardEntryId.NotFound`.
    pub forward_unknown_is_status: bool,
    /// Describe shows forward entries as they were this long ago, in milliseconds.
    pub describe_entry_lag_ms: u64,
    /// A `PageSize` over the maximum is refused; else it counts as the maximum.
    pub page_size_refused: bool,
    /// Taking a private IP from its ENI unbinds the EIP there.
    pub unassign_ip_unbinds: bool,
    /// An EIP in a bandwidth package can be released (and leaves it).
    pub release_from_package: bool,
    /// An unknown ENI id gives 404 `InvalidEniId.NotFound`; else an empty list.
    pub unknown_eni_is_error: bool,
    /// An unknown vSwitch id gives 404 `InvalidVSwitchId.NotFound`; else an empty list.
    pub unknown_vswitch_is_error: bool,
    /// `DescribeNetworkInterfaces` finds primary IPs by `PrivateIpAddress.N`
    /// (documented for secondary ones; Terway relies on it for both).
    pub private_ip_filter_finds_primary: bool,
}

/// The code for a change of an EIP that is in a passing state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BusyCode {
    /// `IncorrectEipStatus`.
    IncorrectEipStatus,
    /// `TaskConflict`.
    TaskConflict,
}

/// The code for a change of a forward table in which another is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForwardBusyCode {
    /// `IncorretForwardEntryStatus`, documented in this spelling.
    #[serde(rename = "IncorretForwardEntryStatus")]
    Entry,
    /// `IncorrectStatus.NATGW`.
    #[serde(rename = "IncorrectStatus.NATGW")]
    Gateway,
    /// `TaskConflict`.
    TaskConflict,
    /// `OperationConflict`.
    #[serde(rename = "OperationConflict")]
    Operation,
}

/// The code for a change of a bandwidth package that takes none now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PackageBusyCode {
    /// `BandwidthPackageOperation.conflict`, which terraform retries.
    #[serde(rename = "BandwidthPackageOperation.conflict")]
    Conflict,
    /// `OperationFailed.DistibuteLock`, documented in this spelling.
    #[serde(rename = "OperationFailed.DistibuteLock")]
    Lock,
    /// `TaskConflict`.
    TaskConflict,
    /// `EipOperation.TooFrequently`; documented for joining only.
    #[serde(rename = "EipOperation.TooFrequently")]
    TooFrequently,
}

/// The metadata service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataSettings {
    /// Requests a second and instance before 429; none = no limit.
    pub per_second: Option<u32>,
    /// Lifetime of role credentials, in milliseconds.
    pub credentials_ms: u64,
    /// A new set of role credentials appears so long before the old one ends, in milliseconds.
    pub credentials_overlap_ms: u64,
    /// Member ENIs are listed.
    pub member_enis_listed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let rate = |action: &str| (action.to_owned(), 120);
        Self {
            seed: 1,
            start_wall: None,
            account_id: "1234567890123456".to_owned(),
            regions: vec!["cn-hangzhou".to_owned()],
            settle: Settle::default(),
            latency: BTreeMap::new(),
            rates: [
                rate("AllocateEipAddress"),
                rate("AssociateEipAddress"),
                rate("UnassociateEipAddress"),
            ]
            .into(),
            throttle_retry_after: false,
            quotas: Quotas::default(),
            open: Open::default(),
            metadata: MetadataSettings::default(),
            calls_kept: 500_000,
        }
    }
}

impl Default for Settle {
    fn default() -> Self {
        Self {
            associate_ms: 2_000,
            unassociate_ms: 2_000,
            release_ms: 1_000,
            package_ms: 1_000,
            forward_create_ms: 2_000,
            forward_delete_ms: 2_000,
            jitter_ms: 0,
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            eips: 20,
            eips_per_eni: None,
            eips_per_package: 100,
            forward_entries: 100,
            tags_per_resource: 20,
        }
    }
}

impl Default for Open {
    fn default() -> Self {
        Self {
            unassociate_compares: true,
            client_token_ms: 24 * 3_600_000,
            tag_lag_ms: 0,
            describe_after_allocate_ms: 0,
            describe_state_lag_ms: 0,
            primary_eni_accepted: false,
            member_eni_accepted: true,
            busy_code: BusyCode::IncorrectEipStatus,
            one_task_per_eni: false,
            one_task_per_package: true,
            package_busy_code: PackageBusyCode::Conflict,
            package_shows_at_once: true,
            package_leave_is_slow: false,
            bandwidth_within_package: true,
            forward_busy_code: ForwardBusyCode::Entry,
            forward_create_waits_for_deletions: false,
            forward_taken_is_bounded: true,
            forward_unknown_is_status: false,
            describe_entry_lag_ms: 0,
            page_size_refused: true,
            unassign_ip_unbinds: true,
            release_from_package: true,
            unknown_eni_is_error: false,
            unknown_vswitch_is_error: false,
            private_ip_filter_finds_primary: true,
        }
    }
}

impl Default for MetadataSettings {
    fn default() -> Self {
        Self {
            per_second: None,
            credentials_ms: 6 * 3_600_000,
            credentials_overlap_ms: 30 * 60_000,
            member_enis_listed: false,
        }
    }
}

impl Settings {
    /// The latency of `action`.
    pub fn latency_of(&self, action: &str) -> Latency {
        let found = self.latency.get(action).or_else(|| self.latency.get("*"));
        found.copied().unwrap_or_default()
    }
}
