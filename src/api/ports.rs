//! Pod annotations -> public ports (DNAT): parsed and checked once, in pure code.
//!
//! The keys are those of Alibaba's document on DNAT for pods, and exist under one prefix only. What is wrong is told all at
//! once, each with key, value and what is allowed.

use std::collections::{BTreeMap, BTreeSet};

use super::request::{Notice, PodTraits};
use crate::domain::ports::{Ports, Protocol};

pub const DNAT: &str = "k8s.aliyun.com/pod-dnat";
pub const PORT: &str = "k8s.aliyun.com/pod-dnat-expose-port";
pub const PROTOCOL: &str = "k8s.aliyun.com/pod-dnat-expose-protocol";
pub const FIXED: &str = "k8s.aliyun.com/pod-dnat-fixed";

/// What a pod's annotations ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// `None`: no ports.
    pub ports: Option<Ports>,
    /// What the user should hear although nothing is refused.
    pub warnings: Vec<Notice>,
}

/// Reads the annotations of a pod with these traits. The error lists everything that is wrong; then nothing is asked.
pub fn parse(
    annotations: &BTreeMap<String, String>,
    pod: &PodTraits<'_>,
) -> Result<Parsed, Vec<Notice>> {
    let nothing = Parsed {
        ports: None,
        warnings: Vec::new(),
    };
    let Some(switch) = annotations.get(DNAT) else {
        return Ok(nothing);
    };
    let wrong = |text: &str| Notice::new(DNAT, switch, text);
    match on_or_off(switch) {
        Some(false) => Ok(nothing),
        None => Err(vec![wrong(
            "must be \"\" or \"true\" for public ports, or \"false\" for none",
        )]),
        Some(true) if pod.host_network => Err(vec![wrong(
            "a pod with hostNetwork has the node's address and can't have public ports of its own; remove the annotation or hostNetwork",
        )]),
        Some(true) => asked(annotations, pod),
    }
}

fn asked(
    annotations: &BTreeMap<String, String>,
    pod: &PodTraits<'_>,
) -> Result<Parsed, Vec<Notice>> {
    let (mut wrong, mut warnings) = (Vec::new(), Vec::new());
    let inside = inside(annotations, &mut wrong);
    let protocol = protocol(annotations, &mut wrong);
    let fixed = fixed(annotations, pod, &mut wrong, &mut warnings);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let ports = Some(Ports {
        inside,
        protocol,
        fixed,
    });
    Ok(Parsed { ports, warnings })
}

fn inside(annotations: &BTreeMap<String, String>, wrong: &mut Vec<Notice>) -> Vec<u16> {
    let text = annotations.get(PORT).map_or("", String::as_str);
    match read_ports(text) {
        Ok(ports) => ports,
        Err(why) => {
            wrong.push(Notice::new(PORT, text, why));
            Vec::new()
        }
    }
}

fn read_ports(text: &str) -> Result<Vec<u16>, String> {
    if text.trim().is_empty() {
        return Err("must name the ports that the pod listens on, such as \"80,443\"".to_owned());
    }
    let (mut ports, mut seen) = (Vec::new(), BTreeSet::new());
    for item in text.split(',').map(str::trim) {
        let digits = item.bytes().all(|byte| byte.is_ascii_digit());
        let port = item.parse::<u16>().ok().filter(|port| digits && *port > 0);
        let Some(port) = port else {
            return Err("must be ports from 1 to 65535, with commas between them".to_owned());
        };
        if !seen.insert(port) {
            return Err(format!("names {port} twice; name each port once"));
        }
        ports.push(port);
    }
    Ok(ports)
}

fn protocol(annotations: &BTreeMap<String, String>, wrong: &mut Vec<Notice>) -> Protocol {
    // Empty is what templates leave of a setting not made.
    let given = annotations.get(PROTOCOL).filter(|text| !text.is_empty());
    let Some(text) = given else {
        return Protocol::default();
    };
    Protocol::read(text).unwrap_or_else(|| {
        let why = "must be tcp or udp; one of them holds for all ports of a pod";
        wrong.push(Notice::new(PROTOCOL, text, why));
        Protocol::default()
    })
}

fn fixed(
    annotations: &BTreeMap<String, String>,
    pod: &PodTraits<'_>,
    wrong: &mut Vec<Notice>,
    warnings: &mut Vec<Notice>,
) -> bool {
    let Some(text) = annotations.get(FIXED) else {
        return false;
    };
    match on_or_off(text) {
        Some(true) if !pod.is_stateful() => {
            let why = "ignored: only a StatefulSet's pod, a bare pod, or one of customStatefulWorkloadKinds comes back under its name";
            warnings.push(Notice::new(FIXED, text, why));
            false
        }
        Some(on) => on,
        None => {
            let why = "must be \"\" or \"true\" to keep the ports, or \"false\"";
            wrong.push(Notice::new(FIXED, text, why));
            false
        }
    }
}

/// The document leaves the values empty; other tools write `true`.
fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "" | "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
