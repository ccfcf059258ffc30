//! `testbed bench`: measures, prints a table, and one JSON object as the last line of each bench.

use std::future::Future;
use std::pin::Pin;

use clap::Args;

use crate::agent::AgentError;
use crate::cloud::CloudError;
use crate::played::PlayError;
use crate::world::WorldError;

mod binding;
pub mod report;
mod seen;

use report::Row;

/// Measures: all benches one after the other, or one by name.
#[derive(Debug, Args)]
pub struct BenchCommand {
    /// The bench; without it all of them
    name: Option<String>,
    /// Print the benches' names, one a line
    #[arg(long)]
    list: bool,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("there is no bench called {name}; there are: {known}")]
    Unknown { name: String, known: String },
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Play(#[from] PlayError),
    #[error("kube-apiserver: {0}")]
    Kube(#[from] kube::Error),
    #[error("{0} is missing")]
    Missing(String),
    #[error("{what} did not come about within {seconds} s")]
    Overdue { what: String, seconds: u64 },
    #[error("no signals: {0}")]
    Signals(std::io::Error),
    #[error("interrupted")]
    Interrupted,
}

type Measured = Pin<Box<dyn Future<Output = Result<Vec<Row>, BenchError>>>>;
type Bench = (&'static str, fn() -> Measured);

/// Every bench with its name.
const BENCHES: [Bench; 1] = [("binding", || Box::pin(binding::measure()))];

impl BenchCommand {
    pub async fn run(self) -> Result<(), BenchError> {
        if self.list {
            for (name, _) in BENCHES {
                println!("{name}");
            }
            return Ok(());
        }
        let chosen: Vec<_> = BENCHES
            .iter()
            .filter(|(name, _)| self.name.as_deref().is_none_or(|wanted| wanted == *name))
            .collect();
        if let (true, Some(name)) = (chosen.is_empty(), self.name) {
            let known = BENCHES.map(|(name, _)| name).join(", ");
            return Err(BenchError::Unknown { name, known });
        }
        for (name, measure) in chosen {
            let rows = unless_interrupted(measure()).await?;
            report::print(name, &rows);
        }
        Ok(())
    }
}

/// Dropping the measurement removes its world.
async fn unless_interrupted(measure: Measured) -> Result<Vec<Row>, BenchError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).map_err(BenchError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(BenchError::Signals)?;
    tokio::select! {
        rows = measure => rows,
        _ = interrupt.recv() => Err(BenchError::Interrupted),
        _ = terminate.recv() => Err(BenchError::Interrupted),
    }
}
