//! A pod that is over, or asks no more: nothing may lead to its address, and then the record goes, or rests for the next pod.

use super::super::facts::{Change, Facts};
use super::super::step::{After, Pause, Scope, Step};
use super::told;
use crate::cloud::vpc::forward::EntryView;
use crate::domain::dnat::{DnatRecord, Mapping};
use crate::domain::pod::{Pod, Stage};
use crate::domain::ports::PortAsk;
use crate::eip::facts::Crd;

/// The record is ours and no tombstone; its pod (`None`: gone) has no claim to it any more.
pub(super) fn plan(facts: &Facts<'_>, record: &DnatRecord, pod: Option<&Pod>) -> Step {
    let given_up = pod.is_some_and(Pod::serves);
    match &record.keeper {
        Some(keeper) if !given_up => {
            if let Some(step) = nothing_leads(facts, record) {
                return step;
            }
            match (&keeper.workload, facts.workload_keeps) {
                (Some(workload), None) => Step::ReadWorkload(workload.clone()),
                (Some(_), Some(false)) => delete(record),
                _ => Step::Blank {
                    at: record.rev.clone(),
                },
            }
        }
        _ => delete(record),
    }
}

/// The pod asks for other ports: another record, for one record has one choice.
pub(super) fn replace(facts: &Facts<'_>, record: &DnatRecord, pod: &Pod) -> Step {
    told::hide(facts, pod).unwrap_or_else(|| delete(record))
}

/// The tombstone comes before anything is given back: from here on nobody can want it otherwise.
fn delete(record: &DnatRecord) -> Step {
    Step::Delete {
        at: record.rev.clone(),
    }
}

/// The record is ours and a tombstone.
pub(super) fn give_back(facts: &Facts<'_>, record: &DnatRecord) -> Step {
    if !record.finalizer {
        return Step::Rest; // somebody else's finalizer holds it
    }
    match facts.crd {
        Crd::Unknown => return Step::ReadCrd,
        Crd::Terminating => return Step::Pause(Pause::CrdTerminating),
        Crd::Fine => {}
    }
    if let Some(step) = nothing_leads(facts, record) {
        return step;
    }
    // A pod that lives on must not show its ports any longer.
    let own = facts.own_pod(record);
    let lives_on = own.filter(|pod| pod.stage() != Stage::Finished && !pod.deleting);
    if let Some(step) = lives_on.and_then(|pod| told::hide(facts, pod)) {
        return step;
    }
    // That write was refused and is retried: of a pod that asks no more nothing but this record knows.
    if lives_on.is_some_and(|pod| pod.ports == PortAsk::Nothing && told::is_told(pod)) {
        return Step::Rest;
    }
    Step::DropFinalizer {
        at: record.rev.clone(),
        keep: record.other_finalizers.clone(),
    }
}

/// What a look waits for now.
pub(super) fn after(facts: &Facts<'_>) -> After {
    match facts.settling {
        Some(Change::Make) => After::Make,
        Some(Change::Remove) => After::Remove,
        None => After::Nothing,
    }
}

/// The next step towards a table without any entry of this record, as its names tell; `None` when it is so.
pub(super) fn nothing_leads(facts: &Facts<'_>, record: &DnatRecord) -> Option<Step> {
    if !record.shown.is_empty() {
        return Some(Step::WriteStatus {
            at: record.rev.clone(),
            entries: Vec::new(),
        });
    }
    // Without a choice that can be read nothing of ours was ever made.
    let mapping = record.mapping.as_ref()?;
    if facts.sure {
        return None;
    }
    let look = |after| {
        Some(Step::Look {
            table: mapping.table.clone(),
            scope: Scope::Own {
                record: record.rev.uid.clone(),
                ports: mapping.ports.len().max(record.shown.len()),
            },
            after,
        })
    };
    let Some(table) = facts.look.filter(|table| table.own) else {
        return look(after(facts));
    };
    if table.missing {
        return (!facts.no_table_twice).then_some(Step::Pause(Pause::SecondLook));
    }
    let mine = facts.mine(record, table);
    if mine.iter().any(|it| is_busy(it.entry)) {
        return look(After::Make);
    }
    remove(record, mapping, mine.iter().map(|it| it.entry)).or_else(|| {
        match (mine.is_empty(), facts.unseen) {
            (false, _) => look(After::Remove),
            (true, true) => look(After::Make),
            (true, false) if facts.in_flight => Some(Step::Pause(Pause::InFlight)),
            (true, false) => None,
        }
    })
}

/// Deletes all of these that can be deleted now, in one turn.
pub(super) fn remove<'a>(
    record: &DnatRecord,
    mapping: &Mapping,
    entries: impl Iterator<Item = &'a EntryView>,
) -> Option<Step> {
    let can = entries.filter(|it| it.status != "Deleting" && !is_busy(it));
    let entries: Vec<_> = can.map(|it| (it.id.clone(), it.name.clone())).collect();
    if entries.is_empty() {
        return None;
    }
    // Whoever reads the record must not find what is about to go.
    if !record.shown.is_empty() {
        return Some(Step::WriteStatus {
            at: record.rev.clone(),
            entries: Vec::new(),
        });
    }
    Some(Step::Remove {
        table: mapping.table.clone(),
        entries,
    })
}

/// Its own change is not over: it can't be deleted now.
pub(super) fn is_busy(entry: &EntryView) -> bool {
    matches!(entry.status.as_str(), "Pending" | "Modifying")
}
