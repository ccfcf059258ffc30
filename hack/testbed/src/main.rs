//! `testbed`: starts worlds from the command line, for hack/demo, hack/test and hack/bench.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use testbed::bench::BenchCommand;
use testbed::cases::command::CasesCommand;
use testbed::demo::DemoCommand;
use testbed::node::pool::PoolCommand;
use testbed::world::Claim;
use testbed::{node, paths, plane, played};

/// Starts clusters, clouds and agents for eipd's tests, benchmarks and demo.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(BenchCommand),
    Cases(CasesCommand),
    Demo(DemoCommand),
    /// Removes every world whose maker was killed.
    Sweep,
    /// A CNI plugin, started by containerd.
    #[command(hide = true)]
    EniPool(PoolCommand),
    /// Plays the kubelets of played nodes, until the API server is gone.
    #[command(hide = true)]
    Play {
        kubeconfig: PathBuf,
        instances: PathBuf,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Bench(bench) => bench.run().await.map_err(|error| error.to_string()),
        Command::Cases(cases) => cases.run().await.map_err(|error| error.to_string()),
        Command::Demo(demo) => demo.run().await.map_err(|error| error.to_string()),
        Command::Sweep => {
            Claim::sweep(&paths::worlds());
            Ok(())
        }
        Command::EniPool(pool) => return pool.run(),
        Command::Play {
            kubeconfig,
            instances,
        } => play(kubeconfig, instances).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(kubeconfig: PathBuf, instances: PathBuf) -> Result<(), String> {
    let text = std::fs::read_to_string(instances).map_err(|error| error.to_string())?;
    let instances: Vec<node::Instance> =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let client = plane::client(&kubeconfig)
        .await
        .map_err(|error| error.to_string())?;
    played::player::play(&client, &instances)
        .await
        .map_err(|error| error.to_string())
}
