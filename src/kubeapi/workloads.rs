//! Whether a `StatefulSet` still makes a pod of that name: one that was scaled below its ordinal does not.

use kube::api::{Api, ApiResource, DynamicObject};
use serde_json::Value;

use super::client::Kube;
use super::error::KubeError;
use crate::domain::ids::Key;
use crate::domain::ports::Workload;

/// A live read. Another one of the same name counts: whoever deletes a `StatefulSet` and keeps its pods makes it anew.
pub async fn keeps(kube: &Kube, pod: &Key, workload: &Workload) -> Result<bool, KubeError> {
    let (group, version) = workload
        .api_version
        .split_once('/')
        .unwrap_or(("", &workload.api_version));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: workload.api_version.clone(),
        kind: "StatefulSet".to_owned(),
        plural: "statefulsets".to_owned(),
    };
    let client = kube.client().clone();
    let api: Api<DynamicObject> = Api::namespaced_with(client, &pod.namespace, &resource);
    let call = api.get_opt(&workload.name);
    match kube.call("get", "statefulsets", call).await {
        Ok(found) => Ok(found.is_some_and(|set| makes(&set.data["spec"], &pod.name))),
        // Of a group that this agent may not read: nobody can say that it is over.
        Err(KubeError::Refused { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Ordinals go from `ordinals.start` on; what can't be read takes nothing away.
fn makes(spec: &Value, pod: &str) -> bool {
    let ordinal = pod
        .rsplit_once('-')
        .and_then(|(_, n)| n.parse::<u64>().ok());
    let replicas = spec["replicas"].as_u64().unwrap_or(1);
    let start = spec["ordinals"]["start"].as_u64().unwrap_or(0);
    ordinal.is_none_or(|n| (start..start.saturating_add(replicas)).contains(&n))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_below_the_count_is_made_and_one_above_is_not() {
        let three = json!({"replicas": 3});
        assert!(makes(&three, "web-2") && !makes(&three, "web-3"));
        assert!(makes(&json!({}), "web-0") && !makes(&json!({}), "web-1"));
        let from_five = json!({"replicas": 2, "ordinals": {"start": 5}});
        assert!(!makes(&from_five, "web-4") && makes(&from_five, "web-6"));
        assert!(
            makes(&json!({"replicas": 0}), "web-x"),
            "no name of a StatefulSet's"
        );
    }
}
