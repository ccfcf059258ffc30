//! The four together, as an engine meets them.

use std::time::Duration;

use super::*;
use crate::clock;

const OWNER: &str = "replica-set";

/// Brakes, and the time that passes.
struct World {
    brakes: Brakes,
    now: Instant,
    owner: Uid,
}

impl World {
    fn new() -> Self {
        Self {
            brakes: Brakes::default(),
            now: clock::now(),
            owner: Uid::new(OWNER),
        }
    }

    fn pass(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
    }

    fn with<T>(
        &mut self,
        name: &str,
        has_ip: bool,
        act: impl FnOnce(&mut Brakes, &Asker<'_>, Instant) -> T,
    ) -> T {
        let (key, pod) = (key(name), uid(name));
        let asker = Asker {
            key: &key,
            pod: &pod,
            owner: Some(&self.owner),
            has_ip,
        };
        act(&mut self.brakes, &asker, self.now)
    }

    /// The pod is seen, without an address, and with an EIP or not.
    fn seen(&mut self, name: &str, has_eip: bool) -> Vec<Key> {
        self.with(name, false, |b, pod, now| {
            b.seen(pod, has_eip.then_some(now), now)
        })
    }

    fn got_ip(&mut self, name: &str) -> Vec<Key> {
        self.with(name, true, |b, pod, now| b.seen(pod, Some(now), now))
    }

    fn may_allocate(&mut self, name: &str) -> Result<(), Hold> {
        self.with(name, false, Brakes::may_allocate)
    }

    /// Asks for an EIP and gets it at once; why not, if not.
    fn allocate(&mut self, name: &str) -> Result<(), Why> {
        self.seen(name, false);
        self.may_allocate(name).map_err(|hold| hold.why)?;
        self.with(name, false, Brakes::allocating);
        self.seen(name, true);
        Ok(())
    }

    fn left(&mut self, name: &str) -> Vec<Key> {
        self.brakes.left(&key(name), self.now)
    }

    /// Somebody deletes this record; the agent has so many of living pods.
    fn tombstone(&mut self, name: &str, living: usize) -> Option<Outbreak> {
        self.brakes
            .tombstone(&key(name), self.now, living, self.now)
    }
}

fn key(name: &str) -> Key {
    Key {
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

fn uid(name: &str) -> Uid {
    Uid::new(format!("uid-of-{name}"))
}

#[test]
fn three_that_wait_hold_a_fourth_until_one_of_them_has_its_address() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.allocate(name).unwrap();
    }
    world.pass(10);
    let hold = world.may_allocate("d").unwrap_err();
    assert_eq!(hold.why, Why::NodeWaits);
    assert_eq!(hold.until, world.now + Duration::from_secs(290));
    assert_eq!(world.seen("d", false), [], "still shut");
    assert_eq!(
        world.with("d", true, Brakes::may_allocate),
        Ok(()),
        "its own address is there"
    );
    world.may_allocate("d").unwrap_err();
    assert_eq!(world.got_ip("b"), [key("d")]);
    world.allocate("d").unwrap();
}

#[test]
fn a_pod_that_gets_no_address_gives_its_eip_back_once() {
    let mut world = World::new();
    world.allocate("a").unwrap();
    let due = world.brakes.gives_back_at(&uid("a")).unwrap();
    assert_eq!(due, world.now + Duration::from_mins(5));
    world.pass(300);
    world.brakes.gave_back(&key("a"));
    world.seen("a", true);
    assert_eq!(world.seen("a", false), []);
    assert_eq!(world.brakes.gives_back_at(&uid("a")), None);
    assert!(!world.with("a", false, |b, pod, _| b.may_create(pod)));
    assert_eq!(world.may_allocate("a").unwrap_err().why, Why::AddressFirst);
    assert!(world.with("a", true, |b, pod, _| b.may_create(pod)));
    world.left("a");
    assert!(
        world.with("a", false, |b, pod, _| b.may_create(pod)),
        "a pod that is gone is forgotten"
    );
}

#[test]
fn a_pod_that_loses_its_address_has_all_of_the_patience_again() {
    let mut world = World::new();
    world.allocate("a").unwrap();
    world.got_ip("a");
    world.pass(3600);
    assert_eq!(world.brakes.gives_back_at(&uid("a")), None);
    let old = world.now - Duration::from_hours(1);
    world.with("a", false, |b, pod, now| b.seen(pod, Some(old), now));
    let due = world.now + PATIENCE;
    assert_eq!(world.brakes.gives_back_at(&uid("a")), Some(due));
    world.pass(60);
    world.with("a", false, |b, pod, now| b.seen(pod, Some(old), now));
    assert_eq!(world.brakes.gives_back_at(&uid("a")), Some(due));
}

#[test]
fn on_a_node_without_a_network_three_try_and_not_all_the_others_at_once() {
    let mut world = World::new();
    let names: Vec<_> = (0..20).map(|n| format!("web-{n}")).collect();
    world.owner = Uid::new("somebody");
    for name in &names[..3] {
        world.allocate(name).unwrap();
    }
    world.pass(10);
    for name in &names[3..] {
        assert_eq!(world.allocate(name), Err(Why::NodeWaits));
    }
    world.pass(290);
    let mut freed = Vec::new();
    for name in &names[..3] {
        world.brakes.gave_back(&key(name));
        freed.extend(world.seen(name, false));
    }
    assert_eq!(freed.len(), 17, "all may ask");
    let bought = names[3..]
        .iter()
        .filter(|name| world.allocate(name) == Ok(()));
    let bought: Vec<_> = bought.cloned().collect();
    assert_eq!(bought.len(), 3, "and three try");
    let freed = world.got_ip(&bought[0]);
    assert_eq!(freed.len(), 14, "it works again: nobody is held");
    let bought = names[6..]
        .iter()
        .filter(|name| world.allocate(name) == Ok(()));
    assert_eq!(bought.count(), 14);
}

#[test]
fn an_address_that_stood_all_along_says_nothing_about_the_network() {
    let mut world = World::new();
    world.got_ip("old");
    for name in ["a", "b", "c"] {
        world.allocate(name).unwrap();
    }
    world.brakes.gave_back(&key("a"));
    world.seen("a", false);
    world.got_ip("old");
    world.allocate("d").unwrap();
    assert_eq!(world.allocate("e"), Err(Why::NodeWaits));
}

#[test]
fn an_owner_whose_pods_go_without_an_address_gets_one_a_minute() {
    let mut world = World::new();
    for n in 0..5 {
        let name = format!("web-{n}");
        world.allocate(&name).unwrap();
        world.left(&name);
        world.pass(1);
    }
    let hold = world.may_allocate("web-5").unwrap_err();
    assert_eq!(hold.why, Why::OwnerBurns);
    assert_eq!(hold.until, world.now + Duration::from_secs(59));
    assert_eq!(world.with("web-5", true, Brakes::may_allocate), Ok(()));
    world.pass(59);
    world.allocate("web-5").unwrap();
    assert_eq!(world.allocate("web-6"), Err(Why::OwnerBurns));
    world.owner = Uid::new("another");
    world.allocate("other").unwrap();
}

#[test]
fn what_counts_as_an_allocation_in_vain() {
    // What happens to six pods, and how often that was in vain.
    type Story = fn(&mut World, &str);
    let refused: Story = |world, name| {
        world.seen(name, false);
        world.with(name, false, Brakes::allocating);
        world.left(name);
    };
    let given_back: Story = |world, name| {
        world.seen(name, true);
        world.brakes.gave_back(&key(name));
        world.seen(name, false);
        world.left(name);
    };
    let replaced: Story = |world, name| {
        world.seen(name, true);
        let (key, successor) = (key(name), uid("successor"));
        let asker = Asker {
            key: &key,
            pod: &successor,
            owner: None,
            has_ip: false,
        };
        world.brakes.seen(&asker, None, world.now);
    };
    let served: Story = |world, name| {
        world.seen(name, true);
        world.got_ip(name);
        world.seen(name, true);
        world.left(name);
    };
    let not_allocated: Story = |world, name| {
        world.seen(name, false);
        world.with(name, false, Brakes::allocating);
        world.seen(name, false);
        world.left(name);
    };
    let never_asked: Story = |world, name| {
        world.seen(name, false);
        world.left(name);
    };
    for (what, story, in_vain) in [
        ("refused", refused, true),
        ("given back", given_back, true),
        ("replaced", replaced, true),
        ("served", served, false),
        ("not allocated", not_allocated, false),
        ("never asked", never_asked, false),
    ] {
        let mut world = World::new();
        for n in 0..5 {
            story(&mut world, &format!("web-{n}"));
        }
        world.with("x", false, Brakes::allocating);
        world.brakes.waiting = Waiting::default();
        let held = world.may_allocate("z").map_err(|hold| hold.why);
        let expected = if in_vain {
            Err(Why::OwnerBurns)
        } else {
            Ok(())
        };
        assert_eq!(held, expected, "{what}");
    }
}

#[test]
fn many_tombstones_hold_everything_and_one_does_not() {
    let mut world = World::new();
    let since = world.now;
    assert_eq!(world.tombstone("a", 8), None);
    let may =
        |world: &World, name: &str| world.brakes.may_give_back(&key(name), since, 8, world.now);
    assert_eq!(may(&world, "a"), Err(since + Duration::from_secs(10)));
    world.pass(10);
    assert_eq!(may(&world, "a"), Ok(()));
    for name in ["b", "c", "d", "e"] {
        assert_eq!(world.tombstone(name, 8), None);
    }
    let outbreak = world.tombstone("f", 8).unwrap();
    assert_eq!((outbreak.tombstones, outbreak.living), (5, 8));
    assert_eq!(outbreak.until, world.now + Duration::from_mins(10));
    assert_eq!(may(&world, "a"), Err(outbreak.until));
    world.pass(600);
    assert_eq!(may(&world, "a"), Ok(()));
}

#[test]
fn tombstones_of_our_own_are_no_storm_and_wait_for_none() {
    let mut world = World::new();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        world.seen(name, true);
        world.brakes.gave_back(&key(name));
    }
    for name in names {
        assert_eq!(world.tombstone(name, 5), None);
        let may = world
            .brakes
            .may_give_back(&key(name), world.now, 5, world.now);
        assert_eq!(may, Ok(()));
    }
    // Later their next records are deleted by hand.
    for name in names {
        world.seen(name, false);
        world.got_ip(name);
    }
    let said = names.iter().filter_map(|name| world.tombstone(name, 5));
    assert_eq!(said.count(), 1);
}

#[test]
fn every_text_says_what_it_waits_for() {
    for why in [Why::NodeWaits, Why::OwnerBurns, Why::AddressFirst] {
        let text = why.to_string();
        assert!(
            text.starts_with("waits") && text.contains("address"),
            "{text}"
        );
        assert!(text.len() < 200);
    }
}
