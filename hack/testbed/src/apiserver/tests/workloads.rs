//! Workloads and the pods that they own.

use super::super::WorkloadKind;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_workloads_pod_names_it_as_its_controller_and_goes_with_it() {
    for kind in [
        WorkloadKind::StatefulSet,
        WorkloadKind::ReplicaSet,
        WorkloadKind::Job,
    ] {
        let api = ApiServer::new();
        let workload = api.create_workload(kind, "default", "web").unwrap();
        api.create_pod(&pod("web-0", "n").owned_by(&workload))
            .unwrap();
        api.pass(std::time::Duration::from_mins(1)).await;
        let made: Pod = api.object("pods", "default", "web-0").unwrap();
        let owner = made.metadata.owner_references.unwrap().remove(0);
        assert_eq!(owner.kind, format!("{kind:?}"));
        assert_eq!(
            (owner.controller, owner.uid),
            (Some(true), workload.uid.clone())
        );
        api.delete(kind.resource(), "default", "web").unwrap();
        api.pass(std::time::Duration::from_mins(1)).await;
        let left: Option<Pod> = api.object("pods", "default", "web-0");
        assert!(
            left.is_none_or(|pod| pod.metadata.deletion_timestamp.is_some()),
            "{kind:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_comes_back_on_another_node_with_the_same_name_and_owner() {
    let api = ApiServer::new();
    let workload = api
        .create_workload(WorkloadKind::StatefulSet, "default", "web")
        .unwrap();
    let spec = pod("web-0", "a").owned_by(&workload);
    let first = api.create_pod(&spec).unwrap();
    api.remove_pod("default", "web-0").unwrap();
    let second = api.create_pod(&spec.clone().on("b")).unwrap();
    assert_ne!(first, second);
    let made: Pod = api.object("pods", "default", spec.name()).unwrap();
    assert_eq!(made.spec.unwrap().node_name.as_deref(), Some("b"));
    assert_eq!(made.metadata.owner_references.unwrap()[0].uid, workload.uid);
}
