//! Applies the examples of a test's rows with kubectl and plays the kubelets under them, until the test has seen enough.

use std::path::PathBuf;
use std::pin::pin;

use futures::future::{Either, select};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::cases::CaseError;
use crate::cases::eip::sight::{self, events, pods, records};
use crate::cases::eip::wait::until;
use crate::cloud::Eip;
use crate::install;
use crate::page::{Example, Page};
use crate::played::{PlayedPod, player};
use crate::world::World;

/// How the files of applied manifests end.
const APPLIED: &str = ".example.yaml";
/// Patience for one thing to come about, in seconds.
pub const SOON: u64 = 60;

/// A world with both agents running, and the examples of one test.
pub struct Stage<'w> {
    pub world: &'w World,
    pub examples: Vec<Example>,
}

/// Shows the examples of `test`: kubelets are played, `play` says what happens, and everything is taken away at the end.
pub async fn shown(
    world: &mut World,
    test: &str,
    play: impl AsyncFnOnce(&Stage<'_>) -> Result<(), CaseError>,
) -> Result<(), CaseError> {
    let stage = Stage::set(world, test).await?;
    let client = stage.world.kube();
    let kubelets = player::play(&client, &stage.world.instances);
    let story = async {
        play(&stage).await?;
        stage.clear().await
    };
    match select(pin!(story), pin!(kubelets)).await {
        Either::Left((told, _)) => told,
        Either::Right((ended, _)) => Ok(ended?),
    }
}

impl<'w> Stage<'w> {
    /// Starts the agents on a cloud that is quick, and finds the examples; nothing is applied or played yet.
    pub async fn set(world: &'w mut World, test: &str) -> Result<Self, CaseError> {
        let quick =
            json!({"settle": {"associate_ms": 300, "unassociate_ms": 300, "release_ms": 100}});
        world.cloud().set(&quick).await?;
        world.start_agents().await?;
        let examples = Page::read()?.shown_by(test)?.into_iter().cloned().collect();
        Ok(Self { world, examples })
    }

    /// `kubectl`, with the administrator's rights.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String, CaseError> {
        let (paths, plane) = (&self.world.paths, &self.world.plane);
        Ok(install::kubectl(paths, &plane.kubeconfig, args).await?)
    }

    /// Applies every example.
    pub async fn apply(&self) -> Result<(), CaseError> {
        for example in &self.examples {
            self.apply_text(&example.name, &example.yaml).await?;
        }
        Ok(())
    }

    /// Applies a manifest that is no example as it stands.
    pub async fn apply_text(&self, name: &str, yaml: &str) -> Result<(), CaseError> {
        let file = self.world.dir().join(format!("{name}{APPLIED}"));
        std::fs::write(&file, yaml)?;
        self.kubectl(&["apply", "-f", &file.to_string_lossy()])
            .await?;
        Ok(())
    }

    /// Takes away whatever was applied; waits for nothing.
    pub async fn take_away(&self) -> Result<(), CaseError> {
        for file in self.applied()? {
            let file = file.to_string_lossy().into_owned();
            let gone = ["delete", "-f", &*file, "--wait=false", "--ignore-not-found"];
            self.kubectl(&gone).await?;
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    /// Takes away whatever was applied, and waits until neither pod nor record nor EIP is left.
    pub async fn clear(&self) -> Result<(), CaseError> {
        self.take_away().await?;
        until("no pod, no record and no EIP", SOON, async || {
            let all = ListParams::default();
            let (pods, records) = (
                pods(self.world).list(&all).await?,
                records(self.world).list(&all).await?,
            );
            let (pods, records) = (names(&pods.items), names(&records.items));
            let eips = self.world.cloud().eips().await?;
            let empty = pods.is_empty() && records.is_empty() && eips.is_empty();
            Ok(empty
                .then_some(())
                .ok_or_else(|| format!("pods {pods:?}, records {records:?}, EIPs {eips:?}")))
        })
        .await
    }

    /// The manifests that were applied.
    fn applied(&self) -> Result<Vec<PathBuf>, CaseError> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.world.dir())? {
            let path = entry?.path();
            let ours = path.to_string_lossy().ends_with(APPLIED);
            files.extend(ours.then_some(path));
        }
        Ok(files)
    }

    /// The example of that name, which the page has in a row of this test.
    pub fn example(&self, name: &str) -> Result<&Example, CaseError> {
        let found = self.examples.iter().find(|example| example.name == name);
        found.ok_or_else(|| CaseError::new(format!("the page has no example {name} for this test")))
    }

    /// The pods of an example, as soon as all of them are bound to a node.
    pub async fn pods(&self, example: &Example) -> Result<Vec<Pod>, CaseError> {
        let manifest: Value = serde_saphyr::from_str(&example.yaml)?;
        let (wanted, due) = (
            selector(&manifest),
            manifest["spec"]["replicas"].as_u64().unwrap_or(1),
        );
        until(
            &format!("{due} pods of {}", example.name),
            SOON,
            async || {
                let found = pods(self.world).list(&wanted).await?.items;
                let bound = |pod: &&Pod| {
                    pod.spec
                        .as_ref()
                        .is_some_and(|spec| spec.node_name.is_some())
                };
                let bound: Vec<_> = found.iter().filter(bound).cloned().collect();
                Ok((bound.len() as u64 == due)
                    .then_some(bound)
                    .ok_or_else(|| format!("{:?}", names(&found))))
            },
        )
        .await
    }

    /// Waits until each pod of the example has its EIP, seen from everywhere; those EIPs.
    pub async fn bound(&self, example: &Example) -> Result<Vec<(Pod, Eip)>, CaseError> {
        let mut found = Vec::new();
        for pod in self.pods(example).await? {
            let uid = pod.uid().unwrap_or_default();
            let eip = sight::bound(self.world, &pod.name_any(), &uid, SOON).await?;
            found.push((pod, eip));
        }
        Ok(found)
    }

    /// The same for all examples.
    pub async fn all_bound(&self) -> Result<Vec<(&Example, Pod, Eip)>, CaseError> {
        let mut found = Vec::new();
        for example in &self.examples {
            let bound = self.bound(example).await?.into_iter();
            found.extend(bound.map(|(pod, eip)| (example, pod, eip)));
        }
        Ok(found)
    }

    /// Waits until each pod of the example has exactly the Events about its request that the page says.
    pub async fn told(&self, example: &Example) -> Result<(), CaseError> {
        for pod in self.pods(example).await? {
            let name = pod.name_any();
            until(
                &format!("the page's Events on {name}: {:#?}", example.events),
                SOON,
                async || {
                    let mut seen = about_request(&events(self.world, &name).await?);
                    seen.sort();
                    Ok((seen == example.events)
                        .then_some(())
                        .ok_or_else(|| format!("{seen:#?}")))
                },
            )
            .await?;
        }
        Ok(())
    }

    /// A handle to play a pod by hand.
    pub fn played(&self, pod: &Pod) -> PlayedPod {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let nodes = &self.world.instances;
        let host = nodes.iter().find(|instance| Some(&*instance.name) == node);
        let address = host.map_or(std::net::Ipv4Addr::UNSPECIFIED, |instance| instance.address);
        PlayedPod::of(&pods(self.world), pod, address)
    }
}

pub fn names<K: kube::Resource>(objects: &[K]) -> Vec<String> {
    objects.iter().map(kube::ResourceExt::name_any).collect()
}

/// The Events that speak of annotations, as the page has them.
fn about_request(events: &[(String, String)]) -> Vec<String> {
    let ours = events
        .iter()
        .filter(|(reason, _)| ["InvalidRequest", "CheckRequest"].contains(&&**reason));
    ours.map(|(reason, text)| format!("{reason} {text}"))
        .collect()
}

/// How the pods of a manifest are found.
fn selector(manifest: &Value) -> ListParams {
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    match manifest["kind"].as_str() {
        Some("Pod") => ListParams::default().fields(&format!("metadata.name={name}")),
        Some("Job") => ListParams::default().labels(&format!("job-name={name}")),
        _ => {
            let labels = manifest["spec"]["selector"]["matchLabels"].as_object();
            let pairs = labels.into_iter().flatten();
            let pairs: Vec<_> = pairs
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                .collect();
            ListParams::default().labels(&pairs.join(","))
        }
    }
}
