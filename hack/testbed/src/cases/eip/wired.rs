//! Pods with network interfaces of their own, moved into them, on real kubelets; the agents have `hostPID`.

use std::fs;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams,
};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::kubelets::{GONE, READY, agents_ready, bare, create, delete, pods_gone, ready, uid};
use super::sight::{LIFE, Mark, bound, nothing_left, pods, told};
use super::wait::until;
use crate::cases::{CaseError, CaseFuture};
use crate::command::run_long;
use crate::ensure;
use crate::install::{NAMESPACE, kubectl};
use crate::node::OwnEni;
use crate::world::World;

const EXCLUSIVE: usize = 0;
const MEMBER: usize = 1;
const ECS: &str = "DescribeNetworkInterfaces";

pub fn exclusive(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let mark = Mark::now(world).await?;
        let pod = asking(world, "own", EXCLUSIVE).await?;
        let eni = eni_of(world, EXCLUSIVE, &pod)?;
        let eip = bound(world, "own", &uid(&pod), 60).await?;
        let place = eip.place.and_then(|place| place.eni_id);
        ensure!(place.as_ref() == Some(&eni.id), "{place:?}, not {eni:?}");
        let link = inside(&pod, &["ip", "-o", "link", "show", "eth0"]).await?;
        ensure!(link.contains(&eni.mac), "{link} is not {eni:?}");
        ready(world, 1).await?;
        delete(world, "own").await?;
        nothing_left(world, "own", &[], GONE).await?;
        pods_gone(world).await?;
        mark.expect(world, &LIFE).await?;
        let asked = asked_ecs(world, &mark).await?;
        ensure!(asked == 0, "ECS was asked {asked} times");
        Ok(())
    })
}

pub fn member(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let mark = Mark::now(world).await?;
        let pod = asking(world, "member", MEMBER).await?;
        let eni = eni_of(world, MEMBER, &pod)?;
        let eip = bound(world, "member", &uid(&pod), 90).await?;
        let place = eip.place.and_then(|place| place.eni_id);
        ensure!(place.as_ref() == Some(&eni.id), "{place:?}, not {eni:?}");
        let asked = asked_ecs(world, &mark).await?;
        ensure!(asked > 0, "nobody but ECS knows of {eni:?}");
        delete(world, "member").await?;
        nothing_left(world, "member", &[], GONE).await?;
        pods_gone(world).await?;
        define_podeni(world).await?;
        let mark = Mark::now(world).await?;
        // Terway has written it before kubelet begins; the first ENI that is free is given out.
        write_podeni(world, "member", &eni).await?;
        let pod = asking(world, "member", MEMBER).await?;
        bound(world, "member", &uid(&pod), 90).await?;
        let asked = asked_ecs(world, &mark).await?;
        ensure!(asked == 0, "ECS was asked {asked} times");
        podenis(world)
            .delete("member", &DeleteParams::default())
            .await?;
        delete(world, "member").await?;
        nothing_left(world, "member", &[], GONE).await?;
        pods_gone(world).await
    })
}

pub fn changed_inside(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let node = world.instances[EXCLUSIVE].name.clone();
        let mut manifest = bare("moved", &node, "1m");
        manifest["metadata"]["annotations"] = json!({});
        manifest["spec"]["readinessGates"] = json!([]);
        create(world, &manifest).await?;
        let pod = ready(world, 1).await?.remove(0);
        let eni = eni_of(world, EXCLUSIVE, &pod)?;
        let (real, other) = (format!("{}/16", eni.address), "10.200.0.9/16");
        inside(&pod, &["ip", "addr", "add", other, "dev", "eth0"]).await?;
        inside(&pod, &["ip", "addr", "del", &real, "dev", "eth0"]).await?;
        let mark = Mark::now(world).await?;
        let asks = json!({"metadata": {"annotations": {"k8s.aliyun.com/pod-with-eip": "true"}}});
        let params = PatchParams::default();
        pods(world)
            .patch("moved", &params, &Patch::Merge(asks))
            .await?;
        told(world, "moved", "InterfaceNotFound", "10.200.0.9").await?;
        mark.expect(world, &[]).await?;
        inside(&pod, &["ip", "addr", "add", &real, "dev", "eth0"]).await?;
        bound(world, "moved", &uid(&pod), 120).await?;
        delete(world, "moved").await?;
        nothing_left(world, "moved", &[], GONE).await?;
        pods_gone(world).await
    })
}

pub fn doctor(world: &mut World) -> CaseFuture<'_> {
    Box::pin(async {
        agents_ready(world).await?;
        let pod = asking(world, "patient", EXCLUSIVE).await?;
        bound(world, "patient", &uid(&pod), 60).await?;
        let agents: Api<Pod> = Api::namespaced(world.kube(), NAMESPACE);
        let node = format!("spec.nodeName={}", world.instances[EXCLUSIVE].name);
        let agents = agents.list(&ListParams::default().fields(&node)).await?;
        let agent = agents.items.first().map(Pod::name_any).unwrap_or_default();
        let exec = ["exec", "--namespace", NAMESPACE, &agent, "--", "/eipd"];
        let doctor = ["doctor", "--config", "/etc/eipd/config.yaml", "-o", "json"];
        let args = [&exec[..], &doctor[..]].concat();
        let said = kubectl(&world.paths, &world.plane.kubeconfig, &args).await?;
        let checks: Value = serde_json::from_str(&said)?;
        for (name, part) in [
            ("ENI mode", "pods: 1 on an ENI of its own"),
            ("ENI mode", "(1 addresses, not on the node)"),
            ("pods' addresses", "1 of 1 pods have theirs inside"),
            ("RBAC", "all "),
            ("credentials", "RAM role"),
        ] {
            let mut all = checks.as_array().into_iter().flatten();
            let check = all.find(|check| check["about"] == name);
            let found = check.map(|check| check["found"].to_string());
            let found = found.unwrap_or_default();
            ensure!(found.contains(part), "{name}: {found}, not {part}");
        }
        delete(world, "patient").await?;
        nothing_left(world, "patient", &[], GONE).await?;
        pods_gone(world).await
    })
}

/// Creates a pod that asks; it has an address when this returns.
async fn asking(world: &World, name: &str, node: usize) -> Result<Pod, CaseError> {
    create(world, &bare(name, &world.instances[node].name, "1m")).await?;
    until("an address", READY, async || {
        let pod = pods(world).get(name).await?;
        let ip = pod.status.as_ref().and_then(|it| it.pod_ip.clone());
        Ok(match ip {
            Some(_) => Ok(pod),
            None => Err(format!("{:?}", pod.status)),
        })
    })
    .await
}

/// The ENI that the pod was given.
fn eni_of(world: &World, node: usize, pod: &Pod) -> Result<OwnEni, CaseError> {
    let ip = pod.status.as_ref().and_then(|it| it.pod_ip.clone());
    let ip: Option<Ipv4Addr> = ip.and_then(|ip| ip.parse().ok());
    let mut enis = world.instances[node].own_enis.iter();
    let eni = enis.find(|eni| Some(eni.address) == ip).cloned();
    eni.ok_or_else(|| CaseError::new(format!("{ip:?} is on no ENI for pods")))
}

/// Runs a line in the pod's network namespace.
async fn inside(pod: &Pod, line: &[&str]) -> Result<String, CaseError> {
    let of_pod = |group: String| group.contains(&format!("pod{}", uid(pod)));
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let pid = pids.find(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(of_pod));
    let pid = pid.ok_or_else(|| CaseError::new("no process of the pod"))?;
    let namespace = format!("--net=/proc/{pid}/ns/net");
    let args = [&[&*namespace, "--"][..], line].concat();
    Ok(run_long("nsenter", &args).await?)
}

async fn asked_ecs(world: &World, mark: &Mark) -> Result<usize, CaseError> {
    let calls = mark.calls(world).await?;
    Ok(calls.iter().filter(|call| call["action"] == ECS).count())
}

/// Terway's definition, as far as anybody reads it here.
async fn define_podeni(world: &World) -> Result<(), CaseError> {
    let whole = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "podenis.network.alibabacloud.com"},
        "spec": {
            "group": "network.alibabacloud.com", "scope": "Namespaced",
            "names": {"plural": "podenis", "singular": "podeni", "kind": "PodENI", "listKind": "PodENIList"},
            "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": whole}],
        },
    });
    let file = world.dir().join("podeni.json");
    fs::write(&file, definition.to_string()).map_err(|error| CaseError::new(error.to_string()))?;
    let (paths, kubeconfig) = (&world.paths, &world.plane.kubeconfig);
    let file = file.to_string_lossy();
    kubectl(paths, kubeconfig, &["apply", "-f", &file]).await?;
    let wait = ["wait", "--for=condition=Established", "--timeout=30s"];
    let wait = [&wait[..], &["crd/podenis.network.alibabacloud.com"]].concat();
    kubectl(paths, kubeconfig, &wait).await?;
    Ok(())
}

fn podenis(world: &World) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("network.alibabacloud.com", "v1beta1", "PodENI");
    let kind = ApiResource::from_gvk_with_plural(&kind, "podenis");
    Api::default_namespaced_with(world.kube(), &kind)
}

async fn write_podeni(world: &World, name: &str, eni: &OwnEni) -> Result<(), CaseError> {
    let object = json!({
        "apiVersion": "network.alibabacloud.com/v1beta1", "kind": "PodENI",
        "metadata": {"name": name},
        "spec": {"allocations": [{"eni": {"id": eni.id, "mac": eni.mac}, "ipv4": eni.address}]},
        "status": {"phase": "Bind"},
    });
    let object = serde_json::from_value(object)?;
    podenis(world)
        .create(&PostParams::default(), &object)
        .await?;
    Ok(())
}
