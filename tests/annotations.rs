//! `docs/annotations.md` against the parser, the cases and the Events: what one of them has, the others have too.

#![allow(clippy::unwrap_used, clippy::panic)] // a test's own helpers fail the test

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use eipd::api::request::{self, PodTraits, Request, known};
use serde_json::Value;
use testbed::cases::registry;
use testbed::page::{Example, Page};

/// The cases that apply the page's examples.
const CAPABILITY: &str = "annotations::";

fn page() -> Page {
    Page::read().unwrap()
}

/// The pod, or the template of pods, of a manifest.
fn pod(example: &Example) -> Value {
    let manifest: Value = serde_saphyr::from_str(&example.yaml).unwrap();
    match manifest["kind"] == "Pod" {
        true => manifest,
        false => manifest["spec"]["template"].clone(),
    }
}

fn annotations(pod: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(pod["metadata"]["annotations"].clone()).unwrap()
}

/// What the pods of the example ask, and the Events that they get, sorted.
fn asked(example: &Example) -> (Option<Request>, Vec<String>) {
    let manifest: Value = serde_saphyr::from_str(&example.yaml).unwrap();
    let owner = match manifest["kind"].as_str().unwrap() {
        "Pod" => None,
        "Deployment" => Some("ReplicaSet"),
        kind => Some(kind),
    };
    let pod = pod(example);
    let traits = PodTraits {
        host_network: pod["spec"]["hostNetwork"] == true,
        owner_kinds: owner.into_iter().collect(),
        ..PodTraits::default()
    };
    let (request, reason, notices) = match request::parse(&annotations(&pod), &traits) {
        Ok(parsed) => (Some(parsed.request), "CheckRequest", parsed.warnings),
        Err(problems) => (None, "InvalidRequest", problems),
    };
    let said = notices.iter().map(|notice| format!("{reason} {notice}"));
    (request, said.collect::<BTreeSet<_>>().into_iter().collect())
}

#[test]
fn every_key_has_a_row_and_every_key_of_the_page_is_known() {
    let known: BTreeSet<String> = known::keys().collect();
    let page = page();
    let rows: BTreeSet<_> = page.rows.iter().flat_map(|row| row.keys.clone()).collect();
    assert_eq!(rows, known);
    for example in &page.examples {
        for key in annotations(&pod(example)).into_keys() {
            assert!(known.contains(&key), "{}: {key}", example.name);
        }
    }
}

#[test]
fn every_key_stands_in_the_examples_of_its_row() {
    let page = page();
    for row in page.rows.iter().filter(|row| !row.keys.is_empty()) {
        let examples = row.examples.iter().map(|name| page.example(name).unwrap());
        let keys: Vec<_> = examples
            .flat_map(|example| annotations(&pod(example)).into_keys())
            .collect();
        let name = |key: &str| key.rsplit_once('/').unwrap().1.to_owned();
        assert!(
            keys.iter()
                .any(|key| row.keys.iter().any(|one| name(one) == name(key))),
            "{}",
            row.about
        );
    }
}

#[test]
fn every_example_asks_for_what_the_page_says() {
    let mut due = Vec::new();
    for example in &page().examples {
        let (request, events) = asked(example);
        let refused = events
            .iter()
            .any(|event| event.starts_with("InvalidRequest"));
        let asks = !matches!(request, None | Some(Request::Nothing));
        let wants = !refused && example.name != "switched-off";
        assert_eq!(asks, wants, "{}", example.name);
        if events != example.events {
            let block = [
                &*format!("```text events={}", example.name),
                &*events.join("\n"),
                "```",
            ];
            due.push(block.join("\n"));
        }
    }
    assert!(due.is_empty(), "the page should say:\n{}", due.join("\n"));
}

#[test]
fn the_page_and_the_cases_name_each_other() {
    let cases: BTreeSet<_> = registry::all().iter().map(|case| case.name).collect();
    let page = page();
    let named: BTreeSet<_> = page
        .rows
        .iter()
        .flat_map(|row| &row.tests)
        .map(String::as_str)
        .collect();
    for test in &named {
        assert!(
            cases.contains(test) || is_here(test),
            "there is no test called {test}"
        );
    }
    for case in cases.iter().filter(|case| case.starts_with(CAPABILITY)) {
        assert!(named.contains(case), "no row names {case}");
    }
    for row in &page.rows {
        assert!(
            row.tests.iter().any(|test| test.starts_with(CAPABILITY)),
            "{}",
            row.about
        );
    }
}

/// Whether it is a test of this file.
fn is_here(test: &str) -> bool {
    let name = test.strip_prefix(CAPABILITY).unwrap_or_default();
    include_str!("annotations.rs").contains(&format!("#[test]\nfn {name}()"))
}

#[test]
fn every_example_is_in_a_row() {
    let page = page();
    let used: BTreeSet<_> = page.rows.iter().flat_map(|row| &row.examples).collect();
    for example in &page.examples {
        assert!(
            used.contains(&example.name),
            "no row names {}",
            example.name
        );
    }
}

#[test]
fn the_events_are_those_of_the_source() {
    let listed: BTreeSet<String> = reasons_of_the_page();
    let source = reasons_of_the_source();
    assert_eq!(listed, source);
}

/// The first column of the table of Events.
fn reasons_of_the_page() -> BTreeSet<String> {
    let text = include_str!("../docs/annotations.md");
    let (_, table) = text.split_once("\n| reason |").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let first = rows.map(|row| row.split('|').nth(1).unwrap());
    first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// What stands between quotes in the file that writes Events about EIPs, and looks like a reason: `TwoWords` or more.
fn reasons_of_the_source() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in reporters(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let quoted = text.split('"').skip(1).step_by(2);
        found.extend(quoted.filter(|text| is_reason(text)).map(str::to_owned));
    }
    found
}

/// `src/eip/engine/report.rs` and what may stand in a folder of that name.
fn reporters(folder: &Path) -> Vec<PathBuf> {
    let engine = folder.join("eip/engine");
    let mut found = vec![engine.join("report.rs")];
    let more = std::fs::read_dir(engine.join("report"))
        .into_iter()
        .flatten();
    found.extend(more.map(|entry| entry.unwrap().path()));
    found
}

fn is_reason(text: &str) -> bool {
    let letters = text.chars().all(|c| c.is_ascii_alphabetic());
    letters
        && text.chars().filter(char::is_ascii_uppercase).count() >= 2
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}
