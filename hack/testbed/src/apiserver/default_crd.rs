//! The `PodEIP` CRD with just the contract's fields, as somebody else's chart may have installed it.

use serde_json::{Value, json};

/// `podeips.alibabacloud.com` at v1beta1; with pruning off, unknown fields are kept.
pub fn podeip(prunes: bool) -> Value {
    crd("podeips", "PodEIP", &["v1beta1"], &schema(prunes))
}

/// `poddnats.alibabacloud.com` at these versions, the first one stored; any field is kept.
pub fn poddnat(versions: &[&str]) -> Value {
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    crd("poddnats", "PodDNAT", versions, &open)
}

/// A namespaced CRD of the group alibabacloud.com with a status subresource.
pub fn crd(plural: &str, kind: &str, versions: &[&str], schema: &Value) -> Value {
    of_group("alibabacloud.com", plural, kind, versions, schema)
}

/// The same for any group.
pub fn of_group(group: &str, plural: &str, kind: &str, versions: &[&str], schema: &Value) -> Value {
    let version = |(n, name): (usize, &&str)| {
        json!({
            "name": name, "served": true, "storage": n == 0,
            "schema": { "openAPIV3Schema": schema }, "subresources": { "status": {} },
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List") },
            "versions": versions.iter().enumerate().map(version).collect::<Vec<_>>(),
        },
    })
}

fn schema(prunes: bool) -> Value {
    let text = json!({ "type": "string" });
    let status = [
        "networkInterfaceID",
        "privateIPAddress",
        "eipAddress",
        "isp",
        "internetChargeType",
        "resourceGroupID",
        "name",
        "publicIpAddressPoolID",
        "bandwidthPackageID",
        "status",
    ];
    let mut status: serde_json::Map<String, Value> = status
        .iter()
        .map(|f| ((*f).to_owned(), text.clone()))
        .collect();
    status.insert(
        "podLastSeen".to_owned(),
        json!({ "type": "string", "format": "date-time", "nullable": true }),
    );
    let mut schema = json!({
        "type": "object",
        "properties": {
            "apiVersion": text, "kind": text, "metadata": { "type": "object" },
            "spec": {
                "type": "object",
                "required": ["allocationID"],
                "properties": {
                    "allocationID": text, "bandwidthPackageID": text,
                    "allocationType": {
                        "type": "object", "required": ["releaseStrategy", "type"],
                        "properties": {
                            "type": { "type": "string", "default": "Auto", "enum": ["Auto", "Static"] },
                            "releaseStrategy": { "type": "string", "enum": ["Follow", "TTL", "Never"] },
                            "releaseAfter": text,
                        },
                    },
                },
            },
            "status": { "type": "object", "properties": status },
        },
    });
    if !prunes {
        // false is no value for this key: a real server refuses the CRD
        for part in ["", "/properties/spec", "/properties/status"] {
            if let Some(part) = schema.pointer_mut(part) {
                part["x-kubernetes-preserve-unknown-fields"] = true.into();
            }
        }
    }
    schema
}
