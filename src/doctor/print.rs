//! The report for people and for programs.

use std::fmt::Write as _;

use super::{Check, Verdict};
use crate::telemetry::escape::plain;

const RESET: &str = "\x1b[0m";

/// A line each, and the sum; whatever others wrote is escaped. `coloured`: for a terminal.
pub fn lines(report: &[Check], coloured: bool) -> String {
    let width = report.iter().map(|it| it.about.len()).max().unwrap_or(0);
    let mut out = String::new();
    for check in report {
        let (word, colour) = word(check.verdict);
        let (colour, reset) = if coloured { (colour, RESET) } else { ("", "") };
        let remedy = match check.remedy.as_str() {
            "" => String::new(),
            remedy => format!(". To do: {remedy}"),
        };
        // Writing to a String never fails.
        let _ = writeln!(
            out,
            "{colour}{word:7}{reset}  {:width$}  {}{}",
            check.about,
            plain(&check.found),
            plain(&remedy)
        );
    }
    let count = |verdict| report.iter().filter(|it| it.verdict == verdict).count();
    let _ = writeln!(
        out,
        "{} ok, {} bad, {} notes, {} unknown",
        count(Verdict::Ok),
        count(Verdict::Bad),
        count(Verdict::Note),
        count(Verdict::Unknown)
    );
    out
}

/// A list of `{about, verdict, found, remedy}`.
pub fn json(report: &[Check]) -> String {
    let text = serde_json::to_string_pretty(report).unwrap_or_default();
    format!("{text}\n")
}

/// The word stands for itself where there are no colours: green, red, yellow, cyan.
fn word(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Ok => ("ok", "\x1b[32m"),
        Verdict::Bad => ("BAD", "\x1b[31m"),
        Verdict::Note => ("note", "\x1b[33m"),
        Verdict::Unknown => ("unknown", "\x1b[36m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Vec<Check> {
        vec![
            Check::ok("metadata service", "i-1".to_owned()),
            Check::bad("RBAC", "missing:\npods get".to_owned(), "apply it"),
        ]
    }

    #[test]
    fn a_check_is_a_line_whatever_it_says() {
        let text = lines(&report(), false);
        let expected = "ok       metadata service  i-1\n\
                        BAD      RBAC              missing:\\npods get. To do: apply it\n\
                        1 ok, 1 bad, 0 notes, 0 unknown\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(lines(&report(), true).contains("\x1b[31mBAD    \x1b[0m  RBAC"));
        assert!(!lines(&report(), false).contains('\x1b'));
        assert!(!json(&report()).contains('\x1b'));
    }
}
