//! The numbers at `/metrics`: every series of the agent, with closed label sets.
//!
//! Labels are enums or names that stand in the program text, never input: a pod, an EIP or an error message as a label
//! would grow without end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

mod outcome;

pub use outcome::{ApiOutcome, CloudOutcome, EventOutcome};

/// The media type of what [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: a cloud call takes 50 ms to some seconds, its deadline is 30.
const CALL_BUCKETS: [f64; 9] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// Upper bounds in seconds: a binding takes the cloud about two seconds, longer when the quota is short.
const BIND_BUCKETS: [f64; 10] = [1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0, 300.0, 1800.0];

/// All series of one agent. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    cloud_calls: Family<CloudCall, Counter>,
    cloud_seconds: Family<Action, Histogram, fn() -> Histogram>,
    api_calls: Family<ApiCall, Counter>,
    records: Family<Phase, Gauge>,
    steps: Family<Step, Counter>,
    bind_seconds: Histogram,
    events: Family<EventLabel, Counter>,
    sweeps: Family<SweepLabel, Counter>,
    found: Family<FoundLabel, Counter>,
    stuck_tables: Gauge,
    ready: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CloudCall {
    action: &'static str,
    outcome: CloudOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiCall {
    verb: &'static str,
    resource: &'static str,
    outcome: ApiOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    phase: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Step {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    outcome: EventOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SweepLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FoundLabel {
    what: &'static str,
}

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// A registry of its own, so that several agents fit into one test process.
    pub fn new() -> Self {
        Self {
            inner: Arc::new(Inner::new()),
        }
    }

    /// One cloud call by its API action ("`AllocateEipAddress`"): how it ended and how long it took.
    pub fn cloud_call(&self, action: &'static str, outcome: CloudOutcome, took: Duration) {
        self.inner
            .cloud_calls
            .get_or_create(&CloudCall { action, outcome })
            .inc();
        self.inner
            .cloud_seconds
            .get_or_create(&Action { action })
            .observe(took.as_secs_f64());
    }

    /// One API-server call, by Kubernetes verb ("patch") and resource, with subresource ("pods/status").
    pub fn api_call(&self, verb: &'static str, resource: &'static str, outcome: ApiOutcome) {
        self.inner
            .api_calls
            .get_or_create(&ApiCall {
                verb,
                resource,
                outcome,
            })
            .inc();
    }

    /// How many records of this shard are in `phase` now.
    pub fn records(&self, phase: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.inner
            .records
            .get_or_create(&Phase { phase })
            .set(count);
    }

    /// One step was driven.
    pub fn step(&self, step: &'static str) {
        self.inner.steps.get_or_create(&Step { step }).inc();
    }

    /// An EIP was seen bound, so long after its pod's IP was known.
    pub fn bound(&self, after_pod_ip: Duration) {
        self.inner.bind_seconds.observe(after_pod_ip.as_secs_f64());
    }

    /// One Event was published, or not.
    pub fn event(&self, outcome: EventOutcome) {
        self.inner
            .events
            .get_or_create(&EventLabel { outcome })
            .inc();
    }

    /// One sweep ended: "whole", or "`cut_short`" by a list that failed.
    pub fn sweep(&self, outcome: &'static str) {
        self.inner
            .sweeps
            .get_or_create(&SweepLabel { outcome })
            .inc();
    }

    /// A sweep has handed a record on.
    pub fn found(&self, what: &'static str) {
        self.inner.found.get_or_create(&FoundLabel { what }).inc();
    }

    /// How many forward tables take no change, for an entry has been Pending in them for over a minute.
    pub fn stuck_tables(&self, tables: usize) {
        let tables = i64::try_from(tables).unwrap_or(i64::MAX);
        self.inner.stuck_tables.set(tables);
    }

    /// Whether the agent is ready.
    pub fn ready(&self, ready: bool) {
        self.inner.ready.set(i64::from(ready));
    }

    /// All series in the `OpenMetrics` text format.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.inner.registry)?;
        Ok(text)
    }
}

impl Inner {
    fn new() -> Self {
        let mut inner = Self {
            registry: Registry::with_prefix("eipd"),
            cloud_calls: Family::default(),
            cloud_seconds: Family::new_with_constructor(|| Histogram::new(CALL_BUCKETS)),
            api_calls: Family::default(),
            records: Family::default(),
            steps: Family::default(),
            bind_seconds: Histogram::new(BIND_BUCKETS),
            events: Family::default(),
            sweeps: Family::default(),
            found: Family::default(),
            stuck_tables: Gauge::default(),
            ready: Gauge::default(),
        };
        inner.register();
        inner
    }

    fn register(&mut self) {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let r = &mut self.registry;
        r.register(
            "cloud_calls",
            "Calls to the cloud",
            self.cloud_calls.clone(),
        );
        r.register(
            "cloud_call_seconds",
            "Time a cloud call took",
            self.cloud_seconds.clone(),
        );
        r.register(
            "api_calls",
            "Calls to the API server",
            self.api_calls.clone(),
        );
        r.register("records", "Records of this node", self.records.clone());
        r.register("steps", "Steps driven", self.steps.clone());
        r.register(
            "bind_seconds",
            "Time from pod IP to bound",
            self.bind_seconds.clone(),
        );
        r.register("events", "Kubernetes Events published", self.events.clone());
        r.register("sweeps", "Sweeps made", self.sweeps.clone());
        r.register(
            "sweep_found",
            "Records that sweeps have found to be due",
            self.found.clone(),
        );
        r.register(
            "stuck_forward_tables",
            "Forward tables that an entry has kept busy for over a minute",
            self.stuck_tables.clone(),
        );
        r.register("ready", "1 if the agent is ready", self.ready.clone());
        r.register("build", "The version that runs", build);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_its_published_name_and_labels() {
        let metrics = Metrics::new();
        metrics.cloud_call(
            "AllocateEipAddress",
            CloudOutcome::NotFound,
            Duration::from_millis(150),
        );
        metrics.api_call("patch", "pods/status", ApiOutcome::Conflict);
        metrics.records("bound", 3);
        metrics.step("associate");
        metrics.bound(Duration::from_millis(2500));
        metrics.event(EventOutcome::Written);
        metrics.sweep("cut_short");
        metrics.found("expired");
        metrics.stuck_tables(1);
        metrics.ready(true);
        let text = metrics.encode().unwrap();
        for line in [
            r#"eipd_cloud_calls_total{action="AllocateEipAddress",outcome="not_found"} 1"#,
            r#"eipd_cloud_call_seconds_bucket{le="0.2",action="AllocateEipAddress"} 1"#,
            r#"eipd_cloud_call_seconds_bucket{le="0.1",action="AllocateEipAddress"} 0"#,
            r#"eipd_api_calls_total{verb="patch",resource="pods/status",outcome="conflict"} 1"#,
            r#"eipd_records{phase="bound"} 3"#,
            r#"eipd_steps_total{step="associate"} 1"#,
            "eipd_bind_seconds_sum 2.5",
            r#"eipd_events_total{outcome="written"} 1"#,
            r#"eipd_sweeps_total{outcome="cut_short"} 1"#,
            r#"eipd_sweep_found_total{what="expired"} 1"#,
            "eipd_stuck_forward_tables 1",
            "eipd_ready 1",
            concat!(
                r#"eipd_build_info{version=""#,
                env!("CARGO_PKG_VERSION"),
                r#""} 1"#
            ),
            "# EOF",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn clones_share_and_registries_do_not() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.clone().step("allocate");
        assert!(
            one.encode()
                .unwrap()
                .contains("eipd_steps_total{step=\"allocate\"} 1")
        );
        assert!(!other.encode().unwrap().contains("allocate"));
    }
}
