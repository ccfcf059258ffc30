//! Where an address is, how long that is believed, and when it is not there.

use super::super::metadata::fake::Fake;
use super::*;

const A: &str = "00:16:3e:00:00:0a";
const B: &str = "00:16:3e:00:00:0b";

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

/// Adds an ENI, or changes its addresses.
fn eni(fake: &Fake, mac: &str, id: &str, ips: &[u8]) {
    let list = ips
        .iter()
        .map(|last| format!("\"{}\"", ip(*last)))
        .collect::<Vec<_>>()
        .join(",");
    fake.set(&[
        (&format!("{MACS}{mac}/network-interface-id"), id),
        (
            &format!("{MACS}{mac}/primary-ip-address"),
            &ip(ips[0]).to_string(),
        ),
        (&format!("{MACS}{mac}/private-ipv4s"), &format!("[{list}]")),
    ]);
    fake.with(|state| {
        let macs = state.paths.entry(MACS.to_owned()).or_default();
        if !macs.contains(mac) {
            macs.extend([mac, "/\n"]);
        }
    });
}

fn node() -> (Fake, Enis) {
    let fake = Fake::hardened(&[]);
    eni(&fake, A, "eni-a", &[1, 2, 3]);
    eni(&fake, B, "eni-b", &[11, 12]);
    let enis = Enis::new(fake.client(false));
    (fake, enis)
}

fn found(id: &str, last: u8, primary: u8) -> PodIp {
    PodIp::Found {
        place: Place {
            eni: EniId::new(id),
            ip: ip(last),
        },
        primary: ip(primary),
    }
}

#[tokio::test(start_paused = true)]
async fn secondary_and_primary_addresses_are_found_with_one_read() {
    let (fake, enis) = node();
    assert_eq!(enis.find(ip(2)).await.unwrap(), found("eni-a", 2, 1));
    let reads = fake.count("GET");
    assert_eq!(enis.find(ip(12)).await.unwrap(), found("eni-b", 12, 11));
    assert_eq!(enis.find(ip(11)).await.unwrap(), found("eni-b", 11, 11));
    assert_eq!(fake.count("GET"), reads);
}

#[tokio::test(start_paused = true)]
async fn a_late_address_is_not_yet_then_found() {
    let (fake, enis) = node();
    assert_eq!(enis.find(ip(4)).await.unwrap(), PodIp::NotYet);
    clock::sleep(Duration::from_secs(4)).await;
    assert_eq!(enis.find(ip(4)).await.unwrap(), PodIp::NotYet);
    eni(&fake, A, "eni-a", &[1, 2, 3, 4]);
    assert_eq!(enis.find(ip(4)).await.unwrap(), found("eni-a", 4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_stays_away_is_not_here() {
    let (_fake, enis) = node();
    assert_eq!(enis.find(ip(99)).await.unwrap(), PodIp::NotYet);
    clock::sleep(LATE).await;
    assert_eq!(enis.find(ip(99)).await.unwrap(), PodIp::NotHere);
    // Another pod with that address, much later, gets its time too.
    clock::sleep(FORGOTTEN).await;
    assert_eq!(enis.find(ip(99)).await.unwrap(), PodIp::NotYet);
}

#[tokio::test(start_paused = true)]
async fn an_eni_plugged_in_later_is_seen_and_one_taken_out_is_gone() {
    let (fake, enis) = node();
    enis.find(ip(2)).await.unwrap();
    eni(&fake, "00:16:3e:00:00:0c", "eni-c", &[21, 22]);
    assert_eq!(enis.find(ip(22)).await.unwrap(), found("eni-c", 22, 21));
    fake.with(|state| *state.paths.get_mut(MACS).unwrap() = format!("{A}/\n"));
    enis.forget().await;
    assert_eq!(enis.find(ip(22)).await.unwrap(), PodIp::NotYet);
    assert_eq!(enis.primary(&EniId::new("eni-b")).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn an_eni_that_is_half_there_does_not_hide_the_others() {
    let (fake, enis) = node();
    fake.with(|state| *state.paths.get_mut(MACS).unwrap() += "00:16:3e:00:00:0d/\n");
    assert_eq!(enis.find(ip(2)).await.unwrap(), found("eni-a", 2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_moved_to_another_eni_is_found_there_after_a_while_or_when_told() {
    let (fake, enis) = node();
    assert_eq!(enis.find(ip(3)).await.unwrap(), found("eni-a", 3, 1));
    eni(&fake, A, "eni-a", &[1, 2]);
    eni(&fake, B, "eni-b", &[11, 12, 3]);
    enis.forget().await;
    assert_eq!(enis.find(ip(3)).await.unwrap(), found("eni-b", 3, 11));
    eni(&fake, A, "eni-a", &[1, 2, 3]);
    assert_eq!(
        enis.find(ip(3)).await.unwrap(),
        found("eni-b", 3, 11),
        "believed"
    );
    clock::sleep(BELIEVED).await;
    assert_eq!(
        enis.find(ip(3)).await.unwrap(),
        PodIp::NotYet,
        "on two: being moved"
    );
}

#[tokio::test(start_paused = true)]
async fn prefixes_are_told_as_such() {
    let (fake, enis) = node();
    let path = format!("{MACS}{B}/ipv4-prefixes");
    for text in [
        r#"["10.0.0.112/28","10.0.0.128/28"]"#,
        "10.0.0.112/28\n10.0.0.128/28",
    ] {
        fake.set(&[(&path, text)]);
        let prefix = PodIp::Prefix {
            eni: EniId::new("eni-b"),
            prefix: "10.0.0.128/28".into(),
        };
        assert_eq!(enis.find(ip(130)).await.unwrap(), prefix, "{text}");
    }
    assert_eq!(enis.find(ip(144)).await.unwrap(), PodIp::NotYet);
}

#[tokio::test(start_paused = true)]
async fn many_misses_at_once_share_reads() {
    let (fake, enis) = node();
    enis.find(ip(1)).await.unwrap();
    let before = fake.count(&format!("GET {MACS}{A}/private-ipv4s"));
    clock::sleep(Duration::from_secs(1)).await;
    futures::future::join_all((40..90).map(|last| enis.find(ip(last)))).await;
    let reads = fake.count(&format!("GET {MACS}{A}/private-ipv4s")) - before;
    assert!(reads <= 2, "{reads} reads for 50 misses");
}

#[tokio::test(start_paused = true)]
async fn a_known_eni_costs_one_request_when_read_again() {
    let (fake, enis) = node();
    enis.find(ip(2)).await.unwrap();
    let before = fake.count("GET");
    enis.forget().await;
    enis.find(ip(2)).await.unwrap();
    assert_eq!(
        fake.count("GET") - before,
        3,
        "the list and one for each of two ENIs"
    );
}

#[tokio::test(start_paused = true)]
async fn the_service_away_is_an_error_and_no_miss() {
    let (fake, enis) = node();
    fake.with(|state| state.first = [503; 4].into());
    assert!(matches!(
        enis.find(ip(2)).await,
        Err(MetadataError::Busy { .. })
    ));
    assert_eq!(enis.find(ip(2)).await.unwrap(), found("eni-a", 2, 1));
}

#[test]
fn a_prefix_covers_its_own() {
    for (prefix, covered) in [
        ("10.0.0.16/28", true),
        ("10.0.0.0/28", false),
        ("0.0.0.0/0", true),
        ("10.0.0.20/32", true),
        ("10.0.0.20/33", false),
        ("10.0.0.20", false),
        ("/", false),
    ] {
        assert_eq!(covers(prefix, ip(20)), covered, "{prefix}");
    }
}
