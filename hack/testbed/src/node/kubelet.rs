//! The node's kubelet: its own root folder and control group, or the kubelets of one machine end each other's pods.

use std::path::Path;

use serde_json::json;

use super::{Instance, NodeError, write};
use crate::cgroup;
use crate::paths::Paths;
use crate::pki::Pki;
use crate::process::Program;

/// Writes `home/kubelet/config.json`.
pub fn configure(
    home: &Path,
    pki: &Pki,
    group: &str,
    socket: &Path,
    instance: &Instance,
) -> Result<(), NodeError> {
    let dir = home.join("kubelet");
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": pki.text("kubelet-client.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": format!("unix://{}", socket.display()),
        "providerID": instance.provider_id(),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{group}"),
        "enforceNodeAllocatable": [],
        // Numbers of the machine's disk are nobody's business here, and some machines do not show them.
        "localStorageCapacityIsolation": false,
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": false,
        // Nobody serves DNS here, but without an address every pod gets a warning.
        "clusterDNS": ["172.21.0.10"],
        "resolvConf": "",
        "podLogsDir": home.join("pod-logs"),
        "volumePluginDir": dir.join("volume-plugins"),
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
    });
    if cgroup::is_version_1() {
        configuration["failCgroupV1"] = json!(false);
    }
    write(&dir.join("config.json"), &format!("{configuration:#}\n"))
}

/// kubelet with that configuration.
pub fn program(paths: &Paths, home: &Path, kubeconfig: &Path, instance: &Instance) -> Program {
    let dir = home.join("kubelet");
    let labels: Vec<String> = instance
        .labels()
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    Program::new(
        &format!("kubelet-{}", instance.index),
        paths.program("kubelet"),
    )
    .args([
        format!("--config={}", dir.join("config.json").display()),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--root-dir={}", dir.join("root").display()),
        format!("--cert-dir={}", dir.join("pki").display()),
        format!("--hostname-override={}", instance.name),
        format!("--node-ip={}", instance.address),
        format!("--node-labels={}", labels.join(",")),
    ])
}
