//! What of a name is judged by what the other names do: the brakes, and whether another controller runs.

use super::super::brakes::Asker;
use super::super::facts::Around;
use super::super::step::{Brake, Step};
use super::super::{brakes, memory::Memory};
use super::Engine;
use crate::clock::Instant;
use crate::domain::ids::Key;
use crate::domain::pod::{Ask, Pod};
use crate::domain::record::Record;

impl Engine {
    /// Judges `key`; names that were held for its sake are planned for again.
    pub(super) fn around(&mut self, key: &Key, now: Instant) -> Around {
        let mut around = Around {
            others_run: self.others_run == Some(true),
            ..Around::quiet(self.ports.clock.wall())
        };
        let Some(name) = self.names.get(key) else {
            return around;
        };
        let memory = &name.memory;
        let (pod, record) = (memory.pod().cloned(), memory.record().cloned());
        let eip_since = memory.eip_since();
        let tombstone = memory.tombstone_of_living();
        let mut hold = None;
        let freed = match pod
            .as_ref()
            .filter(|pod| asks_here(pod, &self.ports.me.node))
        {
            None => self.brakes.left(key, now),
            Some(pod) => {
                let asker = asker(pod);
                let freed = self.brakes.seen(&asker, eip_since, now);
                around.address_first = !self.brakes.may_create(&asker);
                let gives_back = self.brakes.gives_back_at(&pod.uid);
                around.unused = gives_back.is_some_and(|at| at <= now);
                if record
                    .as_ref()
                    .is_some_and(|record| is_empty(record, eip_since))
                    && let Err(held) = self.brakes.may_allocate(&asker, now)
                {
                    around.brake = Some(brake(held.why));
                    hold = Some(held.until);
                }
                hold = hold.or_else(|| gives_back.filter(|at| *at > now));
                freed
            }
        };
        if let Some(since) = tombstone {
            let living = self.living();
            if let Some(outbreak) = self.brakes.tombstone(key, since, living, now) {
                tracing::error!(
                    tombstones = outbreak.tombstones,
                    living = outbreak.living,
                    "many PodEIPs of living pods were deleted at once: nothing is given back for ten minutes"
                );
            }
            if let Err(until) = self.brakes.may_give_back(key, since, living, now) {
                around.storm = true;
                hold = Some(until);
            }
        }
        if let Some(name) = self.names.get_mut(key) {
            name.hold = hold;
        }
        for other in freed.iter().filter(|other| *other != key) {
            self.agenda.touch(other);
        }
        around
    }

    /// A step begins: the brakes count it.
    pub(super) fn count_step(&mut self, key: &Key, step: &Step, around: &Around, now: Instant) {
        let pod = self.names.get(key).and_then(|name| name.memory.pod());
        match (step, pod.cloned()) {
            (Step::Allocate { .. }, Some(pod)) => self.brakes.allocating(&asker(&pod), now),
            (Step::Delete { .. }, _) if around.unused => self.brakes.gave_back(key),
            _ => {}
        }
    }

    /// Records of pods that live and are served, tombstones included.
    fn living(&self) -> usize {
        let served =
            |memory: &Memory| memory.record().is_some() && memory.pod().is_some_and(Pod::serves);
        self.names
            .values()
            .filter(|name| served(&name.memory))
            .count()
    }
}

fn asks_here(pod: &Pod, node: &str) -> bool {
    pod.node.as_deref() == Some(node) && pod.serves() && pod.ask != Ask::Nothing
}

fn asker(pod: &Pod) -> Asker<'_> {
    Asker {
        key: &pod.key,
        pod: &pod.uid,
        owner: pod.controller.as_ref(),
        has_ip: pod.ip.is_some(),
    }
}

fn is_empty(record: &Record, eip_since: Option<Instant>) -> bool {
    record.eip.is_none() && eip_since.is_none()
}

fn brake(why: brakes::Why) -> Brake {
    match why {
        brakes::Why::NodeWaits | brakes::Why::AddressFirst => Brake::AddressFirst,
        brakes::Why::OwnerBurns => Brake::Owner,
    }
}
