//! Runs a short command to its end and says what went wrong.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("{program} cannot be started: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("`{line}` failed ({status}): {output}")]
    Failed {
        line: String,
        status: std::process::ExitStatus,
        output: String,
    },
}

/// Runs `program` with nothing on stdin; its stdout.
pub fn run<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String, CommandError> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output();
    read(program, args, output)
}

/// As [`run`], for what takes long: other tasks go on meanwhile.
pub async fn run_long<S: AsRef<OsStr>>(program: &str, args: &[S]) -> Result<String, CommandError> {
    let output = tokio::process::Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    read(program, args, output.await)
}

/// Runs a line of words that hold no space: `ip("link set lo up")`.
pub fn words(program: &str, line: &str) -> Result<String, CommandError> {
    run(program, &line.split_whitespace().collect::<Vec<_>>())
}

fn read<S: AsRef<OsStr>>(
    program: &str,
    args: &[S],
    output: std::io::Result<std::process::Output>,
) -> Result<String, CommandError> {
    let output = output.map_err(|source| CommandError::Start {
        program: program.to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut line = program.to_owned();
    for arg in args {
        line.push(' ');
        line.push_str(&arg.as_ref().to_string_lossy());
    }
    let output_text = [output.stderr, output.stdout].concat();
    Err(CommandError::Failed {
        line,
        status: output.status,
        output: String::from_utf8_lossy(&output_text).trim().to_owned(),
    })
}
