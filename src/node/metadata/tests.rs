//! Hardened and plain mode, refusals and trouble of the metadata service.

use super::fake::Fake;
use super::*;

fn service() -> Fake {
    Fake::hardened(&[("region-id", "cn-hangzhou\n")])
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_many_requests_and_is_replaced_at_half_its_life() {
    let fake = service();
    let client = fake.client(false);
    for _ in 0..3 {
        assert_eq!(client.get("region-id").await.unwrap(), "cn-hangzhou");
    }
    assert_eq!((fake.count("PUT"), fake.count("GET")), (1, 3));
    clock::sleep(Duration::from_secs(TOKEN_TTL_SECONDS / 2)).await;
    client.get("region-id").await.unwrap();
    assert_eq!(fake.count("PUT"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_token_is_fetched_again_once() {
    let fake = service();
    let client = fake.client(false);
    client.get("region-id").await.unwrap();
    fake.with(|state| state.token = Some("token-2".to_owned()));
    assert_eq!(client.get("region-id").await.unwrap(), "cn-hangzhou");
    assert_eq!(fake.count("PUT"), 2);

    fake.with(|state| state.first.extend([401, 200, 401]));
    let denied = client.get("region-id").await;
    assert!(
        matches!(denied, Err(MetadataError::Denied { status: 401, .. })),
        "{denied:?}"
    );
    assert_eq!(fake.count("PUT"), 3);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_share_one_token() {
    let fake = service();
    let client = fake.client(false);
    futures::future::join_all((0..8).map(|_| client.get("region-id"))).await;
    assert_eq!(fake.count("PUT"), 1);
    fake.with(|state| state.token = Some("token-2".to_owned()));
    let all = futures::future::join_all((0..8).map(|_| client.get("region-id"))).await;
    assert!(all.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn plain_mode_needs_leave_and_the_services_lack_of_tokens() {
    let fake = service();
    fake.with(|state| (state.token, state.plain) = (None, true));
    assert_eq!(
        fake.client(false).get("region-id").await,
        Err(MetadataError::PlainOnly)
    );
    let client = fake.client(true);
    assert_eq!(client.get("region-id").await.unwrap(), "cn-hangzhou");
    // Where tokens are offered, they are used, leave or not.
    fake.with(|state| (state.token, state.plain) = (Some("token-1".to_owned()), false));
    assert_eq!(
        client.get("region-id").await.unwrap(),
        "cn-hangzhou",
        "hardened meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn a_denied_token_is_no_reason_for_plain_mode() {
    let fake = service();
    fake.with(|state| (state.first, state.plain) = ([403].into(), true));
    let denied = fake.client(true).get("region-id").await;
    assert!(
        matches!(denied, Err(MetadataError::Denied { status: 403, .. })),
        "{denied:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_waited_out() {
    for trouble in [429, 500, 503, 0, 1] {
        let fake = service();
        let client = fake.client(false);
        client.get("region-id").await.unwrap();
        fake.with(|state| state.first.extend([trouble; 3]));
        assert_eq!(
            client.get("region-id").await.unwrap(),
            "cn-hangzhou",
            "{trouble}"
        );
        assert_eq!(fake.count("GET"), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn lasting_trouble_is_told_within_a_calls_deadline() {
    let fake = service();
    let client = fake.client(false);
    for (trouble, is_right) in [
        (
            429,
            (|e| matches!(e, MetadataError::Busy { status: 429, .. }))
                as fn(&MetadataError) -> bool,
        ),
        (0, |e| matches!(e, MetadataError::Unreachable { .. })),
        (1, |e| matches!(e, MetadataError::Unreachable { .. })),
    ] {
        fake.with(|state| state.first = [trouble; 4].into());
        let began = clock::now();
        let error = client.get("region-id").await.unwrap_err();
        assert!(is_right(&error), "{error:?}");
        assert!(clock::now() - began < crate::cloud::rpc::DEADLINE);
        assert!(fake.with(|state| state.first.is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_none_at_once() {
    let fake = service();
    let client = fake.client(false);
    assert_eq!(client.find("ram/security-credentials/").await, Ok(None));
    let missing = client.get("vpc-id").await;
    assert_eq!(
        missing,
        Err(MetadataError::Missing {
            path: "vpc-id".to_owned()
        })
    );
    assert_eq!(fake.count("GET"), 2);
}

#[test]
fn no_other_host_can_play_the_service() {
    for base in [
        "http://100.100.100.200",
        "http://127.0.0.1:8080/",
        "http://127.0.3.1",
    ] {
        assert!(is_metadata_service(base.trim_end_matches('/')), "{base}");
    }
    for base in [
        "",
        "https://100.100.100.200",
        "http://100.100.100.201",
        "http://localhost",
        "http://127.0.0.1/x",
        "http://10.0.0.1",
    ] {
        assert!(!is_metadata_service(base), "{base}");
    }
}
