//! `testbed cases --list` and `testbed cases run NAME...`, as `hack/test` calls them.

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::{CaseError, WORLDS, registry, run};

/// Lists the cases that need a cluster, or runs some of them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CasesCommand {
    /// Names, one a line; starts nothing.
    #[arg(long, required = true)]
    list: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Runs the cases with these names; one line of JSON on stdout for each.
    Run {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl CasesCommand {
    /// Does what the command line says. On SIGTERM or SIGINT it tears the world down.
    pub async fn run(&self) -> Result<(), CaseError> {
        let cases = registry::all();
        let Some(Action::Run { names }) = &self.action else {
            for case in &cases {
                println!("{}", case.name);
            }
            return Ok(());
        };
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        // A line that cannot be written has nobody to read it: the reader then counts the case as failed.
        let mut report = |done| println!("{}", serde_json::to_string(&done).unwrap_or_default());
        Box::pin(run(&cases, names, WORLDS, stop, &mut report)).await
    }
}
