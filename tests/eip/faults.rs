//! Lost answers, refusals and outages, of the cloud and of the API server.

use std::time::Duration;

use cloudsim::faults::{Answer, FaultKind};
use eipd::clock;
use testbed::apiserver::{Then, When};

use crate::world::{LATER, NS, SOON, World, is_bound, is_in_use_at};

fn refused(status: u16, code: &str) -> FaultKind {
    FaultKind::Refuse(Answer {
        status,
        code: code.to_owned(),
        ..Answer::default()
    })
}

#[tokio::test(start_paused = true)]
async fn every_lost_answer_of_the_cloud_ends_well() {
    for action in [
        "AllocateEipAddress",
        "AssociateEipAddress",
        "UnassociateEipAddress",
        "ReleaseEipAddress",
        "DescribeEipAddresses",
    ] {
        for fault in [FaultKind::Lose, FaultKind::Drop] {
            let world = World::new();
            let _agent = world.start("agent");
            world.order(action, fault.clone());
            world.run_pod("web", "10.0.0.11");
            world.until(LATER, |view| is_bound(view, "web")).await;
            assert!(
                is_in_use_at(&world.eip(), "10.0.0.11"),
                "{action} {fault:?}"
            );
            world.delete_pod("web");
            world.until_clean(LATER, "web").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_lost_answer_of_the_api_server_ends_well() {
    for resource in ["podeips", "pods"] {
        for nth in 0..7 {
            for then in [Then::LoseAnswer, Then::LoseRequest] {
                let world = World::new();
                let _agent = world.start("agent");
                let pick = || When::writes().client("agent").resource(resource);
                for _ in 0..nth {
                    world.api.fault(pick(), 1, Then::Delay(Duration::ZERO));
                }
                world.api.fault(pick(), 1, then.clone());
                world.run_pod("web", "10.0.0.11");
                world.until(LATER, |view| is_bound(view, "web")).await;
                world.delete_pod("web");
                world.until_clean(LATER, "web").await;
                assert_eq!(
                    world.count("AllocateEipAddress"),
                    1,
                    "{resource} {nth} {then:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out() {
    let world = World::new();
    let _agent = world.start("agent");
    for action in [
        "AllocateEipAddress",
        "AssociateEipAddress",
        "UnassociateEipAddress",
        "ReleaseEipAddress",
        "DescribeEipAddresses",
    ] {
        world.order(action, refused(400, "Throttling.User"));
    }
    world.run_pod("web", "10.0.0.11");
    world.until(LATER, |view| is_bound(view, "web")).await;
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_full_quota_is_told_once_and_ends_by_itself() {
    let world = World::new();
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 0);
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    clock::sleep(Duration::from_mins(30)).await;
    assert!(
        world.count("AllocateEipAddress") <= 15,
        "no hot loop: {}",
        world.count("AllocateEipAddress")
    );
    let told = world
        .events("web")
        .iter()
        .filter(|reason| *reason == "AllocateFailed")
        .count();
    assert_eq!(told, 1);
    world
        .cloud
        .change_settings(|settings| settings.quotas.eips = 20);
    world
        .until(Duration::from_mins(10), |view| is_bound(view, "web"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_refuses_the_annotation_holds_nothing_else_up() {
    let world = World::new();
    let _agent = world.start("agent");
    let refusing = world.api.fault(
        When::writes()
            .resource("pods")
            .body_has("allocated-eipAddress"),
        usize::MAX,
        Then::status(500),
    );
    world.run_pod("web", "10.0.0.11");
    let condition_true = |view: &testbed::apiserver::ApiServer| {
        let pod = view.get("pods", NS, "web").unwrap_or_default();
        pod["status"]["conditions"].as_array().is_some_and(|all| {
            all.iter()
                .any(|c| c["type"] == "k8s.aliyun.com/eip" && c["status"] == "True")
        })
    };
    world.until(SOON, condition_true).await;
    world.api.lift(refusing);
    world.until(LATER, |view| is_bound(view, "web")).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_api_server_keeps_the_binding() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    let away = world.api.go_away(When::any().client("agent"));
    clock::sleep(Duration::from_mins(20)).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.11"));
    world.api.lift(away);
    world.delete_pod("web");
    world.until_clean(LATER, "web").await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_cloud_keeps_the_binding_and_ends_by_itself() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web", "10.0.0.11");
    world.until_bound("web").await;
    world.cloud.add_fault(cloudsim::faults::NewFault {
        action: "*".to_owned(),
        args: std::collections::BTreeMap::new(),
        count: Some(10),
        skip: 0,
        fault: refused(503, "ServiceUnavailable"),
    });
    world.delete_pod("web");
    world.until_clean(Duration::from_mins(15), "web").await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_lags_undoes_nothing() {
    let world = World::new();
    let _agent = world.start("agent");
    world.run_pod("web-0", "10.0.0.11");
    world.until_bound("web-0").await;
    let stale = world
        .api
        .freeze(When::any().client("agent").resource("pods"));
    world.delete_pod("web-0");
    clock::sleep(Duration::from_secs(20)).await;
    world.run_pod("web-0", "10.0.0.12");
    clock::sleep(Duration::from_secs(20)).await;
    world.api.thaw(stale);
    world.until(LATER, |view| is_bound(view, "web-0")).await;
    assert!(is_in_use_at(&world.eip(), "10.0.0.12"));
}

#[tokio::test(start_paused = true)]
async fn a_token_used_with_other_arguments_is_given_up_after_a_while() {
    let world = World::new();
    let _agent = world.start("agent");
    let fault = world.cloud.add_fault(cloudsim::faults::NewFault {
        action: "AllocateEipAddress".to_owned(),
        args: std::collections::BTreeMap::new(),
        count: None,
        skip: 0,
        fault: refused(400, "IdempotentParameterMismatch"),
    });
    world.run_pod("web", "10.0.0.11");
    let counted = |view: &testbed::apiserver::ApiServer| {
        let record = view.get("podeips", NS, "web").unwrap_or_default();
        record["metadata"]["annotations"]["eipd.io/attempt"] == "1"
    };
    world.until(Duration::from_mins(15), counted).await;
    assert!(world.count("AllocateEipAddress") <= 15, "no hot loop");
    world.cloud.remove_fault(fault);
    world.until(LATER, |view| is_bound(view, "web")).await;
}
