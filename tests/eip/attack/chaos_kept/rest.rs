//! What must be so at rest, and what may be left in the end.

use cloudsim::eip::Status;
use serde_json::Value;

use super::rules::{Rules, id, is_own};
use super::wish::{Life, Wish};
use super::*;

impl Rules {
    /// What is not yet as it should be.
    pub fn wrong(&self, lives: &[Option<Life>; 4]) -> Option<String> {
        let wrong = (0..4).find_map(|n| {
            let life = lives[n].as_ref();
            self.is_wrong(n, life).map(|why| {
                let record = self.record(n).unwrap_or_default();
                format!("{}: {why}: {record}", NAMES[n])
            })
        });
        wrong
            .or_else(|| (0..2).find_map(|which| self.is_named_wrong(which, lives)))
            .or_else(|| {
                let own = self.api.list("podeips").into_iter().filter(is_own);
                let mut own: Vec<_> = own.map(|record| id(&record).to_owned()).collect();
                let mut ours: Vec<_> = self.ours().into_iter().map(|eip| eip.id).collect();
                own.sort();
                ours.sort();
                (own != ours).then(|| format!("records {own:?}, EIPs {ours:?}"))
            })
    }

    fn is_wrong(&self, n: usize, life: Option<&Life>) -> Option<&'static str> {
        let record = self.record(n);
        let Some(Life {
            ip,
            wish: Wish::Own(keep, package),
        }) = life
        else {
            let bare = matches!(life, Some(life) if life.wish == Wish::Nothing);
            let told = !self.pod(n).unwrap_or_default()["metadata"]["annotations"]
                ["k8s.aliyun.com/allocated-eipAddress"]
                .is_null();
            return match record {
                _ if bare && told => Some("told of an EIP that it does not ask for"),
                // Those are judged together.
                Some(record) if !is_own(&record) && life.is_some() && !bare => None,
                Some(record) if life.is_none() || bare => {
                    (!self.rests(&record)).then_some("not kept as it should be")
                }
                Some(_) => Some("another kind of record"),
                None => None,
            };
        };
        let Some(record) = record else {
            return Some("no record");
        };
        let (strategy, after) = match *keep {
            "Never" | "Follow" => (*keep, None),
            after => ("TTL", Some(after)),
        };
        let kind = &record["spec"]["allocationType"];
        let eip = self.cloud.eip(id(&record)).ok();
        let in_package = eip.as_ref().and_then(|eip| eip.package_id.now().clone());
        let bound = is_bound(&self.api, NAMES[n]) && eip.is_some_and(|eip| is_in_use_at(&eip, ip));
        let said = record["spec"]["bandwidthPackageID"].as_str();
        match () {
            () if !is_own(&record) => Some("not its own"),
            () if !bound => Some("not bound"),
            () if kind["releaseStrategy"] != strategy => Some("another strategy"),
            () if kind["releaseAfter"].as_str() != after => Some("another time"),
            () if in_package.as_deref() != *package => Some("another package"),
            () if said.filter(|id| !id.is_empty()) != *package => Some("another package named"),
            () => None,
        }
    }

    /// One of those that name it has it; where nobody does, it is free.
    fn is_named_wrong(&self, which: usize, lives: &[Option<Life>; 4]) -> Option<String> {
        let id = &self.named[which];
        let eip = self.cloud.eip(id).unwrap();
        let namers: Vec<_> = (0..4)
            .filter(|n| matches!(&lives[*n], Some(life) if life.wish == Wish::Named(which)))
            .collect();
        let has = |n: &&usize| {
            lives[**n]
                .as_ref()
                .is_some_and(|life| is_bound(&self.api, NAMES[**n]) && is_in_use_at(&eip, &life.ip))
        };
        let holders = namers.iter().filter(has).count();
        let right = match namers.len() {
            0 => eip.place.is_none() && eip.status == Status::Available,
            _ => holders == 1,
        };
        (!right).then(|| format!("{id} named by {namers:?}, {holders} have it: {eip:?}"))
    }

    /// Nobody's, unbound, and shows nothing.
    fn rests(&self, record: &Value) -> bool {
        let free = self
            .cloud
            .eip(id(record))
            .is_ok_and(|eip| eip.place.is_none());
        let strategy = &record["spec"]["allocationType"]["releaseStrategy"];
        free && is_own(record)
            && *strategy != "Follow"
            && record["metadata"]["deletionTimestamp"].is_null()
            && record["metadata"]["labels"]["eipd.io/node"].is_null()
            && record["status"]["eipAddress"].is_null()
    }

    pub fn only_never_is_kept(&self) {
        for record in self.api.list("podeips") {
            let strategy = &record["spec"]["allocationType"]["releaseStrategy"];
            assert!(
                *strategy == "Never" && self.rests(&record),
                "{record}\n{}",
                self.picture()
            );
        }
    }

    pub fn nothing_is_left(&self) {
        let eips: Vec<_> = self.ours().into_iter().map(|eip| eip.id).collect();
        let free = self.cloud.eips().iter().all(|eip| eip.place.is_none());
        let records = self.api.list("podeips");
        assert!(
            eips.is_empty() && records.is_empty() && free,
            "{eips:?} {records:?}\n{}",
            self.picture()
        );
    }
}
