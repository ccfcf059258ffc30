//! What a living record takes over from its pod's annotations: the strategy, and the bandwidth where that is allowed.

use super::super::facts::Facts;
use super::super::step::Step;
use crate::domain::pod::{Pod, Which, Wish};
use crate::domain::record::{Bandwidth, Kind, Record};

/// Whether the pod now asks for another EIP than its record names: that takes another record.
pub fn is_another(record: &Record, wish: &Wish) -> bool {
    match (&wish.which, record.kind) {
        (Which::Auto { .. }, Kind::Auto) => false,
        (Which::Static { eip, .. }, Kind::Static) => record.eip.as_ref() != Some(eip),
        _ => true,
    }
}

/// The strategy as it is asked for now, in one write with the owner that goes with it.
pub fn strategy(record: &Record, pod: &Pod, wish: &Wish) -> Option<Step> {
    let owned = record.kind == Kind::Static || !wish.keep.is_fixed();
    (record.keep != wish.keep || record.owned != owned).then(|| Step::Serve {
        at: record.rev.clone(),
        pod: pod.uid.clone(),
        keep: wish.keep.clone(),
        new: false,
    })
}

/// The bandwidth as it is asked for now: noted, changed, noted as done.
pub fn bandwidth(facts: &Facts<'_>, record: &Record, wish: &Wish) -> Option<Step> {
    let Which::Auto { bandwidth, .. } = wish.which else {
        return None;
    };
    let id = record.eip.as_ref()?;
    if !facts.me.policy.live_bandwidth {
        return None;
    }
    let note = |done| Step::WriteBandwidth {
        at: record.rev.clone(),
        bandwidth: Bandwidth {
            mbit: bandwidth,
            done,
        },
    };
    match record.bandwidth {
        None if record.made_with.is_none_or(|made| made.mbit == bandwidth) => None,
        _ if record.made_with.is_some_and(|made| bandwidth > made.most) => None,
        Some(has) if has.mbit == bandwidth && has.done => None,
        Some(has) if has.mbit == bandwidth && facts.bandwidth_set == Some(bandwidth) => {
            Some(note(true))
        }
        Some(has) if has.mbit == bandwidth => Some(Step::SetBandwidth {
            id: id.clone(),
            mbit: bandwidth,
        }),
        _ => Some(note(false)),
    }
}
