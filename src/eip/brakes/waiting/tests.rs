//! Few EIPs without an address at a time, by examples and against a list of everything that happened.

use proptest::prelude::*;

use super::*;
use crate::clock;

fn key(n: u8) -> Key {
    Key {
        namespace: "default".to_owned(),
        name: format!("pod-{n}"),
    }
}

fn waiting(pods: std::ops::Range<u8>, since: Instant) -> Waiting {
    let mut waiting = Waiting::default();
    for n in pods {
        waiting.waits(&key(n), since);
    }
    waiting
}

#[test]
fn only_three_that_have_waited_long_shut_it() {
    let start = clock::now();
    for (pods, after, shut) in [
        (0, 600, false),
        (2, 600, false),
        (3, 9, false),
        (40, 9, false),
        (3, 10, true),
        (4, 10, true),
    ] {
        let mut waiting = waiting(0..pods, start);
        let now = start + Duration::from_secs(after);
        let may = waiting.may_allocate(&key(99), now);
        assert_eq!(may.is_err(), shut, "{pods} after {after} s");
    }
}

#[test]
fn it_says_when_the_patience_with_the_first_ends() {
    let start = clock::now();
    let mut waiting = waiting(0..3, start);
    waiting.ended(&key(0));
    waiting.waits(&key(0), start - Duration::from_secs(30));
    let now = start + Duration::from_secs(20);
    let first = start + PATIENCE - Duration::from_secs(30);
    assert_eq!(waiting.may_allocate(&key(9), now), Err(first));
    assert_eq!(
        waiting.may_allocate(&key(9), first),
        Err(start + PATIENCE),
        "never now, for it may take a while"
    );
    let late = start + PATIENCE * 2;
    assert_eq!(waiting.may_allocate(&key(9), late), Err(late + AGAIN));
}

#[test]
fn its_own_wait_does_not_shut_it_for_itself() {
    let start = clock::now();
    let mut waiting = waiting(0..3, start);
    let now = start + LONG;
    assert_eq!(waiting.may_allocate(&key(0), now), Ok(()));
    assert!(waiting.may_allocate(&key(9), now).is_err());
}

#[test]
fn those_that_were_held_are_named_once_when_it_opens() {
    let start = clock::now();
    let mut waiting = waiting(0..3, start);
    let now = start + LONG;
    for n in [8, 9, 7, 6] {
        waiting.may_allocate(&key(n), now).unwrap_err();
    }
    waiting.ended(&key(6));
    assert_eq!(waiting.freed(now), []);
    waiting.ended(&key(0));
    assert_eq!(waiting.freed(now), [key(7), key(8), key(9)]);
    assert_eq!(waiting.freed(now), []);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Waits,
    Ended,
    Works,
    GaveUp,
    /// Asks whether it may allocate.
    Asks,
}

/// Everything that happened, and the rules as they are written.
#[derive(Default)]
struct Model(Vec<(u8, Instant, Event)>);

impl Model {
    /// The first wait after the last end.
    fn since(&self, n: u8) -> Option<Instant> {
        let mine = self.0.iter().rev().filter(|(of, ..)| *of == n);
        let wait = mine.take_while(|(.., e)| !matches!(e, Event::Ended));
        wait.filter(|(.., e)| matches!(e, Event::Waits))
            .last()
            .map(|(_, at, _)| *at)
    }

    fn distrusts(&self) -> bool {
        let mut all = self.0.iter().rev();
        let last = all.find(|(.., e)| matches!(e, Event::Works | Event::GaveUp));
        matches!(last, Some((.., Event::GaveUp)))
    }

    fn is_shut(&self, asker: Option<u8>, now: Instant) -> bool {
        let waits = (0..8).filter(|n| Some(*n) != asker);
        let waits = waits.filter_map(|n| self.since(n));
        let counted = waits.filter(|since| self.distrusts() || now - *since >= LONG);
        counted.count() >= 3
    }
}

proptest! {
    #[test]
    fn as_the_list_of_events_says(
        events in prop::collection::vec((0..8_u8, 0..8_u64, prop::sample::select(vec![
            Event::Waits, Event::Waits, Event::Waits, Event::Ended, Event::Works, Event::GaveUp, Event::Asks,
        ])), 0..60),
    ) {
        let mut now = clock::now();
        let (mut waiting, mut model) = (Waiting::default(), Model::default());
        let mut held = BTreeSet::new();
        for (n, passed, event) in events {
            now += Duration::from_secs(passed);
            model.0.push((n, now, event));
            match event {
                Event::Waits => waiting.waits(&key(n), now),
                Event::Ended => waiting.ended(&key(n)),
                Event::Works => waiting.works(),
                Event::GaveUp => waiting.gave_up(),
                Event::Asks => {
                    let may = waiting.may_allocate(&key(n), now);
                    prop_assert_eq!(may.is_err(), model.is_shut(Some(n), now));
                    prop_assert!(may.err().is_none_or(|until| until > now && until <= now + PATIENCE));
                    if may.is_err() {
                        held.insert(key(n));
                    }
                }
            }
            if matches!(event, Event::Waits | Event::Ended) {
                held.remove(&key(n));
            }
            let freed = waiting.freed(now);
            if model.is_shut(None, now) {
                prop_assert_eq!(freed, []);
            } else {
                prop_assert_eq!(freed, std::mem::take(&mut held).into_iter().collect::<Vec<_>>());
            }
        }
    }
}
