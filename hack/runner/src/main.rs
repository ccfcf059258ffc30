//! `hack/test`: finds every test there is, runs those that were asked for, and says how many passed.
//!
//! Four suites, each found in its own way and run one after the other:
//! `lint` (what the compiler does not check), `cargo` (every `#[test]` of the workspace, each in a process of its
//! own), and two `program`s that bring their own list: the SDK tests and the cases that need a cluster.

mod cargo;
mod clock;
mod leftovers;
mod lint;
mod name;
mod process;
mod program;
mod report;
mod secrets;
mod suites;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::leftovers::Before;
use crate::process::Supervisor;
use crate::report::Report;
use crate::suites::Suites;

/// Runs every test there is. The last line of stdout is `N passed, M failed`; the exit status is 0 only if M is 0
/// and at least one test ran.
#[derive(Debug, Parser)]
#[command(name = "hack/test")]
struct Arguments {
    /// Only the tests whose name has this as a whole word, in the sense of `grep -wF`.
    word: Option<String>,
    /// Name the tests, one a line on stdout, and run none.
    #[arg(long)]
    list: bool,
    /// The top of the checkout.
    #[arg(long, hide = true, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(work(&arguments))
}

async fn work(arguments: &Arguments) -> ExitCode {
    let mut report = Report::new();
    let supervisor = match Supervisor::new() {
        Ok(supervisor) => supervisor,
        Err(error) => return finish(report.fault("runner::start", &error.to_string())),
    };
    let found = match Suites::find(&arguments.root, &supervisor).await {
        Ok(found) => found.only(arguments.word.as_deref()),
        Err(error) => return give_up(arguments, &mut report, &error.to_string()),
    };
    if found.is_empty() {
        let word = arguments.word.as_deref().unwrap_or_default();
        return give_up(
            arguments,
            &mut report,
            &format!("no test has the word {word:?}"),
        );
    }
    if arguments.list {
        found.names().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let before = Before::tests();
    found.run(&supervisor, &mut report).await;
    before.compare(&mut report).await;
    finish(&report)
}

/// Nothing can be run, or listed: then stdout is for names alone.
fn give_up(arguments: &Arguments, report: &mut Report, error: &str) -> ExitCode {
    if arguments.list {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    finish(report.fault("runner::find", error))
}

/// Prints the last line and turns it into the exit status.
fn finish(report: &Report) -> ExitCode {
    report.close();
    if report.all_passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
