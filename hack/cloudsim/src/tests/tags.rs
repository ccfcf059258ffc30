//! Tags of EIPs.

use serde_json::Value;

use crate::clock::sleep;
use crate::settings::Settings;
use crate::test_world::TestWorld;

type Args<'a> = &'a [(&'a str, &'a str)];

async fn tag(world: &TestWorld, eip: &str, key: &str, value: &str) {
    let args = [
        ("ResourceType", "EIP"),
        ("ResourceId.1", eip),
        ("Tag.1.Key", key),
        ("Tag.1.Value", value),
    ];
    world.ok("TagResources", &args).await;
}

async fn list(world: &TestWorld, args: &[(&str, &str)]) -> Vec<Value> {
    let mut all = vec![("ResourceType", "EIP")];
    all.extend(args);
    let body = world.ok("ListTagResources", &all).await;
    body["TagResources"]["TagResource"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test(start_paused = true)]
async fn tags_are_set_listed_replaced_and_removed() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    tag(&world, &eip, "k", "1").await;
    tag(&world, &eip, "k", "2").await;
    let listed = list(&world, &[("ResourceId.1", &eip)]).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["TagKey"], "k");
    assert_eq!(listed[0]["TagValue"], "2");
    assert_eq!(listed[0]["ResourceType"], "EIP");
    assert_eq!(listed[0]["ResourceId"], eip.as_str());
    let args = [
        ("ResourceType", "EIP"),
        ("ResourceId.1", &eip),
        ("TagKey.1", "k"),
    ];
    world.ok("UnTagResources", &args).await;
    assert_eq!(list(&world, &[("ResourceId.1", &eip)]).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn tags_can_be_removed_all_at_once() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    tag(&world, &eip, "a", "1").await;
    tag(&world, &eip, "b", "2").await;
    let args = [
        ("ResourceType", "EIP"),
        ("ResourceId.1", eip.as_str()),
        ("All", "True"),
    ];
    world.ok("UnTagResources", &args).await;
    assert_eq!(list(&world, &[("ResourceId.1", &eip)]).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn tags_are_listed_by_key_and_value() {
    let world = TestWorld::new();
    let (a, b) = (world.allocate().await, world.allocate().await);
    tag(&world, &a, "k", "1").await;
    tag(&world, &b, "k", "2").await;
    assert_eq!(list(&world, &[("Tag.1.Key", "k")]).await.len(), 2);
    let one = list(&world, &[("Tag.1.Key", "k"), ("Tag.1.Value", "2")]).await;
    assert_eq!(one[0]["ResourceId"], b.as_str());
    assert_eq!(one.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tags_page_by_token() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    for n in 0..5 {
        tag(&world, &eip, &format!("k{n}"), "v").await;
    }
    let args = [
        ("ResourceType", "EIP"),
        ("ResourceId.1", eip.as_str()),
        ("MaxResults", "2"),
    ];
    let mut seen = 0;
    let mut token = String::new();
    for _ in 0..3 {
        let mut args = args.to_vec();
        args.push(("NextToken", &token));
        let body = world.ok("ListTagResources", &args).await;
        seen += body["TagResources"]["TagResource"]
            .as_array()
            .unwrap()
            .len();
        token = body["NextToken"].as_str().unwrap().to_owned();
    }
    assert_eq!((seen, token.as_str()), (5, ""));
}

#[tokio::test(start_paused = true)]
async fn tags_over_twenty_are_refused() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    for n in 0..20 {
        tag(&world, &eip, &format!("k{n}"), "v").await;
    }
    let base = [("ResourceType", "EIP"), ("ResourceId.1", eip.as_str())];
    let over = [base[0], base[1], ("Tag.1.Key", "more")];
    let refused = world.refusal("TagResources", &over).await;
    assert_eq!(refused.1, "QuotaExceeded.TagsPerResource");
    let replaced = [
        base[0],
        base[1],
        ("Tag.1.Key", "k3"),
        ("Tag.1.Value", "new"),
    ];
    world.ok("TagResources", &replaced).await;
}

#[tokio::test(start_paused = true)]
async fn tags_of_an_unknown_resource_are_refused_and_none_is_set() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let args = [
        ("ResourceType", "EIP"),
        ("ResourceId.1", eip.as_str()),
        ("ResourceId.2", "eip-none"),
        ("Tag.1.Key", "k"),
    ];
    let refused = world.refusal("TagResources", &args).await;
    assert_eq!(refused, (404, "InvalidResourceId.NotFound".to_owned()));
    assert_eq!(list(&world, &[("ResourceId.1", &eip)]).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn tags_refuse_bad_calls() {
    let world = TestWorld::new();
    let eip = world.allocate().await;
    let id = ("ResourceId.1", eip.as_str());
    let kind = ("ResourceType", "EIP");
    let cases: &[(&str, Args<'_>, &str)] = &[
        ("TagResources", &[kind, id], "MissingParameter"),
        (
            "TagResources",
            &[id, ("Tag.1.Key", "k")],
            "MissingParameter",
        ),
        (
            "TagResources",
            &[kind, ("Tag.1.Key", "k")],
            "MissingParameter",
        ),
        (
            "TagResources",
            &[kind, id, ("Tag.1.Key", "aliyun-x")],
            "InvalidTagKey",
        ),
        (
            "TagResources",
            &[kind, id, ("Tag.1.Value", "v")],
            "MissingParameter",
        ),
        (
            "TagResources",
            &[("ResourceType", "CAT"), id],
            "InvalidResourceType.NotFound",
        ),
        ("ListTagResources", &[kind], "MissingParameter"),
        (
            "ListTagResources",
            &[kind, id, ("MaxResults", "51")],
            "InvalidParameter",
        ),
        ("UnTagResources", &[kind], "MissingParameter"),
    ];
    for (action, args, code) in cases {
        assert_eq!(
            world.refusal(action, args).await.1,
            *code,
            "{action} {args:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn tags_show_late_if_set() {
    let mut settings = Settings::default();
    settings.open.tag_lag_ms = 4_000;
    let world = TestWorld::with(settings);
    let eip = world.allocate().await;
    tag(&world, &eip, "k", "v").await;
    assert_eq!(
        world.look(&eip).await["Tags"]["Tag"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(list(&world, &[("Tag.1.Key", "k")]).await.len(), 0);
    sleep(4_000).await;
    assert_eq!(world.look(&eip).await["Tags"]["Tag"][0]["Value"], "v");
    assert_eq!(list(&world, &[("Tag.1.Key", "k")]).await.len(), 1);
}
