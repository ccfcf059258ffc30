//! A whole fleet that changes over from another controller, by the real waits and without the agents.

use std::collections::HashMap;

use super::*;
use crate::clock;
use crate::eip::memory::Memory;
use crate::shard::pulse::exponential;
use crate::shard::sample::MOST;
use crate::shard::sweep;

const AGENTS: u64 = 5_000;
const RECORDS: usize = 50_000;
/// Take-overs are averaged over so long, in seconds.
const WINDOW: u64 = 900;
const LONG: Duration = Duration::from_hours(24);

/// When each record is taken over, of which `kept` have no pod: those are found by sweeps alone, and taken at once.
fn fleet(kept: usize) -> Vec<Duration> {
    let mut living: Vec<_> = (kept..RECORDS).map(|_| lot()).collect();
    living.sort_unstable();
    let mut found = Vec::new();
    for at in sweeps() {
        let waiting = living.len() - living.partition_point(|taken| *taken <= at);
        for _ in 0..MOST {
            let left = kept - found.len();
            if left > 0 && fastrand::usize(..left + waiting) < left {
                found.push(at);
            }
        }
    }
    living.append(&mut found);
    living
}

/// When an agent takes over the record of a pod that lives, from its start.
fn lot() -> Duration {
    let (start, mut memory) = (clock::now(), Memory::new());
    let at = memory.take_over_at(start + spread(TAKE_OVER));
    let again = memory.take_over_at(start + spread(TAKE_OVER));
    assert_eq!(at, again, "planning again draws no second lot");
    at - start
}

/// When any of the agents sweeps, in order; all were started together.
fn sweeps() -> Vec<Duration> {
    let mut all = Vec::new();
    for _ in 0..AGENTS {
        let mut at = exponential(sweep::mean(AGENTS));
        while at < LONG {
            all.push(at);
            at += exponential(sweep::mean(AGENTS));
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn a_fleet_of_5000_takes_over_50000_records_at_less_than_20_a_second() {
    fastrand::seed(20);
    for kept in [0, 2_500, 10_000] {
        let taken = fleet(kept);
        assert_eq!(taken.len(), RECORDS, "each is taken over some time");
        let mut windows: HashMap<u64, u64> = HashMap::new();
        for at in taken {
            *windows.entry(at.as_secs() / WINDOW).or_default() += 1;
        }
        let most = windows.values().max().copied().unwrap_or_default();
        assert!(
            most < 20 * WINDOW,
            "{kept} kept: {most} in a quarter of an hour"
        );
        assert!(
            most > 14 * WINDOW,
            "{kept} kept: {most}, which is needlessly slow"
        );
    }
}
