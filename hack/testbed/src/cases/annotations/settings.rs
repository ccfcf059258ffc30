//! What `AllocateEipAddress` was asked for, setting by setting.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::stage::{SOON, Stage, shown};
use crate::cases::eip::sight::{Mark, bound, pods, record};
use crate::cases::{CaseError, CaseFuture};
use crate::ensure;
use crate::page::Example;
use crate::world::World;

/// What the page's examples are to send beside region, token and eipd's own tags; sorted.
const DUE: [(&str, &[(&str, &str)]); 3] = [
    (
        "settings",
        &[
            ("Bandwidth", "300"),
            ("Description", "room 0, first floor"),
            ("ISP", "BGP"),
            ("InstanceChargeType", "PostPaid"),
            ("InternetChargeType", "PayByBandwidth"),
            ("Name", "default/room-0"),
            ("ResourceGroupId", "rg-games"),
            ("SecurityProtectionTypes.1", "AntiDDoS_Enhanced"),
            ("tag floor", "1"),
            ("tag team", "games"),
        ],
    ),
    (
        "pool",
        &[
            ("Bandwidth", "200"),
            ("InstanceChargeType", "PostPaid"),
            ("InternetChargeType", "PayByTraffic"),
            ("PublicIpAddressPoolId", "pippool-games"),
        ],
    ),
    (
        "older-names",
        &[
            ("Bandwidth", "5"),
            ("InstanceChargeType", "PostPaid"),
            ("InternetChargeType", "PayByBandwidth"),
        ],
    ),
];

/// What the record's status is to show of them.
const SHOWN: [(&str, &str, &str); 6] = [
    ("room-0", "name", "default/room-0"),
    ("room-0", "isp", "BGP"),
    ("room-0", "internetChargeType", "PayByBandwidth"),
    ("room-0", "resourceGroupID", "rg-games"),
    ("pool", "publicIpAddressPoolID", "pippool-games"),
    ("pool", "internetChargeType", "PayByTraffic"),
];

pub fn reach_the_cloud(world: &mut World) -> CaseFuture<'_> {
    let test = "annotations::settings_reach_the_cloud";
    Box::pin(shown(world, test, async |stage| {
        let pool = json!({"id": "pippool-games", "size": 5});
        stage.world.cloud().post("/pools", &pool).await?;
        let mark = Mark::now(stage.world).await?;
        stage.apply().await?;
        apply_older(stage).await?;
        for (example, pod, _) in stage.all_bound().await? {
            let (name, due) = (&example.name, due(example)?);
            let asked = allocated(stage.world, &mark, &pod).await?;
            ensure!(same(&asked, due), "{name}: asked {asked:?}, due {due:?}");
        }
        for (pod, field, due) in SHOWN {
            let shown = record(stage.world, pod).await?["status"][field].clone();
            ensure!(shown == due, "{pod}: {field} is {shown}, due {due}");
        }
        older_asks_the_same(stage, &mark).await
    }))
}

fn due(example: &Example) -> Result<&'static [(&'static str, &'static str)], CaseError> {
    let due = DUE.iter().find(|(name, _)| *name == example.name);
    let unknown = || CaseError::new(format!("nothing is due of {}", example.name));
    Ok(due.ok_or_else(unknown)?.1)
}

/// The settings again, under the older prefix and with a name that is too long.
async fn apply_older(stage: &Stage<'_>) -> Result<(), CaseError> {
    let yaml = &stage.example("settings")?.yaml;
    let older = yaml.replace("network.alibabacloud.com/", "k8s.aliyun.com/");
    let long = older.replace("default/room-0", &long_name());
    stage
        .apply_text("older", &long.replace("name: room-0", "name: room-1"))
        .await
}

/// A namespace and a pod's name of the length that Kubernetes allows.
fn long_name() -> String {
    format!("{}/{}", "n".repeat(63), "p".repeat(253))
}

async fn older_asks_the_same(stage: &Stage<'_>, mark: &Mark) -> Result<(), CaseError> {
    let pod = pods(stage.world).get("room-1").await?;
    bound(stage.world, "room-1", &pod.uid().unwrap_or_default(), SOON).await?;
    let mut asked = allocated(stage.world, mark, &pod).await?;
    let name = asked.iter_mut().find(|(name, _)| name == "Name");
    let (_, name) = name.ok_or_else(|| CaseError::new("no name was sent"))?;
    let cut = name.len() == 128 && long_name().starts_with(&name[..117]);
    ensure!(
        cut,
        "a name of {} characters became {name}",
        long_name().len()
    );
    "default/room-0".clone_into(name);
    let (_, due) = DUE[0];
    ensure!(
        same(&asked, due),
        "older prefix: asked {asked:?}, due {due:?}"
    );
    Ok(())
}

/// Whether exactly what is due was asked.
pub fn same(asked: &[(String, String)], due: &[(&str, &str)]) -> bool {
    asked
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .eq(due.iter().copied())
}

/// The arguments of the one Allocate for the pod since `mark`, sorted, without region, token and eipd's own tags.
pub async fn allocated(
    world: &World,
    mark: &Mark,
    pod: &Pod,
) -> Result<Vec<(String, String)>, CaseError> {
    let record = record(world, &pod.name_any()).await?;
    let uid = record["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let calls = mark.calls(world).await?;
    let mine = |call: &&Value| {
        let tags = tags(&call["args"]);
        let ours = tags.iter().find(|(key, _)| key == "eipd-record");
        call["action"] == "AllocateEipAddress"
            && ours.is_some_and(|(_, value)| value.starts_with(&uid))
    };
    let found: Vec<_> = calls.iter().filter(mine).collect();
    ensure!(
        found.len() == 1,
        "{} Allocate calls for {}",
        found.len(),
        pod.name_any()
    );
    Ok(settings(&found[0]["args"]))
}

fn settings(args: &Value) -> Vec<(String, String)> {
    let common = ["RegionId", "ClientToken", "Action", "Version", "Format"];
    let plain = args
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !common.contains(&&***name) && !name.starts_with("Tag."));
    let plain =
        plain.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    let tags = tags(args)
        .into_iter()
        .filter(|(key, _)| !key.starts_with("eipd-"));
    let mut all: Vec<_> = plain
        .chain(tags.map(|(key, value)| (format!("tag {key}"), value)))
        .collect();
    all.sort();
    all
}

/// The tags of a call, by key.
fn tags(args: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tag = |n: usize| {
        Some((
            text(&args[format!("Tag.{n}.Key")])?,
            text(&args[format!("Tag.{n}.Value")])?,
        ))
    };
    (1..=20).map_while(tag).collect()
}
