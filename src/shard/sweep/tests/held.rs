//! Records that nodes have: found when their node is away, or leaves its tombstones lying.

use testbed::apiserver::Then;

use super::*;

fn held(name: &str, node: &str) -> Value {
    let mut record = kept(name, "Never");
    record["metadata"]["labels"]["eipd.io/node"] = json!(node);
    record
}

#[tokio::test(start_paused = true)]
async fn those_of_nodes_that_are_gone_or_not_ready_are_found_and_no_others() {
    let api = cluster(2);
    api.set_node("node-1", false).unwrap();
    for (name, node) in [("a", "node-0"), ("b", "node-1"), ("c", "gone")] {
        api.create(&held(name, node)).unwrap();
    }
    let mut others = held("d", "gone");
    others["metadata"]["annotations"] = Value::Null;
    api.create(&others).unwrap();
    let (sweep, mut found) = sweep_of(&api);
    once(&sweep).await;
    let want = [("b", What::NodeAway), ("c", What::NodeAway)];
    let want = want.map(|(name, what)| (name.to_owned(), what));
    assert_eq!(handed(&mut found), want);
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_is_its_nodes_for_five_minutes_and_a_gone_nodes_for_one() {
    let api = cluster(1);
    for (name, node) in [("a", "node-0"), ("b", "gone")] {
        api.create(&held(name, node)).unwrap();
        api.delete("podeips", "default", name).unwrap();
    }
    let (sweep, mut found) = sweep_of(&api);
    let mut after = async |seconds| {
        api.pass(Duration::from_secs(seconds)).await;
        once(&sweep).await;
        handed(&mut found)
    };
    assert_eq!(after(50).await, []);
    assert_eq!(after(15).await, [("b".to_owned(), What::NodeAway)]);
    let lying = ["a", "b"].map(|name| (name.to_owned(), What::LeftLying));
    assert_eq!(after(240).await, lying);
}

#[tokio::test(start_paused = true)]
async fn while_the_api_server_names_no_node_nothing_is_taken_for_a_gone_nodes() {
    let api = cluster(0);
    api.create(&held("a", "gone")).unwrap();
    let (sweep, mut found) = sweep_of(&api);
    once(&sweep).await;
    assert_eq!(handed(&mut found), []);
    let failing = api.fault(When::any().resource("nodes"), usize::MAX, Then::status(500));
    once(&sweep).await;
    assert_eq!(handed(&mut found), []);
    api.lift(failing);
    api.set_node("node-0", true).unwrap();
    once(&sweep).await;
    assert_eq!(handed(&mut found).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_many_a_sixteenth_is_read_and_what_is_not_ready_besides() {
    fastrand::seed(2);
    let api = cluster(2);
    fill(&api, 1_600, |name| held(name, "node-0"));
    api.create(&held("zz-gone", "gone")).unwrap();
    api.create(&held("zz-away", "node-1")).unwrap();
    let whole = cost(&api).await;
    assert!(whole.0 <= 12 && whole.1 < 400_000, "{whole:?}");
    api.set_node("node-1", false).unwrap();
    let (sweep, mut found) = sweep_of(&api);
    once(&sweep).await;
    assert!(names(&mut found).contains("zz-away"), "by its node's label");
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        once(&sweep).await;
        seen.append(&mut names(&mut found));
    }
    assert!(seen.contains("zz-gone"), "by its bucket");
}
