//! Every case there is, in the order in which they run within their ring.

use super::{Case, annotations, daemonset, eip, ports, testbed};
use crate::world::World;

/// One list per file of cases.
const LISTS: &[&[Case<World>]] = &[
    testbed::CASES,
    daemonset::CASES,
    eip::CASES,
    annotations::CASES,
    ports::CASES,
];

pub fn all() -> Vec<Case<World>> {
    LISTS.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_capability_and_claim_and_differ() {
        let mut seen = BTreeSet::new();
        for case in all() {
            assert!(case.name.contains("::"), "{}", case.name);
            assert!(seen.insert(case.name), "{} twice", case.name);
        }
    }
}
