//! Whether another controller's record becomes ours, with its EIP standing where it stands; and when.
//!
//! Only records older than eipd itself: anybody may write a record later and name somebody else's EIP in it, but nobody
//! can forge the API server's creationTimestamp. Only where the cloud agrees with what the record says.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::keys;
use crate::domain::eip::{Look, Seen, Standing};
use crate::domain::ids::{EipId, EniId, Place};
use crate::domain::pod::Stage;
use crate::domain::record::{Record, Shown};

/// A record without our owner mark, and what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub created: Option<Timestamp>,
    /// Since when eipd is installed.
    pub installed_at: Option<Timestamp>,
    /// It carries eipd's owner mark.
    pub ours: bool,
    /// The published finalizer stands.
    pub finalizer: bool,
    /// It carries a label of eipd's but the node label: somebody's take-over has gone farther than a claim.
    pub labelled: bool,
    /// `spec.allocationID`.
    pub named: &'a str,
    /// What its status says of the EIP: its address, and where it stands.
    pub shown: Option<&'a Shown>,
    /// A look that counts.
    pub look: Option<&'a Look>,
    /// Two looks, far enough apart, did not list the EIP.
    pub gone_twice: bool,
    /// The pod of its name, if there is one: how far it is in its life, and the place of its address where that is known.
    pub pod: Option<(Stage, Option<&'a Place>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// It names `eip` from now on, which stands at `target`.
    Yes {
        eip: EipId,
        target: Option<Place>,
    },
    NotYet(Need),
    /// It is left alone; the text is for an Event.
    Never {
        why: String,
    },
}

/// What has to be seen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A look at the EIP.
    Look,
    /// A second look, some time after the first did not list the EIP.
    SecondLook,
    /// The end of a change that is under way.
    Settled,
}

/// Take-overs are spread over so long: 50,000 records on 5,000 nodes are then under 20 a second.
pub const SPREAD: Duration = Duration::from_mins(45);

impl<'a> Candidate<'a> {
    /// The record's own part. A node label is no sign of a take-over: whoever is asked about a record has claimed it, or
    /// is about to.
    pub fn of(record: &'a Record, installed_at: Option<Timestamp>) -> Self {
        Self {
            created: record.created,
            installed_at,
            ours: record.ours,
            finalizer: record.finalizer,
            labelled: record.eip.is_some(),
            named: &record.named,
            shown: record.shown.as_ref(),
            look: None,
            gone_twice: false,
            pod: None,
        }
    }
}

/// When a record is taken over that is in no hurry; `draw` is a random number from 0 to 1.
pub fn delay(draw: f64) -> Duration {
    SPREAD.mul_f64(draw.clamp(0.0, 1.0))
}

/// What becomes of the record.
pub fn judge(candidate: &Candidate<'_>) -> TakeOver {
    if let Some(why) = by_itself(candidate) {
        return TakeOver::Never { why };
    }
    let eip = EipId::new(candidate.named);
    match candidate.look {
        None => TakeOver::NotYet(Need::Look),
        // Nothing stands, and nothing will be given back that is not there.
        Some(Look::Gone) if candidate.gone_twice => TakeOver::Yes { eip, target: None },
        Some(Look::Gone) => TakeOver::NotYet(Need::SecondLook),
        Some(Look::Seen(seen)) => by_look(candidate, eip, seen),
    }
}

/// Why the record is not to be taken over, whatever the cloud says.
fn by_itself(candidate: &Candidate<'_>) -> Option<String> {
    if candidate.ours || candidate.labelled {
        return Some("it is eipd's already".to_owned());
    }
    if !candidate.finalizer {
        return Some(format!("it lacks the finalizer {}", keys::PODEIP_FINALIZER));
    }
    if candidate.named.is_empty() {
        return Some("spec.allocationID names no EIP".to_owned());
    }
    match (candidate.created, candidate.installed_at) {
        (_, None) => Some("since when eipd is installed is not known".to_owned()),
        (Some(created), Some(installed)) if created < installed => None,
        _ => Some("it is no older than eipd's DaemonSet".to_owned()),
    }
}

fn by_look(candidate: &Candidate<'_>, eip: EipId, seen: &Seen) -> TakeOver {
    if let Some(tag) = our_tag(seen) {
        let why = format!("{eip} carries the tag {tag}: it belongs to another record of an eipd");
        return TakeOver::Never { why };
    }
    if let Some(shown) = candidate.shown.filter(|shown| is_another(shown, seen)) {
        let why = format!(
            "{eip} has the address {}, and the status shows {}: somebody edited it",
            seen.address, shown.eip
        );
        return TakeOver::Never { why };
    }
    match &seen.standing {
        Standing::Moving => TakeOver::NotYet(Need::Settled),
        Standing::Free => TakeOver::Yes { eip, target: None },
        standing => match place(candidate, standing) {
            Some(place) => TakeOver::Yes {
                eip,
                target: Some(place),
            },
            None => TakeOver::Never {
                why: format!("{eip} stands at {standing}, which is not what its status says"),
            },
        },
    }
}

/// Any of ours, of whichever cluster.
fn our_tag(seen: &Seen) -> Option<String> {
    let ours = [keys::CLUSTER_TAG, keys::RECORD_TAG, keys::ORPHAN_TAG];
    let tagged = |name: &&str| seen.tags.contains_key(*name);
    let by_field = match (&seen.cluster_tag, &seen.record_tag) {
        (Some(_), _) => Some(keys::CLUSTER_TAG),
        (None, Some(_)) => Some(keys::RECORD_TAG),
        (None, None) => None,
    };
    let found = by_field.or_else(|| ours.into_iter().find(tagged))?;
    let value = seen.tags.get(found).map_or("", String::as_str);
    Some(format!("{found}={value}"))
}

/// Whether the status is about another EIP. One that stands nowhere could else be named by hand, and be released.
fn is_another(shown: &Shown, seen: &Seen) -> bool {
    !shown.eip.is_empty() && !seen.address.is_empty() && shown.eip != seen.address
}

/// The place where it stands, if that is the one of the status; with an empty status, the living pod's own.
fn place(candidate: &Candidate<'_>, standing: &Standing) -> Option<Place> {
    let known = match candidate.shown {
        Some(shown) => shown_place(shown)?,
        None => match candidate.pod? {
            (Stage::Living, place) => place?.clone(),
            _ => return None,
        },
    };
    standing.is_at(&known).then_some(known)
}

fn shown_place(shown: &Shown) -> Option<Place> {
    let ip = shown.ip.parse().ok()?;
    (!shown.eni.is_empty()).then(|| Place {
        eni: EniId::new(&shown.eni),
        ip,
    })
}

#[cfg(test)]
mod tests;
