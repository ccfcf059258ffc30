//! Control calls that need more than a line: their bodies and what they do.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::json;

use super::{Answer, Asked, show};
use crate::calls::CallRecord;
use crate::cloud::Cloud;
use crate::holds::Release;
use crate::listeners::NewListener;
use crate::world::Refused;

/// Nothing to show, or not found.
pub(super) fn done(found: bool, kind: &'static str, asked: &Asked) -> Answer {
    if found {
        Ok(json!({}))
    } else {
        Err(Refused::NotFound(kind, asked.part(0).to_owned()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceChange {
    role: Option<String>,
    hostname: Option<String>,
    http_tokens_required: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn change_instance(cloud: &Cloud, asked: &Asked) -> Answer {
    let change: InstanceChange = asked.read()?;
    let changed = cloud.change_instance(asked.part(0), |instance| {
        if let Some(role) = change.role {
            instance.role = Some(role).filter(|role| !role.is_empty());
        }
        instance.hostname = change.hostname.unwrap_or_else(|| instance.hostname.clone());
        instance.tags = change.tags.unwrap_or_else(|| instance.tags.clone());
        instance.http_tokens_required = change
            .http_tokens_required
            .unwrap_or(instance.http_tokens_required);
    });
    show(&changed?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attach {
    instance_id: String,
    trunk_eni_id: Option<String>,
    #[serde(default)]
    metadata_late_ms: u64,
}

pub(super) fn attach_eni(cloud: &Cloud, asked: &Asked) -> Answer {
    let order: Attach = asked.read()?;
    let trunk = order.trunk_eni_id.as_deref();
    show(&cloud.attach_eni(
        asked.part(0),
        &order.instance_id,
        trunk,
        order.metadata_late_ms,
    )?)
}

pub(super) fn list_eips(cloud: &Cloud, asked: &Asked) -> Answer {
    match asked.query("gone") {
        Some("true") => show(&cloud.eips_even_gone()),
        _ => show(&cloud.eips()),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CreateEip {
    id: Option<String>,
    account: Option<String>,
    args: BTreeMap<String, String>,
}

pub(super) fn create_eip(cloud: &Cloud, asked: &Asked) -> Answer {
    let order: CreateEip = asked.read()?;
    let account = order.account.as_deref();
    let made = match &order.id {
        Some(id) => cloud.create_eip_as(id, &order.args, account),
        None => cloud.create_eip(&order.args, account),
    };
    show(&made.map_err(|error| Refused::Conflict(error.to_string()))?)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReleaseOrder {
    release: Release,
}

pub(super) fn release_hold(cloud: &Cloud, asked: &Asked) -> Answer {
    let order: ReleaseOrder = asked.read()?;
    done(
        cloud.release_hold(asked.number(0)?, order.release),
        "hold",
        asked,
    )
}

pub(super) fn list_calls(cloud: &Cloud, asked: &Asked) -> Answer {
    let after: u64 = asked
        .query("after")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let wanted = |call: &CallRecord| {
        call.sequence > after
            && asked
                .query("action")
                .is_none_or(|action| action == call.action)
            && asked.query("door").is_none_or(|door| door == call.door)
    };
    let calls = cloud.calls().into_iter().filter(wanted);
    show(&calls.collect::<Vec<_>>())
}

pub(super) fn list_listeners(cloud: &Cloud, _: &Asked) -> Answer {
    let all = cloud
        .listeners
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    show(&all.iter().collect::<Vec<_>>())
}

pub(super) fn open_listener(cloud: &Cloud, asked: &Asked) -> Answer {
    let order: NewListener = asked.read()?;
    let opened = cloud.listen(order);
    show(&opened.map_err(|error| Refused::Conflict(error.to_string()))?)
}

pub(super) fn close_listener(cloud: &Cloud, asked: &Asked) -> Answer {
    let mut all = cloud
        .listeners
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    done(all.close(asked.number(0)?), "listener", asked)
}
