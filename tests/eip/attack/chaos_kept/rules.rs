//! What must hold at every moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use cloudsim::Cloud;
use cloudsim::eip::{Eip, Status};
use serde_json::Value;
use testbed::apiserver::ApiServer;

use super::wish::Wish;
use super::*;

/// An agent's reads count for 5 s, and a request takes a while.
const READ_MS: u64 = 6_000;
/// A watch may be so late, and with it what is known of an annotation.
const TOLD_MS: u64 = 30_000;

#[derive(Clone)]
pub(super) struct Rules {
    seed: u64,
    pub(super) api: ApiServer,
    pub(super) cloud: Cloud,
    pub(super) named: [String; 2],
    past: Arc<Mutex<Past>>,
}

/// What has been seen so far.
#[derive(Default)]
struct Past {
    calm: bool,
    story: Vec<String>,
    /// What each name asks for, and since when in one way.
    asked: HashMap<usize, (Wish, u64)>,
    /// The EIP that each name must not lose.
    pinned: HashMap<usize, String>,
    /// Bound EIPs whose pods live and ask for them: since when.
    standing: HashMap<String, u64>,
    /// The same, ended: EIP, from, to.
    stood: Vec<(String, u64, u64)>,
}

impl Rules {
    pub fn new(seed: u64, world: &World, named: &[String; 2]) -> Self {
        Self {
            seed,
            api: world.api.clone(),
            cloud: world.cloud.clone(),
            named: named.clone(),
            past: Arc::default(),
        }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap()
    }

    fn now(&self) -> u64 {
        self.cloud.clock().now()
    }

    pub fn told(&self, what: &str) {
        let now = self.now();
        self.past().story.push(format!("{now} {what}"));
    }

    pub fn calm(&self) {
        self.past().calm = true;
    }

    /// The pod of that name is another, or elsewhere.
    pub fn changed(&self, n: usize) {
        let now = self.now();
        self.told(&format!("changed {}", NAMES[n]));
        let ids: Vec<_> = self.record(n).iter().map(|r| id(r).to_owned()).collect();
        let mut past = self.past();
        for id in ids {
            past.ended(&id, now);
        }
    }

    pub fn asks(&self, n: usize, wish: &Wish) {
        self.changed(n);
        self.told(&format!("{} asks {wish:?}", NAMES[n]));
        let now = self.now();
        let mut past = self.past();
        let same = past
            .asked
            .get(&n)
            .is_some_and(|(old, _)| old.keeps_for_good() && wish.keeps_for_good());
        if !same {
            past.asked.insert(n, (wish.clone(), now));
            past.pinned.remove(&n);
        }
    }

    pub async fn watch(self) {
        loop {
            let calm = self.past().calm;
            clock::sleep(ms(if calm { 1_003 } else { 37 })).await;
            self.look();
        }
    }

    pub(super) fn record(&self, n: usize) -> Option<Value> {
        self.api.get("podeips", NS, NAMES[n])
    }

    pub(super) fn pod(&self, n: usize) -> Option<Value> {
        self.api.get("pods", NS, NAMES[n])
    }

    pub(super) fn ours(&self) -> Vec<Eip> {
        let mut eips = self.cloud.eips();
        eips.retain(|eip| eip.tags.now().contains_key("eipd-record"));
        eips
    }

    fn look(&self) {
        self.ours_have_records();
        self.named_are_untouched();
        let mut standing = Vec::new();
        for n in 0..4 {
            let Some(record) = self.record(n) else {
                continue;
            };
            self.shown_is_so(&record);
            self.kept_is_the_same(n, &record);
            if self.stands(n, &record) {
                standing.push(id(&record).to_owned());
            }
        }
        let now = self.now();
        let mut past = self.past();
        let gone: Vec<_> = past
            .standing
            .keys()
            .filter(|id| !standing.contains(id))
            .cloned()
            .collect();
        for id in gone {
            past.ended(&id, now);
        }
        for id in standing {
            past.standing.entry(id).or_insert(now);
        }
    }

    /// An EIP of ours without its record would be paid for until somebody notices.
    fn ours_have_records(&self) {
        let records = self.api.list("podeips");
        for eip in self.ours() {
            let tags = eip.tags.now();
            let tag = tags.get("eipd-record").copied().unwrap_or_default();
            let of = |record: &Value| {
                let uid = record["metadata"]["uid"].as_str().unwrap_or_default();
                tag.starts_with(uid)
            };
            assert!(
                eip.status == Status::Releasing || records.iter().any(of),
                "{} has no record any more\n{}",
                eip.id,
                self.picture()
            );
        }
    }

    fn named_are_untouched(&self) {
        for id in &self.named {
            let eip = self.cloud.eip(id);
            let untouched = eip.as_ref().is_ok_and(|eip| {
                eip.tags.now().is_empty()
                    && eip.package_id.now().is_none()
                    && eip.name.is_empty()
                    && *eip.bandwidth.now() == 5
            });
            assert!(untouched, "{eip:?}\n{}", self.picture());
        }
    }

    fn shown_is_so(&self, record: &Value) {
        let Some(ip) = record["status"]["privateIPAddress"].as_str() else {
            return;
        };
        let eip = self.cloud.eip(id(record));
        assert!(
            eip.as_ref().is_ok_and(|eip| is_in_use_at(eip, ip)),
            "shown {ip}, but {eip:?}: {record}\n{}",
            self.picture()
        );
    }

    /// A name that has asked for "Never" long enough has one EIP, whatever becomes of its pods.
    fn kept_is_the_same(&self, n: usize, record: &Value) {
        let now = self.now();
        let uid = self.pod(n).map(|pod| pod["metadata"]["uid"].clone());
        let serves = uid.is_some_and(|uid| record["metadata"]["annotations"]["eipd.io/pod"] == uid);
        let mut past = self.past();
        let asked = past.asked.get(&n).cloned();
        let kept =
            asked.is_some_and(|(wish, since)| wish.keeps_for_good() && now > since + TOLD_MS);
        let whole = record["metadata"]["deletionTimestamp"].is_null() && is_own(record);
        let id = id(record);
        if kept && serves && whole && !id.is_empty() {
            let pinned = past
                .pinned
                .entry(n)
                .or_insert_with(|| id.to_owned())
                .clone();
            drop(past);
            assert_eq!(pinned, id, "{} lost its EIP\n{}", NAMES[n], self.picture());
            assert!(
                self.cloud.eip(id).is_ok(),
                "{id} released\n{}",
                self.picture()
            );
        }
    }

    /// Bound, shown, and asked for by a living pod.
    fn stands(&self, n: usize, record: &Value) -> bool {
        let Some(pod) = self.pod(n) else { return false };
        let (meta, status) = (&pod["metadata"], &pod["status"]);
        let asked = self.past().asked.get(&n).map(|(wish, _)| wish.clone());
        let fits = match asked {
            Some(Wish::Own(..)) => is_own(record),
            Some(Wish::Named(which)) => !is_own(record) && id(record) == self.named[which],
            _ => false,
        };
        fits && record["metadata"]["annotations"]["eipd.io/pod"] == meta["uid"]
            && record["metadata"]["deletionTimestamp"].is_null()
            && meta["deletionTimestamp"].is_null()
            && status["phase"] == "Running"
            && status["podIP"].is_string()
            && record["status"]["privateIPAddress"] == status["podIP"]
    }

    /// Nobody unbinds what a living pod has and asks for.
    pub fn no_binding_was_cut(&self) {
        let past = self.past();
        for call in self.cloud.calls() {
            if call.action != "UnassociateEipAddress" {
                continue;
            }
            let (id, at) = (&call.args["AllocationId"], call.received_ms);
            let cut = past
                .stood
                .iter()
                .find(|(eip, from, to)| eip == id && from + READ_MS < at && at < *to);
            assert!(cut.is_none(), "seed {}: {cut:?} {call:?}", self.seed);
        }
    }

    pub fn picture(&self) -> String {
        let calls = self.cloud.calls();
        let calls: Vec<_> = calls
            .iter()
            .filter(|call| call.product == "vpc")
            .map(|call| {
                format!(
                    "{} {:?} {} {:?} {} {:?}",
                    call.received_ms,
                    call.worked_ms,
                    call.action,
                    call.args,
                    call.outcome,
                    call.code
                )
            })
            .collect();
        let skip = calls.len().saturating_sub(60);
        format!(
            "seed {}\nstory {:#?}\ncalls {:#?}\n{}",
            self.seed,
            self.past().story,
            &calls[skip..],
            self.api.picture()
        )
    }
}

impl Past {
    fn ended(&mut self, id: &str, now: u64) {
        if let Some(from) = self.standing.remove(id) {
            self.stood.push((id.to_owned(), from, now));
        }
    }
}

pub(super) fn is_own(record: &Value) -> bool {
    record["spec"]["allocationType"]["type"] == "Auto"
}

pub(super) fn id(record: &Value) -> &str {
    record["metadata"]["labels"]["eipd.io/eip"]
        .as_str()
        .unwrap_or_default()
}
