//! `AllocateEipAddress` (alibaba-api.md 1.1).

use serde_json::{Value, json};

use super::{limits, tag_rules};
use crate::eip::{Eip, Past, Status, Tags};
use crate::ids;
use crate::rpc::{ApiError, Args};
use crate::state::{Call, State};

const ISPS: [&str; 9] = [
    "BGP",
    "BGP_PRO",
    "BGP_FinanceCloud",
    "ChinaTelecom",
    "ChinaUnicom",
    "ChinaMobile",
    "ChinaTelecom_L2",
    "ChinaUnicom_L2",
    "ChinaMobile_L2",
];

/// Makes an EIP that is `Available` at once.
pub fn allocate(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let region = call.required_region(state, "InvalidRegionId.NotFound")?;
    let order = Order::read(&call.args)?;
    let tags = tag_rules::read(&call.args, state.settings.quotas.tags_per_resource)?;
    check_group(state, &order)?;
    check_pool(state, &order)?;
    check_quota(state, call, &region)?;
    let number = state.eips.next_number();
    let ip = ids::public_address(number).ok_or_else(|| {
        ApiError::refused(
            "OperationFailed.InsufficientEIP",
            "There are not enough EIPs.",
        )
    })?;
    let mut eip = order.into_eip(state.ids.resource("eip"), ip);
    eip.region = region;
    eip.account.clone_from(&call.caller.account);
    eip.allocated_ms = call.now;
    for (key, value) in tags {
        eip.tags.set(&key, &value, call.now);
    }
    eip.enter(Status::Available, None, call.now, None);
    let answer = answer(state, &eip);
    state.eips.insert(eip);
    Ok(answer)
}

fn answer(state: &mut State, eip: &Eip) -> Value {
    if eip.charge_type == "PrePaid" {
        let order: String = state
            .ids
            .request()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        return json!({"AllocationId": eip.id, "OrderId": order.parse().unwrap_or(1_u64)});
    }
    json!({
        "AllocationId": eip.id,
        "EipAddress": eip.ip.to_string(),
        "ResourceGroupId": eip.resource_group_id,
    })
}

/// What was asked for, checked.
struct Order {
    bandwidth: u32,
    internet_charge_type: String,
    charge_type: String,
    isp: String,
    name: String,
    description: String,
    resource_group_id: String,
    pool_id: String,
    zone: String,
    security_protection: Vec<String>,
}

impl Order {
    fn read(args: &Args) -> Result<Self, ApiError> {
        let charge_type = one_of(args, "InstanceChargeType", &["PostPaid", "PrePaid"])?;
        let traffic = one_of(
            args,
            "InternetChargeType",
            &["PayByBandwidth", "PayByTraffic"],
        )?;
        let bandwidth = args.get("Bandwidth").unwrap_or("5");
        let text = |name: &str| args.get(name).unwrap_or("").to_owned();
        let order = Self {
            bandwidth: limits::bandwidth(bandwidth, &charge_type, &traffic)?,
            internet_charge_type: traffic,
            charge_type,
            isp: isp(args)?,
            name: text("Name"),
            description: text("Description"),
            resource_group_id: text("ResourceGroupId"),
            pool_id: text("PublicIpAddressPoolId"),
            zone: text("Zone"),
            security_protection: args
                .list("SecurityProtectionTypes")
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        one_of(args, "Netmode", &["public"])?;
        limits::text("Name", &order.name, 128)?;
        limits::text("Description", &order.description, 256)?;
        order.check_protection()?;
        Ok(order)
    }

    fn check_protection(&self) -> Result<(), ApiError> {
        match self.security_protection.as_slice() {
            [] => Ok(()),
            [one] if one == "AntiDDoS_Enhanced" => Ok(()),
            _ => Err(ApiError::invalid(
                "SecurityProtectionTypes",
                "only AntiDDoS_Enhanced",
            )),
        }
    }

    fn into_eip(self, id: String, ip: std::net::Ipv4Addr) -> Eip {
        Eip {
            id,
            ip,
            account: String::new(),
            region: String::new(),
            name: self.name,
            description: self.description,
            bandwidth: Past::new(self.bandwidth),
            internet_charge_type: self.internet_charge_type,
            charge_type: self.charge_type,
            isp: self.isp,
            resource_group_id: match self.resource_group_id.as_str() {
                "" => DEFAULT_GROUP.to_owned(),
                _ => self.resource_group_id,
            },
            pool_id: self.pool_id,
            zone: self.zone,
            security_protection: self.security_protection,
            tags: Tags::default(),
            package_id: Past::new(None),
            locks: Vec::new(),
            deletion_protection: false,
            service_managed: false,
            allocated_ms: 0,
            status: Status::Available,
            place: None,
            settles_ms: None,
            history: Vec::new(),
        }
    }
}

/// The resource group of everything that names none.
pub const DEFAULT_GROUP: &str = "rg-acfmxazb4ph6aiy";

/// An argument with few values; the first is the default.
fn one_of(args: &Args, name: &str, values: &[&str]) -> Result<String, ApiError> {
    let value = args.get(name).unwrap_or(values[0]);
    if values.contains(&value) {
        return Ok(value.to_owned());
    }
    Err(ApiError::invalid(
        name,
        format!("none of {}", values.join(", ")),
    ))
}

fn isp(args: &Args) -> Result<String, ApiError> {
    let isp = args.get("ISP").unwrap_or(ISPS[0]);
    if ISPS.contains(&isp) {
        return Ok(isp.to_owned());
    }
    Err(ApiError::refused(
        "IllegalParam.Isp",
        "The specified ISP is not valid.",
    ))
}

fn check_group(state: &State, order: &Order) -> Result<(), ApiError> {
    let known = &state.world.resource_groups;
    let group = &order.resource_group_id;
    if group.is_empty() || known.is_empty() || known.contains(group) {
        return Ok(());
    }
    Err(ApiError::refused(
        "InvalidResourceGroupId",
        "The specified ResourceGroupId does not exist.",
    ))
}

fn check_pool(state: &State, order: &Order) -> Result<(), ApiError> {
    if order.pool_id.is_empty() {
        return Ok(());
    }
    if !order.zone.is_empty() {
        return Err(ApiError::refused(
            "ExclusiveParam.ZoneAndPublicIpAddressPoolId",
            "Zone and PublicIpAddressPoolId exclude each other.",
        ));
    }
    let Some(pool) = state.world.pools.get(&order.pool_id) else {
        return Err(ApiError::refused(
            "ResourceNotFound.PublicIpAddressPool",
            "The specified resource of PublicIpAddressPool is not found.",
        ));
    };
    let taken = state
        .eips
        .iter()
        .filter(|eip| eip.pool_id == pool.id)
        .count();
    if pool.size.is_some_and(|size| taken >= size) {
        return Err(ApiError::refused(
            "ResourceNotEnough.PublicIpAddressPool",
            "The specified resource of PublicIpAddressPool is not enough.",
        ));
    }
    Ok(())
}

fn check_quota(state: &State, call: &Call, region: &str) -> Result<(), ApiError> {
    let own = |eip: &&Eip| eip.account == call.caller.account && eip.region == region;
    if state.eips.iter().filter(own).count() < state.settings.quotas.eips {
        return Ok(());
    }
    Err(ApiError::refused(
        "QuotaExceeded.Eip",
        "Elastic IP address quota exceeded.",
    ))
}
