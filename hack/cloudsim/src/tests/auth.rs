//! Signatures, timestamps, nonces, security tokens, policies.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use crate::clock::sleep;
use crate::identity::{NewAccessKey, Role};
use crate::rpc::{Rpc, form, sign_v1};
use crate::settings::Settings;
use crate::test_world::{TestWorld, sign};

const V3: &str = "host;x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version";

fn resign(world: &TestWorld, change: impl FnOnce(&mut Request<Bytes>)) -> Request<Bytes> {
    let mut request = world.signed("DescribeEipAddresses", &[]);
    change(&mut request);
    sign(request, V3, &world.key.0, &world.key.1)
}

async fn code(world: &TestWorld, request: Request<Bytes>) -> (u16, String) {
    let (status, body) = world.send(request).await.unwrap();
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

fn expect(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A V1 request of the world's key.
fn v1(
    world: &TestWorld,
    method: &str,
    change: impl FnOnce(&mut Vec<(String, String)>),
) -> Request<Bytes> {
    let now = world.cloud.iso(world.cloud.clock().now());
    let pairs = [
        ("Action", "DescribeEipAddresses"),
        ("Version", "2016-04-28"),
        ("Format", "JSON"),
        ("AccessKeyId", &world.key.0),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", "v1-nonce"),
        ("SignatureType", ""),
        ("Timestamp", &now),
        ("RegionId", "cn-hangzhou"),
        ("EipName", "a b*c"),
    ];
    let mut pairs: Vec<_> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    change(&mut pairs);
    let build = |pairs: &[(String, String)]| {
        let uri = format!("/?{}", form::canonical(pairs.iter()));
        Request::builder()
            .method(method)
            .uri(uri)
            .body(Bytes::new())
            .unwrap()
    };
    let text = sign_v1::string_to_sign(&Rpc::parse(build(&pairs)));
    pairs.push((
        "Signature".to_owned(),
        sign_v1::signature(&world.key.1, &text),
    ));
    build(&pairs)
}

#[tokio::test(start_paused = true)]
async fn sign_v3_with_a_wrong_secret_shows_the_string_to_sign_after_one_colon() {
    let world = TestWorld::new();
    let request = world.signed("DescribeEipAddresses", &[]);
    let (status, body) = world
        .send(sign(request, V3, &world.key.0, "wrong"))
        .await
        .unwrap();
    assert_eq!(
        (status, body["Code"].as_str()),
        (400, Some("SignatureDoesNotMatch"))
    );
    let message = body["Message"].as_str().unwrap();
    let (_, text) = message.split_once(':').unwrap();
    assert!(text.starts_with("ACS3-HMAC-SHA256\n"), "{text}");
    assert!(!text.contains(':'));
}

#[tokio::test(start_paused = true)]
async fn sign_v3_covers_query_and_body() {
    let world = TestWorld::new();
    let mut request = world.signed("DescribeEipAddresses", &[]);
    *request.uri_mut() = "/?RegionId=cn-beijing".parse().unwrap();
    assert_eq!(
        code(&world, request).await,
        expect(400, "SignatureDoesNotMatch")
    );
    let mut request = world.signed("DescribeEipAddresses", &[]);
    *request.body_mut() = Bytes::from_static(b"x");
    assert_eq!(
        code(&world, request).await,
        expect(400, "SignatureDoesNotMatch")
    );
}

#[tokio::test(start_paused = true)]
async fn sign_v3_accepts_a_form_body_and_a_plus_in_the_query() {
    let world = TestWorld::new();
    let mut request = world.signed("DescribeEipAddresses", &[]);
    *request.uri_mut() = "/?EipName=a+b".parse().unwrap();
    *request.body_mut() = Bytes::from_static(b"RegionId=cn-hangzhou");
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    request.headers_mut().insert("content-type", kind);
    let request = sign(
        request,
        &format!("content-type;{V3}"),
        &world.key.0,
        &world.key.1,
    );
    assert_eq!(world.send(request).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn sign_v1_is_accepted_by_get_and_post() {
    let world = TestWorld::new();
    let (status, body) = world.send(v1(&world, "GET", |_| {})).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let post = v1(&world, "POST", |pairs| pairs[6].1 = "other".to_owned());
    assert_eq!(world.send(post).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn sign_v1_refuses_what_is_wrong() {
    let world = TestWorld::new();
    let old = v1(&world, "GET", |pairs| {
        pairs[8].1 = "2001-01-01T00:00:00Z".to_owned();
    });
    assert_eq!(
        code(&world, old).await,
        expect(400, "InvalidTimeStamp.Expired")
    );
    let method = v1(&world, "GET", |pairs| pairs[4].1 = "HMAC-MD5".to_owned());
    assert_eq!(
        code(&world, method).await,
        expect(400, "InvalidSignatureMethod")
    );
    let unknown = v1(&world, "GET", |pairs| pairs[3].1 = "nobody".to_owned());
    assert_eq!(
        code(&world, unknown).await,
        expect(404, "InvalidAccessKeyId.NotFound")
    );
    let mut changed = v1(&world, "GET", |_| {});
    *changed.method_mut() = http::Method::POST;
    let (status, body) = world.send(changed).await.unwrap();
    assert_eq!(
        (status, body["Code"].as_str()),
        (400, Some("SignatureDoesNotMatch"))
    );
    // The V1 SDK takes the second part between colons and compares it.
    let text = body["Message"].as_str().unwrap().split(':').nth(1).unwrap();
    assert!(text.starts_with("POST&%2F&"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_nonce_is_taken_once() {
    let world = TestWorld::new();
    let nonce = |request: &mut Request<Bytes>| {
        request
            .headers_mut()
            .insert("x-acs-signature-nonce", "same".parse().unwrap());
    };
    assert_eq!(world.send(resign(&world, nonce)).await.unwrap().0, 200);
    assert_eq!(
        code(&world, resign(&world, nonce)).await,
        expect(400, "SignatureNonceUsed")
    );
}

#[tokio::test(start_paused = true)]
async fn a_time_more_than_fifteen_minutes_off_is_refused() {
    let world = TestWorld::new();
    let request = world.signed("DescribeEipAddresses", &[]);
    sleep(15 * 60_000 + 2_000).await;
    assert_eq!(
        code(&world, request).await,
        expect(400, "InvalidTimeStamp.Expired")
    );
    let bad = resign(&world, |request| {
        request
            .headers_mut()
            .insert("x-acs-date", "noon".parse().unwrap());
    });
    assert_eq!(
        code(&world, bad).await,
        expect(400, "InvalidTimeStamp.Format")
    );
}

#[tokio::test(start_paused = true)]
async fn a_time_within_fifteen_minutes_is_accepted() {
    let world = TestWorld::new();
    let request = world.signed("DescribeEipAddresses", &[]);
    sleep(14 * 60_000).await;
    assert_eq!(world.send(request).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_inactive_keys_are_refused() {
    let world = TestWorld::new();
    let request = world.signed("DescribeEipAddresses", &[]);
    let unknown = sign(request, V3, "nobody", "x");
    assert_eq!(
        code(&world, unknown).await,
        expect(404, "InvalidAccessKeyId.NotFound")
    );
    let key = NewAccessKey {
        inactive: true,
        ..NewAccessKey::default()
    };
    let key = world.cloud.add_access_key(key);
    let request = sign(
        world.signed("DescribeEipAddresses", &[]),
        V3,
        &key.id,
        &key.secret,
    );
    assert_eq!(
        code(&world, request).await,
        expect(400, "InvalidAccessKeyId.Inactive")
    );
}

#[tokio::test(start_paused = true)]
async fn unsigned_and_half_signed_requests_are_refused() {
    let world = TestWorld::new();
    let bare = |name: &'static str, value: &'static str| {
        let request = Request::builder()
            .uri("/?RegionId=cn-hangzhou")
            .header("x-acs-action", "DescribeEipAddresses")
            .header("x-acs-version", "2016-04-28")
            .header(name, value);
        request.body(Bytes::new()).unwrap()
    };
    let unsigned = code(&world, bare("accept", "*/*")).await;
    assert_eq!(unsigned, expect(400, "MissingAccessKeyId"));
    let half = code(
        &world,
        bare("authorization", "ACS3-HMAC-SHA256 Credential=x"),
    )
    .await;
    assert_eq!(half, expect(400, "IncompleteSignature"));
}

#[tokio::test(start_paused = true)]
async fn unknown_actions_and_versions_are_refused() {
    let world = TestWorld::new();
    let key = (world.key.0.as_str(), world.key.1.as_str());
    let none = world.signed_as("2016-04-28", "MakeCoffee", &[], key, None);
    assert_eq!(
        code(&world, none).await,
        expect(404, "InvalidAction.NotFound")
    );
    let none = world.signed_as("2014-05-26", "AllocateEipAddress", &[], key, None);
    assert_eq!(
        code(&world, none).await,
        expect(404, "InvalidAction.NotFound")
    );
    let none = world.signed_as("1999-01-01", "AllocateEipAddress", &[], key, None);
    assert_eq!(code(&world, none).await, expect(404, "InvalidVersion"));
}

#[tokio::test(start_paused = true)]
async fn a_policy_refuses_what_it_does_not_allow() {
    let world = TestWorld::new();
    let key = NewAccessKey {
        allowed: Some(vec!["vpc:Describe*".to_owned()]),
        ..NewAccessKey::default()
    };
    let key = world.cloud.add_access_key(key);
    let request = |action| sign(world.signed(action, &[]), V3, &key.id, &key.secret);
    assert_eq!(
        world.send(request("DescribeEipAddresses")).await.unwrap().0,
        200
    );
    let (status, body) = world.send(request("AllocateEipAddress")).await.unwrap();
    assert_eq!(
        (status, body["Code"].as_str()),
        (403, Some("Forbidden.RAM"))
    );
    assert_eq!(
        body["AccessDeniedDetail"]["NoPermissionType"],
        "ImplicitDeny"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_documented_body() {
    let world = TestWorld::new();
    let (status, body) = world
        .call("ReleaseEipAddress", &[("AllocationId", "eip-x")])
        .await;
    assert_eq!(status, 404);
    for name in ["RequestId", "HostId", "Code", "Message", "Recommend"] {
        assert!(body[name].is_string(), "{name}");
    }
    assert_eq!(body["HostId"], "vpc.test");
    let last = world.cloud.calls().pop().unwrap();
    assert_eq!(body["RequestId"], json!(last.request_id));
}

/// Reads the role's credentials as a node does: id, secret, token.
async fn role_credentials(world: &TestWorld) -> (String, String, String) {
    let page = world
        .page("/latest/meta-data/ram/security-credentials/node-role")
        .await;
    let set: serde_json::Value = serde_json::from_str(&page).unwrap();
    let text = |name: &str| set[name].as_str().unwrap().to_owned();
    (
        text("AccessKeyId"),
        text("AccessKeySecret"),
        text("SecurityToken"),
    )
}

#[tokio::test(start_paused = true)]
async fn role_credentials_need_their_token_and_end() {
    let world = TestWorld::new();
    let (id, secret, token) = role_credentials(&world).await;
    let with = |token: Option<&str>| {
        let key = (id.as_str(), secret.as_str());
        world.signed_as("2016-04-28", "DescribeEipAddresses", &[], key, token)
    };
    assert_eq!(world.send(with(Some(&token))).await.unwrap().0, 200);
    assert_eq!(
        code(&world, with(None)).await,
        expect(400, "MissingSecurityToken")
    );
    let malformed = code(&world, with(Some("other"))).await;
    assert_eq!(malformed, expect(400, "InvalidSecurityToken.Malformed"));
    sleep(6 * 3_600_000).await;
    let expired = code(&world, with(Some(&token))).await;
    assert_eq!(expired, expect(400, "InvalidSecurityToken.Expired"));
}

#[tokio::test(start_paused = true)]
async fn role_credentials_do_not_take_the_token_of_another_set() {
    let world = TestWorld::new();
    let (_, _, old) = role_credentials(&world).await;
    sleep(5 * 3_600_000 + 30 * 60_000).await;
    let (id, secret, new) = role_credentials(&world).await;
    assert_ne!(old, new);
    let key = (id.as_str(), secret.as_str());
    let mixed = world.signed_as("2016-04-28", "DescribeEipAddresses", &[], key, Some(&old));
    let refused = code(&world, mixed).await;
    assert_eq!(
        refused,
        expect(400, "InvalidSecurityToken.MismatchWithAccessKey")
    );
}

#[tokio::test(start_paused = true)]
async fn role_credentials_obey_the_policy_of_the_role() {
    let world = TestWorld::new();
    let allowed = Some(vec!["ecs:*".to_owned()]);
    let role = Role {
        name: "node-role".to_owned(),
        allowed,
        ..Role::default()
    };
    world.cloud.add_role(role);
    let (id, secret, token) = role_credentials(&world).await;
    let key = (id.as_str(), secret.as_str());
    let request = world.signed_as("2016-04-28", "DescribeEipAddresses", &[], key, Some(&token));
    assert_eq!(code(&world, request).await, expect(403, "Forbidden.RAM"));
}

#[tokio::test(start_paused = true)]
async fn wall_time_follows_the_start_that_was_set() {
    let start_wall = Some("2030-01-01T00:00:00Z".parse().unwrap());
    let settings = Settings {
        start_wall,
        ..Settings::default()
    };
    let world = TestWorld::with(settings);
    sleep(90_000).await;
    assert_eq!(
        world.cloud.iso(world.cloud.clock().now()),
        "2030-01-01T00:01:30Z"
    );
    world.allocate().await;
}
