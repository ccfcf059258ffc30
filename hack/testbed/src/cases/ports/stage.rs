//! A world with a NAT gateway to which its route leads, and what can be seen of ports from outside.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cases::CaseError;
use crate::cases::annotations::stage::{SOON, Stage, names};
use crate::cases::eip::sight::pods;
use crate::cases::eip::wait::until;
use crate::page::Page;
use crate::world::World;

pub const GATEWAY: &str = "ngw-ports";

/// The records of the namespace `default`.
pub fn records(world: &World) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("alibabacloud.com", "v1beta1", "PodDNAT");
    Api::default_namespaced_with(world.kube(), &ApiResource::from_gvk(&kind))
}

/// The record as JSON; null if there is none.
pub async fn record(world: &World, name: &str) -> Result<Value, CaseError> {
    let found = records(world).get_opt(name).await?;
    Ok(found
        .map(serde_json::to_value)
        .transpose()?
        .unwrap_or_default())
}

/// The forward entries that the cloud has.
pub async fn entries(world: &World) -> Result<Vec<Value>, CaseError> {
    let all = world.cloud().get("/forward-entries").await?;
    Ok(all.as_array().cloned().unwrap_or_default())
}

/// A gateway with one EIP, the VPC's route to it, and a cloud that is quick. Gives the EIP's id.
pub async fn gateway(world: &World) -> Result<String, CaseError> {
    let cloud = world.cloud();
    let quick = json!({"settle": {"forward_create_ms": 300, "forward_delete_ms": 200}});
    cloud.set(&quick).await?;
    let order = json!({"id": GATEWAY, "vswitch_id": cloud.vswitch});
    cloud.post("/nat-gateways", &order).await?;
    let eip = cloud.post("/eips", &json!({})).await?;
    let id = eip["id"].as_str().unwrap_or_default().to_owned();
    let bind = json!({"do": "bind_nat", "gateway": GATEWAY});
    cloud.post(&format!("/eips/{id}"), &bind).await?;
    let routes =
        json!({"vpc_id": cloud.vpc, "next_hop_type": "NatGateway", "next_hop_id": GATEWAY});
    // Of an earlier case of this world: it leads there already.
    let _ = cloud.post("/routes", &routes).await;
    Ok(id)
}

/// Nothing of it is left for the next case.
pub async fn without_gateway(world: &World, eip: &str) -> Result<(), CaseError> {
    until("no pod, no record and no entry", SOON, async || {
        let all = ListParams::default();
        let (pods, records) = (
            pods(world).list(&all).await?,
            records(world).list(&all).await?,
        );
        let (pods, records) = (names(&pods.items), names(&records.items));
        let entries = entries(world).await?;
        let empty = pods.is_empty() && records.is_empty() && entries.is_empty();
        let left = || format!("pods {pods:?}, records {records:?}, entries {entries:?}");
        Ok(empty.then_some(()).ok_or_else(left))
    })
    .await?;
    let cloud = world.cloud();
    let release = json!({"do": "release"});
    cloud.post(&format!("/eips/{eip}"), &release).await?;
    let gone = format!("/nat-gateways/{GATEWAY}");
    cloud.call(Method::DELETE, &gone, None).await?;
    Ok(())
}

/// The examples of the rows of this test, with agents running.
pub async fn set<'w>(world: &'w mut World, test: &str) -> Result<Stage<'w>, CaseError> {
    world.start_agents().await?;
    let page = Page::of_ports()?;
    let examples = page.shown_by(test)?.into_iter().cloned().collect();
    Ok(Stage { world, examples })
}

/// Waits until record, pod and cloud agree that the pod's ports are there; the record.
pub async fn ready(world: &World, name: &str, seconds: u64) -> Result<Value, CaseError> {
    until(&format!("{name} has its ports"), seconds, async || {
        let (record, entries) = (record(world, name).await?, entries(world).await?);
        let pod = serde_json::to_value(pods(world).get_opt(name).await?)?;
        let seen = agree(&pod, &record, &entries);
        let about = |what| format!("{what}; {}; entries {entries:?}", record["status"]);
        Ok(seen.map(|()| record.clone()).map_err(about))
    })
    .await
}

fn agree(pod: &Value, record: &Value, entries: &[Value]) -> Result<(), String> {
    let none = Vec::new();
    let shown = record["status"]["entries"].as_array().unwrap_or(&none);
    let asked = record["spec"]["portMapping"].as_array().map_or(0, Vec::len);
    if asked == 0 || shown.len() != asked {
        return Err(format!("{} of {asked} entries shown", shown.len()));
    }
    let mut told = Vec::new();
    for one in shown {
        let id = &one["forwardEntryId"];
        let Some(entry) = entries.iter().find(|entry| entry["id"] == *id) else {
            return Err(format!("the cloud has no {id}"));
        };
        let leads = (&entry["internal_ip"], &entry["external_ip"]);
        if leads != (&pod["status"]["podIP"], &one["externalIP"]) || entry["status"] != "Available"
        {
            return Err(format!("{entry} is not {one}"));
        }
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        told.push(format!(
            "{}:{}->{}/{}",
            text("externalIP"),
            text("externalPort"),
            text("internalPort"),
            text("ipProtocol")
        ));
    }
    let (told, said) = (
        told.join(","),
        &pod["metadata"]["annotations"]["eipd.io/dnat"],
    );
    if *said != told {
        return Err(format!("the pod says {said}, not {told}"));
    }
    let conditions = pod["status"]["conditions"].as_array().unwrap_or(&none);
    let ours = conditions.iter().find(|it| it["type"] == "eipd.io/dnat");
    let ready = ours.is_some_and(|it| it["status"] == "True" && it["reason"] == "DNAT ready");
    ready
        .then_some(())
        .ok_or_else(|| format!("condition {ours:?}"))
}
