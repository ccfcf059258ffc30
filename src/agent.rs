//! Wiring: from a configuration to running tasks. Any of them that ends unasked ends the process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::channel as watch_of;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::clock::{self, Clock};
use crate::cloud::ecs::Ecs;
use crate::cloud::endpoints::EndpointError;
use crate::cloud::http::{Exchange, Wire, WireError};
use crate::cloud::watched::Watched;
use crate::config::Config;
use crate::dnat;
use crate::eip::engine::{Ended, Engine, Reporter};
use crate::kubeapi::client::throttle::Throttle;
use crate::kubeapi::client::{self, Kube};
use crate::kubeapi::podenis::PodEnis;
use crate::kubeapi::watch;
use crate::node::eni::Enis;
use crate::node::kernel::{Kernel, Linux};
use crate::node::lock::{LockError, NodeLock};
use crate::node::metadata::{Metadata, MetadataError};
use crate::node::places::Places;
use crate::shard::rivals;
use crate::shutdown::Shutdown;
use crate::telemetry::events::Events;
use crate::telemetry::health::{BindError, Server};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::{Condition, Readiness};

pub(crate) mod cloud;
pub(crate) mod identify;
mod parts;
mod start;

use identify::Mismatch;
use parts::Common;
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
    let ports_listed = readiness.condition("watches of ports");
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
    if !config.controllers.eip && !config.controllers.natgw {
        tracing::warn!("enableControllers names no controller: nothing is served");
        signed.met();
        listed.met();
        ports_listed.met();
        tasks.until_asked_to_stop().await;
        return Ok(());
    }
    let watched = Watched {
        exchange: doors.exchange.clone(),
        watcher: Box::new(reached),
        in_flight: Semaphore::new(config.steps_in_flight()),
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
    let node = identified.node.clone();
    let places = |ecs: &Ecs| {
        let (enis, podenis) = (Enis::new(metadata), PodEnis::new(kube.clone()));
        Places::new(enis, podenis, ecs.clone(), doors.kernel.clone(), node)
    };
    let common = Common::new(&cloud, &credentials, kube.clone(), places, identified)?;
    let engines = engines(
        &mut tasks,
        &cloud,
        &common,
        events,
        (listed, ports_listed),
        &shutdown,
    );
    Box::pin(tasks.until_done(engines)).await
}

/// Starts what both halves hear, and gives what runs them: each ends when it is asked to, or fails.
fn engines(
    tasks: &mut Tasks,
    cloud: &cloud::Clients<'_>,
    common: &Common,
    events: Events,
    (listed, ports_listed): (Condition, Condition),
    shutdown: &Shutdown,
) -> impl Future<Output = Result<(), Ended>> + use<> {
    let (serves, limit) = (cloud.config.controllers, cloud.config.steps_in_flight());
    // The evidence is on records of EIPs: where none are served, nobody reads them.
    let nothing = (!serves.eip).then(rivals::Findings::default);
    let (others_out, others) = watch_of(nothing);
    let (kube, clock) = (common.kube.clone(), cloud.clock.clone());
    tasks.spawn("other controllers", async move {
        match serves.eip {
            true => rivals::run(kube, clock, others_out).await,
            false => others_out.closed().await,
        }
    });
    let mut outs = Vec::new();
    let mut hear = |serves: bool| {
        let (out, pods) = mpsc::channel(INBOX);
        outs.extend(serves.then_some(out));
        serves.then_some(pods)
    };
    let (eip_pods, dnat_pods) = (hear(serves.eip), hear(serves.natgw));
    let eips = eip_pods.map(|pods| {
        let ports = common.eip_ports(cloud);
        let inbox = common.eip_inbox(tasks, &ports, pods, others.clone());
        let reporter = Reporter::new(events.clone());
        let engine = Engine::new(ports, reporter, common.metrics.clone(), limit);
        engine.run(inbox, listed.clone(), shutdown.clone())
    });
    let dnats = dnat_pods.map(|pods| {
        let ports = common.dnat_ports(cloud);
        let inbox = common.dnat_inbox(tasks, &ports, pods, others);
        let reporter = dnat::report::Reporter::new(events);
        let engine = dnat::engine::Engine::new(ports, reporter, common.metrics.clone(), limit);
        engine.run(inbox, ports_listed.clone(), shutdown.clone())
    });
    if eips.is_none() {
        listed.met();
    }
    if dnats.is_none() {
        ports_listed.met();
    }
    let (kube, node) = (common.kube.clone(), common.identified.me.node.clone());
    tasks.spawn("pods", watch::pods(kube, node, common.pods.clone(), outs));
    async move {
        let eips = futures::future::OptionFuture::from(eips);
        let dnats = futures::future::OptionFuture::from(dnats);
        tokio::try_join!(async { eips.await.transpose() }, async {
            dnats.await.transpose()
        },)?;
        Ok(())
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
