//! The cases that need a cluster: their registry, and what runs them.
//!
//! A case is a name, the ring it needs and a function that is given a running world. Cases are listed without starting
//! anything. The rings run side by side, and so do a few worlds of played nodes: cases wait most of the time. A world serves one
//! case after the other, unless a case wants one of its own or one before it failed in it; so a case removes the pods that
//! it made. A new case is a function in a file of this folder, with a line in that file's list; [`registry`] names the files.
//! `hack/test` speaks to this as described in `hack/runner/src/program.rs`.

mod annotations;
pub mod command;
mod daemonset;
mod eip;
pub mod error;
mod ports;
pub mod registry;
mod testbed;
mod worlds;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, join_all, select};

pub use error::CaseError;

/// Setting up real nodes from nothing but built programs stays far below this.
const SET_UP_LIMIT: Duration = Duration::from_mins(5);
const TEAR_DOWN_LIMIT: Duration = Duration::from_mins(2);
/// Worlds of played nodes at a time: what two cores carry.
pub const WORLDS: usize = 3;

/// What a case is: an error's text says what was expected and what was seen.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = Result<(), CaseError>> + 'a>>;

/// How much of the world is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ring {
    /// A real API server and cloudsim over HTTP; agents are processes; nodes and pods are played. No root needed.
    Processes,
    /// The `DaemonSet` on real kubelets, each in a network namespace of its own. Root only.
    Nodes,
    /// The same where pods have ENIs of their own: exclusive ones on the first node, a trunk's members on the second.
    Wired,
}

/// One test.
#[derive(Debug)]
pub struct Case<W> {
    /// `capability::what_it_shows`, such as `eip::survives_sigkill_after_allocate`.
    pub name: &'static str,
    pub ring: Ring,
    /// Wants a fresh world and spoils it.
    pub alone: bool,
    /// It fails when it takes longer; set-up of the world not counted.
    pub limit: Duration,
    pub run: for<'a> fn(&'a mut W) -> CaseFuture<'a>,
}

// By hand: a derive would ask the same of `W`.
impl<W> Clone for Case<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Case<W> {}

impl<W> Case<W> {
    /// A case that shares its world and takes two minutes at most.
    pub const fn new(
        name: &'static str,
        ring: Ring,
        run: for<'a> fn(&'a mut W) -> CaseFuture<'a>,
    ) -> Self {
        Self {
            name,
            ring,
            alone: false,
            limit: Duration::from_mins(2),
            run,
        }
    }

    /// The same with a world of its own.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The same with another limit.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// What cases run in: cluster, cloud, agents. [`crate::world::World`] is one.
pub trait Ground: Sized {
    /// Starts everything that `ring` names. A future that is dropped half-way leaves nothing behind.
    fn set_up(ring: Ring) -> impl Future<Output = Result<Self, CaseError>>;

    /// What helps to understand a case that failed: the ends of logs, the cloud's calls.
    fn evidence(&self) -> impl Future<Output = String>;

    /// Everything that the programs under test have printed or written for people: the runner looks for secrets in it.
    fn printed(&self) -> impl Future<Output = String>;

    /// Makes it ready for another case after one that passed: no agent runs, no order to the cloud stands. Whether it is as
    /// good as new; if not, the next case gets another one.
    fn tidy(&mut self) -> impl Future<Output = bool>;

    /// Ends everything that was started. Dropping the world must do so too, as far as it can.
    fn tear_down(self) -> impl Future<Output = Result<(), CaseError>>;
}

/// How a case ended.
#[derive(Debug, serde::Serialize)]
pub struct Done {
    pub case: String,
    pub ok: bool,
    pub seconds: f64,
    pub log: String,
}

/// Runs the cases that have one of `names`, each reported to `report` as it ends, until `stop` is ready; those of played nodes
/// in so many `worlds` at a time.
///
/// Names that no case has are an error, before anything is started.
pub async fn run<W: Ground>(
    cases: &[Case<W>],
    names: &[String],
    worlds: usize,
    stop: impl Future<Output = ()>,
    report: &mut dyn FnMut(Done),
) -> Result<(), CaseError> {
    let has = |case: &&Case<W>| names.iter().any(|name| name == case.name);
    let chosen: Vec<_> = cases.iter().filter(has).collect();
    if let Some(unknown) = names
        .iter()
        .find(|&name| chosen.iter().all(|case| case.name != name))
    {
        return Err(CaseError::new(format!("there is no case called {unknown}")));
    }
    let (processes, nodes) = (
        queue(&chosen, &[Ring::Processes]),
        queue(&chosen, &[Ring::Nodes, Ring::Wired]),
    );
    let queues = std::iter::repeat_n(&processes, worlds).chain([&nodes]);
    let mut shared: Vec<_> = queues.map(Shared::new).collect();
    let report = RefCell::new(report);
    let tell = |done| (report.borrow_mut())(done);
    let ended = {
        let working = pin!(join_all(shared.iter_mut().map(|one| one.run_all(&tell))));
        match select(working, pin!(stop)).await {
            Either::Left((ends, _)) => ends.into_iter().collect(),
            Either::Right(_) => Err(CaseError::new("stopped by a signal")),
        }
    };
    for one in &mut shared {
        one.tear_down().await?;
    }
    ended
}

/// What is still to run of a ring.
type Queue<'c, W> = RefCell<VecDeque<&'c Case<W>>>;

/// One ring after the other, and of each the longest first: none of them begins when all others have ended.
fn queue<'c, W>(chosen: &[&'c Case<W>], rings: &[Ring]) -> Queue<'c, W> {
    let mut cases: Vec<_> = chosen.to_vec();
    cases.retain(|case| rings.contains(&case.ring));
    cases.sort_by_key(|case| (case.ring, Reverse(case.limit)));
    RefCell::new(cases.into())
}

/// The world that the next case may find.
struct Shared<'c, W> {
    world: Option<W>,
    /// That of the world.
    ring: Ring,
    queue: &'c Queue<'c, W>,
}

impl<'c, W: Ground> Shared<'c, W> {
    fn new(queue: &'c Queue<'c, W>) -> Self {
        Self {
            world: None,
            ring: Ring::Processes,
            queue,
        }
    }

    async fn run_all(&mut self, report: &dyn Fn(Done)) -> Result<(), CaseError> {
        while let Some(case) = self.next() {
            let start = crate::clock::now();
            let result = self.run(case).await;
            let seconds = (crate::clock::now() - start).as_secs_f64();
            let ok = result.is_ok();
            let log = result.unwrap_or_else(|error| error.to_string());
            report(Done {
                case: case.name.to_owned(),
                ok,
                seconds,
                log,
            });
        }
        self.tear_down().await
    }

    fn next(&self) -> Option<&'c Case<W>> {
        self.queue.borrow_mut().pop_front()
    }

    /// What was printed meanwhile.
    async fn run(&mut self, case: &Case<W>) -> Result<String, CaseError> {
        if case.alone || case.ring != self.ring {
            self.tear_down().await?;
        }
        self.ring = case.ring;
        let world = match &mut self.world {
            Some(world) => world,
            none => none.insert(limited("setting up", SET_UP_LIMIT, W::set_up(case.ring)).await?),
        };
        let result = match limited(case.name, case.limit, (case.run)(world)).await {
            Ok(()) => limited("reading logs", TEAR_DOWN_LIMIT, world.printed().map(Ok)).await,
            Err(error) => {
                let evidence = limited("evidence", TEAR_DOWN_LIMIT, world.evidence().map(Ok)).await;
                let evidence = evidence.unwrap_or_default();
                Err(CaseError::new(format!("{error}\n{evidence}")))
            }
        };
        let good = !case.alone && result.is_ok() && tidied(world).await;
        if good {
            result
        } else {
            self.tear_down().await.and(result)
        }
    }

    async fn tear_down(&mut self) -> Result<(), CaseError> {
        match self.world.take() {
            Some(world) => limited("tearing down", TEAR_DOWN_LIMIT, world.tear_down()).await,
            None => Ok(()),
        }
    }
}

async fn tidied<W: Ground>(world: &mut W) -> bool {
    let tidying = world.tidy().map(Ok);
    limited("tidying", TEAR_DOWN_LIMIT, tidying)
        .await
        .unwrap_or(false)
}

/// Ends a future that takes too long, and turns a panic (a failed `assert!`) into an error.
async fn limited<T>(
    what: &str,
    limit: Duration,
    future: impl Future<Output = Result<T, CaseError>>,
) -> Result<T, CaseError> {
    let caught = AssertUnwindSafe(future).catch_unwind();
    match tokio::time::timeout(limit, caught).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(CaseError::new(format!(
            "panicked: {}",
            error::said_by(panic.as_ref())
        ))),
        Err(_) => Err(CaseError::new(format!("{what} took more than {limit:?}"))),
    }
}

#[cfg(test)]
mod tests;
