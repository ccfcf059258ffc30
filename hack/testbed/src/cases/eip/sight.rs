//! What can be seen of an EIP from outside: the record, the pod, its Events, the cloud and the calls made there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use serde_json::Value;

use super::wait::until;
use crate::cases::CaseError;
use crate::cloud::Eip;
use crate::ensure;
use crate::world::World;

const CONDITION: &str = "k8s.aliyun.com/eip";
const ANNOTATIONS: [&str; 2] = [
    "k8s.aliyun.com/allocated-eipAddress",
    "network.alibabacloud.com/allocated-eipAddress",
];

/// The records of the namespace `default`.
pub fn records(world: &World) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("alibabacloud.com", "v1beta1", "PodEIP");
    Api::default_namespaced_with(world.kube(), &ApiResource::from_gvk(&kind))
}

/// The pods of the namespace `default`.
pub fn pods(world: &World) -> Api<Pod> {
    Api::default_namespaced(world.kube())
}

/// The record as JSON; null if there is none.
pub async fn record(world: &World, name: &str) -> Result<Value, CaseError> {
    let found = records(world).get_opt(name).await?;
    Ok(found
        .map(serde_json::to_value)
        .transpose()?
        .unwrap_or_default())
}

/// Reason and text of the Events on the pods of that name.
pub async fn events(world: &World, name: &str) -> Result<Vec<(String, String)>, CaseError> {
    let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
    let found = Api::<Event>::default_namespaced(world.kube())
        .list(&about)
        .await?;
    let told = |event: Event| {
        (
            event.reason.unwrap_or_default(),
            event.message.unwrap_or_default(),
        )
    };
    Ok(found.items.into_iter().map(told).collect())
}

/// Fails if an Event says that a record was deleted by hand: then the next one would wait half a minute and longer.
pub async fn nobody_blamed(world: &World, name: &str) -> Result<(), CaseError> {
    let told = events(world, name).await?;
    let blamed = told.iter().any(|(reason, _)| reason == "RecordDeleted");
    ensure!(!blamed, "nobody deleted a record by hand: {told:?}");
    Ok(())
}

/// Waits until record, pod and cloud agree that the pod of that name and uid has an EIP at its address; that EIP.
pub async fn bound(world: &World, name: &str, uid: &str, seconds: u64) -> Result<Eip, CaseError> {
    until(&format!("{name} is bound"), seconds, async || {
        let (record, eips) = (record(world, name).await?, world.cloud().eips().await?);
        let pod = pods(world).get_opt(name).await?;
        let pod = serde_json::to_value(pod)?;
        Ok(agree(&pod, uid, &record, &eips).map_err(|what| {
            let about = (&record["spec"], &record["status"], &pod["status"]["podIP"]);
            format!("{what}; {about:?}; EIPs {eips:?}")
        }))
    })
    .await
}

/// The EIP of which all of them speak; else what speaks against it.
fn agree(pod: &Value, uid: &str, record: &Value, eips: &[Eip]) -> Result<Eip, String> {
    let same = |what: &str, seen: &Value, wanted: &Value| {
        let holds = seen == wanted && wanted.as_str().is_some_and(|text| !text.is_empty());
        holds
            .then_some(())
            .ok_or_else(|| format!("{what}: {seen} where {wanted} is due"))
    };
    let (status, address) = (&record["status"], &record["status"]["eipAddress"]);
    same("pod's uid", &pod["metadata"]["uid"], &uid.into())?;
    let metadata = &record["metadata"];
    let owner = match metadata["ownerReferences"].is_null() {
        true => &metadata["annotations"]["eipd.io/pod"], // it outlives its pod
        false => &metadata["ownerReferences"][0]["uid"],
    };
    same("record's owner", owner, &uid.into())?;
    for name in ANNOTATIONS {
        same(name, &pod["metadata"]["annotations"][name], address)?;
    }
    let conditions = pod["status"]["conditions"].as_array();
    let condition = conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == CONDITION)
        .ok_or("no condition")?;
    same("condition", &condition["status"], &"True".into())?;
    let reason = "Associate eip succeed".into();
    same("condition's reason", &condition["reason"], &reason)?;
    let ip = &pod["status"]["podIP"];
    same("record's private IP", &status["privateIPAddress"], ip)?;
    same("record's status", &status["status"], &"InUse".into())?;
    let id = &record["spec"]["allocationID"];
    let eip = eips.iter().find(|eip| *id == *eip.id);
    let eip = eip.ok_or_else(|| format!("the cloud has no EIP {id}"))?;
    same("EIP's address", &eip.ip.to_string().into(), address)?;
    same("EIP's state", &eip.status.clone().into(), &"InUse".into())?;
    let place = eip.place.clone().ok_or("the EIP stands nowhere")?;
    let there = place.private_ip.map(|ip| ip.to_string());
    same("EIP's private IP", &there.into(), ip)?;
    let eni = &status["networkInterfaceID"];
    same("EIP's ENI", &place.eni_id.into(), eni)?;
    Ok(eip.clone())
}

/// Waits until the record is gone and the cloud holds no EIP but these.
pub async fn nothing_left(
    world: &World,
    name: &str,
    but: &[&str],
    seconds: u64,
) -> Result<(), CaseError> {
    let expected = format!("no record {name} and no EIP but {but:?}");
    until(&expected, seconds, async || {
        let (record, eips) = (record(world, name).await?, world.cloud().eips().await?);
        let mut left = eips.iter().filter(|eip| !but.contains(&eip.id.as_str()));
        let clean = record.is_null() && left.next().is_none();
        Ok(clean
            .then_some(())
            .ok_or_else(|| format!("record {record}; EIPs {eips:?}")))
    })
    .await
}

/// Waits until there is no record of that name, whatever else there is.
pub async fn no_record(world: &World, name: &str, seconds: u64) -> Result<(), CaseError> {
    until(&format!("no record {name}"), seconds, async || {
        let left = record(world, name).await?;
        Ok(left.is_null().then_some(()).ok_or_else(|| left.to_string()))
    })
    .await
}

/// Waits until a kept record rests: nobody's, without an address, its EIP unbound.
pub async fn resting(world: &World, name: &str, seconds: u64) -> Result<(), CaseError> {
    until(&format!("the record {name} rests"), seconds, async || {
        let (record, eips) = (record(world, name).await?, world.cloud().eips().await?);
        let id = record["spec"]["allocationID"].as_str().unwrap_or_default();
        let free = eips
            .iter()
            .any(|eip| eip.id == id && eip.status == "Available");
        let (labels, status) = (&record["metadata"]["labels"], &record["status"]);
        let shown = ["eipAddress", "privateIPAddress", "networkInterfaceID"];
        let rests = free
            && labels["eipd.io/eip"] == id
            && labels["eipd.io/node"].is_null()
            && shown.iter().all(|field| status[field].is_null());
        Ok(rests
            .then_some(())
            .ok_or_else(|| format!("record {record}; EIPs {eips:?}")))
    })
    .await
}

/// Waits for an Event of that reason whose text has that word.
pub async fn told(world: &World, name: &str, reason: &str, text: &str) -> Result<(), CaseError> {
    let expected = format!("an Event {reason} on {name} with {text:?}");
    until(&expected, 90, async || {
        let seen = events(world, name).await?;
        let told = seen
            .iter()
            .any(|(why, note)| why == reason && note.contains(text));
        Ok(told.then_some(()).ok_or_else(|| format!("{seen:?}")))
    })
    .await
}

/// A moment in the cloud's record of calls.
pub struct Mark {
    last: u64,
}

/// The calls that change something.
const CHANGES: [&str; 4] = [
    "AllocateEipAddress",
    "AssociateEipAddress",
    "UnassociateEipAddress",
    "ReleaseEipAddress",
];

impl Mark {
    pub async fn now(world: &World) -> Result<Self, CaseError> {
        let last = world
            .cloud()
            .calls()
            .await?
            .last()
            .map(|call| call.sequence);
        Ok(Self {
            last: last.unwrap_or_default(),
        })
    }

    /// What reached the API door since, oldest first.
    pub async fn calls(&self, world: &World) -> Result<Vec<Value>, CaseError> {
        let path = format!("/calls?door=api&after={}", self.last);
        let found = world.cloud().get(&path).await?;
        Ok(found.as_array().cloned().unwrap_or_default())
    }

    /// The number of changes since, by action.
    pub async fn changes(&self, world: &World) -> Result<BTreeMap<String, u64>, CaseError> {
        let mut counts = BTreeMap::new();
        for call in self.calls(world).await? {
            let action = call["action"].as_str().unwrap_or_default();
            if CHANGES.contains(&action) {
                *counts.entry(action.to_owned()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Fails unless exactly these changes were asked for since.
    pub async fn expect(&self, world: &World, wanted: &[(&str, u64)]) -> Result<(), CaseError> {
        let seen = self.changes(world).await?;
        let pairs = wanted
            .iter()
            .map(|(action, count)| ((*action).to_owned(), *count));
        let wanted: BTreeMap<_, _> = pairs.collect();
        ensure!(seen == wanted, "changes made: {seen:?}, due: {wanted:?}");
        Ok(())
    }
}

/// A whole life: each change once.
pub const LIFE: [(&str, u64); 4] = [
    ("AllocateEipAddress", 1),
    ("AssociateEipAddress", 1),
    ("UnassociateEipAddress", 1),
    ("ReleaseEipAddress", 1),
];

/// Orders the next call of `action` to be worked and its answer to be held.
pub async fn hold_next(world: &World, action: &str) -> Result<(), CaseError> {
    let order = serde_json::json!({"action": action, "count": 1, "fault": {"kind": "hold"}});
    world.cloud().order_fault(&order).await?;
    Ok(())
}

/// Waits until an answer is held.
pub async fn held(world: &World, seconds: u64) -> Result<(), CaseError> {
    until("a held answer", seconds, async || {
        let holds = world.cloud().holds().await?;
        Ok((!holds.is_empty())
            .then_some(())
            .ok_or_else(|| "none".to_owned()))
    })
    .await
}

/// Loses all held answers: whoever waited for them is dead.
pub async fn lose_held(world: &World) -> Result<(), CaseError> {
    for hold in world.cloud().holds().await? {
        let id = hold["id"].as_u64().unwrap_or_default();
        world.cloud().release_hold(id, "lose").await?;
    }
    Ok(())
}
