//! The runner of cases, with a world that only counts.

use std::cell::RefCell;
use std::future::{pending, ready};

use super::*;

thread_local! {
    /// What happened in this test: each test has a thread of its own.
    static STORY: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn tell(what: &'static str) {
    STORY.with_borrow_mut(|story| story.push(what));
}

/// Whether it can be made ready for another case.
struct Toy(bool);

impl Ground for Toy {
    async fn set_up(ring: Ring) -> Result<Self, CaseError> {
        tell(match ring {
            Ring::Processes => "processes",
            Ring::Nodes => "nodes",
            Ring::Wired => "wired",
        });
        Ok(Self(true))
    }

    async fn evidence(&self) -> String {
        "evidence".to_owned()
    }

    async fn printed(&self) -> String {
        "printed".to_owned()
    }

    async fn tidy(&mut self) -> bool {
        self.0
    }

    async fn tear_down(self) -> Result<(), CaseError> {
        tell("down");
        Ok(())
    }
}

fn passes(_: &mut Toy) -> CaseFuture<'_> {
    tell("passes");
    Box::pin(ready(Ok(())))
}

fn litters(toy: &mut Toy) -> CaseFuture<'_> {
    toy.0 = false;
    Box::pin(ready(Ok(())))
}

fn fails(_: &mut Toy) -> CaseFuture<'_> {
    Box::pin(async {
        crate::ensure!(1 + 1 == 3, "one and one is {}", 1 + 1);
        Ok(())
    })
}

fn panics(_: &mut Toy) -> CaseFuture<'_> {
    Box::pin(async { panic!("at once") })
}

fn hangs(_: &mut Toy) -> CaseFuture<'_> {
    tell("hangs");
    Box::pin(pending())
}

const CASES: &[Case<Toy>] = &[
    Case::new("wired::passes", Ring::Wired, passes),
    Case::new("nodes::passes", Ring::Nodes, passes),
    Case::new("a::passes", Ring::Processes, passes),
    Case::new("a::litters", Ring::Processes, litters),
    Case::new("a::fails", Ring::Processes, fails),
    Case::new("a::panics", Ring::Processes, panics),
    Case::new("a::alone", Ring::Processes, passes).alone(),
    Case::new("a::hangs", Ring::Processes, hangs).limit(Duration::from_millis(300)),
    Case::new("b::passes", Ring::Processes, passes),
];

/// Runs the cases in one world; what they reported and what happened.
async fn story(names: &[&str], stop: impl Future<Output = ()>) -> (Vec<Done>, Vec<&'static str>) {
    story_in(1, names, stop).await
}

async fn story_in(
    worlds: usize,
    names: &[&str],
    stop: impl Future<Output = ()>,
) -> (Vec<Done>, Vec<&'static str>) {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut reports = Vec::new();
    let _ = run(CASES, &names, worlds, stop, &mut |done| reports.push(done)).await;
    (reports, STORY.take())
}

#[tokio::test]
async fn cases_of_a_ring_share_a_world() {
    let (reports, story) = story(&["nodes::passes", "a::passes", "b::passes"], pending()).await;
    assert!(reports.iter().all(|done| done.ok && done.log == "printed"));
    assert_eq!(
        story,
        [
            "processes",
            "passes",
            "passes",
            "down",
            "nodes",
            "passes",
            "down"
        ]
    );
}

#[tokio::test]
async fn each_ring_of_real_nodes_has_its_own_world() {
    let (_, story) = story(&["wired::passes", "nodes::passes"], pending()).await;
    assert_eq!(
        story,
        ["nodes", "passes", "down", "wired", "passes", "down"]
    );
}

#[tokio::test]
async fn a_failure_ends_its_world() {
    let (reports, story) = story(&["a::fails", "b::passes"], pending()).await;
    assert_eq!(
        (reports[0].ok, reports[0].log.as_str()),
        (false, "one and one is 2\nevidence")
    );
    assert!(reports[1].ok);
    assert_eq!(story, ["processes", "down", "processes", "passes", "down"]);
}

#[tokio::test]
async fn a_world_that_cannot_be_tidied_is_replaced() {
    let (reports, story) = story(&["a::litters", "b::passes"], pending()).await;
    assert!(reports.iter().all(|done| done.ok));
    assert_eq!(story, ["processes", "down", "processes", "passes", "down"]);
}

#[tokio::test]
async fn a_case_alone_has_a_fresh_world() {
    let (_, story) = story(&["a::passes", "a::alone", "b::passes"], pending()).await;
    let one = ["processes", "passes", "down"];
    assert_eq!(story, [one, one, one].concat());
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let (reports, _) = story(&["a::panics"], pending()).await;
    assert!(
        reports[0].log.contains("panicked: at once"),
        "{:?}",
        reports[0].log
    );
}

#[tokio::test]
async fn a_case_that_takes_too_long_is_a_failure() {
    let (reports, story) = story(&["a::hangs"], pending()).await;
    assert!(
        reports[0].log.contains("more than 300ms"),
        "{:?}",
        reports[0].log
    );
    assert_eq!(story, ["processes", "hangs", "down"]);
}

#[tokio::test]
async fn a_case_that_waits_keeps_no_other_waiting() {
    let names = ["a::hangs", "a::passes", "b::passes"];
    let (reports, _) = story_in(2, &names, pending()).await;
    let order: Vec<_> = reports.iter().map(|done| done.case.as_str()).collect();
    assert_eq!(order, ["a::passes", "b::passes", "a::hangs"]);
}

#[tokio::test]
async fn long_cases_come_first() {
    let (reports, _) = story(&["a::hangs", "a::passes"], pending()).await;
    assert_eq!(reports[0].case, "a::passes");
}

#[tokio::test]
async fn a_signal_takes_the_world_down() {
    let (reports, story) = story(
        &["a::hangs"],
        crate::clock::sleep(Duration::from_millis(50)),
    )
    .await;
    assert!(reports.is_empty());
    assert_eq!(story, ["processes", "hangs", "down"]);
}

#[tokio::test]
async fn an_unknown_name_starts_nothing() {
    let (reports, story) = story(&["a::passes", "a::nothing"], pending()).await;
    assert!(reports.is_empty() && story.is_empty());
}
