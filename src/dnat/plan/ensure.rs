//! The record's pod lives and asks: every entry is made, in the order of the ports, and then all of them are shown at once.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::super::facts::{Change, Facts, Mine, Table};
use super::super::names;
use super::super::step::{After, Pause, Scope, Step};
use super::{begin, leave, told};
use crate::cloud::vpc::forward::{EntryView, ForwardArgs};
use crate::domain::dnat::{DnatRecord, Entry, Mapping};
use crate::domain::pod::Pod;
use crate::domain::ports::PortWish;

pub(super) fn plan(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod) -> Step {
    let wish = pod.ports.wish();
    let Some(mapping) = record.mapping.as_ref().filter(|it| is_of(it, wish)) else {
        return leave::replace(facts, record, pod);
    };
    if let Some(wish) = wish
        && kept_otherwise(record, wish)
    {
        return Step::Serve {
            at: record.rev.clone(),
            pod: pod.uid.clone(),
            wish: wish.clone(),
            settled: record.is_settled(),
        };
    }
    let Some(ip) = pod.ip else {
        return Step::Rest;
    };
    if mapping.internal != Some(ip) {
        return moved(facts, record, pod, ip);
    }
    if record.shows_all() && facts.look.is_none() && facts.settling.is_none() {
        return told::show(facts, mapping, pod);
    }
    by_table(facts, record, pod, mapping, ip)
}

/// Other ports, or the other protocol, are another record.
fn is_of(mapping: &Mapping, wish: Option<&Arc<PortWish>>) -> bool {
    wish.is_none_or(|wish| mapping.is_of(&wish.ports))
}

fn kept_otherwise(record: &DnatRecord, wish: &PortWish) -> bool {
    let workload =
        |fixed: Option<&crate::domain::ports::Keeper>| fixed.map(|keeper| keeper.workload.clone());
    workload(record.keeper.as_ref()) != workload(wish.keeper().as_ref())
}

/// The pod has another address than the record says: nothing may lead to the old one, which may be another pod's.
fn moved(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod, ip: Ipv4Addr) -> Step {
    let led = record
        .mapping
        .as_ref()
        .is_some_and(|it| it.internal.is_some());
    if led && let Some(step) = leave::nothing_leads(facts, record) {
        return step;
    }
    if facts.no_place {
        return Step::Pause(Pause::NoPlace);
    }
    begin::with_place(facts, pod, ip, |spot| Step::Place {
        at: record.rev.clone(),
        spot,
        outside: None,
    })
}

fn by_table(
    facts: &Facts<'_>,
    record: &DnatRecord,
    pod: &Pod,
    mapping: &Mapping,
    ip: Ipv4Addr,
) -> Step {
    let nothing = Table::default();
    let seen = match facts.seen {
        Some(seen) if seen.whole || !facts.blocked => seen,
        None if facts.sure => &nothing,
        _ => return look(facts, mapping, ip),
    };
    let mine = facts.mine(record, seen);
    if let Some(step) = unfit(facts, record, &mine, mapping, ip) {
        return step;
    }
    let has = |n: usize| mine.iter().find(|it| it.n == n && it.right);
    if let Some(pending) = mine
        .iter()
        .find(|it| it.right && it.entry.status != "Available")
    {
        let after = match pending.entry.status.as_str() {
            "Deleting" => After::Remove,
            _ => After::Make,
        };
        return look_for(mapping, Scope::Inside(ip), after);
    }
    match (0..mapping.ports.len()).find(|n| has(*n).is_none()) {
        Some(n) => make(facts, record, pod, mapping, seen, n),
        None => complete(facts, record, pod, mapping, &mine, ip),
    }
}

fn look(facts: &Facts<'_>, mapping: &Mapping, ip: Ipv4Addr) -> Step {
    let scope = match facts.blocked {
        true => Scope::Whole,
        false => Scope::Inside(ip),
    };
    look_for(mapping, scope, leave::after(facts))
}

fn look_for(mapping: &Mapping, scope: Scope, after: After) -> Step {
    Step::Look {
        table: mapping.table.clone(),
        scope,
        after,
    }
}

/// Entries that bear our name and lead elsewhere, or are too many: somebody has edited them, or the choice has changed.
fn unfit(
    facts: &Facts<'_>,
    record: &DnatRecord,
    mine: &[Mine<'_>],
    mapping: &Mapping,
    ip: Ipv4Addr,
) -> Option<Step> {
    if mine.iter().all(|it| it.right) {
        return None;
    }
    if facts.look.is_none() {
        return Some(look_for(mapping, Scope::Inside(ip), leave::after(facts)));
    }
    let wrong = || mine.iter().filter(|it| !it.right).map(|it| it.entry);
    let after = match wrong().any(leave::is_busy) {
        true => After::Make,
        false => After::Remove,
    };
    let wait = || look_for(mapping, Scope::Whole, after);
    Some(leave::remove(record, mapping, wrong()).unwrap_or_else(wait))
}

fn make(
    facts: &Facts<'_>,
    record: &DnatRecord,
    pod: &Pod,
    mapping: &Mapping,
    seen: &Table,
    n: usize,
) -> Step {
    let Some(entry) = mapping.entry(n) else {
        return Step::Rest;
    };
    if facts.unseen {
        return look_for(mapping, Scope::Inside(entry.internal.0), After::Make);
    }
    if let Some(step) = taken(facts, record, pod, mapping, seen) {
        return step;
    }
    if facts.lost {
        return match record.is_settled() {
            true => Step::Pause(Pause::AddressLost {
                gateway: mapping.gateway.clone(),
                address: mapping.external,
            }),
            false => choose_again(facts, record, pod, mapping),
        };
    }
    if facts.full {
        return full(facts, record, pod, mapping);
    }
    // Not yet begun: another gateway may be free.
    let elsewhere = facts.stuck && !facts.no_other && !record.is_settled();
    if elsewhere && facts.mine(record, seen).is_empty() {
        return choose_again(facts, record, pod, mapping);
    }
    Step::Make {
        table: mapping.table.clone(),
        entry: ForwardArgs {
            name: names::name(&facts.me.cluster, &record.rev.uid, n),
            external: entry.external,
            internal: entry.internal,
            protocol: entry.protocol.as_str(),
        },
        token: format!("{}-{n}", facts.token),
    }
}

/// Whether any of the ports that are still to be made is another's: then there is no use in making the others.
fn taken(
    facts: &Facts<'_>,
    record: &DnatRecord,
    pod: &Pod,
    mapping: &Mapping,
    seen: &Table,
) -> Option<Step> {
    let ours = |it: &EntryView| names::parse(&facts.me.cluster, &it.name);
    let others = |it: &&EntryView| ours(it).is_none_or(|(uid, _)| uid != record.rev.uid);
    let ports = || (0..mapping.ports.len()).filter_map(|n| mapping.entry(n));
    let outside = |it: Entry| seen.outside(it.external, it.protocol);
    if let Some(by) = ports().filter_map(outside).find(others) {
        return Some(match record.is_settled() {
            true => Step::Pause(Pause::OutsideTaken { by: shown(by) }),
            false => choose_again(facts, record, pod, mapping),
        });
    }
    let inside = |it: Entry| seen.inside(it.internal, it.protocol);
    let by = ports().filter_map(inside).find(others)?;
    let (by, ours) = (shown(by), ours(by).is_some());
    Some(Step::Pause(Pause::InsideTaken { by, ours }))
}

fn shown(entry: &EntryView) -> String {
    format!("{} ({:?})", entry.id, entry.name)
}

/// No room for all ports: what there is of them goes back at once, so that others get whole what none would have.
fn full(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod, mapping: &Mapping) -> Step {
    // What stood once is repaired, not given up.
    let wait = Step::Pause(Pause::Full {
        gateway: mapping.gateway.clone(),
    });
    if !record.shown.is_empty() {
        return wait;
    }
    match leave::nothing_leads(facts, record) {
        Some(step) => step,
        None if record.is_settled() => wait,
        None => again(facts, record, pod, wait),
    }
}

/// The choice can't be had: another one, once nothing of this one is left.
fn choose_again(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod, mapping: &Mapping) -> Step {
    let wait = Step::Pause(Pause::Full {
        gateway: mapping.gateway.clone(),
    });
    leave::nothing_leads(facts, record).unwrap_or_else(|| again(facts, record, pod, wait))
}

fn again(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod, or: Step) -> Step {
    let (Some(wish), Some(ip)) = (pod.ports.wish(), pod.ip) else {
        return or;
    };
    begin::with_choice(facts, pod, ip, wish, |spot, outside| Step::Place {
        at: record.rev.clone(),
        spot,
        outside: Some((outside, wish.clone())),
    })
}

/// All are there: shown in one write, if a look that counts says so.
fn complete(
    facts: &Facts<'_>,
    record: &DnatRecord,
    pod: &Pod,
    mapping: &Mapping,
    mine: &[Mine<'_>],
    ip: Ipv4Addr,
) -> Step {
    if facts.look.is_none() {
        let after = match facts.settling {
            Some(Change::Make) => After::Make,
            _ => After::Nothing,
        };
        return look_for(mapping, Scope::Inside(ip), after);
    }
    let id = |n: usize| {
        mine.iter()
            .find(|it| it.n == n)
            .map(|it| it.entry.id.clone())
    };
    let entry = |n: usize| Some((mapping.entry(n)?, id(n)?));
    let entries: Vec<Entry> = (0..mapping.ports.len())
        .filter_map(entry)
        .map(|(entry, id)| Entry { id, ..entry })
        .collect();
    if record.shown == entries {
        return told::show(facts, mapping, pod);
    }
    Step::WriteStatus {
        at: record.rev.clone(),
        entries,
    }
}
