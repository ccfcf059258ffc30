//! `AssumeRoleWithOIDC`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::clock::sleep;
use crate::identity::{OidcProvider, Role};
use crate::rpc::form;
use crate::test_world::{Answered, TestWorld};

const ACCOUNT: &str = "1234567890123456";

fn world() -> TestWorld {
    let world = TestWorld::new();
    world.cloud.add_role(Role {
        name: "pods".to_owned(),
        trusted_subjects: Some(vec!["system:serviceaccount:kube-system:eipd".to_owned()]),
        ..Role::default()
    });
    world.cloud.add_oidc_provider(OidcProvider {
        name: "ack-rrsa-c1".to_owned(),
        issuer: "https://issuer".to_owned(),
        client_ids: vec![],
    });
    world
}

fn token(world: &TestWorld, change: impl FnOnce(&mut Value)) -> String {
    let now = world
        .cloud
        .clock()
        .wall(world.cloud.clock().now())
        .as_second();
    let mut claims = json!({
        "iss": "https://issuer", "aud": ["sts.aliyuncs.com"], "exp": now + 3_600, "iat": now,
        "sub": "system:serviceaccount:kube-system:eipd",
    });
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.signature",
        part(&json!({"alg": "RS256"})),
        part(&claims)
    )
}

async fn assume(world: &TestWorld, change: impl FnOnce(&mut Vec<(String, String)>)) -> Answered {
    let args = [
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Format", "json"),
        ("RoleArn", &format!("acs:ram::{ACCOUNT}:role/pods")),
        (
            "OIDCProviderArn",
            &format!("acs:ram::{ACCOUNT}:oidc-provider/ack-rrsa-c1"),
        ),
        ("OIDCToken", &token(world, |_| {})),
        ("RoleSessionName", "eipd"),
    ];
    let mut args: Vec<_> = args
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    change(&mut args);
    let uri = format!("/?{}", form::canonical(args.iter()));
    let request = Request::builder()
        .method("POST")
        .uri(uri)
        .body(Bytes::new())
        .unwrap();
    world.send(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn oidc_credentials_work_until_they_end() {
    let world = world();
    let (status, body) = assume(&world, |_| {}).await;
    assert_eq!(status, 200, "{body}");
    let set = &body["Credentials"];
    let text = |name: &str| set[name].as_str().unwrap().to_owned();
    let (id, secret, token) = (
        text("AccessKeyId"),
        text("AccessKeySecret"),
        text("SecurityToken"),
    );
    let call = || {
        let key = (id.as_str(), secret.as_str());
        world.signed_as("2016-04-28", "DescribeEipAddresses", &[], key, Some(&token))
    };
    assert_eq!(world.send(call()).await.unwrap().0, 200);
    sleep(3_600_000).await;
    let (_, body) = world.send(call()).await.unwrap();
    assert_eq!(body["Code"], "InvalidSecurityToken.Expired");
}

#[tokio::test(start_paused = true)]
async fn oidc_answers_typed_fields() {
    let world = world();
    let (_, body) = assume(&world, |_| {}).await;
    let info = &body["OIDCTokenInfo"];
    assert_eq!(info["ClientIds"], "sts.aliyuncs.com");
    assert_eq!(info["Issuer"], "https://issuer");
    assert_eq!(info["Subject"], "system:serviceaccount:kube-system:eipd");
    assert!(
        body["AssumedRoleUser"]["Arn"]
            .as_str()
            .unwrap()
            .ends_with(":role/pods/eipd")
    );
    let call = &world.cloud.calls()[0];
    assert!(!call.args.contains_key("OIDCToken"));
    assert_eq!(call.product, "sts");
}

#[tokio::test(start_paused = true)]
async fn oidc_refuses_bad_tokens_each_with_its_code() {
    let world = world();
    let cases: [(&str, Value, &str); 4] = [
        (
            "iss",
            json!("https://other"),
            "AuthenticationFail.OIDCToken.IssuerNotMatch",
        ),
        (
            "aud",
            json!("kubernetes"),
            "AuthenticationFail.OIDCToken.AudienceNotMatch",
        ),
        ("exp", json!(1_000), "AuthenticationFail.OIDCToken.Expired"),
        (
            "sub",
            json!("system:serviceaccount:x:y"),
            "AuthenticationFail.NoPermission",
        ),
    ];
    for (claim, value, code) in cases {
        let bad = token(&world, |claims| claims[claim] = value);
        let (_, body) = assume(&world, |args| args[5].1 = bad).await;
        assert_eq!(body["Code"], code);
    }
    let (_, body) = assume(&world, |args| args[5].1 = "no.jwt".to_owned()).await;
    assert_eq!(body["Code"], "AuthenticationFail.OIDCToken.Invalid");
}

#[tokio::test(start_paused = true)]
async fn oidc_refuses_bad_arguments() {
    let world = world();
    let cases = [
        (
            3,
            "acs:ram::1234567890123456:role/none",
            404,
            "EntityNotExist.Role",
        ),
        (3, "pods", 400, "InvalidParameter.RoleArn"),
        (
            4,
            "acs:ram::1:oidc-provider/x",
            403,
            "AuthenticationFail.NoPermission",
        ),
        (6, "x", 400, "InvalidParameter.RoleSessionName"),
        (6, "a b", 400, "InvalidParameter.RoleSessionName"),
    ];
    for (index, value, status, code) in cases {
        let (got, body) = assume(&world, |args| args[index].1 = value.to_owned()).await;
        assert_eq!((got, body["Code"].as_str()), (status, Some(code)));
    }
    for seconds in ["899", "3601"] {
        let duration = ("DurationSeconds".to_owned(), seconds.to_owned());
        let (_, body) = assume(&world, |args| args.push(duration)).await;
        assert_eq!(body["Code"], "InvalidParameter.DurationSeconds");
    }
}
