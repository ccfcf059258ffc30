//! Patience with one pod, by examples and against a list of everything that happened.

use proptest::prelude::*;

use super::*;
use crate::clock;

fn pod(n: u8) -> Uid {
    Uid::new(format!("pod-{n}"))
}

#[test]
fn it_ends_after_five_minutes_and_not_before() {
    let start = clock::now();
    let mut patience = Patience::default();
    assert!(!patience.must_give_back(&pod(1), start));
    patience.waits(&pod(1), start);
    patience.waits(&pod(1), start + Duration::from_mins(4));
    assert_eq!(patience.ends(&pod(1)), Some(start + PATIENCE));
    let before = start + PATIENCE - Duration::from_millis(1);
    assert!(!patience.must_give_back(&pod(1), before));
    assert!(patience.must_give_back(&pod(1), start + PATIENCE));
    assert!(!patience.must_give_back(&pod(2), start + PATIENCE));
    patience.ended(&pod(1));
    assert!(!patience.must_give_back(&pod(1), start + PATIENCE));
}

#[test]
fn only_who_gave_back_needs_an_address_first_and_only_while_it_lives() {
    let mut patience = Patience::default();
    patience.gave_back(&pod(1));
    assert!(patience.needs_ip_first(&pod(1)));
    assert!(!patience.needs_ip_first(&pod(2)));
    patience.ended(&pod(1));
    assert!(patience.needs_ip_first(&pod(1)), "it still lives");
    patience.forget(&pod(1));
    assert!(!patience.needs_ip_first(&pod(1)));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Waits,
    Ended,
    GaveBack,
    Forget,
}

proptest! {
    #[test]
    fn as_the_list_of_events_says(
        events in prop::collection::vec((0..3_u8, 0..200_u64, prop::sample::select(vec![Event::Waits, Event::Ended, Event::GaveBack, Event::Forget])), 0..60),
    ) {
        let mut now = clock::now();
        let mut patience = Patience::default();
        let mut all: Vec<(u8, Instant, Event)> = Vec::new();
        for (n, passed, event) in events {
            now += Duration::from_secs(passed);
            match event {
                Event::Waits => patience.waits(&pod(n), now),
                Event::Ended => patience.ended(&pod(n)),
                Event::GaveBack => patience.gave_back(&pod(n)),
                Event::Forget => patience.forget(&pod(n)),
            }
            all.push((n, now, event));
            for n in 0..3 {
                let mine = || all.iter().filter(move |(of, ..)| *of == n);
                // The first wait after the last end.
                let since = mine().rev().take_while(|(.., e)| !matches!(e, Event::Ended | Event::Forget));
                let since = since.filter(|(.., e)| matches!(e, Event::Waits)).last().map(|(_, at, _)| *at);
                prop_assert_eq!(patience.ends(&pod(n)), since.map(|at| at + PATIENCE));
                prop_assert_eq!(patience.must_give_back(&pod(n), now), since.is_some_and(|at| now - at >= PATIENCE));
                let spent = mine().rev().take_while(|(.., e)| !matches!(e, Event::Forget)).any(|(.., e)| matches!(e, Event::GaveBack));
                prop_assert_eq!(patience.needs_ip_first(&pod(n)), spent);
            }
        }
    }
}
