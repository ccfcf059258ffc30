//! The metadata service.

use serde_json::{Value, json};

use crate::clock::sleep;
use crate::cloud::Lost;
use crate::settings::Settings;
use crate::test_world::TestWorld;
use crate::world::{AssignIps, EniType, NewEni};

const TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const BASE: &str = "/latest/meta-data";

async fn token(world: &TestWorld, ttl: &str) -> (u16, String) {
    world
        .metadata("PUT", "/latest/api/token", &[(TTL, ttl)])
        .await
}

fn require_tokens(world: &TestWorld) {
    world
        .cloud
        .change_instance("i-1", |instance| instance.http_tokens_required = true)
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn metadata_knows_the_node() {
    let world = TestWorld::new();
    let vpc = world.instance.vpc_id.as_str();
    let pages = [
        ("instance-id", "i-1"),
        ("region-id", "cn-hangzhou"),
        ("zone-id", "cn-hangzhou-a"),
        ("owner-account-id", "1234567890123456"),
        ("vpc-id", vpc),
        ("vswitch-id", "vsw-1"),
        ("vswitch-cidr-block", "10.0.1.0/24"),
        ("vpc-cidr-block", "10.0.0.0/8"),
        ("network-type", "vpc"),
        ("private-ipv4", "10.0.1.1"),
        ("instance/instance-type", "ecs.g7.xlarge"),
        ("hostname", "i-1"),
        ("ram/security-credentials/", "node-role"),
    ];
    for (path, text) in pages {
        assert_eq!(world.page(&format!("{BASE}/{path}")).await, text, "{path}");
    }
    let document = world
        .page("/latest/dynamic/instance-identity/document")
        .await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["instance-id"], "i-1");
}

#[tokio::test(start_paused = true)]
async fn metadata_lists_interfaces_with_a_slash_each() {
    let world = TestWorld::new();
    let macs = world
        .page(&format!("{BASE}/network/interfaces/macs/"))
        .await;
    assert_eq!(macs.lines().count(), 2);
    assert!(macs.lines().all(|line| line.ends_with('/')));
    let at = |leaf: &str| format!("{BASE}/network/interfaces/macs/{}/{leaf}", world.eni.mac);
    assert_eq!(world.page(&at("network-interface-id")).await, world.eni.id);
    assert_eq!(world.page(&at("primary-ip-address")).await, world.ip(0));
    assert_eq!(world.page(&at("netmask")).await, "255.255.255.0");
    assert_eq!(world.page(&at("gateway")).await, "10.0.1.253");
    assert_eq!(world.page(&at("vswitch-id")).await, "vsw-1");
    assert_eq!(world.page(&at("vpc-cidr-block")).await, "10.0.0.0/8");
    let ips: Vec<String> = serde_json::from_str(&world.page(&at("private-ipv4s")).await).unwrap();
    assert_eq!(ips.len(), 5);
    for leaf in ["ipv6s", "ipv4-prefixes", "nonsense"] {
        assert_eq!(world.metadata("GET", &at(leaf), &[]).await.0, 404, "{leaf}");
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_prints_ipv6_addresses_unquoted() {
    let world = TestWorld::new();
    let new = NewEni {
        vswitch_id: "vsw-1".into(),
        instance_id: Some("i-1".into()),
        ipv6s: vec!["2001:db8::1".into(), "2001:db8::2".into()],
        ..NewEni::default()
    };
    let eni = world.cloud.add_eni(new).unwrap();
    let page = world
        .page(&format!("{BASE}/network/interfaces/macs/{}/ipv6s", eni.mac))
        .await;
    assert_eq!(page, "[2001:db8::1,2001:db8::2]");
}

#[tokio::test(start_paused = true)]
async fn metadata_shows_new_enis_and_addresses_late() {
    let world = TestWorld::new();
    let new = NewEni {
        vswitch_id: "vsw-1".into(),
        instance_id: Some("i-1".into()),
        metadata_late_ms: 5_000,
        ..NewEni::default()
    };
    world.cloud.add_eni(new).unwrap();
    let order = AssignIps {
        count: 1,
        metadata_late_ms: 3_000,
        ..AssignIps::default()
    };
    world.cloud.assign_ips(&world.eni.id, &order).unwrap();
    let macs = format!("{BASE}/network/interfaces/macs/");
    let ips = format!("{macs}{}/private-ipv4s", world.eni.mac);
    let count = |text: String| serde_json::from_str::<Vec<String>>(&text).unwrap().len();
    assert_eq!(world.page(&macs).await.lines().count(), 2);
    assert_eq!(count(world.page(&ips).await), 5);
    sleep(3_000).await;
    assert_eq!(count(world.page(&ips).await), 6);
    sleep(2_000).await;
    assert_eq!(world.page(&macs).await.lines().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn metadata_does_not_list_member_enis_unless_set() {
    let world = TestWorld::new();
    for kind in [EniType::Trunk, EniType::Member] {
        let instance_id = Some("i-1".to_owned());
        let new = NewEni {
            vswitch_id: "vsw-1".into(),
            kind,
            instance_id,
            ..NewEni::default()
        };
        world.cloud.add_eni(new).unwrap();
    }
    let macs = format!("{BASE}/network/interfaces/macs");
    assert_eq!(world.page(&macs).await.lines().count(), 3);
    world
        .cloud
        .change_settings(|settings| settings.metadata.member_enis_listed = true);
    assert_eq!(world.page(&macs).await.lines().count(), 4);
}

#[tokio::test(start_paused = true)]
async fn metadata_tokens_are_checked() {
    let world = TestWorld::new();
    require_tokens(&world);
    let path = format!("{BASE}/instance-id");
    assert_eq!(world.metadata("GET", &path, &[]).await.0, 403);
    let (status, first) = token(&world, "60").await;
    assert_eq!(status, 200);
    assert_eq!(
        world.metadata("GET", &path, &[(TOKEN, &first)]).await.0,
        200
    );
    assert_eq!(
        world.metadata("GET", &path, &[(TOKEN, "wrong")]).await.0,
        401
    );
    sleep(60_000).await;
    assert_eq!(
        world.metadata("GET", &path, &[(TOKEN, &first)]).await.0,
        401
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_tokens_have_a_lifetime_from_1_to_21600() {
    let world = TestWorld::new();
    for (ttl, expected) in [
        ("0", 400),
        ("21601", 400),
        ("x", 400),
        ("1", 200),
        ("21600", 200),
    ] {
        assert_eq!(token(&world, ttl).await.0, expected, "{ttl}");
    }
    assert_eq!(world.metadata("PUT", "/latest/api/token", &[]).await.0, 400);
    assert_eq!(
        world
            .metadata("GET", "/latest/api/token", &[(TTL, "60")])
            .await
            .0,
        405
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_tokens_are_not_given_to_proxies() {
    let world = TestWorld::new();
    let headers = [(TTL, "60"), ("X-Forwarded-For", "10.0.0.1")];
    assert_eq!(
        world.metadata("PUT", "/latest/api/token", &headers).await.0,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_tokens_belong_to_one_instance() {
    let world = TestWorld::new();
    let other = crate::world::NewInstance {
        id: Some("i-2".into()),
        vswitch_id: "vsw-1".into(),
        ..Default::default()
    };
    world.cloud.add_instance(other).unwrap();
    let (_, token) = token(&world, "60").await;
    let request = http::Request::builder()
        .uri(format!("{BASE}/instance-id"))
        .header(TOKEN, token);
    let request = request.body(bytes::Bytes::new()).unwrap();
    let response = world.cloud.metadata("i-2", request).await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test(start_paused = true)]
async fn metadata_without_hardening_needs_no_token() {
    let world = TestWorld::new();
    assert_eq!(world.page(&format!("{BASE}/instance-id")).await, "i-1");
    let bad = world
        .metadata("GET", &format!("{BASE}/instance-id"), &[(TOKEN, "bad")])
        .await;
    assert_eq!(bad.0, 401);
}

#[tokio::test(start_paused = true)]
async fn metadata_credentials_change_half_an_hour_before_they_end() {
    let world = TestWorld::new();
    let path = format!("{BASE}/ram/security-credentials/node-role");
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let first = read(world.page(&path).await);
    assert_eq!(first["Code"], "Success");
    sleep(5 * 3_600_000 + 29 * 60_000).await;
    assert_eq!(
        read(world.page(&path).await)["AccessKeyId"],
        first["AccessKeyId"]
    );
    sleep(60_000).await;
    let second = read(world.page(&path).await);
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    assert!(second["Expiration"].as_str() > first["Expiration"].as_str());
}

#[tokio::test(start_paused = true)]
async fn metadata_without_a_role_has_no_credentials() {
    let world = TestWorld::new();
    world
        .cloud
        .change_instance("i-1", |instance| instance.role = None)
        .unwrap();
    for path in [
        "ram/security-credentials/",
        "ram/security-credentials/node-role",
    ] {
        assert_eq!(
            world
                .metadata("GET", &format!("{BASE}/{path}"), &[])
                .await
                .0,
            404
        );
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_limits_its_rate_if_set() {
    let mut settings = Settings::default();
    settings.metadata.per_second = Some(2);
    let world = TestWorld::with(settings);
    let path = format!("{BASE}/instance-id");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(world.metadata("GET", &path, &[]).await.0);
    }
    assert_eq!(seen, [200, 200, 429]);
    sleep(1_000).await;
    assert_eq!(world.metadata("GET", &path, &[]).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn metadata_faults_can_be_ordered_by_path() {
    let world = TestWorld::new();
    let fault = json!({
        "action": "metadata", "args": {"path": "/latest/meta-data/ram/*"},
        "fault": {"kind": "refuse", "status": 503},
    });
    world.control("POST", "/faults", fault).await;
    assert_eq!(world.page(&format!("{BASE}/instance-id")).await, "i-1");
    let path = format!("{BASE}/ram/security-credentials/");
    assert_eq!(world.metadata("GET", &path, &[]).await.0, 503);
    assert_eq!(world.metadata("GET", &path, &[]).await.0, 200);
    let fault = json!({"action": "metadata", "fault": {"kind": "drop"}});
    world.control("POST", "/faults", fault).await;
    let request = http::Request::builder()
        .uri("/")
        .body(bytes::Bytes::new())
        .unwrap();
    assert_eq!(world.cloud.metadata("i-1", request).await.err(), Some(Lost));
}

#[tokio::test(start_paused = true)]
async fn metadata_of_an_unknown_instance_or_path_is_404() {
    let world = TestWorld::new();
    for path in [
        "/latest/meta-data/nonsense",
        "/other",
        "/latest/meta-data/eipv4",
    ] {
        assert_eq!(world.metadata("GET", path, &[]).await.0, 404, "{path}");
    }
    let request = http::Request::builder()
        .uri(BASE)
        .body(bytes::Bytes::new())
        .unwrap();
    let response = world.cloud.metadata("i-none", request).await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test(start_paused = true)]
async fn metadata_calls_are_recorded_with_their_instance() {
    let world = TestWorld::new();
    world.page(&format!("{BASE}/instance-id")).await;
    let calls = world
        .control("GET", "/calls?door=metadata", Value::Null)
        .await;
    assert_eq!(calls[0]["instance"], "i-1");
    assert_eq!(calls[0]["action"], "GET /latest/meta-data/instance-id");
    assert_eq!(calls[0]["status"], 200);
}
