//! `docs/configuration.md` against the reader: every key has its row, and the examples are good files.

use std::collections::BTreeMap;

use super::super::Config;
use super::super::keys::KEYS;
use super::super::limits;

const PAGE: &str = include_str!("../../../docs/configuration.md");

/// The first cells of the tables' rows that have `width` cells: keys, without their quotes.
fn rows(width: usize) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches('|').split('|');
        inner.map(|cell| cell.trim().to_owned()).collect()
    };
    PAGE.lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|cells| cells.len() == width)
        .collect()
}

#[test]
fn every_key_has_a_row_with_its_other_name_and_its_variable() {
    let due: BTreeMap<String, String> = KEYS
        .iter()
        .map(|key| {
            let names = key.alias.map_or_else(
                || format!("`{}`", key.path),
                |alias| format!("`{}`, `{alias}`", key.path),
            );
            (
                names,
                key.env.map_or(String::new(), |env| format!("`{env}`")),
            )
        })
        .collect();
    let stated: BTreeMap<String, String> = rows(4)
        .into_iter()
        .map(|row| (row[0].clone(), row[2].clone()))
        .collect();
    assert_eq!(stated, due);
}

#[test]
fn every_limit_has_a_row() {
    let stated: Vec<String> = rows(2).into_iter().map(|row| row[0].clone()).collect();
    let due: Vec<String> = limits::KEYS.map(|key| format!("`{key}`")).into();
    assert_eq!(stated, due);
}

#[test]
fn the_example_is_a_good_file_that_uses_every_limit() {
    let limits = PAGE.split("## Limits").nth(1).unwrap();
    let example = limits.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let env = BTreeMap::from([("NODE_NAME".to_owned(), "n1".to_owned())]);
    let config = Config::parse("page", example, &env).unwrap();
    assert_ne!(config.eip.limits, crate::api::limits::Limits::default());
    for key in limits::KEYS {
        assert!(example.contains(&format!("{key}:")), "{key}");
    }
}
