//! An EIP that the user named: who of those that name it has it, what may be named, and taking it from its holder.

use super::super::facts::Facts;
use super::super::outcome::Namer;
use super::super::step::{LookFor, Pause, Step};
use super::serve::{elsewhere, settled_look};
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, Place};
use crate::domain::pod::{Nameable, Pod, Which};
use crate::domain::record::{Kind, Record};

/// What has to come before the target of a named EIP is written; `None`: nothing, it is free or stands there already.
pub fn before_target(
    facts: &Facts<'_>,
    record: &Record,
    pod: &Pod,
    id: &EipId,
    place: &Place,
) -> Option<Step> {
    if record.kind != Kind::Static {
        return None;
    }
    if let Some(step) = first_in_line(facts, record, id) {
        return Some(step);
    }
    match facts.look {
        None => Some(Step::Look(id.clone(), settled_look(facts))),
        Some(Look::Gone) => Some(no_such_eip(id)),
        Some(Look::Seen(seen)) => may_be_named(pod, id, seen).or_else(|| match &seen.standing {
            Standing::Free => None,
            Standing::Moving => Some(Step::Look(id.clone(), LookFor::Bound)),
            standing if standing.is_at(place) => None,
            standing => Some(rob(facts, record, id, standing)),
        }),
    }
}

/// The holder's place stands in the record: unbind it there, then go on as with a free one.
pub fn take(facts: &Facts<'_>, record: &Record, id: &EipId, from: &Place, to: &Place) -> Step {
    let free = || Step::WriteTarget {
        at: record.rev.clone(),
        place: to.clone(),
    };
    match facts.look {
        None => Step::Look(id.clone(), settled_look(facts)),
        Some(Look::Gone) => no_such_eip(id),
        Some(Look::Seen(seen)) => match &seen.standing {
            Standing::Free => free(),
            Standing::Moving => Step::Look(id.clone(), LookFor::Unbound),
            standing if standing.is_at(to) => free(),
            standing if standing.is_at(from) => {
                if let Some(step) = first_in_line(facts, record, id) {
                    return step;
                }
                // Allowed no more: let it be.
                match facts.me.policy.allow_rob {
                    false => elsewhere(id, standing),
                    true => Step::Unassociate {
                        id: id.clone(),
                        place: from.clone(),
                    },
                }
            }
            standing => {
                first_in_line(facts, record, id).unwrap_or_else(|| rob(facts, record, id, standing))
            }
        },
    }
}

/// Rule Proof: nothing is unbound where another record that names this EIP has it now.
pub fn successor(facts: &Facts<'_>, record: &Record, place: &Place) -> Option<Step> {
    let id = record
        .eip
        .as_ref()
        .filter(|_| record.kind == Kind::Static)?;
    let Some(namers) = facts.namers else {
        return Some(Step::ListNamers(id.clone()));
    };
    others(record, namers)
        .find(|namer| namer.target.as_ref() == Some(place))
        .map(|namer| held(id, namer))
}

pub fn no_such_eip(id: &EipId) -> Step {
    Step::Pause(Pause::NoSuchEip { id: id.clone() })
}

/// Of the records that name an EIP the oldest has it, unless another has aimed at a place already.
fn first_in_line(facts: &Facts<'_>, record: &Record, id: &EipId) -> Option<Step> {
    let Some(namers) = facts.namers else {
        return Some(Step::ListNamers(id.clone()));
    };
    let age = |namer: &Namer| (namer.created, namer.uid.clone());
    let mine = (record.created, record.rev.uid.clone());
    others(record, namers)
        .find(|namer| age(namer) < mine || namer.target.is_some())
        .map(|namer| held(id, namer))
}

fn others<'n>(record: &Record, namers: &'n [Namer]) -> impl Iterator<Item = &'n Namer> {
    let own = record.rev.uid.clone();
    namers.iter().filter(move |namer| namer.uid != own)
}

fn held(id: &EipId, namer: &Namer) -> Step {
    Step::Pause(Pause::Held {
        id: id.clone(),
        by: namer.key.clone(),
    })
}

/// Somebody's kept address must not be taken by naming it, nor what the administrator does not let this namespace name.
fn may_be_named(pod: &Pod, id: &EipId, seen: &Seen) -> Option<Step> {
    let not = |why: &str| {
        Some(Step::Pause(Pause::NotNameable {
            id: id.clone(),
            why: why.to_owned(),
        }))
    };
    if seen.cluster_tag.is_some() || seen.record_tag.is_some() {
        return not("it carries an eipd's tags: it is the address of another pod");
    }
    let Some(Which::Static { nameable, .. }) = pod.ask.wish().map(|wish| &wish.which) else {
        return None;
    };
    match nameable {
        Nameable::Any => None,
        Nameable::None => not("the administrator's limits let this namespace name no EIP"),
        Nameable::With(tags) => {
            let lacks = tags
                .iter()
                .find(|(key, value)| seen.tags.get(*key) != Some(value));
            lacks.and_then(|(key, value)| {
                not(&format!(
                    "the administrator's limits let this namespace name EIPs with the tag {key}={value} only"
                ))
            })
        }
    }
}

/// Takes it from a network interface of this VPC, if that is allowed; its place is written down first.
fn rob(facts: &Facts<'_>, record: &Record, id: &EipId, standing: &Standing) -> Step {
    let policy = &facts.me.policy;
    let (Standing::At { eni, ip }, true, Some(vpc)) = (standing, policy.allow_rob, &policy.vpc)
    else {
        return elsewhere(id, standing);
    };
    let Some(holder) = facts.holder.filter(|holder| holder.eni == *eni) else {
        return Step::FindHolder(eni.clone());
    };
    match ip.or(holder.primary) {
        Some(ip) if holder.vpc == *vpc => Step::WriteTake {
            at: record.rev.clone(),
            place: Place {
                eni: eni.clone(),
                ip,
            },
        },
        _ => elsewhere(id, standing),
    }
}
