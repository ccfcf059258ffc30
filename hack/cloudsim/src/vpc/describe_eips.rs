//! `DescribeEipAddresses` (alibaba-api.md 1.6).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::associate::INSTANCE_TYPES;
use super::page::Page;
use crate::clock::{Ms, iso};
use crate::eip::{Eip, Place, Status};
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};

/// Most ids or addresses in one comma list.
const LIST_MAX: usize = 50;

/// Lists EIPs. Unknown ids are no error: the list is just shorter.
pub fn describe(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "Forbidden.RegionNotFound")?;
    let filter = Filter::read(&call.args, state)?;
    let page = Page::read(&call.args, 100, &state.settings)?;
    if call.args.boolean("DryRun")? == Some(true) {
        return Err(ApiError::refused(
            "DryRunOperation",
            "Request validation has been passed.",
        ));
    }
    let mine = |view: &View<'_>| {
        view.eip.account == call.caller.account
            && view.eip.region == region
            && view.is_visible(state, call.now)
            && filter.lets(view)
    };
    let views = filter
        .candidates(state)
        .into_iter()
        .map(|eip| View::of(state, eip, call.now));
    let mut found: Vec<_> = views.filter(mine).collect();
    // Newest first; the order among those of one moment is stable.
    found.sort_by_key(|view| {
        (
            std::cmp::Reverse(view.eip.allocated_ms),
            view.eip.id.as_str(),
        )
    });
    let mut answer = page.fields(found.len());
    let list: Vec<_> = page
        .cut(found)
        .iter()
        .map(|view| view.json(state))
        .collect();
    answer["EipAddresses"] = json!({"EipAddress": list});
    Ok(answer)
}

/// An EIP as Describe shows it, which may lag behind.
struct View<'a> {
    eip: &'a Eip,
    status: Status,
    place: Option<&'a Place>,
    package_id: Option<&'a str>,
    bandwidth: u32,
    now: Ms,
    tag_lag: Ms,
}

impl<'a> View<'a> {
    fn of(state: &State, eip: &'a Eip, now: Ms) -> Self {
        let open = &state.settings.open;
        let (status, place) = match open.describe_state_lag_ms {
            0 => (eip.status, eip.place.as_ref()),
            lag => eip.seen(now, lag),
        };
        let package = eip.package_id.seen(now, open.describe_state_lag_ms);
        Self {
            eip,
            status,
            place,
            package_id: package.as_deref(),
            bandwidth: *eip.bandwidth.seen(now, open.describe_state_lag_ms),
            now,
            tag_lag: open.tag_lag_ms,
        }
    }

    fn tags(&self) -> BTreeMap<&'a str, &'a str> {
        self.eip.tags.seen(self.now, self.tag_lag)
    }

    fn is_visible(&self, state: &State, now: Ms) -> bool {
        let lag = state.settings.open.describe_after_allocate_ms;
        self.status != Status::Gone && self.eip.allocated_ms + lag <= now
    }

    /// Empty when bound at the ENI's primary IP (alibaba-api.md 1.6, seen by Terway).
    fn private_ip(&self) -> String {
        let place = self.place.filter(|place| !place.at_primary_ip);
        place
            .and_then(|place| place.private_ip)
            .map(|ip| ip.to_string())
            .unwrap_or_default()
    }

    fn json(&self, state: &State) -> Value {
        let mut item = self.own_json(state);
        let packages = &state.world.packages;
        let package = self.package_id.and_then(|id| packages.get(id));
        let place = self.place;
        let text = |pick: fn(&Place) -> &str| place.map_or("", pick);
        item["InstanceId"] = text(|place| &place.instance_id).into();
        item["InstanceType"] = text(|place| &place.instance_type).into();
        item["InstanceRegionId"] = place.map_or("", |_| self.eip.region.as_str()).into();
        item["Mode"] = text(|place| &place.mode).into();
        item["PrivateIpAddress"] = self.private_ip().into();
        item["BandwidthPackageId"] = self.package_id.unwrap_or_default().into();
        item["BandwidthPackageType"] = package.map_or("", |_| "CommonBandwidthPackage").into();
        item["BandwidthPackageBandwidth"] = package
            .map(|package| package.bandwidth.to_string())
            .unwrap_or_default()
            .into();
        item["Bandwidth"] = package
            .map_or(self.bandwidth, |package| package.bandwidth)
            .to_string()
            .into();
        item
    }

    fn own_json(&self, state: &State) -> Value {
        let eip = self.eip;
        let tags: Vec<_> = self
            .tags()
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        let locks: Vec<_> = eip
            .locks
            .iter()
            .map(|lock| json!({"LockReason": lock}))
            .collect();
        json!({
            "AllocationId": eip.id,
            "IpAddress": eip.ip.to_string(),
            "Name": eip.name,
            "Description": eip.description,
            "RegionId": eip.region,
            "ResourceGroupId": eip.resource_group_id,
            "Netmode": "public",
            "Zone": eip.zone,
            "VpcId": "",
            "Status": self.status.as_str(),
            "AllocationTime": iso(state.clock.wall(eip.allocated_ms)),
            "ExpiredTime": "",
            "EipBandwidth": self.bandwidth.to_string(),
            "ChargeType": eip.charge_type,
            "InternetChargeType": eip.internet_charge_type,
            "ISP": eip.isp,
            "BusinessStatus": if eip.locks.is_empty() { "Normal" } else { "FinancialLocked" },
            "OperationLocks": {"LockReason": locks},
            "HasReservationData": "false",
            "ReservationActiveTime": "",
            "ReservationBandwidth": "",
            "ReservationInternetChargeType": "",
            "ReservationOrderType": "",
            "DeletionProtection": eip.deletion_protection,
            "SecondLimited": false,
            "HDMonitorStatus": "OFF",
            "ServiceManaged": u8::from(eip.service_managed),
            "ServiceID": 0,
            "BizType": "Default",
            "PublicIpAddressPoolId": eip.pool_id,
            "SegmentInstanceId": "",
            "SecurityProtectionTypes": {"SecurityProtectionType": eip.security_protection},
            "Tags": {"Tag": tags},
        })
    }
}

/// What a call asks for.
struct Filter {
    ids: Vec<String>,
    ips: Vec<String>,
    tags: Vec<(String, Option<String>)>,
    /// Not before, not after; milliseconds since the start.
    created: (Option<i64>, Option<i64>),
    args: Args,
}

impl Filter {
    fn read(args: &Args, state: &State) -> Result<Self, ApiError> {
        let list = |name: &str| -> Result<Vec<String>, ApiError> {
            let list = args.comma_list(name);
            if list.len() > LIST_MAX {
                return Err(ApiError::refused(
                    "InstanceIdLength.Exceed",
                    "Too many ids.",
                ));
            }
            Ok(list.into_iter().map(str::to_owned).collect())
        };
        let tags = args.pairs("Tag")?;
        if tags.len() > 20 {
            return Err(ApiError::refused("InvalidTagKey", "Too many tags."));
        }
        check_values(args)?;
        Ok(Self {
            ids: list("AllocationId")?,
            ips: list("EipAddress")?,
            tags,
            created: created(args, state)?,
            args: args.clone(),
        })
    }

    /// The EIPs that can pass: those named, else all; with lagging states also released ones.
    fn candidates<'a>(&self, state: &'a State) -> Vec<&'a Eip> {
        let lagging = state.settings.open.describe_state_lag_ms > 0;
        if !self.ids.is_empty() {
            let unique: std::collections::BTreeSet<_> = self.ids.iter().collect();
            return unique
                .into_iter()
                .filter_map(|id| state.eips.get_even_gone(id))
                .collect();
        }
        if lagging {
            state.eips.iter_even_gone().collect()
        } else {
            state.eips.iter().collect()
        }
    }

    fn lets(&self, view: &View<'_>) -> bool {
        let eip = view.eip;
        let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        let allocated = i64::try_from(eip.allocated_ms).unwrap_or(i64::MAX);
        any(&self.ids, &eip.id)
            && any(&self.ips, &eip.ip.to_string())
            && self.created.0.is_none_or(|from| allocated >= from)
            && self.created.1.is_none_or(|until| allocated <= until)
            && self.tags.iter().all(|tag| has_tag(view, tag))
            && self.lets_fields(view)
    }

    fn lets_fields(&self, view: &View<'_>) -> bool {
        let eip = view.eip;
        let place = |pick: fn(&Place) -> &str| view.place.map_or("", pick);
        let fields = [
            ("Status", view.status.as_str()),
            (
                "AssociatedInstanceType",
                place(|place| &place.instance_type),
            ),
            ("AssociatedInstanceId", place(|place| &place.instance_id)),
            ("EipName", &eip.name),
            ("ISP", &eip.isp),
            ("ChargeType", &eip.charge_type),
            ("ResourceGroupId", &eip.resource_group_id),
            ("PublicIpAddressPoolId", &eip.pool_id),
            ("SegmentInstanceId", ""),
        ];
        let same = |(name, value): &(&str, &str)| self.args.get(name).is_none_or(|v| v == *value);
        let lock = self.args.get("LockReason");
        let flag = |name: &str| self.args.boolean(name).unwrap_or(None);
        let protected = !eip.security_protection.is_empty();
        fields.iter().all(same)
            && lock.is_none_or(|lock| eip.locks.iter().any(|own| own == lock))
            && flag("SecurityProtectionEnabled").is_none_or(|wanted| wanted == protected)
            && flag("ServiceManaged").is_none_or(|wanted| wanted == eip.service_managed)
    }
}

fn has_tag(view: &View<'_>, (key, value): &(String, Option<String>)) -> bool {
    let own = view.tags().get(key.as_str()).copied();
    let value = value.as_deref().filter(|value| !value.is_empty());
    own.is_some_and(|own| value.is_none_or(|value| value == own))
}

fn check_values(args: &Args) -> Result<(), ApiError> {
    for name in [
        "SecurityProtectionEnabled",
        "ServiceManaged",
        "IncludeReservationData",
    ] {
        args.boolean(name)?;
    }
    let kind = args.get("AssociatedInstanceType");
    if kind.is_some_and(|kind| !INSTANCE_TYPES.contains(&kind)) {
        // The documented spelling.
        return Err(ApiError::refused(
            "InvalidIAssociatedInstanceType.ValueNotSupported",
            "The specified value of AssociatedInstanceType is not supported.",
        ));
    }
    if args.get("AssociatedInstanceId").is_some() && kind.is_none() {
        return Err(ApiError::refused(
            "InstanceType.Invalid",
            "AssociatedInstanceId needs AssociatedInstanceType.",
        ));
    }
    if args
        .get("ChargeType")
        .is_some_and(|kind| !["PostPaid", "PrePaid"].contains(&kind))
    {
        return Err(ApiError::refused(
            "InvalidChargeType.ValueNotSupported",
            "The specified value of ChargeType is not supported.",
        ));
    }
    if args
        .get("LockReason")
        .is_some_and(|lock| !["financial", "security"].contains(&lock))
    {
        return Err(ApiError::not_found(
            "InvalidLockReason.NotFound",
            "The specified LockReason is not found.",
        ));
    }
    Ok(())
}

/// `Filter.N` with the keys `CreationStartTime` and `CreationEndTime`.
fn created(args: &Args, state: &State) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let mut range = (None, None);
    for (key, value) in args.pairs("Filter")? {
        let value = value.unwrap_or_default();
        let full = value
            .strip_suffix('Z')
            .map(|minute| format!("{minute}:00Z"));
        let time: jiff::Timestamp = full.unwrap_or_default().parse().map_err(|_| {
            ApiError::not_found(
                "InvalidFilterValue",
                "The specified filter value is not valid.",
            )
        })?;
        match key.as_str() {
            "CreationStartTime" => range.0 = Some(state.clock.ms_of(time)),
            "CreationEndTime" => range.1 = Some(state.clock.ms_of(time)),
            _ => {
                return Err(ApiError::not_found(
                    "InvalidFilterKey.NotFound",
                    "The specified filter key is not found.",
                ));
            }
        }
    }
    Ok(range)
}
