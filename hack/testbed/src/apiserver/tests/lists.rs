//! Lists: selectors, pages, old versions, shorter forms; discovery.

use super::*;
use http::Request;
use k8s_openapi::api::core::v1::Node;
use kube::api::{ListParams, VersionMatch};
use kube::core::PartialObjectMeta;

fn names<K: kube::ResourceExt>(items: impl IntoIterator<Item = K>) -> Vec<String> {
    items.into_iter().map(|o| o.name_any()).collect()
}

async fn chosen(api: &ApiServer, labels: &str) -> Vec<String> {
    names(
        records(api, "a")
            .list(&ListParams::default().labels(labels))
            .await
            .unwrap(),
    )
}

#[tokio::test(start_paused = true)]
async fn labels_select_by_equality_set_and_existence() {
    let api = ApiServer::new();
    for (name, node) in [
        ("a", Some("n1")),
        ("b", Some("n2")),
        ("c", Some("")),
        ("d", None),
    ] {
        created(&api, name).await;
        if let Some(node) = node {
            merged(&api, name, labelled(node)).await.unwrap();
        }
    }
    assert_eq!(chosen(&api, "eipd.io/node=n1").await, ["a"]);
    assert_eq!(chosen(&api, "eipd.io/node==").await, ["c"]);
    assert_eq!(chosen(&api, "eipd.io/node!=n1").await, ["b", "c", "d"]);
    assert_eq!(chosen(&api, "eipd.io/node in (n1, n2)").await, ["a", "b"]);
    assert_eq!(chosen(&api, "eipd.io/node notin (n1,n2)").await, ["c", "d"]);
    assert_eq!(chosen(&api, "eipd.io/node").await, ["a", "b", "c"]);
    assert_eq!(chosen(&api, "!eipd.io/node").await, ["d"]);
    assert_eq!(
        chosen(&api, "eipd.io/node,eipd.io/node in (n1),eipd.io/node!=x").await,
        ["a"]
    );
}

#[tokio::test(start_paused = true)]
async fn fields_select_where_the_kind_knows_them() {
    let api = ApiServer::new();
    api.create_pod(&pod("a", "n1")).unwrap();
    api.create_pod(&pod("b", "n2")).unwrap();
    api.create_pod(&PodSpec::new("other", "c", "n1")).unwrap();
    let everywhere: Api<Pod> = Api::all(api.client("a"));
    let by = |field: &str| ListParams::default().fields(field);
    assert_eq!(
        names(everywhere.list(&by("spec.nodeName=n1")).await.unwrap()),
        ["a", "c"]
    );
    assert_eq!(
        names(pods(&api, "a").list(&by("spec.nodeName=n1")).await.unwrap()),
        ["a"]
    );
    assert_eq!(
        names(everywhere.list(&by("metadata.name=b")).await.unwrap()),
        ["b"]
    );
    let unknown = everywhere.list(&by("spec.hostNetwork=true")).await;
    assert_eq!(refusal(unknown), is(400, "BadRequest"));
    assert_eq!(
        refusal(records(&api, "a").list(&by("spec.allocationID=x")).await),
        is(400, "BadRequest")
    );
}

#[tokio::test(start_paused = true)]
async fn pages_show_one_moment() {
    let api = ApiServer::new();
    for name in ["a", "b", "c", "d", "e"] {
        created(&api, name).await;
    }
    let all = records(&api, "a");
    let page = ListParams::default().limit(2);
    let first = all.list(&page).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    api.vanish("podeips", "default", "d").unwrap();
    created(&api, "cc").await;
    let token = first.metadata.continue_.clone().unwrap();
    let second = all
        .list(&page.clone().continue_token(&token))
        .await
        .unwrap();
    let last = all
        .list(
            &page
                .clone()
                .continue_token(&second.metadata.continue_.unwrap()),
        )
        .await
        .unwrap();
    assert_eq!(names(first), ["a", "b"]);
    assert_eq!(
        names(second.items),
        ["c", "d"],
        "as it was when the first page was read"
    );
    assert_eq!(
        (
            last.metadata.continue_.as_deref().unwrap_or_default(),
            names(last.items)
        ),
        ("", vec!["e".to_owned()])
    );
    api.forget_history();
    created(&api, "f").await;
    assert_eq!(
        refusal(all.list(&page.continue_token(&token)).await),
        is(410, "Expired")
    );
}

#[tokio::test(start_paused = true)]
async fn version_zero_ignores_the_limit_and_counts_nothing() {
    let api = ApiServer::new();
    for name in ["a", "b", "c"] {
        created(&api, name).await;
    }
    let any = ListParams::default().match_any();
    let url = format!(
        "/apis/alibabacloud.com/v1beta1/podeips?limit=1&resourceVersion={}",
        any.resource_version.unwrap()
    );
    let whole: Value = api
        .client("a")
        .request(Request::get(url).body(Vec::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(whole["items"].as_array().unwrap().len(), 3);
    assert_eq!(whole["metadata"]["continue"], Value::Null);
    let narrow = ListParams::default().labels("!x").limit(1);
    let page = records(&api, "a").list(&narrow).await.unwrap();
    assert_eq!(
        (
            page.metadata.continue_.is_some(),
            page.metadata.remaining_item_count
        ),
        (true, None)
    );
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_selection_hold_what_is_selected_and_are_measured() {
    let api = ApiServer::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        created(&api, name).await;
    }
    for name in ["a", "d"] {
        merged(&api, name, labelled("n1")).await.unwrap();
    }
    api.clear_log();
    let mut page = ListParams::default()
        .labels("!eipd.io/node,eipd.io/bucket notin (0,1)")
        .limit(3);
    let first = records(&api, "a").list(&page).await.unwrap();
    page = page.continue_token(first.metadata.continue_.as_deref().unwrap());
    let last = records(&api, "a").list(&page).await.unwrap();
    assert_eq!(names(first), ["b", "c", "e"]);
    assert_eq!(last.metadata.continue_, None);
    assert_eq!(names(last), ["f"]);
    let bytes: Vec<u64> = api.log().iter().map(|list| list.bytes).collect();
    let one = serde_json::to_string(&api.get("podeips", "default", "f")).unwrap();
    let one = one.len() as u64;
    assert!(
        bytes[0] > 3 * one && bytes[1] > one && bytes[1] < 2 * one,
        "{bytes:?}, {one} each"
    );
}

#[tokio::test(start_paused = true)]
async fn lists_at_a_version() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let then = records(&api, "a")
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    created(&api, "b").await;
    let exact = ListParams::default()
        .at(&then)
        .matching(VersionMatch::Exact);
    assert_eq!(names(records(&api, "a").list(&exact).await.unwrap()), ["a"]);
    let at_least = ListParams::default().at(&then);
    assert_eq!(
        names(records(&api, "a").list(&at_least).await.unwrap()),
        ["a", "b"]
    );
    let future = ListParams::default().at("9999999");
    assert_eq!(
        refusal(records(&api, "a").list(&future).await),
        is(504, "Timeout")
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_lists_carry_nothing_else() {
    let api = ApiServer::new();
    created(&api, "a").await;
    let all = records(&api, "a")
        .list_metadata(&ListParams::default())
        .await
        .unwrap();
    let one: &PartialObjectMeta<PodEIP> = &all.items[0];
    assert_eq!(one.metadata.name.as_deref(), Some("a"));
    let raw = serde_json::to_value(one).unwrap();
    assert_eq!(raw["spec"], Value::Null);
    let one = records(&api, "a").get_metadata("a").await.unwrap();
    assert_eq!(one.metadata.name.as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn nodes_come_as_a_table() {
    let api = ApiServer::new();
    api.set_node("n1", true).unwrap();
    api.set_node("n2", true).unwrap();
    api.set_node("n2", false).unwrap();
    let nodes: Api<Node> = Api::all(api.client("a"));
    assert_eq!(
        nodes
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        2
    );
    let request = Request::get("/api/v1/nodes?includeObject=None&limit=500")
        .header("accept", "application/json;as=Table;g=meta.k8s.io;v=v1")
        .body(Vec::new())
        .unwrap();
    let table: Value = api.client("a").request(request).await.unwrap();
    let row = |n: usize| {
        [
            table["rows"][n]["cells"][0].clone(),
            table["rows"][n]["cells"][1].clone(),
        ]
    };
    assert_eq!(table["columnDefinitions"][1]["name"], "Status");
    assert_eq!(
        (row(0), row(1)),
        (
            [json!("n1"), json!("Ready")],
            [json!("n2"), json!("NotReady")]
        )
    );
    assert_eq!(table["rows"][0]["object"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn discovery_tells_which_versions_are_served() {
    let api = ApiServer::new();
    api.install(&super::super::poddnat(&["v1", "v1beta1"]))
        .unwrap();
    let client = api.client("a");
    let groups = client.list_api_groups().await.unwrap();
    let group = groups
        .groups
        .iter()
        .find(|g| g.name == "alibabacloud.com")
        .unwrap();
    assert_eq!(group.versions.len(), 2);
    let kinds = client
        .list_api_group_resources("alibabacloud.com/v1")
        .await
        .unwrap();
    assert_eq!(
        kinds
            .resources
            .iter()
            .map(|r| r.name.as_str())
            .collect::<Vec<_>>(),
        ["poddnats", "poddnats/status"]
    );
    let core = client.list_core_api_resources("v1").await.unwrap();
    assert!(core.resources.iter().any(|r| r.name == "pods"));
    assert!(
        client
            .apiserver_version()
            .await
            .unwrap()
            .git_version
            .starts_with("v1.35")
    );
    assert!(
        client
            .list_api_group_resources("alibabacloud.com/v2")
            .await
            .is_err()
    );
}
