//! `docs/dnat.md` against the parser, the cases and the Events: what one of them has, the others have too.

#![allow(clippy::unwrap_used, clippy::panic)] // a test's own helpers fail the test

use std::collections::{BTreeMap, BTreeSet};

use eipd::api::ports::{self, DNAT, FIXED, PORT, PROTOCOL};
use eipd::api::request::PodTraits;
use serde_json::Value;
use testbed::cases::registry;
use testbed::page::{Example, Page};

const PAGE: &str = include_str!("../docs/dnat.md");
/// The cases that apply the page's examples.
const CAPABILITY: &str = "ports::";

fn page() -> Page {
    Page::of_ports().unwrap()
}

/// Whether the pods of the example ask for ports, and the Events that they get, sorted.
fn asked(example: &Example) -> (bool, Vec<String>) {
    let manifest: Value = serde_saphyr::from_str(&example.yaml).unwrap();
    let (owner, pod) = match manifest["kind"].as_str().unwrap() {
        "Pod" => (None, &manifest),
        "Deployment" => (Some("ReplicaSet"), &manifest["spec"]["template"]),
        kind => (Some(kind), &manifest["spec"]["template"]),
    };
    let annotations: BTreeMap<String, String> =
        serde_json::from_value(pod["metadata"]["annotations"].clone()).unwrap();
    let traits = PodTraits {
        owner_kinds: owner.into_iter().collect(),
        ..PodTraits::default()
    };
    let (asks, reason, notices) = match ports::parse(&annotations, &traits) {
        Ok(parsed) => (parsed.ports.is_some(), "CheckRequest", parsed.warnings),
        Err(problems) => (false, "InvalidRequest", problems),
    };
    let said: BTreeSet<_> = notices.iter().map(|it| format!("{reason} {it}")).collect();
    (asks, said.into_iter().collect())
}

#[test]
fn the_page_has_every_key_and_no_other() {
    let page = page();
    let rows: BTreeSet<_> = page.rows.iter().flat_map(|row| row.keys.clone()).collect();
    let known = [DNAT, PORT, PROTOCOL, FIXED].map(str::to_owned);
    assert_eq!(rows, BTreeSet::from(known));
}

#[test]
fn every_example_asks_for_what_the_page_says() {
    for example in &page().examples {
        let (asks, events) = asked(example);
        let none = ["ports-off", "ports-wrong"].contains(&&*example.name);
        assert_eq!(asks, !none, "{}", example.name);
        assert_eq!(events, example.events, "{}", example.name);
    }
}

#[test]
fn the_page_and_the_cases_name_each_other() {
    let cases: BTreeSet<_> = registry::all().iter().map(|case| case.name).collect();
    let page = page();
    for test in page.rows.iter().flat_map(|row| &row.tests) {
        assert!(cases.contains(&**test), "there is no test called {test}");
    }
    let used: BTreeSet<_> = page.rows.iter().flat_map(|row| &row.examples).collect();
    for example in &page.examples {
        assert!(
            used.contains(&example.name),
            "no row names {}",
            example.name
        );
    }
    assert!(cases.iter().filter(|it| it.starts_with(CAPABILITY)).count() >= 10);
}

#[test]
fn the_events_are_those_of_the_source() {
    let (_, table) = PAGE.split_once("\n| reason |").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let first = rows.map(|row| row.split('|').nth(1).unwrap());
    let listed: BTreeSet<_> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let source = include_str!("../src/dnat/report.rs");
    let quoted: BTreeSet<_> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|it| is_reason(it))
        .collect();
    assert_eq!(listed, quoted);
}

fn is_reason(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphabetic())
        && text.chars().filter(char::is_ascii_uppercase).count() >= 2
        && text.starts_with(|c: char| c.is_ascii_uppercase())
}
