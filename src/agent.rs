//! Wiring: from a configuration to running tasks. Any of them that ends unasked ends the process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::channel as watch_of;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::clock::{self, Clock};
use crate::cloud::credentials::Credentials;
use crate::cloud::ecs::Ecs;
use crate::cloud::endpoints::{EndpointError, Service};
use crate::cloud::http::{Exchange, Wire, WireError};
use crate::cloud::vpc::Vpc;
use crate::cloud::watched::Watched;
use crate::config::Config;
use crate::eip::ask;
use crate::eip::drive::Ports;
use crate::eip::engine::{Ended, Engine, Inbox, Reporter};
use crate::eip::facts::Me;
use crate::kubeapi::client::throttle::Throttle;
use crate::kubeapi::client::{self, Kube};
use crate::kubeapi::podenis::PodEnis;
use crate::kubeapi::pods::Pods;
use crate::kubeapi::records::Records;
use crate::kubeapi::watch;
use crate::node::eni::Enis;
use crate::node::kernel::{Kernel, Linux};
use crate::node::lock::{LockError, NodeLock};
use crate::node::metadata::{Metadata, MetadataError};
use crate::node::places::Places;
use crate::pace::Pace;
use crate::shard::sweep::Sweep;
use crate::shard::{audit, mine, rivals};
use crate::shutdown::Shutdown;
use crate::telemetry::events::Events;
use crate::telemetry::health::{BindError, Server};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::Readiness;

pub(crate) mod cloud;
pub(crate) mod identify;
mod start;

use identify::{Identified, Mismatch};
use start::Reached;

/// Why the agent ends with status 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Health(#[from] BindError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("no way to the API server: {0}")]
    Kube(String),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error("stopped by itself: {0}")]
    Ended(#[from] Ended),
    #[error("the task {0} ended unasked")]
    Task(&'static str),
}

/// What the agent reaches the world through. Tests put doubles in its place.
pub struct Doors {
    pub kube: kube::Client,
    /// To the cloud and to the metadata service.
    pub exchange: Arc<dyn Exchange>,
    pub kernel: Arc<dyn Kernel>,
    pub clock: Clock,
}

/// Changes that wait for the engine; more make the watch wait.
const INBOX: usize = 64;
/// What is in flight has a deadline of its own; this is for what has not.
const DRAIN: Duration = Duration::from_secs(35);

/// The task that is waited for at the end.
const EVENTS: &str = "events";

/// Runs until `shutdown`, on the real network.
pub async fn run(config: Config, shutdown: Shutdown) -> Result<(), Error> {
    let clock = Clock::new();
    let doors = Doors {
        kube: api_server(&config, &clock).await.map_err(Error::Kube)?,
        exchange: Arc::new(Wire::new()?),
        kernel: Linux::shared(),
        clock,
    };
    Box::pin(serve(config, doors, shutdown)).await
}

/// The API server as this process finds it: in a pod, or through `KUBECONFIG`.
pub(crate) async fn api_server(config: &Config, clock: &Clock) -> Result<kube::Client, String> {
    let found = kube::Config::infer().await;
    let found = found.map_err(|error| error.to_string())?;
    client::connect(found, clock, throttle(config)).map_err(|error| error.to_string())
}

/// ENC's two keys: a rate alone has a burst of one second's calls.
fn throttle(config: &Config) -> Option<Throttle> {
    let limit = config.kube_client;
    let qps = limit.qps.or_else(|| limit.burst.map(f64::from))?;
    // A rate has no sign, and over four thousand million calls a second are no limit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let a_second = qps.ceil() as u32;
    Some(Throttle::new(qps, limit.burst.unwrap_or(a_second)))
}

/// Runs until `shutdown`, through these doors.
pub async fn serve(config: Config, doors: Doors, shutdown: Shutdown) -> Result<(), Error> {
    let metrics = Metrics::new();
    let readiness = Readiness::new();
    let known = readiness.condition("identity");
    let signed = readiness.condition("credentials");
    let reached = Reached::new(readiness.condition("cloud"));
    let listed = readiness.condition("watches");
    let mut tasks = Tasks::new(shutdown.clone());
    let server = Server::bind(config.listen).await;
    let bound = server.map(|server| {
        tasks.spawn(
            "health",
            server.serve(readiness, metrics.clone(), shutdown.clone()),
        );
    });
    let kube = Kube::new(
        doors.kube.clone(),
        config.deadlines.api_server,
        metrics.clone(),
    );
    let metadata = Metadata::for_config(&config, doors.exchange.clone())?;
    let identify = identify::identify(&config, &kube, &metadata, &known);
    let Some(identified) = tasks.unless_asked_to_stop(identify).await else {
        return Ok(());
    };
    let identified = identified?;
    let (me, region) = (identified.me.clone(), identified.region.clone());
    // A second agent has the same port: the lock tells that better than the clash does.
    let _lock = NodeLock::take(&me.cluster, &me.node)?;
    bound?;
    known.met();
    let cluster_id = config.cluster_id.as_deref().unwrap_or("not configured");
    tracing::info!(cluster = %me.cluster, cluster_id, account = me.account.as_deref().unwrap_or("unknown"), %region, "serving");
    let (events, writer) = Events::new(
        doors.kube.clone(),
        &me.node,
        metrics.clone(),
        doors.clock.clone(),
    );
    tasks.spawn(EVENTS, writer.run(shutdown.clone()));
    if !config.controllers.eip {
        tracing::warn!(
            "enableControllers names no controller that this release has: nothing is served"
        );
        signed.met();
        listed.met();
        tasks.until_asked_to_stop().await;
        return Ok(());
    }
    let watched = Watched {
        exchange: doors.exchange.clone(),
        watcher: Box::new(reached),
    };
    let cloud = cloud::Clients {
        config: &config,
        exchange: &doors.exchange,
        watched: Arc::new(watched),
        clock: &doors.clock,
        region: &region,
        metrics: &metrics,
    };
    let credentials = cloud.credentials(metadata.clone())?;
    tasks.spawn(
        "credentials",
        start::credentials(credentials.clone(), signed),
    );
    let places = |ecs: &Ecs| {
        Places::new(
            Enis::new(metadata),
            PodEnis::new(kube.clone()),
            ecs.clone(),
            doors.kernel.clone(),
            identified.node.clone(),
        )
    };
    let ports = ports(&cloud, &credentials, kube.clone(), places, &identified)?;
    let inbox = watches(&mut tasks, &kube, &ports, &me, &metrics);
    let limit = config.steps_in_flight();
    let engine = Engine::new(ports, Reporter::new(events), metrics, limit);
    tasks.until_done(engine.run(inbox, listed, shutdown)).await
}

fn ports(
    cloud: &cloud::Clients<'_>,
    credentials: &Credentials,
    kube: Kube,
    places: impl FnOnce(&Ecs) -> Places,
    identified: &Identified,
) -> Result<Ports, EndpointError> {
    let Identified { me, region, .. } = identified;
    let (config, clock) = (cloud.config, cloud.clock);
    let rpc = |service: Service| cloud.rpc(service, credentials.clone());
    let ecs = Ecs::new(rpc(Service::Ecs)?, region);
    Ok(Ports {
        pods: Pods::new(
            kube.clone(),
            ask::reader(
                config.custom_stateful_kinds.clone(),
                config.eip.limits.clone(),
            ),
        ),
        records: Records::new(kube.clone()),
        vpc: Vpc::new(rpc(Service::Vpc)?, region),
        pace: Pace::new(kube.clone(), clock.clone(), &me.label),
        places: places(&ecs),
        ecs,
        clock: clock.clone(),
        kube,
        me: me.clone(),
    })
}

fn watches(tasks: &mut Tasks, kube: &Kube, ports: &Ports, me: &Me, metrics: &Metrics) -> Inbox {
    let (pods_out, pods) = mpsc::channel(INBOX);
    let (records_out, records) = mpsc::channel(INBOX);
    tasks.spawn(
        "pods",
        watch::pods(kube.clone(), me.node.clone(), ports.pods.clone(), pods_out),
    );
    let wanted = Arc::new(Notify::new());
    tasks.spawn(
        "podeips",
        mine::watch(kube.clone(), me.clone(), wanted.clone(), records_out),
    );
    let (due_out, due) = mpsc::channel(INBOX);
    let (audit_out, audit) = mpsc::channel(1);
    let sweep = Sweep {
        kube: kube.clone(),
        clock: ports.clock.clone(),
        metrics: metrics.clone(),
        out: due_out,
    };
    let (others_out, others) = watch_of(None);
    tasks.spawn(
        "other controllers",
        rivals::run(kube.clone(), ports.clock.clone(), others_out),
    );
    tasks.spawn("sweep", sweep.run());
    tasks.spawn("audit", audit::run(kube.clone(), audit_out));
    Inbox {
        pods,
        records,
        due,
        audit,
        wanted,
        others,
    }
}

/// Tasks that run as long as the agent does.
struct Tasks {
    set: JoinSet<&'static str>,
    shutdown: Shutdown,
}

impl Tasks {
    fn new(shutdown: Shutdown) -> Self {
        Self {
            set: JoinSet::new(),
            shutdown,
        }
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(async move {
            task.await;
            name
        });
    }

    async fn until_asked_to_stop(&self) {
        self.shutdown.requested().await;
    }

    async fn unless_asked_to_stop<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.shutdown.requested() => None,
            done = work => Some(done),
        }
    }

    /// Waits for `engine`, or for any task that ends before it was asked to.
    async fn until_done(
        mut self,
        engine: impl Future<Output = Result<(), Ended>>,
    ) -> Result<(), Error> {
        tokio::pin!(engine);
        let asked = self.shutdown.clone();
        let asked = asked.requested();
        tokio::pin!(asked);
        tokio::select! {
            biased;
            () = &mut asked => {}
            ended = &mut engine => return Ok(ended?),
            Some(task) = self.set.join_next() => return Err(Error::Task(task.unwrap_or("panicked"))),
        }
        match clock::timeout(DRAIN, engine).await {
            Ok(ended) => ended?,
            Err(_) => return Err(Error::Task("drain")),
        }
        // The engine's handle on the Events is gone: their writer ends when the last is written.
        while let Some(task) = self.set.join_next().await {
            if matches!(task, Ok(EVENTS)) {
                break;
            }
        }
        Ok(())
    }
}
