//! Many tombstones at once, by examples and against a list of everything that happened.

use proptest::prelude::*;

use super::*;
use crate::clock;

fn key(n: usize) -> Key {
    Key {
        namespace: "default".to_owned(),
        name: format!("pod-{n}"),
    }
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// So many tombstones, `apart` from each other, of so many records: does that make a storm?
fn outbreak(tombstones: usize, living: usize, apart: Duration) -> bool {
    let mut storm = Storm::default();
    let mut now = clock::now();
    let mut said = 0;
    for n in 0..tombstones {
        now += apart;
        said += usize::from(storm.tombstone(&key(n), now, living, now).is_some());
    }
    assert_eq!(storm.holds(now).is_some(), said > 0);
    said > 0
}

#[test]
fn more_than_three_and_more_than_half_within_ten_seconds() {
    for (tombstones, living, apart_ms, storm) in [
        (3, 3, 0, false),
        (4, 4, 0, true),
        (4, 7, 0, true),
        (4, 8, 0, false),
        (5, 8, 0, true),
        (25, 50, 0, false),
        (26, 50, 0, true),
        (4, 4, 3_333, true),
        (4, 4, 3_334, false),
        (40, 4, 5_000, false),
    ] {
        let found = outbreak(tombstones, living, Duration::from_millis(apart_ms));
        assert_eq!(
            found, storm,
            "{tombstones} of {living}, {apart_ms} ms apart"
        );
    }
}

#[test]
fn the_same_tombstone_told_again_is_one() {
    let start = clock::now();
    let mut storm = Storm::default();
    for n in 0..100 {
        let now = start + Duration::from_millis(n * 500);
        assert_eq!(storm.tombstone(&key(1), start, 4, now), None);
    }
    assert_eq!(storm.holds(start), None);
}

#[test]
fn it_is_said_once_and_lasts_ten_minutes() {
    let start = clock::now();
    let mut storm = Storm::default();
    let all = |storm: &mut Storm, now| {
        let said = (0..20).filter_map(|n| storm.tombstone(&key(n), start, 20, now));
        said.collect::<Vec<_>>()
    };
    let until = start + HOLD;
    let said = all(&mut storm, start);
    assert_eq!(
        said,
        [Outbreak {
            tombstones: 11,
            living: 20,
            until
        }]
    );
    for after in [1, 9, 300, 599] {
        assert_eq!(all(&mut storm, start + secs(after)), []);
        assert_eq!(storm.holds(start + secs(after)), Some(until));
    }
    assert_eq!(storm.holds(until), None);
    assert_eq!(all(&mut storm, until), []);
}

#[test]
fn another_storm_meanwhile_prolongs_it() {
    let start = clock::now();
    let mut storm = Storm::default();
    let now = start + secs(500);
    for n in 0..4 {
        storm.tombstone(&key(n), start, 4, start);
    }
    for n in 0..3 {
        assert_eq!(storm.tombstone(&key(n), now, 4, now), None);
    }
    assert_eq!(storm.holds(now), Some(start + HOLD), "not by three");
    assert!(storm.tombstone(&key(3), now, 4, now).is_some());
    assert_eq!(storm.holds(now), Some(now + HOLD));
}

#[test]
fn a_tombstone_waits_until_it_is_clear_that_it_is_none_of_many() {
    let start = clock::now();
    let storm = Storm::default();
    let clear = start + WINDOW;
    assert_eq!(storm.may_give_back(start, 4, start), Err(clear));
    assert_eq!(storm.may_give_back(start, 4, clear), Ok(()));
    assert_eq!(
        storm.may_give_back(start, 3, start),
        Ok(()),
        "three are never a storm"
    );
}

proptest! {
    #[test]
    fn as_the_list_of_events_says(
        living in 3..10_usize,
        events in prop::collection::vec((0..10_usize, 0..5_000_u64, any::<bool>()), 0..80),
    ) {
        let mut now = clock::now();
        let mut storm = Storm::default();
        // Tombstones by (name, since), each counted until it was part of a storm.
        let mut seen: Vec<(usize, Instant)> = Vec::new();
        let mut storms: Vec<Instant> = Vec::new();
        for (n, passed, again) in events {
            now += Duration::from_millis(passed);
            let before = seen.iter().rev().find(|(of, _)| *of == n).copied();
            let since = before.filter(|_| again).map_or(now, |(_, since)| since);
            seen.push((n, since));
            let last = storms.last().copied();
            let counts = |since: Instant| now - since < WINDOW && last.is_none_or(|storm| since > storm);
            let names: std::collections::BTreeSet<_> = seen.iter().filter(|(_, since)| counts(*since)).map(|(n, _)| *n).collect();
            let is_storm = counts(since) && names.len() > 3 && names.len() * 2 > living;
            let said = storm.tombstone(&key(n), since, living, now);
            prop_assert_eq!(said.map(|o| o.tombstones), is_storm.then_some(names.len()));
            if is_storm {
                storms.push(now);
            }
            let held = storms.last().map(|storm| *storm + HOLD).filter(|until| *until > now);
            prop_assert_eq!(storm.holds(now), held);
            let may = storm.may_give_back(since, living, now);
            let waits = held.or_else(|| Some(since + WINDOW).filter(|clear| living > 3 && *clear > now));
            prop_assert_eq!(may, waits.map_or(Ok(()), Err));
        }
    }
}
