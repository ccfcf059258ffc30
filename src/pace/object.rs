//! The objects of the pace: one `Pace` per action, read, counted up and changed.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};

use super::breaker::{Breaker, Reason};
use super::state::State;
use crate::kubeapi::client::Kube;
use crate::kubeapi::error::KubeError;

/// Longest piece of the cloud's text that is kept, in bytes.
const MESSAGE: usize = 512;

/// One action's object.
#[derive(Clone)]
pub struct Object {
    kube: Kube,
    name: Cow<'static, str>,
    /// What it is made with.
    first: Value,
}

impl Object {
    pub fn new(kube: Kube, name: &'static str) -> Self {
        Self {
            kube,
            name: name.into(),
            first: json!({}),
        }
    }

    /// The clock of something that takes one change at a time, each of which takes about so long.
    pub fn of_turns(kube: Kube, name: &str, interval: Duration) -> Self {
        Self {
            kube,
            name: name.to_owned().into(),
            first: json!({"interval": in_millis(interval)}),
        }
    }

    /// The object now; `None`: there is none, or no definition of it.
    pub async fn get(&self) -> Result<Option<State>, KubeError> {
        let api = self.api();
        let object = self
            .kube
            .call("get", "paces", api.get_opt(&self.name))
            .await?;
        Ok(object.as_ref().map(read))
    }

    /// The object, made if there is none.
    pub async fn get_or_make(&self) -> Result<State, KubeError> {
        if let Some(state) = self.get().await? {
            return Ok(state);
        }
        let object = DynamicObject::new(&self.name, &resource()).data(json!({"spec": self.first}));
        let (api, params) = (self.api(), PostParams::default());
        let made = self
            .kube
            .call("create", "paces", api.create(&params, &object));
        match made.await {
            Ok(object) => Ok(read(&object)),
            Err(KubeError::Exists(_)) => Ok(self.get().await?.unwrap_or_default()),
            Err(error) => Err(error),
        }
    }

    /// Takes a number: the server orders those who do, and nobody conflicts. `mark` differs each time.
    pub async fn take(&self, mark: &str) -> Result<State, KubeError> {
        self.patch(json!({"spec": {"last": mark}})).await
    }

    /// Starts a new epoch then; its first number is the answer's.
    pub async fn start(&self, from: &State, mark: &str, at: Timestamp) -> Result<State, KubeError> {
        let spec = json!({"epoch": millis(at), "epochNumber": from.newest + 1, "last": mark});
        self.swap(from, spec).await
    }

    pub async fn set_rate(
        &self,
        from: &State,
        rate: u32,
        now: Timestamp,
    ) -> Result<State, KubeError> {
        // The slots given out so far keep their times: the epoch moves to the newest of them.
        let epoch = from.slot(from.newest, now).unwrap_or(now);
        let spec = json!({
            "rate": rate, "rateChanged": millis(now),
            "epoch": millis(epoch), "epochNumber": from.newest,
        });
        self.swap(from, spec).await
    }

    pub async fn set_interval(
        &self,
        from: &State,
        interval: Duration,
        now: Timestamp,
    ) -> Result<State, KubeError> {
        let epoch = from.slot(from.newest, now).unwrap_or(now);
        let spec = json!({
            "interval": in_millis(interval), "rateChanged": millis(now),
            "epoch": millis(epoch), "epochNumber": from.newest + 1,
            // The spec must change for the number to count up, whatever else changes.
            "last": format!("interval-{}", from.newest + 1),
        });
        self.swap(from, spec).await
    }

    /// Opens, moves or closes the breaker.
    pub async fn set_breaker(
        &self,
        from: &State,
        breaker: Option<&Breaker>,
    ) -> Result<State, KubeError> {
        let breaker = breaker.map(|breaker| {
            json!({
                "until": millis(breaker.until), "reason": breaker.reason.as_str(),
                "message": crate::telemetry::escape::cut(&breaker.message, MESSAGE),
                "probes": breaker.probes,
            })
        });
        self.swap(from, json!({"breaker": breaker})).await
    }

    /// Compare and swap: a conflict means that somebody else did it.
    async fn swap(&self, from: &State, spec: Value) -> Result<State, KubeError> {
        self.patch(json!({"metadata": {"resourceVersion": from.version}, "spec": spec}))
            .await
    }

    async fn patch(&self, patch: Value) -> Result<State, KubeError> {
        let (api, params) = (self.api(), PatchParams::default());
        let patch = Patch::Merge(patch);
        let call = api.patch(&self.name, &params, &patch);
        Ok(read(&self.kube.call("patch", "paces", call).await?))
    }

    fn api(&self) -> Api<DynamicObject> {
        Api::all_with(self.kube.client().clone(), &resource())
    }
}

fn resource() -> ApiResource {
    ApiResource {
        group: "eipd.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "eipd.io/v1".to_owned(),
        kind: "Pace".to_owned(),
        plural: "paces".to_owned(),
    }
}

fn in_millis(interval: Duration) -> u64 {
    interval.as_millis().try_into().unwrap_or(u64::MAX)
}

/// RFC 3339 with milliseconds: slots lie half a second apart.
fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Leniently: what is nonsense counts as absent.
fn read(object: &DynamicObject) -> State {
    let spec = &object.data["spec"];
    let time = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let small = |value: &Value| value.as_u64().and_then(|number| number.try_into().ok());
    let breaker = &spec["breaker"];
    let reason = breaker["reason"].as_str().and_then(Reason::parse);
    State {
        rate: small(&spec["rate"]),
        interval: small(&spec["interval"]),
        epoch: time(&spec["epoch"]),
        from: spec["epochNumber"].as_i64().unwrap_or_default(),
        changed: time(&spec["rateChanged"]),
        breaker: time(&breaker["until"])
            .zip(reason)
            .map(|(until, reason)| Breaker {
                until,
                reason,
                message: breaker["message"].as_str().unwrap_or_default().to_owned(),
                probes: small(&breaker["probes"]).unwrap_or_default(),
            }),
        newest: object.metadata.generation.unwrap_or_default(),
        version: object.metadata.resource_version.clone().unwrap_or_default(),
    }
}
