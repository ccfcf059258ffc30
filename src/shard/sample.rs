//! A fair sample of what a sweep finds, however much that is: few at a time, and not the same few in every agent.

use super::found::{Due, What};

/// So many of a sweep are handed on at most.
pub const MOST: usize = 50;
/// Neither ours nor others' records crowd the other sort out.
const SHARE: usize = MOST / 2;

#[derive(Default)]
pub struct Sample {
    ours: Reservoir,
    foreign: Reservoir,
}

/// Each of the things that were offered is in it with the same probability.
#[derive(Default)]
struct Reservoir {
    kept: Vec<Due>,
    offered: usize,
}

impl Sample {
    /// Takes it up, or not. What is offered twice (two lists may show it) is in it once.
    pub fn offer(&mut self, due: Due) {
        match due.what {
            What::Foreign => self.foreign.offer(due),
            _ => self.ours.offer(due),
        }
    }

    /// At most [`MOST`], in any order.
    pub fn drawn(self) -> Vec<Due> {
        let (mut ours, mut foreign) = (self.ours.kept, self.foreign.kept);
        fastrand::shuffle(&mut ours);
        fastrand::shuffle(&mut foreign);
        foreign.truncate((MOST - ours.len()).max(SHARE));
        ours.truncate(MOST - foreign.len());
        ours.append(&mut foreign);
        fastrand::shuffle(&mut ours);
        ours
    }
}

impl Reservoir {
    fn offer(&mut self, due: Due) {
        if self.kept.iter().any(|kept| kept.key == due.key) {
            return;
        }
        self.offered += 1;
        if self.kept.len() < MOST {
            self.kept.push(due);
        } else if let Some(place) = self.kept.get_mut(fastrand::usize(..self.offered)) {
            *place = due;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Key;

    fn due(name: usize, what: What) -> Due {
        let key = Key {
            namespace: "ns".to_owned(),
            name: format!("{name:05}"),
        };
        Due { key, what }
    }

    fn drawn(ours: usize, foreign: usize) -> (usize, usize) {
        let mut sample = Sample::default();
        (0..ours).for_each(|n| sample.offer(due(n, What::Expired)));
        (ours..ours + foreign).for_each(|n| sample.offer(due(n, What::Foreign)));
        let drawn = sample.drawn();
        let foreign = drawn.iter().filter(|due| due.what == What::Foreign);
        (drawn.len() - foreign.clone().count(), foreign.count())
    }

    #[test]
    fn fifty_at_most_and_neither_sort_crowds_the_other_out() {
        assert_eq!(drawn(3, 4), (3, 4));
        assert_eq!(drawn(2_000, 0), (50, 0));
        assert_eq!(drawn(0, 2_000), (0, 50));
        assert_eq!(drawn(2_000, 2_000), (25, 25));
        assert_eq!(drawn(10, 2_000), (10, 40));
        assert_eq!(drawn(2_000, 10), (40, 10));
    }

    #[test]
    fn the_last_that_is_offered_is_as_likely_as_the_first() {
        fastrand::seed(7);
        let mut seen = [0; 4];
        for _ in 0..400 {
            let mut sample = Sample::default();
            (0..1_000).for_each(|n| sample.offer(due(n, What::Tombstone)));
            for due in sample.drawn() {
                seen[due.key.name.parse::<usize>().unwrap() / 250] += 1;
            }
        }
        // 5,000 each; a standard deviation is 60.
        assert!(seen.iter().all(|n| (4_700..5_300).contains(n)), "{seen:?}");
    }

    #[test]
    fn what_two_lists_show_is_handed_on_once() {
        let mut sample = Sample::default();
        sample.offer(due(1, What::Stray));
        sample.offer(due(1, What::Stray));
        assert_eq!(sample.drawn(), [due(1, What::Stray)]);
    }
}
