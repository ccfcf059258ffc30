//! Random lives under random faults: in the end the books balance, and what is shown is so at every moment.

use std::collections::BTreeSet;
use std::time::Duration;

use cloudsim::control::nat::EntryAction;
use cloudsim::faults::{Answer, FaultKind};
use eipd::clock;
use testbed::apiserver::{Then, When, WorkloadKind};

use crate::nat::{asking, eip, gateway, is_ready, record, world};
use crate::world::{Agent, NS, World};

/// More of them, by hand, when the plan or the memory has changed: hundreds take minutes.
const SEEDS: u64 = 10;
const STEPS: usize = 40;
/// Few, so that a name soon comes back while its last life is still being cleared away.
const NAMES: [&str; 3] = ["web-0", "web-1", "web-2"];
const ACTIONS: [&str; 4] = [
    "CreateForwardEntry",
    "DeleteForwardEntry",
    "DescribeForwardTableEntries",
    "DescribeNatGateways",
];

/// A random source of our own, so that a seed means the same life for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }
}

struct Chaos {
    dice: Dice,
    world: World,
    agent: Option<Agent>,
    agents: u32,
    living: BTreeSet<&'static str>,
    next: u8,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let (mut world, _) = world();
        gateway(&world, "ngw-2", "ftb-2");
        eip(&world, "ngw-2");
        world.config += "networkController: {natGwPool: [{natgwId: ngw-1, portRangeEnd: 519}, {natgwId: ngw-2}]}\n";
        world.workload(WorkloadKind::StatefulSet, "web");
        let scale = |set: &mut serde_json::Value| set["spec"]["replicas"] = 3.into();
        world.api.edit("statefulsets", NS, "web", scale).unwrap();
        Self {
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            world,
            agent: None,
            agents: 0,
            living: BTreeSet::new(),
            next: 11,
        }
    }

    fn start(&mut self) {
        if self.agent.is_none() {
            self.agents += 1;
            self.agent = Some(self.world.start(&format!("agent-{}", self.agents)));
        }
    }

    async fn step(&mut self) {
        match self.dice.roll(10) {
            0..=2 => self.birth(),
            3 | 4 => self.death(),
            5 => self.fault(),
            6 => self.console(),
            7 => self.by_hand(),
            8 => {
                if let Some(agent) = self.agent.take() {
                    agent.kill().await;
                }
            }
            _ => self.start(),
        }
        let wait = Duration::from_millis(self.dice.roll(9_000));
        clock::sleep(wait).await;
        shown_is_so(&self.world);
    }

    fn birth(&mut self) {
        let name = self.dice.pick(&NAMES);
        if !self.living.insert(name) {
            return;
        }
        let ports = self.dice.pick(&["80", "80,81", "80,81,82"]);
        let mut pod = asking(&self.world, name, ports);
        if self.dice.roll(2) == 0 {
            let set = self.world.api.get("statefulsets", NS, "web").unwrap();
            let of = testbed::apiserver::Workload {
                kind: WorkloadKind::StatefulSet,
                name: "web".to_owned(),
                uid: set["metadata"]["uid"].as_str().unwrap().to_owned(),
            };
            pod = pod
                .annotation("k8s.aliyun.com/pod-dnat-fixed", "")
                .owned_by(&of);
        }
        self.world.run(&pod, &format!("10.0.0.{}", self.next));
        self.next = if self.next == 60 { 11 } else { self.next + 1 };
    }

    fn death(&mut self) {
        if let Some(name) = self.living.pop_first() {
            self.world.delete_pod(name);
        }
    }

    fn fault(&mut self) {
        let busy = Answer {
            status: 500,
            code: "InternalError".to_owned(),
            ..Answer::default()
        };
        match self.dice.roll(5) {
            0 => {
                let resource = self.dice.pick(&["poddnats", "pods", "paces"]);
                let then = self.dice.pick(&[0, 1]);
                let then = if then == 0 {
                    Then::LoseAnswer
                } else {
                    Then::LoseRequest
                };
                self.world
                    .api
                    .fault(When::writes().resource(resource), 1, then);
            }
            n => {
                let fault = match n {
                    1 => FaultKind::Lose,
                    2 => FaultKind::Drop,
                    3 => FaultKind::FailAfter(busy),
                    _ => FaultKind::Slow { ms: 15_000 },
                };
                self.world.order(self.dice.pick(&ACTIONS), fault);
            }
        }
    }

    fn console(&mut self) {
        let entries = self.world.entries();
        let Some(entry) = entries.first() else { return };
        let elsewhere = EntryAction::Modify {
            internal_ip: Some([10, 0, 0, 200].into()),
            internal_port: None,
            name: None,
        };
        let action = match self.dice.roll(2) {
            0 => EntryAction::Delete,
            _ => elsewhere,
        };
        // It may have gone just now.
        let _ = self.world.cloud.change_forward_entry(&entry.id, &action);
    }

    fn by_hand(&mut self) {
        let name = self.dice.pick(&NAMES);
        let _ = self.world.api.delete("poddnats", NS, name);
    }

    /// All pods that live have their ports, and nothing else is there.
    async fn comes_to_rest(&mut self) {
        self.world.cloud.clear_faults();
        self.start();
        clock::sleep(Duration::from_hours(3)).await;
        let waiting: Vec<_> = self
            .living
            .iter()
            .filter(|name| !is_ready(&self.world.api, name))
            .collect();
        assert!(waiting.is_empty(), "{waiting:?}\n{}", self.world.table());
        shown_is_so(&self.world);
        let mut due = 0;
        for name in &self.living {
            self.world.all_true(name);
            let asked = record(&self.world.api, name);
            due += asked["spec"]["portMapping"].as_array().unwrap().len();
        }
        assert_eq!(self.world.entries().len(), due, "{}", self.world.table());
    }

    /// Everything is taken away: no entry and no record is left.
    async fn nothing_leaked(&mut self) {
        while let Some(name) = self.living.pop_first() {
            self.world.delete_pod(name);
        }
        self.world.api.delete("statefulsets", NS, "web").unwrap();
        clock::sleep(Duration::from_hours(2)).await;
        let left = self.world.api.list("poddnats");
        // Those of bare fixed pods would stay; there are none here.
        assert!(left.is_empty(), "{left:#?}");
        assert!(self.world.entries().is_empty(), "{}", self.world.table());
    }
}

/// No two records show the same port, and none shows an entry that leads to another pod's address.
fn shown_is_so(world: &World) {
    let mut outside = BTreeSet::new();
    for record in world.api.list("poddnats") {
        let none = Vec::new();
        let shown = record["status"]["entries"].as_array().unwrap_or(&none);
        for entry in shown {
            let end = (
                entry["externalIP"].to_string(),
                entry["externalPort"].to_string(),
            );
            assert!(outside.insert(end), "{entry} is shown twice");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn random_lives_under_random_faults() {
    for seed in 0..SEEDS {
        let mut chaos = Chaos::new(seed);
        for _ in 0..STEPS {
            chaos.step().await;
        }
        chaos.comes_to_rest().await;
        chaos.nothing_leaked().await;
        if let Some(agent) = chaos.agent.take() {
            agent.kill().await;
        }
    }
}
