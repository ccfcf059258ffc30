//! An EIP as the cloud lists it -> what the plan knows of it.

use crate::api::keys;
use crate::cloud::vpc::{EipStatus, EipView};
use crate::domain::eip::{Seen, Standing};
use crate::domain::ids::EniId;

pub(super) fn seen(view: &EipView) -> Seen {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Seen {
        id: view.id.clone(),
        address: view.address.clone(),
        standing: standing(view),
        cluster_tag: view.tags.get(keys::CLUSTER_TAG).cloned(),
        record_tag: view.tags.get(keys::RECORD_TAG).cloned(),
        isp: text(&view.isp),
        internet_charge_type: text(&view.internet_charge_type),
        resource_group: text(&view.resource_group_id),
        name: text(&view.name),
        pool: text(&view.pool),
        package: text(&view.bandwidth_package_id),
        bandwidth: view.bandwidth,
        tags: view.tags.clone(),
    }
}

fn standing(view: &EipView) -> Standing {
    match (&view.status, view.eni(), &view.instance_id) {
        (EipStatus::Available, _, _) => Standing::Free,
        (EipStatus::InUse, Some(eni), _) => at(eni, view.private_ip.as_deref()),
        (EipStatus::InUse, None, instance) => {
            let kind = view.instance_type.as_deref().unwrap_or("something");
            Standing::Foreign(format!(
                "{kind} {}",
                instance.as_deref().unwrap_or_default()
            ))
        }
        _ => Standing::Moving,
    }
}

/// An address that can't be read is nobody's: it must not pass for the interface's primary one.
fn at(eni: EniId, ip: Option<&str>) -> Standing {
    match ip.map(str::parse) {
        None => Standing::At { eni, ip: None },
        Some(Ok(ip)) => Standing::At { eni, ip: Some(ip) },
        Some(Err(_)) => Standing::Foreign(format!("{eni} at an unreadable address")),
    }
}
