//! Whose records are taken over, and how the take-overs of a fleet are spread.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::*;

const CREATED: &str = "2026-01-01T00:00:00Z";
const INSTALLED: &str = "2026-01-02T00:00:00Z";

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn place_at(last: u8) -> Place {
    Place {
        eni: EniId::new("eni-1"),
        ip: Ipv4Addr::new(10, 0, 0, last),
    }
}

fn shown(ip: &str) -> Shown {
    Shown {
        eip: "203.0.113.1".to_owned(),
        eni: "eni-1".to_owned(),
        ip: ip.to_owned(),
        package: String::new(),
    }
}

fn standing(standing: Standing) -> Seen {
    Seen {
        id: EipId::new("eip-1"),
        address: "203.0.113.1".to_owned(),
        standing,
        cluster_tag: None,
        record_tag: None,
        isp: String::new(),
        internet_charge_type: String::new(),
        resource_group: String::new(),
        name: String::new(),
        pool: String::new(),
        package: String::new(),
        bandwidth: None,
        tags: BTreeMap::new(),
    }
}

fn on(last: u8) -> Seen {
    let place = place_at(last);
    standing(Standing::At {
        eni: place.eni,
        ip: Some(place.ip),
    })
}

fn look(seen: Seen) -> Look {
    Look::Seen(Box::new(seen))
}

/// A record as the other controller leaves it, older than eipd; nothing is looked at yet.
fn old<'a>() -> Candidate<'a> {
    Candidate {
        created: at(CREATED),
        installed_at: at(INSTALLED),
        ours: false,
        finalizer: true,
        labelled: false,
        named: "eip-1",
        shown: None,
        look: None,
        gone_twice: false,
        pod: None,
    }
}

fn yes(target: Option<Place>) -> TakeOver {
    let eip = EipId::new("eip-1");
    TakeOver::Yes { eip, target }
}

fn why(candidate: &Candidate<'_>) -> String {
    match judge(candidate) {
        TakeOver::Never { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_eip_that_stands_where_the_status_says_is_taken_there() {
    let (shown, look) = (shown("10.0.0.11"), look(on(11)));
    let mut it = old();
    it.shown = Some(&shown);
    assert_eq!(judge(&it), TakeOver::NotYet(Need::Look));
    it.look = Some(&look);
    assert_eq!(judge(&it), yes(Some(place_at(11))));
    // Whatever its pod does meanwhile: to move the EIP is for the plan.
    let elsewhere = place_at(12);
    for stage in [Stage::Living, Stage::Leaving, Stage::Finished] {
        it.pod = Some((stage, Some(&elsewhere)));
        assert_eq!(judge(&it), yes(Some(place_at(11))), "{stage:?}");
    }
}

#[test]
fn an_eip_at_a_primary_address_stands_where_the_status_says() {
    let shown = shown("10.0.0.10");
    let primary = look(standing(Standing::At {
        eni: EniId::new("eni-1"),
        ip: None,
    }));
    let mut it = old();
    (it.shown, it.look) = (Some(&shown), Some(&primary));
    assert_eq!(judge(&it), yes(Some(place_at(10))));
}

#[test]
fn an_eip_that_stands_nowhere_is_taken_without_a_target() {
    let (shown, look) = (shown("10.0.0.11"), look(standing(Standing::Free)));
    let mut it = old();
    it.look = Some(&look);
    assert_eq!(judge(&it), yes(None));
    it.shown = Some(&shown);
    assert_eq!(judge(&it), yes(None));
}

#[test]
fn an_eip_on_its_way_is_waited_for() {
    let look = look(standing(Standing::Moving));
    let mut it = old();
    it.look = Some(&look);
    assert_eq!(judge(&it), TakeOver::NotYet(Need::Settled));
}

#[test]
fn an_eip_that_is_gone_is_looked_for_twice() {
    let mut it = old();
    it.look = Some(&Look::Gone);
    assert_eq!(judge(&it), TakeOver::NotYet(Need::SecondLook));
    it.gone_twice = true;
    assert_eq!(judge(&it), yes(None));
}

#[test]
fn an_eip_that_stands_elsewhere_is_left_alone() {
    let (shown, other) = (shown("10.0.0.11"), look(on(12)));
    let gateway = look(standing(Standing::Foreign("Nat ngw-1".to_owned())));
    let mut it = old();
    it.shown = Some(&shown);
    for look in [&other, &gateway] {
        it.look = Some(look);
        assert!(why(&it).contains("not what its status says"));
    }
    let own = place_at(12);
    it.look = Some(&other);
    it.pod = Some((Stage::Living, Some(&own)));
    assert!(why(&it).contains("eni-1/10.0.0.12"), "the status decides");
}

#[test]
fn with_an_empty_status_only_the_living_pods_own_place_will_do() {
    let (here, look) = (place_at(11), look(on(11)));
    let there = place_at(12);
    let mut it = old();
    it.look = Some(&look);
    why(&it);
    it.pod = Some((Stage::Living, Some(&here)));
    assert_eq!(judge(&it), yes(Some(place_at(11))));
    for pod in [
        (Stage::Living, Some(&there)),
        (Stage::Living, None),
        (Stage::Waiting, Some(&here)),
        (Stage::Leaving, Some(&here)),
        (Stage::Finished, Some(&here)),
    ] {
        it.pod = Some(pod);
        why(&it);
    }
}

#[test]
fn a_status_that_cannot_be_read_agrees_with_nothing() {
    let (look, here) = (look(on(11)), place_at(11));
    for broken in [
        shown("somewhere"),
        Shown {
            eni: String::new(),
            ..shown("10.0.0.11")
        },
    ] {
        let mut it = old();
        (it.shown, it.look) = (Some(&broken), Some(&look));
        it.pod = Some((Stage::Living, Some(&here)));
        why(&it);
    }
}

#[test]
fn a_status_of_another_eip_shows_that_the_record_was_edited() {
    let edited = Shown {
        eip: "203.0.113.9".to_owned(),
        ..shown("10.0.0.11")
    };
    for seen in [on(11), standing(Standing::Free)] {
        let look = look(seen);
        let mut it = old();
        (it.shown, it.look) = (Some(&edited), Some(&look));
        assert!(why(&it).contains("203.0.113.9"));
    }
}

#[test]
fn a_tag_of_any_eipd_keeps_an_eip_from_being_taken() {
    for tag in [keys::CLUSTER_TAG, keys::RECORD_TAG, keys::ORPHAN_TAG] {
        let mut seen = standing(Standing::Free);
        seen.tags = [(tag.to_owned(), "other".to_owned())].into();
        let look = look(seen);
        let mut it = old();
        it.look = Some(&look);
        assert!(why(&it).contains(&format!("{tag}=other")));
    }
    let mut seen = standing(Standing::Free);
    seen.record_tag = Some("u-0".to_owned());
    let look = look(seen);
    let mut it = old();
    it.look = Some(&look);
    assert!(why(&it).contains(keys::RECORD_TAG));
}

#[test]
fn only_what_is_older_than_eipd_is_taken() {
    let look = look(standing(Standing::Free));
    let mut it = old();
    it.look = Some(&look);
    for (created, installed_at) in [
        (at(INSTALLED), at(INSTALLED)),
        (at(INSTALLED), at(CREATED)),
        (None, at(INSTALLED)),
        (at(CREATED), None),
    ] {
        (it.created, it.installed_at) = (created, installed_at);
        why(&it);
    }
}

#[test]
fn what_is_not_the_other_controllers_is_never_looked_at() {
    let labelled = Candidate {
        labelled: true,
        ..old()
    };
    let ours = Candidate {
        ours: true,
        ..old()
    };
    let unfinalized = Candidate {
        finalizer: false,
        ..old()
    };
    let unnamed = Candidate { named: "", ..old() };
    for it in [ours, labelled, unfinalized, unnamed] {
        why(&it);
    }
}

/// 5,000 nodes with ten records each; each agent notices within its minute that the other controller is gone.
#[test]
fn the_take_overs_of_a_fleet_stay_under_twenty_a_second() {
    const RECORDS: u32 = 50_000;
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut seconds: BTreeMap<u64, u32> = BTreeMap::new();
        for _node in 0..RECORDS / 10 {
            let noticed = Duration::from_mins(1).mul_f64(rng.f64());
            for _record in 0..10 {
                let due = noticed + delay(rng.f64());
                *seconds.entry(due.as_secs()).or_default() += 1;
            }
        }
        let last = *seconds.keys().last().unwrap();
        let mean = f64::from(RECORDS) / f64::from(u32::try_from(last + 1).unwrap());
        assert!(mean < 20.0, "{mean} a second");
        let mut minutes: BTreeMap<u64, u32> = BTreeMap::new();
        for (second, count) in &seconds {
            *minutes.entry(second / 60).or_default() += count;
        }
        let busiest = f64::from(*minutes.values().max().unwrap()) / 60.0;
        assert!(busiest < 21.0, "{busiest} a second in the busiest minute");
        let peak = *seconds.values().max().unwrap();
        assert!(peak < 50, "{peak} in the busiest second");
    }
}

#[test]
fn a_delay_is_within_the_spread() {
    assert_eq!(delay(0.0), Duration::ZERO);
    assert_eq!(delay(0.5), SPREAD / 2);
    assert_eq!(delay(1.0), SPREAD);
    assert_eq!((delay(-1.0), delay(7.0)), (Duration::ZERO, SPREAD));
}
