//! The `eipd` binary: TLS provider, arguments, logs, runtime; the rest is the library's.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use eipd::agent;
use eipd::cli::{CRDS, Cli, Command, Output};
use eipd::cloud::http::WireError;
use eipd::config::{Config, ConfigError};
use eipd::doctor;
use eipd::inspect;
use eipd::node::metadata::MetadataError;
use eipd::shutdown;
use eipd::telemetry::escape::plain;
use eipd::telemetry::logs;

/// Threads for blocking work, name resolution mostly; each costs a stack.
const BLOCKING_THREADS: usize = 4;

/// Why the process ends with status 1.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Logs(#[from] logs::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error(transparent)]
    Agent(#[from] agent::Error),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("cannot write: {0}")]
    Output(std::io::Error),
}

fn main() -> ExitCode {
    // First of all: rustls refuses to choose by itself. An error means that it was installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let result = match Cli::parse().command {
        Command::Run { config } => run(config.as_deref()).map(|()| true),
        Command::Config { config, output } => show(config.as_deref(), output).map(|()| true),
        Command::Doctor { config, output } => examine(config.as_deref(), output),
        Command::Crds => print(CRDS).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
}

/// In the form of the logs once they are set up, for somebody may parse them.
fn report(failure: &Failure) {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{failure}");
    } else {
        eprintln!("eipd: {}", plain(&failure.to_string()));
    }
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::Output)
}

fn show(path: Option<&Path>, output: Output) -> Result<(), Failure> {
    let (config, rows) = Config::load_explained(path)?;
    for warning in &config.warnings {
        eprintln!("eipd: {}", plain(warning));
    }
    let node = runtime()?.block_on(inspect::node(&config));
    if let Err(why) = &node {
        eprintln!("eipd: {}", plain(why));
    }
    let rows = inspect::completed(rows, &node);
    print(&match output {
        Output::Table => inspect::table(&rows),
        Output::Json => inspect::json(&rows),
    })
}

/// Whether all is well.
fn examine(path: Option<&Path>, output: Output) -> Result<bool, Failure> {
    let config = Config::load(path)?;
    for warning in &config.warnings {
        eprintln!("eipd: {}", plain(warning));
    }
    let report = runtime()?.block_on(async {
        let doors = doctor::Doors::open(&config).await?;
        Ok::<_, Failure>(doctor::examine(&config, &doors).await?)
    })?;
    print(&match output {
        Output::Table => doctor::print::lines(&report, std::io::stdout().is_terminal()),
        Output::Json => doctor::print::json(&report),
    })?;
    Ok(doctor::is_well(&report))
}

/// One thread: an agent serves one node, and memory is what a `DaemonSet` costs most.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(Failure::Runtime)
}

fn run(path: Option<&Path>) -> Result<(), Failure> {
    let config = Config::load(path)?;
    logs::init(config.log.format, &config.log.level, &config.node)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    runtime()?.block_on(async {
        let shutdown = shutdown::on_signals().map_err(Failure::Runtime)?;
        Ok(agent::run(config, shutdown).await?)
    })
}
