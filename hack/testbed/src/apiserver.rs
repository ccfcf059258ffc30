//! A kube-apiserver in memory, for tests under paused tokio time.
//!
//! A state machine, not a script: it keeps objects, versions and watches as kube-apiserver 1.35 does, for the kinds
//! the agent touches, and can be made slow, deaf, stale or absent. No sockets and no threads: a client is a function.
//!
//! ```text
//! #[tokio::test(start_paused = true)]
//! async fn a_record_is_written_once() {
//!     let api = ApiServer::new();
//!     let agent = start_agent(api.client("node-a"));              // its faults and stale watches are its own
//!     api.create_pod(&PodSpec::new("default", "web-0", "node-a").annotation("k8s.aliyun.com/pod-with-eip", "true"))?;
//!     let lost = api.fault(When::writes().client("node-a").resource("podeips"), 1, Then::LoseAnswer);
//!     api.take_pod("default", "web-0")?;
//!     api.set_pod_ip("default", "web-0", "10.0.0.7")?;
//!     api.until(Duration::from_secs(60), |v| v.get("podeips", "default", "web-0").is_some()).await?;
//!     let stale = api.freeze(When::any().client("node-a").resource("pods"));   // its watch lags from here on
//!     api.remove_pod("default", "web-0")?;
//!     api.thaw(stale);
//!     assert_eq!(api.writes_of("podeips", "default", "web-0"), 3, "{}", api.picture());
//! }
//! ```
//!
//! Time is tokio's; creation times and `Date` headers are of 2026-01-01 plus what has passed, put off by [`ApiServer::set_clock_off_by`].
//! Not here: authentication, RBAC and admission (order refusals as faults), server-side apply, managedFields, protobuf.

mod check;
mod controllers;
pub(crate) mod default_crd;
mod delete;
mod discovery;
mod enc;
mod fault;
mod form;
mod json;
mod kind;
mod kubelet;
mod log;
mod orders;
mod patch;
mod read;
mod refusal;
mod review;
mod route;
mod schema;
mod selector;
mod serve;
mod state;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod time;
mod view;
mod watch;
mod workload;
mod write;

pub use controllers::Gc;
pub use default_crd::{crd, of_group, poddnat, podeip};
pub use enc::{Enc, EncRecord};
pub use fault::{FaultId, Then};
pub use kubelet::PodSpec;
pub use log::{Logged, When, bodies};
pub use refusal::Refusal;
pub use route::{Call, Verb};
pub use store::{Change, Object};
pub use view::Overdue;
pub use watch::FreezeId;
pub use workload::{Workload, WorkloadKind};

use state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::{self as clock, Instant};

type Hook = Arc<dyn Fn(&ApiServer, &Change) + Send + Sync>;

/// The double; a clone is another handle on the same one.
#[derive(Clone)]
pub struct ApiServer {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    ticks: tokio::sync::watch::Sender<u64>,
    hooks: Mutex<Vec<Hook>>,
    began: Instant,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets watches and waiting tests look again.
    fn wake(&self) {
        self.ticks.send_modify(|n| *n += 1);
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.ticks.subscribe()
    }

    fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Tells watches, controllers and hooks what has changed, until nothing more does.
    fn tell(self: &Arc<Self>) {
        loop {
            let fresh = self.lock().store.take_fresh();
            self.wake();
            if fresh.is_empty() {
                return;
            }
            for change in &fresh {
                controllers::react(self, change);
                self.call_hooks(change);
            }
        }
    }

    fn call_hooks(self: &Arc<Self>, change: &Change) {
        let hooks = self
            .hooks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let api = ApiServer {
            shared: Arc::clone(self),
        };
        for hook in hooks {
            hook(&api, change);
        }
    }
}

impl Default for ApiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl ApiServer {
    /// A server with the namespaces default and kube-system and the `PodEIP` CRD of [`podeip`], pruning.
    /// Must be made inside the test's runtime.
    pub fn new() -> Self {
        let api = Self::empty();
        for name in ["default", "kube-system"] {
            api.create_or_find_namespace(name);
        }
        // it can't be refused: nothing is there yet
        drop(api.create(&podeip(true)));
        api
    }

    /// A server without a single object.
    pub fn empty() -> Self {
        let shared = Shared {
            state: Mutex::new(State::new()),
            ticks: tokio::sync::watch::Sender::new(0),
            hooks: Mutex::new(Vec::new()),
            began: clock::now(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A client of this name; its default namespace is "default". Like every client made by `Client::new`
    /// it has no retries and no timeouts of its own.
    pub fn client(&self, name: &str) -> kube::Client {
        let shared = Arc::clone(&self.shared);
        let name: Arc<str> = name.into();
        let service = tower::service_fn(move |request| {
            serve::serve(Arc::clone(&shared), Arc::clone(&name), request)
        });
        kube::Client::new(service, "default")
    }
}
