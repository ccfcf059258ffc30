//! The five rules and their kin, as judges of one step.

use super::*;

/// A pod that lives, asks for what the record names, and is served by it.
fn has_a_claim(case: &Case) -> bool {
    let served = |record: &Record| {
        record
            .owner
            .as_ref()
            .is_some_and(|uid| uid.as_str() == "pod")
    };
    let fits = |record: &Record, pod: &Pod| match &pod.ask {
        Ask::Nothing => false,
        Ask::Refused(_) => true,
        Ask::Eip(wish) => match &wish.which {
            Which::Auto { .. } => record.kind == Kind::Auto,
            Which::Static { eip, .. } => {
                record.kind == Kind::Static && record.eip.as_ref() == Some(eip)
            }
        },
    };
    match (&case.record, &case.pod) {
        (Some(record), Some(pod)) => {
            let lives = case.pod_known && pod.uid.as_str() == "pod" && pod.serves();
            lives && served(record) && fits(record, pod)
        }
        _ => false,
    }
}

/// By a live read: what is told as absent is fresh.
fn absent(case: &Case) -> bool {
    case.pod_known && case.pod.is_none()
}

/// A pod that has a claim and yet can do nothing with its EIP.
fn wastes_it(case: &Case, record: &Record) -> bool {
    let Some(pod) = &case.pod else { return false };
    let waits = pod.ip.is_none() && case.unused;
    let nowhere = case.no_place && record.target.is_none();
    record.kind == Kind::Auto && record.shown.is_none() && (waits || nowhere)
        || (record.eip.is_none() && record.request.is_none())
}

type Held = Result<(), &'static str>;

fn rule(holds: bool, name: &'static str) -> Held {
    if holds { Ok(()) } else { Err(name) }
}

/// What every change has to hold, whatever the facts are; `Err` names the broken rule.
pub(super) fn keeps_the_rules(case: &Case, step: &Step) -> Held {
    let Some(record) = &case.record else {
        let first = matches!(
            step,
            Step::Create { .. }
                | Step::Rest
                | Step::Pause(_)
                | Step::ReadRecord
                | Step::Resolve { .. }
                | Step::Condition { .. }
                | Step::ClearAnnotations { .. }
        );
        return rule(first, "Intent: nothing but a record comes first");
    };
    let ours = record.node.as_deref() == Some("node-a");
    if step.changes_cloud() {
        rule(ours, "Consent: only on our own record")?;
        let fresh = case.record_known && case.record_fresh;
        rule(fresh, "Freshness: the record")?;
    }
    if step.writes_record() {
        let claim = matches!(step, Step::Claim { .. }) && record.node.is_none();
        let over = record.tombstone || record.owner.is_none() || case.owner_gone;
        let away = case.node_lives == Some(false) && over;
        let left = away || (record.tombstone && case.left_lying);
        let take = matches!(step, Step::Take { .. }) && record.ours && left;
        rule(
            ours || claim || take,
            "Consent: only our own record, a blank one, or one that a gone node has left",
        )?;
    }
    match step {
        Step::Allocate { .. } => {
            let empty = !record.tombstone && record.eip.is_none();
            rule(empty, "Intent: one EIP for life")?;
            let free = !case.others_run && case.brake.is_none();
            rule(free, "nothing new while another controller runs")?;
            rule(has_a_claim(case), "no EIP for a pod that is over")
        }
        Step::Associate { place, .. } => binds(case, record, place),
        Step::Unassociate { place, .. } => unbinds(case, record, place),
        Step::Release { id } => releases(case, record, id),
        Step::Delete { .. } => decides(case, record),
        Step::JoinPackage { .. } | Step::LeavePackage { .. } | Step::SetBandwidth { .. } => rule(
            record.kind == Kind::Auto,
            "a named EIP is never reconfigured",
        ),
        Step::Tag { .. } => {
            let other = matches!(&case.look, Some(Look::Seen(seen)) if seen.cluster_tag.is_none() && seen.record_tag.is_none());
            let old = record.taken_over && case.me.policy.installed_at.is_some();
            rule(
                record.kind == Kind::Auto && other && old,
                "only what was taken over is tagged",
            )
        }
        _ => writes(case, record, step),
    }
}

fn binds(case: &Case, record: &Record, place: &Place) -> Held {
    let aimed = record.target.as_ref() == Some(place);
    rule(aimed, "Intent: the target first")?;
    let claimed = !record.tombstone && has_a_claim(case) && case.pod_fresh;
    rule(claimed, "Freshness: the pod")?;
    let ip = case.pod.as_ref().and_then(|pod| pod.ip);
    rule(ip == Some(place.ip), "bound to the pod's own address")?;
    rule(!case.in_flight, "Freshness: open calls")
}

fn unbinds(case: &Case, record: &Record, place: &Place) -> Held {
    let by_tag = record.eip.is_none()
        && case
            .tagged
            .iter()
            .flatten()
            .any(|seen| seen.standing.is_at(place));
    let taken = record.take.as_ref() == Some(place) && case.me.policy.allow_rob;
    let aimed = record.target.as_ref() == Some(place) || taken;
    let proven = aimed && (stands_at(case, place) || by_tag);
    let successor = |namer: &Namer| namer.target.as_ref() == Some(place);
    let alone = case
        .namers
        .as_ref()
        .is_some_and(|all| !all.iter().any(successor));
    rule(
        record.kind == Kind::Auto || alone,
        "Proof: another record has it there",
    )?;
    rule(proven, "Proof: only what stands at the target")?;
    rule(
        record.shown.is_none(),
        "Intent: the status is cleared first",
    )?;
    let at_home = case.place.as_ref() == Some(place)
        && case
            .pod
            .as_ref()
            .is_some_and(|pod| pod.ip == Some(place.ip));
    let holder = has_a_claim(case) && at_home;
    rule(record.tombstone || !holder, "Proof: a living holder")?;
    let known = record.tombstone || case.owner_gone || case.pod_fresh || absent(case);
    rule(known, "Freshness: the pod")?;
    let released = record.tombstone && record.kind == Kind::Auto;
    rule(released || !case.in_flight, "Freshness: open calls")
}

fn releases(case: &Case, record: &Record, id: &EipId) -> Held {
    rule(record.tombstone, "Tombstone")?;
    rule(record.kind == Kind::Auto, "a named EIP is never released")?;
    rule(case.crd == Crd::Fine, "the CRD goes: touch nothing")?;
    let proof = |seen: &Seen| {
        seen.id == *id
            && seen.standing == Standing::Free
            && seen.cluster_tag.as_deref() == Some("cluster")
            && seen.record_tag.as_deref() == Some("record-0")
    };
    let proven = match (&record.eip, &case.look) {
        (Some(_), Some(Look::Seen(seen))) => proof(seen),
        (Some(_), _) => false,
        (None, _) => case.tagged.iter().flatten().any(proof),
    };
    rule(proven, "Proof: the record's own tags")
}

fn decides(case: &Case, record: &Record) -> Held {
    rule(
        !has_a_claim(case) || wastes_it(case, record),
        "Tombstone: never under a living pod that asks",
    )?;
    let own = |pod: &Pod| case.pod_known && pod.uid.as_str() == "pod";
    let served = record.owner.is_some();
    let over = case.owner_gone || case.pod.as_ref().is_some_and(own);
    let read = !served && (case.pod_known && (case.pod_fresh || case.pod.is_none()));
    let empty = !served && record.eip.is_none();
    rule(
        over || read || empty,
        "Freshness: absence by a live read only",
    )?;
    let asks_auto = |pod: &Pod| {
        pod.ask != Ask::Nothing
            && !matches!(&pod.ask, Ask::Eip(wish) if matches!(wish.which, Which::Static { .. }))
    };
    let next = case
        .pod
        .as_ref()
        .filter(|pod| case.pod_known && !own(pod) && asks_auto(pod));
    let lost = record.is_fixed() && record.eip.is_some() && next.is_some();
    rule(!lost, "a kept EIP is not given back under its next pod")?;
    let own_lives = case
        .pod
        .as_ref()
        .is_some_and(|pod| own(pod) && pod.serves());
    let other = case
        .pod
        .as_ref()
        .is_some_and(|pod| case.pod_known && pod.serves() && matches!(pod.ask, Ask::Eip(_)));
    let kept = record.is_fixed() && record.eip.is_some();
    rule(
        !kept || case.ttl_over || own_lives || other,
        "a kept EIP waits for its time",
    )?;
    rule(
        !stands_at_target(case, record),
        "unbound before it is given back",
    )?;
    rule(!case.in_flight, "Freshness: open calls")
}

fn writes(case: &Case, record: &Record, step: &Step) -> Held {
    match step {
        Step::DropFinalizer { .. } => {
            rule(record.tombstone && case.crd == Crd::Fine, "Tombstone")?;
            let loose = !stands_at_target(case, record) || case.released;
            rule(loose, "nothing stays bound without a record")?;
            let released = record.kind == Kind::Auto && record.eip.is_some();
            rule(released || !case.in_flight, "Freshness: open calls")
        }
        Step::WriteStatus { place, .. } => {
            let aimed = record.target.as_ref() == Some(place);
            rule(aimed, "the status shows the target")?;
            let said = stands_at(case, place) && !case.in_flight;
            rule(said, "the status only shows what the cloud says")
        }
        Step::Blank { .. } => {
            let loose = !stands_at_target(case, record) && !case.in_flight;
            rule(loose && !record.tombstone, "blank means unbound")
        }
        Step::WriteTarget { .. }
            if record.kind == Kind::Static && record.target.is_none() && record.take.is_none() =>
        {
            let first = |namer: &Namer| namer.target.is_some() || namer.created < record.created;
            let alone = case
                .namers
                .as_ref()
                .is_some_and(|all| !all.iter().any(first));
            rule(alone, "the older record has the EIP")?;
            rule(
                record.shown.is_none() && !case.in_flight,
                "hidden before it moves",
            )
        }
        Step::WriteTarget { .. } => {
            let hidden = record.shown.is_none() && !case.in_flight;
            rule(hidden, "hidden before it moves")
        }
        _ => Ok(()),
    }
}

fn stands_at(case: &Case, place: &Place) -> bool {
    matches!(&case.look, Some(Look::Seen(seen)) if seen.standing.is_at(place))
}

fn stands_at_target(case: &Case, record: &Record) -> bool {
    let target = record.target.as_ref().filter(|_| record.eip.is_some());
    target.is_some_and(|target| stands_at(case, target))
}
