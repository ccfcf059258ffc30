//! The binary's commands, run as a user runs them. Nobody listens where they are told that the metadata service is.

// A set-up that fails is to fail the test; clippy's leave for tests does not reach helpers.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("eipd-commands-{}-{name}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn config(file: &File, further: &[&str]) -> Output {
    command("config", file, further)
}

fn command(name: &str, file: &File, further: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eipd"))
        .args([name, "--config"])
        .arg(&file.0)
        .args(further)
        .env_clear()
        .env("NODE_NAME", "n1")
        .env("EIPD_ENDPOINTS_METADATA", "http://127.0.0.1:9")
        .env("EIPD_ACCESS_KEY", "LTAIhush")
        .env("EIPD_ACCESS_SECRET", "Hush30CharactersOfAccessSecret")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn config_shows_what_is_in_force_and_from_where() {
    let file = File::new("shown", "regionID: cn-beijing\n");
    let shown = config(&file, &[]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let table = text(&shown.stdout);
    let line = |key: &str| table.lines().find(|line| line.starts_with(key)).unwrap();
    let region = line("regionID");
    assert!(
        region.contains("cn-beijing") && region.contains("-shown.yaml:1"),
        "{region}"
    );
    assert!(
        line("zoneID").contains("unknown: the metadata service"),
        "{table}"
    );
    assert!(
        line("credential.accessSecret").contains("(hidden)"),
        "{table}"
    );
    assert!(text(&shown.stderr).contains("does not answer"));
    assert!(
        !table.contains("Hush30") && !table.contains("LTAIhush"),
        "{table}"
    );
}

#[test]
fn config_is_json_where_that_is_wanted() {
    let file = File::new("json", "log: {level: debug}\n");
    let shown = config(&file, &["-o", "json"]);
    let rows: Vec<Value> = serde_json::from_slice(&shown.stdout).unwrap();
    let level = rows.iter().find(|row| row["key"] == "log.level").unwrap();
    assert_eq!(level["value"], "debug");
    assert!(level["from"].as_str().unwrap().ends_with("-json.yaml:1"));
}

#[test]
fn a_configuration_that_is_refused_is_a_failure() {
    let file = File::new("wrong", "\nregionId: cn-beijing\n");
    let refused = config(&file, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("-wrong.yaml:2: regionId: unknown key; did you mean regionID?"),
        "{said}"
    );
    assert!(refused.stdout.is_empty());
}

#[test]
fn doctor_says_where_nothing_is_reached_and_fails() {
    let file = File::new("doctor", "endpoints: {vpc: \"http://127.0.0.1:9\"}\n");
    let report = command("doctor", &file, &[]);
    assert_eq!(report.status.code(), Some(1), "{}", text(&report.stderr));
    let lines = text(&report.stdout);
    for about in ["metadata service", "API server"] {
        let line = format!("BAD      {about}");
        let line = lines.lines().find(|it| it.starts_with(&line));
        assert!(line.is_some_and(|it| it.contains("To do: ")), "{lines}");
    }
    assert!(!lines.contains("Hush30"), "{lines}");
    let report = command("doctor", &file, &["-o", "json"]);
    let checks: Vec<Value> = serde_json::from_slice(&report.stdout).unwrap();
    assert!(checks.iter().any(|check| check["verdict"] == "bad"));
}
