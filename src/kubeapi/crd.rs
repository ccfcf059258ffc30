//! Is a records' CRD being deleted? Then every record gets a deletionTimestamp that nobody meant.

use kube::api::Api;
use kube::core::{ApiResource, DynamicObject};

use super::client::Kube;
use super::error::KubeError;

/// A live read of the CRD's metadata; a CRD that is gone counts as being deleted.
pub async fn is_terminating(kube: &Kube, name: &str) -> Result<bool, KubeError> {
    let resource = ApiResource {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
    };
    let api: Api<DynamicObject> = Api::all_with(kube.client().clone(), &resource);
    let call = api.get_metadata_opt(name);
    let crd = kube.call("get", "customresourcedefinitions", call).await?;
    Ok(crd.is_none_or(|crd| crd.metadata.deletion_timestamp.is_some()))
}
