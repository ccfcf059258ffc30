//! Whether the RAM policy grants each action, found out by calls for things that do not exist: the cloud looks at who asks
//! first, so "not found" means allowed, and nothing can be changed.

use std::net::Ipv4Addr;

use super::{Check, Verdict};
use crate::cloud::ecs::Ecs;
use crate::cloud::error::{Class, CloudError};
use crate::cloud::vpc::Vpc;
use crate::cloud::vpc::forward::ForwardArgs;
use crate::config::Controllers;
use crate::domain::ids::{EipId, EniId, Place};

/// What is called.
pub struct Tried<'a> {
    pub vpc: &'a Vpc,
    pub ecs: &'a Ecs,
}

/// One action of `docs/permissions.md`.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    name: &'static str,
    /// What does not work without it; empty: nothing does.
    only: &'static str,
}

const fn always(name: &'static str) -> Action {
    Action { name, only: "" }
}

const fn dnat(name: &'static str) -> Action {
    Action {
        name,
        only: "pods that ask for ports (pod-dnat)",
    }
}

const EIP: [Action; 9] = [
    always("vpc:DescribeEipAddresses"),
    always("vpc:AllocateEipAddress"),
    always("vpc:AssociateEipAddress"),
    always("vpc:UnassociateEipAddress"),
    always("vpc:ReleaseEipAddress"),
    always("vpc:TagResources"),
    Action {
        name: "vpc:AddCommonBandwidthPackageIp",
        only: "bandwidth packages",
    },
    Action {
        name: "vpc:RemoveCommonBandwidthPackageIp",
        only: "bandwidth packages",
    },
    Action {
        name: "ecs:DescribeNetworkInterfaces",
        only: "pods on ENIs that neither the metadata service nor Terway's PodENI tells of, and eip.allowRob",
    },
];
const DNAT: [Action; 6] = [
    dnat("vpc:DescribeNatGateways"),
    dnat("vpc:DescribeForwardTableEntries"),
    dnat("vpc:CreateForwardEntry"),
    dnat("vpc:DeleteForwardEntry"),
    dnat("vpc:DescribeRouteTableList"),
    dnat("vpc:DescribeRouteEntryList"),
];
const LIVE_BANDWIDTH: Action = always("vpc:ModifyEipAddressAttribute");
pub(super) const POLICY: &str = "add it to the RAM policy: docs/permissions.md";

/// What this configuration needs.
pub fn wanted(controllers: Controllers, live_bandwidth: bool) -> Vec<Action> {
    let eip = EIP.iter().copied().filter(|_| controllers.eip);
    let live = [LIVE_BANDWIDTH]
        .into_iter()
        .filter(|_| controllers.eip && live_bandwidth);
    let dnat = DNAT.iter().copied().filter(|_| controllers.natgw);
    eip.chain(live).chain(dnat).collect()
}

/// Makes the call, and says what it tells.
pub async fn examine(tried: &Tried<'_>, action: Action) -> Check {
    let about = format!(
        "RAM {}",
        action.name.split(':').next_back().unwrap_or_default()
    );
    match call(tried, action.name).await {
        Some(result) => judged(&about, action, result),
        None => Check::unknown(
            &about,
            "not tried: nothing tells but a call that makes an EIP".to_owned(),
        ),
    }
}

fn judged(about: &str, action: Action, result: Result<(), CloudError>) -> Check {
    let Err(error) = result else {
        return Check::ok(about, "allowed".to_owned());
    };
    match error.class() {
        Class::Denied if action.only.is_empty() => Check::bad(about, error.to_string(), POLICY),
        Class::Denied => Check::new(
            about,
            Verdict::Note,
            format!("{error}; needed for {}", action.only),
            POLICY,
        ),
        Class::NotSent | Class::NoAnswer => {
            let remedy = "see whether this node reaches the cloud's endpoint: endpoints in docs/configuration.md";
            Check::bad(about, error.to_string(), remedy)
        }
        class if says_nothing(class) => Check::unknown(about, error.to_string()),
        _ => Check::ok(about, "allowed".to_owned()),
    }
}

/// The cloud has not come to look at what may be done.
fn says_nothing(class: Class) -> bool {
    matches!(
        class,
        Class::Throttled
            | Class::Busy
            | Class::CredentialsExpired
            | Class::CredentialsWrong
            | Class::Skew
            | Class::NoCredentials
            | Class::Unreadable
            | Class::TokenInProgress
            | Class::IdempotentMismatch
    )
}

/// `None`: it can't be found out without changing something.
async fn call(tried: &Tried<'_>, action: &str) -> Option<Result<(), CloudError>> {
    let (vpc, eip) = (tried.vpc, EipId::new("eip-eipd0doctor0asks0only"));
    let eni = EniId::new("eni-eipd0doctor0asks0only");
    let package = "cbwp-eipd0doctor0asks0only";
    let table = "ftb-eipd0doctor0asks0only";
    let nowhere = Place {
        eni: eni.clone(),
        ip: Ipv4Addr::new(192, 0, 2, 1), // RFC 5737: nobody's
    };
    let token = format!("eipd-doctor-{:016x}", fastrand::u64(..));
    Some(match action {
        "vpc:DescribeEipAddresses" => vpc.count(&[]).await.map(drop),
        "vpc:AssociateEipAddress" => vpc.associate(&eip, &nowhere, &token).await.map(drop),
        "vpc:UnassociateEipAddress" => vpc.unassociate(&eip, &nowhere, &token).await.map(drop),
        "vpc:ReleaseEipAddress" => vpc.release(&eip).await.map(drop),
        "vpc:TagResources" => {
            let tag = ("eipd-doctor".to_owned(), "asks-only".to_owned());
            vpc.tag(&eip, &[tag]).await.map(drop)
        }
        "vpc:AddCommonBandwidthPackageIp" => {
            vpc.join_package(&eip, package, &token).await.map(drop)
        }
        "vpc:RemoveCommonBandwidthPackageIp" => {
            vpc.leave_package(&eip, package, &token).await.map(drop)
        }
        "vpc:ModifyEipAddressAttribute" => vpc.modify_bandwidth(&eip, 1).await.map(drop),
        "vpc:DescribeNatGateways" => vpc
            .nat_gateways("vpc-eipd0doctor0asks0only")
            .await
            .map(drop),
        "vpc:DescribeRouteTableList" => vpc
            .route_tables("vpc-eipd0doctor0asks0only")
            .await
            .map(drop),
        "vpc:DescribeRouteEntryList" => vpc.default_gateways(table).await.map(drop),
        "vpc:DescribeForwardTableEntries" => vpc.forward_entries(table).await.map(drop),
        "vpc:CreateForwardEntry" => {
            let entry = ForwardArgs {
                name: "eipd-doctor".to_owned(),
                external: (nowhere.ip, 1),
                internal: (nowhere.ip, 1),
                protocol: "tcp",
            };
            vpc.create_forward(table, &entry, &token).await.map(drop)
        }
        "vpc:DeleteForwardEntry" => vpc
            .delete_forward(table, "fwd-eipd0doctor0asks0only", &token)
            .await
            .map(drop),
        "ecs:DescribeNetworkInterfaces" => tried.ecs.interface(&eni).await.map(drop),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RequestId;

    fn refused(code: &str) -> Result<(), CloudError> {
        Err(CloudError::Refused {
            action: "ReleaseEipAddress",
            status: 403,
            code: code.to_owned(),
            message: String::new(),
            request_id: RequestId::new("R-1"),
            retry_after: None,
        })
    }

    fn verdict(action: Action, result: Result<(), CloudError>) -> Verdict {
        judged("RAM", action, result).verdict
    }

    #[test]
    fn only_a_denial_is_a_denial() {
        let action = always("vpc:ReleaseEipAddress");
        for (result, expected) in [
            (Ok(()), Verdict::Ok),
            (refused("InvalidAllocationId.NotFound"), Verdict::Ok),
            (refused("Forbidden.RAM"), Verdict::Bad),
            (refused("Throttling.User"), Verdict::Unknown),
            (refused("SignatureDoesNotMatch"), Verdict::Unknown),
        ] {
            assert_eq!(verdict(action, result.clone()), expected, "{result:?}");
        }
    }

    #[test]
    fn what_nobody_asks_for_is_a_note() {
        let package = EIP[6];
        let check = judged("RAM", package, refused("Forbidden.RAM"));
        assert_eq!(check.verdict, Verdict::Note);
        assert!(check.found.contains("R-1") && check.found.contains("bandwidth packages"));
    }

    #[test]
    fn every_action_of_the_page_is_asked_about() {
        let page = include_str!("../../docs/permissions.md");
        let both = Controllers {
            eip: true,
            natgw: true,
        };
        for action in wanted(both, true) {
            assert!(
                page.contains(&format!("| `{}` |", action.name)),
                "{action:?}"
            );
        }
    }
}
