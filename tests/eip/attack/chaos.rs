//! Random lives under random faults: the books balance, and what is shown is so.

use std::collections::BTreeSet;

use cloudsim::Cloud;
use serde_json::Value;
use testbed::apiserver::ApiServer;

use super::*;
use crate::world::Agent;

/// More of them, by hand, when the plan or the memory has changed: hundreds take minutes.
const SEEDS: u64 = 12;
/// Few, so that a name soon comes back while its last life is still being cleared away.
const NAMES: [&str; 3] = ["a", "b", "c"];
const KINDS: [&str; 2] = ["pods", "podeips"];
/// Those that change something come first.
const ACTIONS: [&str; 5] = [
    "AllocateEipAddress",
    "AssociateEipAddress",
    "UnassociateEipAddress",
    "ReleaseEipAddress",
    "DescribeEipAddresses",
];

/// random lives, random trouble; in the end all is as it should be.
#[tokio::test(start_paused = true)]
async fn random_lives_under_random_faults() {
    for seed in 0..SEEDS {
        chaos(seed).await;
    }
}

/// One whole life of a node; the watcher looks on all the while, for a wrong moment may be a short one.
async fn chaos(seed: u64) {
    let mut chaos = Chaos::new(seed);
    let watcher = tokio::spawn(watch(
        seed,
        chaos.world.api.clone(),
        chaos.world.cloud.clone(),
    ));
    for _ in 0..40 {
        chaos.step().await;
    }
    chaos.comes_to_rest().await;
    chaos.nothing_leaked().await;
    chaos.all_bound_in_the_cloud();
    chaos.kill().await;
    watcher.abort();
    if let Err(error) = watcher.await
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A random source of our own, so that a seed means the same life for ever.
pub(super) struct Dice(u64);

impl Dice {
    /// Odd, for xorshift never leaves zero.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Wide, for what is counted in milliseconds; the low bits are the weak ones and are left out.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    /// What indexes and matches want; `n` is small, so it always fits.
    pub(super) fn roll(&mut self, n: u64) -> usize {
        usize::try_from(self.below(n)).unwrap()
    }

    /// So that no choice has its count written beside it, to go wrong when the list grows.
    pub(super) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        let n = u64::try_from(choices.len()).unwrap();
        choices[self.roll(n)].clone()
    }
}

/// One seed's life: what is random, what there is, and what has been done to it.
struct Chaos {
    seed: u64,
    dice: Dice,
    world: World,
    /// None only while it is down.
    agent: Option<Agent>,
    /// Which of the names has a pod that is to have an address in the end.
    alive: [bool; 3],
    /// When, what and to whom: told when a seed gets stuck.
    story: Vec<(clock::Instant, usize, &'static str)>,
}

impl Chaos {
    /// The world is set up before the agent starts, so that the agent never sees it otherwise.
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let world = World::new();
        settle(&world, seed, &mut dice);
        slow_down(&world, &mut dice);
        let agent = Some(world.start("agent"));
        Self {
            seed,
            dice,
            world,
            agent,
            alive: [false; 3],
            story: Vec::new(),
        }
    }

    /// The pause is random too: a blow may fall while the last one is still felt, or after.
    async fn step(&mut self) {
        self.sleep(4_000).await;
        let n = self.dice.roll(3);
        let blow = self.dice.roll(16);
        self.story.push((clock::now(), blow, NAMES[n]));
        match blow {
            0..=3 if !self.alive[n] => self.run(n),
            4..=5 if self.alive[n] => self.delete(n),
            6 if self.alive[n] => self.change_ip(n),
            7 => self.trouble_cloud(),
            8 => self.trouble_api(),
            9 => self.restart().await,
            10 => self.freeze().await,
            11 => {
                self.world.api.cut_watches(&When::any());
            }
            12 if self.dice.roll(3) == 0 => {
                let _ = self.world.api.delete("podeips", NS, NAMES[n]);
            }
            13 if self.alive[n] && self.dice.roll(2) == 0 => self.fail(n).await,
            14 => self.annotate(n),
            _ => {}
        }
    }

    /// Every wait of this test is random, so that no two things keep meeting at the same moment.
    async fn sleep(&mut self, below_ms: u64) {
        clock::sleep(ms(self.dice.below(below_ms))).await;
    }

    /// No two names share an address, as no two pods do, but one name often gets its last one again.
    fn ip(&mut self, n: usize) -> String {
        format!("10.0.0.{}", 11 + self.dice.roll(4) * 3 + n)
    }

    /// Only for a name without a pod: the API server would refuse a second one.
    fn run(&mut self, n: usize) {
        let ip = self.ip(n);
        self.world.run_pod(NAMES[n], &ip);
        self.alive[n] = true;
    }

    /// Half of them come back at once, as a `StatefulSet`'s pods do: the old record is then in the way.
    fn delete(&mut self, n: usize) {
        self.world.delete_pod(NAMES[n]);
        self.alive[n] = false;
        if self.dice.roll(2) == 0 {
            self.run(n);
        }
    }

    /// A sandbox that was made anew: the same pod, somewhere else.
    fn change_ip(&mut self, n: usize) {
        let ip = self.ip(n);
        let _ = self.world.api.set_pod_ip(NS, NAMES[n], &ip);
    }

    /// Lost before or after the cloud's work, refused for now or for a conflict: each wants another answer of ours.
    fn trouble_cloud(&mut self) {
        let action = self.dice.pick(&ACTIONS);
        let fault = self.dice.pick(&[
            FaultKind::Lose,
            FaultKind::Drop,
            refused(500, "InternalError"),
            refused(400, "TaskConflict"),
        ]);
        self.world.order(action, fault);
    }

    /// Only the agent's own writes: what the test does is to happen.
    fn trouble_api(&mut self) {
        let resource = self.dice.pick(&KINDS);
        let then = self.dice.pick(&[
            Then::LoseAnswer,
            Then::LoseRequest,
            Then::status(409),
            Then::status(500),
            Then::status(429),
        ]);
        let when = When::writes().client("agent").resource(resource);
        self.world.api.fault(when, 1, then);
    }

    /// All it remembers is lost, with calls still under way.
    async fn restart(&mut self) {
        self.kill().await;
        self.sleep(3_000).await;
        self.agent = Some(self.world.start("agent"));
    }

    /// The old one is to be gone before a new one starts: both would want the node's lock.
    async fn kill(&mut self) {
        if let Some(agent) = self.agent.take() {
            agent.kill().await;
        }
    }

    /// The agent goes on with an old view, and is not to trust it too far.
    async fn freeze(&mut self) {
        let resource = self.dice.pick(&KINDS);
        let which = When::any().client("agent").resource(resource);
        let stale = self.world.api.freeze(which);
        self.sleep(15_000).await;
        self.world.api.thaw(stale);
    }

    /// A pod that is over keeps its name for a while, but no longer its address.
    async fn fail(&mut self, n: usize) {
        let name = NAMES[n];
        self.world.api.finish_pod(NS, name, "Failed").unwrap();
        self.sleep(5_000).await;
        self.world.api.remove_pod(NS, name).unwrap();
        self.alive[n] = false;
    }

    /// Somebody annotates the record: what the agent has read of it is out of date, and nothing else.
    fn annotate(&mut self, n: usize) {
        let _ = self.world.api.edit("podeips", NS, NAMES[n], |record| {
            record["metadata"]["annotations"]["x"] = self.dice.roll(1000).to_string().into();
        });
    }

    /// Long enough for every retry: what is not right by then never will be.
    async fn comes_to_rest(&self) {
        let (seed, alive) = (self.seed, self.alive);
        let right = |view: &ApiServer| (0..3).all(|n| is_right(view, NAMES[n], alive[n]));
        let rest = self.world.api.until(Duration::from_mins(20), right).await;
        assert!(
            rest.is_ok(),
            "seed {seed}: stuck, alive {alive:?}\n{}\nstory {:?}",
            self.world.api.picture(),
            self.story
        );
    }

    /// A little later, for a late release needs no record to hang on.
    async fn nothing_leaked(&self) {
        clock::sleep(Duration::from_mins(3)).await;
        let want = self.alive.iter().filter(|alive| **alive).count();
        assert_eq!(
            self.world.eips().len(),
            want,
            "seed {}: leaked\n{}",
            self.seed,
            self.world.api.picture()
        );
    }

    /// Records may agree with each other and still be wrong: the cloud has the last word.
    fn all_bound_in_the_cloud(&self) {
        for n in (0..3).filter(|n| self.alive[*n]) {
            let record = self.world.record(NAMES[n]);
            let id = record["spec"]["allocationID"].as_str().unwrap();
            let ip = record["status"]["privateIPAddress"].as_str().unwrap();
            let eip = self.world.cloud.eip(id).unwrap();
            assert!(is_in_use_at(&eip, ip), "seed {} {}", self.seed, NAMES[n]);
        }
    }
}

/// Only an odd seed's cloud may answer from the past: what needs no lag to go wrong is to be seen without one.
fn settle(world: &World, seed: u64, dice: &mut Dice) {
    let lagging = seed % 2 == 1;
    world.cloud.change_settings(|settings| {
        settings.seed = seed;
        settings.settle.jitter_ms = dice.pick(&[0, 3_000]);
        settings.open.unassociate_compares = dice.roll(2) == 0;
        settings.open.describe_state_lag_ms = if lagging { dice.below(3) * 1_000 } else { 0 };
        settings.quotas.eips = 60;
    });
}

/// Calls that take a while are calls that something else can happen during.
fn slow_down(world: &World, dice: &mut Dice) {
    for action in &ACTIONS[..4] {
        latency(world, action, dice.below(400));
    }
    world.api.set_latency(ms(dice.below(60)));
}

/// Often, and at a pace that does not fall in step with anything else.
async fn watch(seed: u64, api: ApiServer, cloud: Cloud) {
    loop {
        clock::sleep(ms(37)).await;
        for record in api.list("podeips") {
            shown_is_so(seed, &cloud, &record);
        }
        one_on_a_place(&cloud);
    }
}

/// Users send packets to what a record shows: it must be true at every moment, not in the end alone.
fn shown_is_so(seed: u64, cloud: &Cloud, record: &Value) {
    let (Some(address), Some(ip)) = (
        record["status"]["eipAddress"].as_str(),
        record["status"]["privateIPAddress"].as_str(),
    ) else {
        return;
    };
    let id = record["spec"]["allocationID"].as_str().unwrap_or_default();
    let eip = cloud.eip(id);
    assert!(
        eip.as_ref().is_ok_and(|eip| is_in_use_at(eip, ip)),
        "seed {seed}: shown {address} {ip} but {eip:?}: {record}"
    );
}

/// A second one on a place would be paid for and never used.
fn one_on_a_place(cloud: &Cloud) {
    let mut seen = BTreeSet::new();
    for eip in cloud.eips() {
        if let Some(place) = &eip.place {
            assert!(
                seen.insert((place.private_ip, format!("{:?}", place.private_ip))),
                "two on one place"
            );
        }
    }
}

/// As the pod wants it now: bound at the address it has now, or no record left at all.
fn is_right(view: &ApiServer, name: &str, alive: bool) -> bool {
    let record = view.get("podeips", NS, name);
    if !alive {
        return record.is_none();
    }
    let pod = view.get("pods", NS, name).unwrap_or_default();
    let shown = &record.unwrap_or_default()["status"]["privateIPAddress"];
    is_bound(view, name) && *shown == pod["status"]["podIP"]
}
