//! The shared bandwidth package: named in the record before it is joined, joined before the EIP is bound, left before
//! it is released. It alone of the settings follows a later edit of the annotation.

use super::super::facts::Facts;
use super::super::step::{Notice, Step};
use super::serve::settled_look;
use crate::domain::eip::{Look, Seen};
use crate::domain::ids::EipId;
use crate::domain::pod::{Pod, Which};
use crate::domain::record::{Kind, Record};

/// The next step towards the package that is asked for; `None`: there, or it is not ours to change.
pub fn plan(facts: &Facts<'_>, record: &Record, pod: &Pod, id: &EipId) -> Option<Step> {
    if record.kind != Kind::Auto || is_settled(record, pod) {
        return None;
    }
    let wanted = wanted(record, pod);
    let Some(present) = present(facts, id) else {
        return Some(match facts.look {
            Some(Look::Gone) => return None,
            _ => Step::Look(id.clone(), settled_look(facts)),
        });
    };
    let name = |package: Option<&str>| Step::WritePackage {
        at: record.rev.clone(),
        package: package.map(str::to_owned),
    };
    let named = record.package.as_deref();
    match (present, wanted) {
        (present, wanted) if present == wanted => (named != wanted).then(|| name(wanted)),
        (None, wanted) if named != wanted => Some(name(wanted)),
        (None, Some(package)) => Some(Step::JoinPackage {
            id: id.clone(),
            package: package.to_owned(),
        }),
        (Some(package), _) if named == Some(package) => Some(leave(id, package)),
        // Somebody else put it there: said, and not fought over.
        _ => None,
    }
}

/// What keeps an EIP that is given back from being released.
pub fn before_release(seen: &Seen) -> Option<Step> {
    (!seen.package.is_empty()).then(|| leave(&seen.id, &seen.package))
}

/// Says so where it is in a package that nobody asked us for.
pub fn notice(facts: &Facts<'_>, record: &Record) -> Option<Notice> {
    let Some(Look::Seen(seen)) = facts.look else {
        return None;
    };
    let strange = record.kind == Kind::Auto
        && !seen.package.is_empty()
        && record.package.as_deref() != Some(&seen.package);
    strange.then(|| Notice::InAnotherPackage {
        id: seen.id.clone(),
        package: seen.package.clone(),
    })
}

/// Whether record and status agree with what is asked, so that nothing need be looked at.
fn is_settled(record: &Record, pod: &Pod) -> bool {
    let wanted = wanted(record, pod);
    let named = record.package.as_deref() == wanted;
    let shown = record.shown.as_ref().map(|shown| shown.package.as_str());
    named && (wanted.is_none() || shown == wanted)
}

fn wanted<'a>(record: &'a Record, pod: &'a Pod) -> Option<&'a str> {
    match pod.ask.wish().map(|wish| &wish.which) {
        Some(Which::Auto { package, .. }) => package.as_deref(),
        _ => record.package.as_deref(),
    }
}

/// The package that the EIP is in now, as far as that is known: a new one is in none.
fn present<'a>(facts: &Facts<'a>, id: &EipId) -> Option<Option<&'a str>> {
    match facts.look {
        Some(Look::Seen(seen)) => Some(Some(seen.package.as_str()).filter(|name| !name.is_empty())),
        Some(Look::Gone) => None,
        None => (facts.sure && facts.got == Some(id)).then_some(None),
    }
}

fn leave(id: &EipId, package: &str) -> Step {
    Step::LeavePackage {
        id: id.clone(),
        package: package.to_owned(),
    }
}
