//! What the person who waits gets to read: one line per test, the output of those that failed, the sum at the end.

use std::time::Duration;

use crate::secrets;

/// How one test ended.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    pub ok: bool,
    pub took: Duration,
    /// Shown only if it failed.
    pub log: String,
}

/// Counts outcomes and prints each as it comes.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: Vec<String>,
}

impl Report {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, outcome: &Outcome) {
        let seconds = outcome.took.as_secs_f64();
        if let Some(line) = secrets::find(&outcome.log) {
            println!("    a secret was printed: {line}");
        }
        if passed(outcome) {
            self.passed += 1;
            println!("ok     {seconds:7.2} s  {}", outcome.name);
            return;
        }
        self.failed.push(outcome.name.clone());
        println!("FAILED {seconds:7.2} s  {}", outcome.name);
        outcome.log.lines().for_each(|line| println!("    {line}"));
    }

    /// Something that is no test went wrong; it counts as one failure.
    pub fn fault(&mut self, name: &str, log: &str) -> &Self {
        self.add(&Outcome {
            name: name.to_owned(),
            ok: false,
            took: Duration::ZERO,
            log: log.to_owned(),
        });
        self
    }

    pub fn all_passed(&self) -> bool {
        self.failed.is_empty() && self.passed > 0
    }

    /// The names that failed, then the last line of stdout.
    pub fn close(&self) {
        if !self.failed.is_empty() {
            println!("\nfailed:");
            self.failed.iter().for_each(|name| println!("    {name}"));
        }
        println!("{}", self.last_line());
    }

    pub fn last_line(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed.len())
    }
}

/// A test that printed a secret has failed, whatever it says of itself.
fn passed(outcome: &Outcome) -> bool {
    outcome.ok && secrets::find(&outcome.log).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ok: bool) -> Outcome {
        Outcome {
            name: "a::b".to_owned(),
            ok,
            took: Duration::from_millis(5),
            log: String::new(),
        }
    }

    #[test]
    fn nothing_run_is_no_success() {
        assert!(!Report::new().all_passed());
        assert_eq!(Report::new().last_line(), "0 passed, 0 failed");
    }

    #[test]
    fn one_failure_spoils_it() {
        let mut report = Report::new();
        report.add(&outcome(true));
        assert!(report.all_passed());
        report.add(&outcome(false));
        assert!(!report.all_passed());
        assert_eq!(report.last_line(), "1 passed, 1 failed");
    }

    /// Asks for the verdict alone: a report would print the secret here too.
    #[test]
    fn a_test_that_printed_a_secret_has_failed() {
        let leaky = Outcome {
            log: format!("all is well\nkey Hu{}\n", "sh5VxQm2Lk90aZ"),
            ..outcome(true)
        };
        assert!(!passed(&leaky));
        assert!(passed(&outcome(true)));
        assert!(!passed(&outcome(false)));
    }

    #[test]
    fn a_fault_counts_as_a_failure() {
        let mut report = Report::new();
        report.add(&outcome(true));
        report.fault("runner::find", "no");
        assert_eq!(report.last_line(), "1 passed, 1 failed");
    }
}
