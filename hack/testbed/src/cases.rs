//! The cases that need a cluster: their registry, and what runs them.
//!
//! A case is a name, the ring it needs and a function that is given a running world. Cases are listed without starting
//! anything. The two rings run side by side. Consecutive cases of one ring share a world, unless a case wants one of its own or one before it failed
//! in it; so a case removes the pods that it made. A new case is a function in a file of this folder, with a line in that
//! file's list; [`registry`] names the files.
//! `hack/test` speaks to this as described in `hack/runner/src/program.rs`.

mod annotations;
pub mod command;
mod daemonset;
mod eip;
pub mod error;
pub mod registry;
mod testbed;
mod worlds;

use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Either, join, select};

pub use error::CaseError;

/// Setting up real nodes from nothing but built programs stays far below this.
const SET_UP_LIMIT: Duration = Duration::from_mins(5);
const TEAR_DOWN_LIMIT: Duration = Duration::from_mins(2);

/// What a case is: an error's text says what was expected and what was seen.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = Result<(), CaseError>> + 'a>>;

/// How much of the world is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ring {
    /// A real API server and cloudsim over HTTP; agents are processes; nodes and pods are played. No root needed.
    Processes,
    /// The `DaemonSet` on real kubelets, each in a network namespace of its own. Root only.
    Nodes,
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

/// Runs the cases that have one of `names`, each reported to `report` as it ends, until `stop` is ready.
///
/// Names that no case has are an error, before anything is started.
pub async fn run<W: Ground>(
    cases: &[Case<W>],
    names: &[String],
    stop: impl Future<Output = ()>,
    report: &mut dyn FnMut(Done),
) -> Result<(), CaseError> {
    let chosen: Vec<_> = cases
        .iter()
        .filter(|case| names.iter().any(|name| name == case.name))
        .collect();
    if let Some(unknown) = names
        .iter()
        .find(|&name| chosen.iter().all(|case| case.name != name))
    {
        return Err(CaseError::new(format!("there is no case called {unknown}")));
    }
    // The rings have worlds of their own, and wait most of the time: both run at once.
    let of = |ring| chosen.iter().copied().filter(move |case| case.ring == ring);
    let (processes, nodes): (Vec<_>, Vec<_>) =
        (of(Ring::Processes).collect(), of(Ring::Nodes).collect());
    let (mut light, mut real) = (Shared { world: None }, Shared { world: None });
    let report = RefCell::new(report);
    let tell = |done| (report.borrow_mut())(done);
    let ended = {
        let working = pin!(join(
            light.run_all(&processes, &tell),
            real.run_all(&nodes, &tell)
        ));
        match select(working, pin!(stop)).await {
            Either::Left(((light, real), _)) => light.and(real),
            Either::Right(_) => Err(CaseError::new("stopped by a signal")),
        }
    };
    light.tear_down().await.and(real.tear_down().await)?;
    ended
}

/// The world that the next case may find.
struct Shared<W> {
    world: Option<W>,
}

impl<W: Ground> Shared<W> {
    async fn run_all(
        &mut self,
        cases: &[&Case<W>],
        report: &dyn Fn(Done),
    ) -> Result<(), CaseError> {
        for case in cases {
            let start = crate::clock::now();
            let result = self.run(case).await;
            let seconds = (crate::clock::now() - start).as_secs_f64();
            let log = result
                .as_ref()
                .err()
                .map_or_else(String::new, ToString::to_string);
            report(Done {
                case: case.name.to_owned(),
                ok: result.is_ok(),
                seconds,
                log,
            });
        }
        self.tear_down().await
    }

    async fn run(&mut self, case: &Case<W>) -> Result<(), CaseError> {
        if case.alone {
            self.tear_down().await?;
        }
        let world = match &mut self.world {
            Some(world) => world,
            none => none.insert(limited("setting up", SET_UP_LIMIT, W::set_up(case.ring)).await?),
        };
        let mut result = limited(case.name, case.limit, (case.run)(world)).await;
        if let Err(error) = result {
            let evidence = limited("evidence", TEAR_DOWN_LIMIT, world.evidence().map(Ok)).await;
            result = Err(CaseError::new(format!(
                "{error}\n{}",
                evidence.unwrap_or_default()
            )));
        }
        let good = !case.alone && result.is_ok() && tidied(world).await;
        if !good {
            let torn_down = self.tear_down().await;
            result = result.and(torn_down);
        }
        result
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
