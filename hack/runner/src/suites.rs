//! All tests there are, in the order they run: quick ones first.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;

use crate::cargo::{self, CargoError, CargoTest};
use crate::lint::Lint;
use crate::name::has_word;
use crate::process::Supervisor;
use crate::program::{Program, ProgramError};
use crate::report::Report;

#[derive(Debug, thiserror::Error)]
pub enum SuitesError {
    #[error("cannot find the checkout: {0}")]
    Root(std::io::Error),
    #[error(transparent)]
    Cargo(#[from] CargoError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("the build made no program {0}")]
    Missing(&'static str),
    #[error("two tests are called {0}")]
    Twice(String),
}

/// The tests that were found, or those of them that were asked for.
#[derive(Debug)]
pub struct Suites {
    root: PathBuf,
    lints: Vec<Lint>,
    cargo: Vec<CargoTest>,
    programs: Vec<(Program, Vec<String>)>,
}

impl Suites {
    /// Builds the workspace and asks everybody for names; starts no test.
    pub async fn find(root: &Path, supervisor: &Supervisor) -> Result<Self, SuitesError> {
        let root = root.canonicalize().map_err(SuitesError::Root)?;
        let built = cargo::build(&root, supervisor).await?;
        let mut cargo = Vec::new();
        for executable in &built.tests {
            cargo.extend(executable.tests(supervisor).await?);
        }
        let mut programs = Vec::new();
        for (program, needs) in [
            ("tests/sdk/run", "cloudsim"),
            ("hack/runner/cases", "testbed"),
        ] {
            let needed = built
                .programs
                .get(needs)
                .ok_or(SuitesError::Missing(needs))?;
            let program = program_at(&root.join(program), needed);
            let names = program.names(&root, supervisor).await?;
            programs.push((program, names));
        }
        let found = Self {
            root,
            lints: Lint::all().to_vec(),
            cargo,
            programs,
        };
        found.names_differ()?;
        Ok(found)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        let lints = self.lints.iter().map(|lint| lint.name());
        let cargo = self.cargo.iter().map(|test| test.name.as_str());
        let programs = self
            .programs
            .iter()
            .flat_map(|(_, names)| names.iter().map(String::as_str));
        lints.chain(cargo).chain(programs)
    }

    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// Keeps the tests whose name has `word`; all without one.
    #[must_use]
    pub fn only(mut self, word: Option<&str>) -> Self {
        if let Some(word) = word {
            self.lints.retain(|lint| has_word(lint.name(), word));
            self.cargo.retain(|test| has_word(&test.name, word));
            self.programs
                .iter_mut()
                .for_each(|(_, names)| names.retain(|name| has_word(name, word)));
        }
        self
    }

    /// Two tests of one name could not be told apart in the report.
    fn names_differ(&self) -> Result<(), SuitesError> {
        let mut seen = BTreeSet::new();
        match self.names().find(|&name| !seen.insert(name)) {
            Some(twice) => Err(SuitesError::Twice(twice.to_owned())),
            None => Ok(()),
        }
    }

    pub async fn run(&self, supervisor: &Supervisor, report: &mut Report) {
        self.run_cargo(supervisor, report).await;
        for lint in &self.lints {
            if supervisor.stopped() {
                break;
            }
            report.add(&lint.run(&self.root, supervisor).await);
        }
        for (program, names) in &self.programs {
            if !names.is_empty() && !supervisor.stopped() {
                program.run(names, &self.root, supervisor, report).await;
            }
        }
        if supervisor.stopped() {
            report.fault(
                "runner::interrupted",
                "stopped by a signal: not every test was run",
            );
        }
    }

    /// As many at a time as there are processors.
    async fn run_cargo(&self, supervisor: &Supervisor, report: &mut Report) {
        let width = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let tests = self.cargo.iter().map(|test| test.run(supervisor));
        let mut outcomes = futures::stream::iter(tests).buffered(width);
        while let Some(outcome) = outcomes.next().await {
            report.add(&outcome);
            if supervisor.stopped() {
                return;
            }
        }
    }
}

/// A program of the checkout; it finds the binary that it needs in `EIPD_PROGRAM`.
fn program_at(path: &Path, needed: &Path) -> Program {
    let environment = vec![("EIPD_PROGRAM", OsString::from(needed))];
    Program {
        path: path.to_owned(),
        arguments: Vec::new(),
        environment,
    }
}
