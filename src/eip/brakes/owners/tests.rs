//! Owners that burn EIPs, by examples and against a list of everything that happened.

use proptest::prelude::*;

use super::*;
use crate::clock;

fn owner(n: usize) -> Uid {
    Uid::new(format!("owner-{n}"))
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn the_fifth_in_ten_minutes_slows_it_to_one_a_minute() {
    let start = clock::now();
    let mut owners = Owners::default();
    for n in 0..5 {
        let now = start + secs(n * 100);
        assert_eq!(owners.may_allocate(&owner(1), now), Ok(()), "{n}");
        owners.allocated(&owner(1), now);
        owners.ended_without_ip(&owner(1), now + secs(1));
    }
    let last = start + secs(400);
    let due = last + INTERVAL;
    assert_eq!(owners.may_allocate(&owner(1), last + secs(1)), Err(due));
    assert_eq!(owners.may_allocate(&owner(1), due), Ok(()));
    assert_eq!(owners.may_allocate(&owner(2), last + secs(1)), Ok(()));
    owners.allocated(&owner(1), due);
    assert_eq!(
        owners.may_allocate(&owner(1), due),
        Err(due + INTERVAL),
        "one a minute"
    );
}

#[test]
fn it_is_free_again_when_the_oldest_of_five_is_ten_minutes_old() {
    let start = clock::now();
    let mut owners = Owners::default();
    for n in 0..5 {
        owners.ended_without_ip(&owner(1), start + secs(n));
    }
    let last = start + WINDOW - secs(10);
    owners.allocated(&owner(1), last);
    assert_eq!(
        owners.may_allocate(&owner(1), last),
        Err(start + WINDOW),
        "sooner than a minute"
    );
    assert_eq!(owners.may_allocate(&owner(1), start + WINDOW), Ok(()));
}

#[test]
fn its_memory_is_bounded_and_keeps_who_burns() {
    let start = clock::now();
    let mut owners = Owners::default();
    for n in 0..10_000 {
        let now = start + secs(n as u64 / 1000);
        owners.allocated(&owner(n), now);
        owners.ended_without_ip(&owner(n), now);
        owners.ended_without_ip(&owner(0), now);
        owners.allocated(&owner(0), now);
        assert!(owners.0.len() <= OWNERS);
        assert!(owners.0[&owner(0)].ends.len() <= BURNT);
    }
    assert!(owners.may_allocate(&owner(0), start + secs(10)).is_err());
    let later = start + WINDOW * 2;
    owners.allocated(&owner(1), later);
    assert_eq!(owners.0.len(), 1, "what no longer counts goes");
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Ended,
    Allocated,
}

proptest! {
    #[test]
    fn as_the_list_of_events_says(
        events in prop::collection::vec((0..3_usize, 0..90_u64, prop::sample::select(vec![Event::Ended, Event::Ended, Event::Allocated])), 0..80),
    ) {
        let mut now = clock::now();
        let mut owners = Owners::default();
        let mut all: Vec<(usize, Instant, Event)> = Vec::new();
        let is_slow = |all: &[(usize, Instant, Event)], n: usize, now: Instant| {
            let ended = |e: &Event| matches!(e, Event::Ended);
            let mine = || all.iter().filter(move |(of, at, _)| *of == n && *at <= now);
            let burnt = mine().filter(|(_, at, e)| ended(e) && *at + WINDOW > now).count();
            let just_now = mine().any(|(_, at, e)| !ended(e) && *at + INTERVAL > now);
            burnt >= 5 && just_now
        };
        for (n, passed, event) in events {
            now += secs(passed);
            match event {
                Event::Ended => owners.ended_without_ip(&owner(n), now),
                Event::Allocated => owners.allocated(&owner(n), now),
            }
            all.push((n, now, event));
            for n in 0..3 {
                match owners.may_allocate(&owner(n), now) {
                    Ok(()) => prop_assert!(!is_slow(&all, n, now)),
                    Err(due) => {
                        prop_assert!(is_slow(&all, n, due - Duration::from_millis(1)), "not later than needed");
                        prop_assert!(!is_slow(&all, n, due), "not sooner");
                    }
                }
            }
        }
    }
}
