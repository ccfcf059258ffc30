//! `cloudsim`: the simulated cloud as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cloudsim::listeners::{Door, NewListener};
use cloudsim::{Cloud, Settings, seed};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Alibaba Cloud: VPC, ECS and STS calls, the metadata service, a control door.
#[derive(Parser)]
struct Options {
    /// Where the control door listens; port 0 = any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Where the API door listens; port 0 = any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    api: SocketAddr,
    /// Control calls to begin with: a JSON list of {method, path, body}.
    #[arg(long)]
    seed: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let (mut term, mut int) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let cloud = Cloud::new(Settings::default());
    if let Some(file) = options.seed {
        seed::plant(&cloud, &std::fs::read_to_string(file)?).await?;
    }
    let listen = |door, address| {
        cloud.listen(NewListener {
            door,
            address,
            netns: None,
        })
    };
    let control = listen(Door::Control, options.control)?.order.address;
    let api = listen(Door::Api, options.api)?.order.address;
    println!(
        "{}",
        json!({"control": format!("http://{control}"), "api": api.to_string()})
    );
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
