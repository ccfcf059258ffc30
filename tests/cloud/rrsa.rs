//! RRSA: the pod's token, exchanged for credentials of a role; and who they say that they are.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudsim::faults::{Answer, FaultKind};
use cloudsim::identity::{OidcProvider, Role};
use eipd::clock;
use eipd::cloud::credentials::{Credentials, Rrsa};
use eipd::cloud::endpoints::Service;
use eipd::cloud::{Sts, Vpc};
use eipd::domain::ids::EipId;
use serde_json::{Value, json};

use crate::world::{World, allocated, args, configured, start};

const SUBJECT: &str = "system:serviceaccount:eipd:eipd";
const EXCHANGE: &str = "AssumeRoleWithOIDC";

/// A token file that goes with the test.
struct Pod {
    file: PathBuf,
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

impl Pod {
    /// As kubelet mounts and renews it.
    fn new(world: &World) -> Self {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("eipd-rrsa-{}-{number}", std::process::id());
        world.cloud.add_role(Role {
            name: "eipd".to_owned(),
            trusted_subjects: Some(vec![SUBJECT.to_owned()]),
            ..Role::default()
        });
        world.cloud.add_oidc_provider(OidcProvider {
            name: "ack-rrsa-c1".to_owned(),
            issuer: "https://issuer".to_owned(),
            client_ids: vec![],
        });
        let pod = Self {
            file: std::env::temp_dir().join(name),
        };
        pod.renew(world, |_| {});
        pod
    }

    fn renew(&self, world: &World, change: impl FnOnce(&mut Value)) {
        let now = world.cloud.clock().wall(world.cloud.clock().now());
        let now = now.as_second();
        let mut claims = json!({
            "iss": "https://issuer", "aud": ["sts.aliyuncs.com"], "exp": now + 3_600, "iat": now, "sub": SUBJECT,
        });
        change(&mut claims);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!(
            "{}.{}.s1gnature\n",
            part(&json!({"alg": "RS256"})),
            part(&claims)
        );
        fs::write(&self.file, token).unwrap();
    }

    fn source(&self, world: &World) -> Rrsa {
        let account = world.cloud.settings().account_id;
        Rrsa {
            role_arn: format!("acs:ram::{account}:role/eipd"),
            provider_arn: format!("acs:ram::{account}:oidc-provider/ack-rrsa-c1"),
            token_file: self.file.clone(),
            session: "eipd-node".to_owned(),
            sts: Sts::new(world.rpc_of(Service::Sts, Credentials::new(Vec::new(), start()))),
        }
    }

    fn client(&self, world: &World) -> Vpc {
        world.client_with(vec![Box::new(self.source(world))])
    }
}

async fn looks(client: &Vpc) -> bool {
    client.look(&[EipId::new("eip-ghost")]).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_day_with_a_token_that_is_renewed_has_one_exchange_an_hour() {
    let world = World::new();
    let pod = Pod::new(&world);
    let client = pod.client(&world);
    for _ in 0..96 {
        pod.renew(&world, |_| {});
        assert!(looks(&client).await);
        clock::sleep(Duration::from_mins(15)).await;
    }
    assert_eq!(world.count("DescribeEipAddresses"), 96, "none was refused");
    let exchanges = world.count(EXCHANGE);
    assert!((20..=40).contains(&exchanges), "{exchanges} exchanges");
}

#[tokio::test(start_paused = true)]
async fn old_credentials_serve_while_sts_is_away() {
    let world = World::new();
    let pod = Pod::new(&world);
    let client = pod.client(&world);
    assert!(looks(&client).await);
    let away = Answer {
        status: 503,
        code: "ServiceUnavailable".to_owned(),
        ..Answer::default()
    };
    let fault = world.order_for_ever(EXCHANGE, FaultKind::Refuse(away));
    for _ in 0..11 {
        clock::sleep(Duration::from_mins(5)).await;
        assert!(looks(&client).await);
    }
    clock::sleep(Duration::from_mins(6)).await;
    assert!(!looks(&client).await, "their hour is over");
    world.cloud.remove_fault(fault);
    pod.renew(&world, |_| {});
    assert!(looks(&client).await);
}

#[tokio::test(start_paused = true)]
async fn revoked_credentials_are_replaced_and_the_call_repeated() {
    let world = World::new();
    let pod = Pod::new(&world);
    let client = pod.client(&world);
    allocated(&client, "t1").await;
    world.cloud.expire_credentials();
    allocated(&client, "t2").await;
    assert_eq!(world.count("AllocateEipAddress"), 3);
    assert_eq!(world.count(EXCHANGE), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_token_is_said_with_the_remedy_and_without_the_token() {
    type Spoil = fn(&mut Value);
    let cases: [(Spoil, &str, &str); 4] = [
        (
            |it| it["aud"] = json!(["else"]),
            "AudienceNotMatch",
            "sts.aliyuncs.com",
        ),
        (|it| it["exp"] = json!(1), "Expired", "has not renewed"),
        (
            |it| it["iss"] = json!("https://other"),
            "IssuerNotMatch",
            "another cluster",
        ),
        (
            |it| it["sub"] = json!("system:serviceaccount:a:b"),
            "NoPermission",
            "trust policy",
        ),
    ];
    for (spoil, code, remedy) in cases {
        let world = World::new();
        let pod = Pod::new(&world);
        pod.renew(&world, spoil);
        let error = pod.client(&world).allocate(&args(), "t").await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(code) && said.contains(remedy), "{said}");
        assert!(
            said.contains("RRSA") && said.contains("RequestId"),
            "{said}"
        );
        let token = fs::read_to_string(&pod.file).unwrap();
        assert!(!said.contains(token.trim()), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_echoed_token_is_not_repeated() {
    let world = World::new();
    let pod = Pod::new(&world);
    let token = fs::read_to_string(&pod.file).unwrap();
    let echo = Answer {
        status: 400,
        code: "InvalidParameter".to_owned(),
        message: format!("what is {}?", token.trim()),
        ..Answer::default()
    };
    world.order(EXCHANGE, FaultKind::Refuse(echo));
    let error = pod.client(&world).allocate(&args(), "t").await.unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(
        said.contains("what is ***?") && !said.contains(token.trim()),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_token_file_is_a_failure_and_the_role_is_not_tried() {
    let world = World::new();
    let pod = Pod::new(&world);
    fs::remove_file(&pod.file).unwrap();
    let role = eipd::node::role::NodeRole::new(world.metadata());
    let sources: Vec<Box<dyn eipd::cloud::credentials::Source>> =
        vec![Box::new(pod.source(&world)), Box::new(role)];
    let error = world.client_with(sources).allocate(&args(), "t").await;
    let said = error.unwrap_err().to_string();
    assert!(said.contains(&pod.file.display().to_string()), "{said}");
    assert_eq!(world.count("metadata"), 0);
}

#[tokio::test(start_paused = true)]
async fn keys_say_whose_they_are() {
    let world = World::new();
    let pod = Pod::new(&world);
    let account = world.cloud.settings().account_id;
    let key = world
        .cloud
        .add_access_key(cloudsim::identity::NewAccessKey {
            allowed: Some(Vec::new()),
            ..Default::default()
        });
    let of = |source| {
        let keys = Credentials::new(vec![source], start());
        Sts::new(world.rpc_of(Service::Sts, keys))
    };
    let role = of(Box::new(pod.source(&world))).get_caller_identity().await;
    let role = role.unwrap();
    assert_eq!(role.account_id, account);
    assert!(role.arn.contains("role/eipd/"), "{role:?}");
    let user = of(configured(&key.id, &key.secret))
        .get_caller_identity()
        .await;
    assert_eq!(
        user.unwrap().arn,
        format!("acs:ram::{account}:user/{}", key.id)
    );
}
