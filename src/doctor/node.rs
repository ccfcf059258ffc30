//! What the node says of itself: who it is, and whether the configuration says the same.

use super::Check;
use crate::agent::identify;
use crate::config::Config;
use crate::node::identity::Identity;
use crate::node::metadata::{Metadata, MetadataError};

const SERVICE: &str = "metadata service";
const PLACE: &str = "place";

/// What the metadata service says, and whether the configuration is this node's.
pub async fn identity(config: &Config, from: &Metadata) -> (Vec<Check>, Option<Identity>) {
    match Identity::read(from).await {
        Ok(identity) => {
            let hardened = from.is_hardened().await.unwrap_or_default();
            let checks = vec![answers(&identity, hardened), place(config, &identity)];
            (checks, Some(identity))
        }
        Err(error) => (silent(config, &error), None),
    }
}

fn answers(identity: &Identity, hardened: bool) -> Check {
    let mode = if hardened { "hardened" } else { "plain" };
    let role = identity.role.as_deref().unwrap_or("none");
    let found = format!(
        "{mode} mode; instance {}, RAM role {role}",
        identity.instance_id
    );
    Check::ok(SERVICE, found)
}

fn place(config: &Config, identity: &Identity) -> Check {
    match identify::compared(config, identity) {
        Err(mismatch) => Check::bad(PLACE, mismatch.to_string(), "then restart the agent"),
        Ok(()) => Check::ok(
            PLACE,
            format!(
                "{}, {}, {}, account {}",
                identity.zone, identity.vpc, identity.vswitch, identity.account
            ),
        ),
    }
}

/// Configuration may stand in for the service.
fn silent(config: &Config, error: &MetadataError) -> Vec<Check> {
    let remedy = match error {
        MetadataError::PlainOnly => {
            "set metadata.plainMode to true, or switch the instance to hardened mode"
        }
        MetadataError::Denied { .. } => {
            "allow the instance's metadata service (HttpEndpoint) and its paths"
        }
        _ => {
            "run on the host's network (hostNetwork) of an ECS instance; elsewhere configure regionID, vpcID and accountID, and credentials"
        }
    };
    let found = error.to_string();
    match &config.place.region {
        None => vec![
            Check::bad(SERVICE, found, remedy),
            Check::bad(PLACE, "the region is not known".to_owned(), remedy),
        ],
        Some(region) => {
            let vpc = config.place.vpc.as_deref().unwrap_or("not configured");
            let place = format!("{region}, as configured; VPC {vpc}");
            vec![Check::note(SERVICE, found), Check::ok(PLACE, place)]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::doctor::Verdict;

    fn config(text: &str) -> Config {
        let env = BTreeMap::from([("NODE_NAME".to_owned(), "n1".to_owned())]);
        Config::parse("config.yaml", text, &env).unwrap()
    }

    #[test]
    fn a_silent_service_is_bad_unless_configuration_stands_in() {
        let error = MetadataError::PlainOnly;
        let checks = silent(&config(""), &error);
        assert!(checks.iter().all(|check| check.verdict == Verdict::Bad));
        assert!(checks[0].remedy.contains("metadata.plainMode"));
        let checks = silent(&config("regionID: cn-beijing"), &error);
        assert!(checks.iter().all(|check| check.verdict != Verdict::Bad));
        assert!(checks[1].found.contains("cn-beijing"));
    }
}
