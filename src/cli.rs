//! The command line: `eipd run`, `eipd config`, `eipd doctor`, `eipd crds`.

// The doc comments here are the help text, and a terminal shows backticks as they are.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Public addresses for the pods of one Kubernetes node on Alibaba Cloud.
///
/// One eipd runs on every node, as a DaemonSet. It gives the pods of its node the elastic IP addresses that their
/// annotations ask for.
#[derive(Debug, Parser)]
#[command(name = "eipd", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the pods of one node until SIGTERM
    ///
    /// The node's name comes from the environment variable NODE_NAME; region, VPC, account and credentials come from
    /// the node itself unless the configuration gives them. The API server is found as in any pod, or through the
    /// environment variable KUBECONFIG.
    ///
    /// The first SIGTERM or SIGINT lets what is under way come to its end; a second one stops at once. Addresses that
    /// are bound stay bound.
    Run {
        /// YAML file; environment variables override it, and every key is optional inside ACK
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the configuration that is in force, and where each value came from
    ///
    /// File, environment variable, the node's metadata service, or default; secrets are hidden. The exit status is 1 when
    /// `eipd run` would refuse the configuration.
    Config {
        /// YAML file, as for `eipd run`
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// How to print it
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Try everything that an agent on this node needs, and say what to do about what fails
    ///
    /// Metadata service, API server, definitions, rights, other EIP controllers, credentials, clock, RAM policy and network
    /// interfaces, a line each. Nothing is changed. The exit status is 1 when a line is BAD.
    ///
    /// In a cluster: kubectl -n eipd exec POD -- /eipd doctor --config /etc/eipd/config.yaml
    Doctor {
        /// YAML file, as for `eipd run`
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// How to print it
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Print the CustomResourceDefinitions of PodEIP and PodDNAT
    ///
    /// As YAML on standard output, for `eipd crds | kubectl apply --server-side -f -`. They are the ones that
    /// `kubectl apply -k daemonset` applies.
    Crds,
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns
    Table,
    /// A list of objects
    Json,
}

/// The definitions, as applied by `daemonset/`, as one YAML stream.
pub const CRDS: &str = concat!(
    include_str!("../daemonset/crds/podeips.yaml"),
    "---\n",
    include_str!("../daemonset/crds/poddnats.yaml"),
);

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
        let arguments = std::iter::once("eipd").chain(arguments.iter().copied());
        Cli::try_parse_from(arguments).map(|cli| cli.command)
    }

    #[test]
    fn arguments_mean() {
        let config = Some(PathBuf::from("/etc/eipd/config.yaml"));
        let run = parse(&["run", "--config", "/etc/eipd/config.yaml"]).unwrap();
        assert_eq!(run, Command::Run { config });
        assert_eq!(parse(&["run"]).unwrap(), Command::Run { config: None });
        assert_eq!(parse(&["crds"]).unwrap(), Command::Crds);
        let (config, output) = (None, Output::Json);
        let shown = parse(&["config", "-o", "json"]).unwrap();
        assert_eq!(shown, Command::Config { config, output });
        let (config, output) = (None, Output::Table);
        assert_eq!(
            parse(&["doctor"]).unwrap(),
            Command::Doctor { config, output }
        );
        for wrong in [
            &["walk"][..],
            &[],
            &["run", "file"],
            &["run", "--config"],
            &["crds", "x"],
            &["config", "-o", "xml"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_command_has_help() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands_mut() {
            let help = sub.render_long_help().to_string();
            assert!(help.contains("Usage: eipd"), "{help}");
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
        }
        let run = parse(&["run", "--help"]).unwrap_err().to_string();
        for word in ["--config <FILE>", "NODE_NAME", "KUBECONFIG", "SIGTERM"] {
            assert!(run.contains(word), "no {word} in\n{run}");
        }
    }

    #[test]
    fn the_crds_are_two_documents_of_the_published_names() {
        let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(CRDS).unwrap();
        let names: Vec<_> = documents
            .iter()
            .map(|d| d["metadata"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            ["podeips.alibabacloud.com", "poddnats.alibabacloud.com"]
        );
        assert!(
            documents
                .iter()
                .all(|d| d["kind"] == "CustomResourceDefinition")
        );
    }
}
