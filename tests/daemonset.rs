//! `daemonset/`: every file is YAML of a known kind, every reference leads somewhere, and the names in the policies are
//! those that the agent uses.

#![allow(clippy::unwrap_used, clippy::panic)] // a test's own helpers fail the test

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use eipd::api::keys;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, PodSpec, ServiceAccount};
use k8s_openapi::api::flowcontrol::v1::{FlowSchema, PriorityLevelConfiguration};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::de::DeserializeOwned;
use serde_json::Value;

const USER: &str = "system:serviceaccount:eipd:eipd";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("daemonset")
}

fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every YAML file below `daemonset/`, overlays included.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "yaml") {
            found.push(path);
        }
    }
    found
}

/// What `kubectl kustomize` of that folder holds, patches and transformers left out.
fn resources(dir: &Path) -> Vec<Value> {
    let kustomization = documents(&dir.join("kustomization.yaml")).remove(0);
    let listed = kustomization["resources"].as_array().unwrap();
    listed
        .iter()
        .map(|item| dir.join(item.as_str().unwrap()))
        .flat_map(|path| {
            if path.is_dir() {
                resources(&path)
            } else {
                documents(&path)
            }
        })
        .collect()
}

/// The only object of that kind in the base.
fn only<T: DeserializeOwned>(kind: &str, name: &str) -> T {
    let mut found: Vec<Value> = resources(&root())
        .into_iter()
        .filter(|object| object["kind"] == kind && object["metadata"]["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{kind} {name}");
    serde_json::from_value(found.remove(0)).unwrap()
}

fn agent() -> (PodSpec, Container) {
    let daemonset: DaemonSet = only("DaemonSet", "eipd");
    let mut pod = daemonset.spec.unwrap().template.spec.unwrap();
    let container = pod.containers.remove(0);
    (pod, container)
}

#[test]
fn every_file_is_yaml() {
    let files = files(&root());
    assert!(files.len() >= 12);
    for path in files {
        // An overlay may also hold plain files to make a ConfigMap of.
        let overlay = path.starts_with(root().join("overlays"));
        for document in documents(&path) {
            assert!(
                overlay || document["kind"].is_string(),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_file_of_the_base_is_listed() {
    for dir in [root(), root().join("crds"), root().join("agent")] {
        let kustomization = documents(&dir.join("kustomization.yaml")).remove(0);
        let listed: Vec<&str> = kustomization["resources"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for entry in std::fs::read_dir(&dir).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let apart = ["kustomization.yaml", "components", "overlays"].contains(&&*name);
            assert!(
                apart || listed.contains(&&*name),
                "{name} is in no kustomization"
            );
        }
    }
}

#[test]
fn definitions_and_agents_are_apart() {
    let kinds = |dir: &str| -> Vec<String> {
        let of = resources(&root().join(dir));
        of.iter()
            .map(|o| o["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds("crds"), ["CustomResourceDefinition"; 3]);
    assert!(!kinds("agent").contains(&"CustomResourceDefinition".to_owned()));
}

#[test]
fn objects_have_the_names_of_the_design() {
    let _: Namespace = only("Namespace", "eipd");
    let account: ServiceAccount = only("ServiceAccount", "eipd");
    let config: ConfigMap = only("ConfigMap", "eipd");
    let daemonset: DaemonSet = only("DaemonSet", "eipd");
    assert!(config.data.unwrap().contains_key("config.yaml"));
    for metadata in [account.metadata, config.metadata, daemonset.metadata] {
        assert_eq!(metadata.namespace.as_deref(), Some("eipd"));
    }
    let binding: ClusterRoleBinding = only("ClusterRoleBinding", "eipd");
    let subject = binding.subjects.unwrap().remove(0);
    assert_eq!(
        (&*subject.name, subject.namespace.as_deref()),
        ("eipd", Some("eipd"))
    );
}

#[test]
fn the_agent_runs_with_as_little_as_it_needs() {
    let (pod, container) = agent();
    assert_eq!(pod.service_account_name.as_deref(), Some("eipd"));
    assert_eq!((pod.host_network, pod.host_pid), (Some(true), None));
    assert_eq!(
        pod.priority_class_name.as_deref(),
        Some("system-node-critical")
    );
    assert_eq!(pod.security_context.unwrap().run_as_non_root, Some(true));
    let security = container.security_context.unwrap();
    assert_eq!(security.read_only_root_filesystem, Some(true));
    assert_eq!(security.allow_privilege_escalation, Some(false));
    assert_eq!(security.capabilities.unwrap().drop.unwrap(), ["ALL"]);
    let limits = container.resources.unwrap().limits.unwrap();
    assert_eq!(limits.keys().collect::<Vec<_>>(), ["memory"]);
}

#[test]
fn the_agent_is_pointed_at_its_mounted_configuration() {
    let (pod, container) = agent();
    assert_eq!(
        container.args.unwrap(),
        ["run", "--config", "/etc/eipd/config.yaml"]
    );
    let mount = container.volume_mounts.unwrap().remove(0);
    assert_eq!(
        (&*mount.mount_path, mount.read_only),
        ("/etc/eipd", Some(true))
    );
    let volume = pod.volumes.unwrap().remove(0);
    assert_eq!(
        (volume.name, volume.config_map.unwrap().name),
        (mount.name, "eipd".to_owned())
    );
    let env = container.env.unwrap().remove(0);
    let field = env.value_from.unwrap().field_ref.unwrap().field_path;
    assert_eq!((&*env.name, &*field), ("NODE_NAME", "spec.nodeName"));
}

#[test]
fn probes_ask_the_one_port() {
    let (_, container) = agent();
    let port = container.ports.unwrap().remove(0);
    assert_eq!(
        (port.name.as_deref(), port.container_port),
        (Some("http"), 9752)
    );
    for (probe, path) in [
        (container.liveness_probe, "/healthz"),
        (container.readiness_probe, "/readyz"),
    ] {
        let get = probe.unwrap().http_get.unwrap();
        assert_eq!(
            (get.path.as_deref(), get.host.as_deref()),
            (Some(path), Some("127.0.0.1"))
        );
    }
}

#[test]
fn every_ordinary_node_gets_an_agent_and_no_virtual_one() {
    let (pod, _) = agent();
    let toleration = pod.tolerations.unwrap().remove(0);
    assert_eq!(
        (toleration.operator.as_deref(), toleration.key),
        (Some("Exists"), None)
    );
    let affinity = pod.affinity.unwrap().node_affinity.unwrap();
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .unwrap();
    let rules = required.node_selector_terms[0]
        .match_expressions
        .clone()
        .unwrap();
    let rules: BTreeMap<String, (String, Vec<String>)> = rules
        .into_iter()
        .map(|rule| (rule.key, (rule.operator, rule.values.unwrap())))
        .collect();
    assert_eq!(
        rules["type"],
        ("NotIn".into(), vec!["virtual-kubelet".into()])
    );
    assert_eq!(
        rules["kubernetes.io/os"],
        ("In".into(), vec!["linux".into()])
    );
}

/// What is read once, of one object each.
#[test]
fn rights_in_single_namespaces_are_to_read_one_object() {
    for (name, namespace, resource, object) in [
        ("eipd-terway", "kube-system", "configmaps", "eni-config"),
        ("eipd", "eipd", "daemonsets", "eipd"),
    ] {
        let role: Role = only("Role", name);
        assert_eq!(role.metadata.namespace.as_deref(), Some(namespace));
        let rules = role.rules.unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].verbs, ["get"]);
        assert_eq!(
            rules[0].resources.as_deref(),
            Some(&[resource.to_owned()][..])
        );
        assert_eq!(
            rules[0].resource_names.as_deref(),
            Some(&[object.to_owned()][..])
        );
        let binding: RoleBinding = only("RoleBinding", name);
        assert_eq!(binding.metadata.namespace.as_deref(), Some(namespace));
        assert_eq!(binding.role_ref.name, name);
        let subject = binding.subjects.unwrap().remove(0);
        assert_eq!(
            (&*subject.name, subject.namespace.as_deref()),
            ("eipd", Some("eipd"))
        );
    }
}

#[test]
fn rights_name_no_more_than_is_used() {
    let role: ClusterRole = only("ClusterRole", "eipd");
    for rule in role.rules.unwrap() {
        let resources = rule.resources.clone().unwrap();
        assert!(!rule.verbs.contains(&"*".to_owned()) && !resources.contains(&"*".to_owned()));
        let named = ["customresourcedefinitions", "namespaces"];
        if resources
            .iter()
            .any(|resource| named.contains(&&**resource))
        {
            assert_eq!(rule.verbs, ["get"]);
            assert!(rule.resource_names.is_some_and(|names| !names.is_empty()));
        }
        if resources.contains(&"nodes".to_owned()) {
            assert_eq!(
                (resources.len(), rule.verbs.clone()),
                (1, vec!["list".to_owned()]),
                "they are counted"
            );
        }
        if resources == ["pods/finalizers"] {
            assert_eq!(rule.verbs, ["update"], "there is no such thing to write");
        } else if resources
            .iter()
            .any(|resource| resource.starts_with("pods"))
        {
            assert!(
                !rule
                    .verbs
                    .iter()
                    .any(|v| ["create", "update", "delete"].contains(&&**v))
            );
        }
    }
}

#[test]
fn policies_judge_the_agents_account_and_fail_closed() {
    for name in ["eipd-pods", "eipd-records"] {
        let policy: Value = only("ValidatingAdmissionPolicy", name);
        assert_eq!(policy["spec"]["failurePolicy"], "Fail");
        let condition = policy["spec"]["matchConditions"][0]["expression"]
            .as_str()
            .unwrap();
        assert_eq!(
            condition,
            format!("request.userInfo.username == \"{USER}\"")
        );
        for validation in policy["spec"]["validations"].as_array().unwrap() {
            assert_eq!(
                validation["reason"], "Forbidden",
                "422 means another incarnation"
            );
        }
        let binding: Value = only("ValidatingAdmissionPolicyBinding", name);
        assert_eq!(binding["spec"]["policyName"], name);
        assert_eq!(binding["spec"]["validationActions"][0], "Deny");
    }
}

#[test]
fn policies_use_the_names_that_the_agent_uses() {
    let pods: Value = only("ValidatingAdmissionPolicy", "eipd-pods");
    let ours = format!(
        "[\"{}\", \"{}\", \"{}\"]",
        keys::ADDRESS_ANNOTATIONS[0],
        keys::ADDRESS_ANNOTATIONS[1],
        keys::DNAT_ANNOTATION,
    );
    let conditions = format!(
        "[\"{}\", \"{}\"]",
        keys::CONDITION_TYPE,
        keys::DNAT_CONDITION
    );
    let variables = pods["spec"]["variables"].as_array().unwrap();
    for list in [ours, conditions] {
        assert!(
            variables.iter().any(|it| it["expression"] == *list),
            "{list}"
        );
    }
    let used = pods
        .to_string()
        .matches("c.type in variables.conditions")
        .count();
    assert_eq!(used, 2);
    let records: Value = only("ValidatingAdmissionPolicy", "eipd-records");
    for name in [keys::NODE_LABEL, keys::EIP_LABEL, keys::ATTEMPT_ANNOTATION] {
        assert!(records.to_string().contains(name), "{name}");
    }
    assert!(records.to_string().contains(keys::LABEL_HASH_PREFIX));
}

#[test]
fn requests_have_a_priority_level_of_their_own() {
    let level: PriorityLevelConfiguration = only("PriorityLevelConfiguration", "eipd");
    let schema: FlowSchema = only("FlowSchema", "eipd");
    let spec = schema.spec.unwrap();
    assert_eq!(
        Some(spec.priority_level_configuration.name),
        level.metadata.name
    );
    let subject = &spec.rules.unwrap()[0].subjects[0];
    let account = subject.service_account.as_ref().unwrap();
    assert_eq!((&*account.namespace, &*account.name), ("eipd", "eipd"));
}
