//! Each annotation, each prefix and alias, each value that is allowed and some that are not.

use std::collections::BTreeMap;

use super::*;
use crate::cloud::vpc::InternetChargeType;

mod bounds;
mod keys;
mod settings;
mod strategies;

const ON: (&str, &str) = ("k8s.aliyun.com/pod-with-eip", "true");
const NAMED: (&str, &str) = ("k8s.aliyun.com/pod-eip-instanceid", "eip-bp14q");

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// What these annotations ask on a bare pod on an ordinary node.
fn ask(pairs: &[(&str, &str)]) -> Result<Parsed, Vec<Notice>> {
    parse(&map(pairs), &PodTraits::default())
}

/// The new EIP that `pairs` beside `pod-with-eip: "true"` ask for.
fn auto(pairs: &[(&str, &str)]) -> Auto {
    let parsed = ask(&[&[ON], pairs].concat()).unwrap();
    assert_eq!(parsed.warnings, []);
    match parsed.request {
        Request::Auto(auto) => *auto,
        other => panic!("{other:?}"),
    }
}

/// The one problem that `pairs` beside `pod-with-eip: "true"` have.
fn problem(pairs: &[(&str, &str)]) -> String {
    only(&ask(&[&[ON], pairs].concat()).unwrap_err())
}

fn only(notices: &[Notice]) -> String {
    assert_eq!(notices.len(), 1, "{notices:?}");
    notices[0].to_string()
}
