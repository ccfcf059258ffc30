//! No record yet: find the pod's place, choose, and write the choice down.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::super::facts::Facts;
use super::super::step::{Pause, Step};
use super::told;
use crate::domain::pod::Pod;
use crate::domain::ports::{Outside, PortAsk, PortWish, Spot};

/// The pod here that asks and may be served, with what it asks.
pub(super) fn asks<'a>(facts: &Facts<'a>) -> Option<(&'a Pod, &'a Arc<PortWish>)> {
    let pod = facts.pod_here().filter(|pod| pod.serves())?;
    Some((pod, pod.ports.wish()?))
}

pub(super) fn plan(facts: &Facts<'_>) -> Step {
    let Some(pod) = facts.pod_here().filter(|pod| pod.serves()) else {
        return Step::Rest;
    };
    match &pod.ports {
        PortAsk::Ports(wish) => serve(facts, pod, wish),
        PortAsk::Nothing => told::hide(facts, pod).unwrap_or(Step::Rest),
        PortAsk::EipInstead(why) => told::refuse(facts, pod, "EIPInstead", why),
        PortAsk::Refused(why) => told::refuse(facts, pod, "InvalidRequest", &why.join("; ")),
    }
}

fn serve(facts: &Facts<'_>, pod: &Pod, wish: &Arc<PortWish>) -> Step {
    // Told by an earlier record, or copied from a template.
    if let Some(step) = told::hide(facts, pod) {
        return step;
    }
    let Some(ip) = pod.ip else {
        return Step::Rest;
    };
    if facts.others_run {
        return Step::Pause(Pause::OthersRun);
    }
    if facts.held_off {
        return Step::Pause(Pause::HeldOff);
    }
    // What an earlier pod left is in no watch of ours.
    if wish.ports.fixed && !facts.record_read {
        return Step::ReadRecord;
    }
    if facts.no_place {
        return Step::Pause(Pause::NoPlace);
    }
    with_choice(facts, pod, ip, wish, |spot, outside| Step::Create {
        pod: pod.uid.clone(),
        wish: wish.clone(),
        spot,
        outside,
    })
}

/// What is to be done where the pod is, with what was chosen for it there; first whatever tells the two.
pub(super) fn with_choice(
    facts: &Facts<'_>,
    pod: &Pod,
    ip: Ipv4Addr,
    wish: &Arc<PortWish>,
    then: impl FnOnce(Spot, Outside) -> Step,
) -> Step {
    with_place(facts, pod, ip, |spot| match facts.chosen {
        Some(outside) => then(spot, outside.clone()),
        None => Step::Choose {
            spot,
            wish: wish.clone(),
        },
    })
}

/// What is to be done where the pod is; first whatever tells that.
pub(super) fn with_place(
    facts: &Facts<'_>,
    pod: &Pod,
    ip: Ipv4Addr,
    then: impl FnOnce(Spot) -> Step,
) -> Step {
    match facts.spot {
        Some(spot) => then(spot.clone()),
        None => Step::Resolve {
            pod: pod.uid.clone(),
            ip,
        },
    }
}
