//! The definitions and the wire types agree, property by property.

use std::fmt::Debug;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::keys::{NODE_LABEL, PORTS_ANNOTATION};
use crate::api::{poddnat, podeip};
use crate::cli::CRDS;

fn definitions() -> Vec<CustomResourceDefinition> {
    serde_saphyr::from_multiple(CRDS).unwrap()
}

fn version<'a>(
    definition: &'a CustomResourceDefinition,
    name: &str,
) -> &'a CustomResourceDefinitionVersion {
    let versions = &definition.spec.versions;
    versions.iter().find(|v| v.name == name).unwrap()
}

fn schema(version: &CustomResourceDefinitionVersion) -> &JSONSchemaProps {
    let validation = version.schema.as_ref().unwrap();
    validation.open_api_v3_schema.as_ref().unwrap()
}

/// A value with every property that the schema knows.
fn full(schema: &JSONSchemaProps) -> Value {
    match schema.type_.as_deref() {
        Some("object") => {
            let properties = schema.properties.iter().flatten();
            Value::Object(properties.map(|(k, v)| (k.clone(), full(v))).collect())
        }
        Some("string") => json!("x"),
        Some("array") => {
            let items = serde_json::to_value(&schema.items).unwrap();
            json!([full(&serde_json::from_value(items).unwrap())])
        }
        other => panic!("a type that no wire type has: {other:?}"),
    }
}

/// What the wire type reads of a full object is all of it, and leaves no field of the type unset.
fn assert_agree<T: DeserializeOwned + Serialize + Debug>(schema: &JSONSchemaProps, part: &str) {
    let sample = full(&schema.properties.as_ref().unwrap()[part]);
    assert_ne!(sample, Value::Object(Map::new()));
    let read: T = serde_json::from_value(sample.clone()).unwrap();
    assert_eq!(
        serde_json::to_value(&read).unwrap(),
        sample,
        "the type lacks a property of the schema"
    );
    let fields = format!("{read:?}");
    for unset in ["None", "\"\"", "[]"] {
        assert!(
            !fields.contains(unset),
            "the schema lacks a field of the type: {fields}"
        );
    }
}

#[test]
fn podeip_agrees_with_its_type() {
    let definition = &definitions()[0];
    assert_eq!(definition.metadata.name.as_deref(), Some(podeip::CRD_NAME));
    let schema = schema(version(definition, podeip::VERSION));
    assert_agree::<podeip::Spec>(schema, "spec");
    assert_agree::<podeip::Status>(schema, "status");
}

#[test]
fn poddnat_agrees_with_its_type_at_both_versions() {
    let definition = &definitions()[1];
    assert_eq!(definition.metadata.name.as_deref(), Some(poddnat::CRD_NAME));
    for name in [poddnat::Version::V1beta1, poddnat::Version::V1] {
        let schema = schema(version(definition, name.as_str()));
        assert_agree::<poddnat::Spec>(schema, "spec");
        assert_agree::<poddnat::Status>(schema, "status");
    }
}

#[test]
fn both_versions_of_poddnat_are_one() {
    let definition = &definitions()[1];
    let [a, b] = ["v1beta1", "v1"].map(|name| version(definition, name));
    assert_eq!(a.schema, b.schema);
    assert_eq!(a.additional_printer_columns, b.additional_printer_columns);
    assert!(a.served && b.served && a.storage && !b.storage);
}

#[test]
fn names_are_the_published_ones() {
    for (definition, kind, plural) in definitions()
        .iter()
        .zip([
            (podeip::KIND, podeip::PLURAL),
            (poddnat::KIND, poddnat::PLURAL),
        ])
        .map(|(definition, (kind, plural))| (definition, kind, plural))
    {
        let spec = &definition.spec;
        assert_eq!((&*spec.group, &*spec.scope), (podeip::GROUP, "Namespaced"));
        assert_eq!((&*spec.names.kind, &*spec.names.plural), (kind, plural));
        for version in &spec.versions {
            let subresources = version.subresources.as_ref().unwrap();
            assert!(subresources.status.is_some(), "{kind} {}", version.name);
        }
    }
}

#[test]
fn columns_point_at_what_there_is() {
    for definition in definitions() {
        for version in &definition.spec.versions {
            let sample = full(schema(version)).to_string();
            for column in version.additional_printer_columns.iter().flatten() {
                let path = column.json_path.replace("\\.", "~");
                let last = path
                    .rsplit(['.', '[', ']'])
                    .next()
                    .unwrap()
                    .replace('~', ".");
                let known = [NODE_LABEL, PORTS_ANNOTATION, "creationTimestamp"].contains(&&*last);
                assert!(
                    known || sample.contains(&format!("\"{last}\"")),
                    "{}",
                    column.json_path
                );
            }
        }
    }
}
