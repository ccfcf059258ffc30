//! The calls of the VPC API (2016-04-28) that eipd needs, typed.
//!
//! Source of names, limits and behaviour: Alibaba's `alibabacloud_vpc20160428` 7.2.2 and 6.11.5 and the API's pages.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde::Deserialize;

use super::error::{Class, CloudError};
use super::rpc::{self, Answer, Args, Rpc, args, push};
use crate::domain::ids::{EipId, Place, RequestId};

mod allocate;
pub mod forward;
mod list;
pub mod nat;
pub mod routes;
mod view;

pub use allocate::{AllocateArgs, InternetChargeType};
pub use view::{EipStatus, EipView};

/// A client of the VPC API in one region; clones share connections and credentials.
#[derive(Clone)]
pub struct Vpc {
    rpc: Arc<Rpc>,
    region: Arc<str>,
}

/// A new EIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocated {
    pub id: EipId,
    pub address: Ipv4Addr,
    pub request_id: RequestId,
}

/// `AllocationId` takes a comma list of at most 50.
const IDS_PER_CALL: usize = 50;

/// A `ClientToken`: unique, and with what may be put behind it within the API's 64 ASCII characters.
pub fn fresh_token() -> String {
    format!("eipd-{:032x}", fastrand::u128(..))
}

impl Vpc {
    pub fn new(rpc: Rpc, region: &str) -> Self {
        Self {
            rpc: Arc::new(rpc),
            region: region.into(),
        }
    }

    /// `AllocateEipAddress`. Synchronous, though looks may miss the new EIP for a while. The same `args` and `token` give
    /// the same EIP again; other `args` with a used token are refused.
    pub async fn allocate(
        &self,
        args: &AllocateArgs,
        token: &str,
    ) -> Result<Allocated, CloudError> {
        let mut wire = args.to_wire();
        push(&mut wire, "ClientToken", token);
        let answer = self.call("AllocateEipAddress", wire).await?;
        allocated(answer)
    }

    /// `AssociateEipAddress`, asynchronous: `Associating`, then `InUse`.
    pub async fn associate(
        &self,
        eip: &EipId,
        at: &Place,
        token: &str,
    ) -> Result<RequestId, CloudError> {
        self.change("AssociateEipAddress", binding(eip, at, token))
            .await
    }

    /// `UnassociateEipAddress`, asynchronous: `Unassociating`, then `Available`. ENI and IP go along as a guard.
    pub async fn unassociate(
        &self,
        eip: &EipId,
        at: &Place,
        token: &str,
    ) -> Result<RequestId, CloudError> {
        self.change("UnassociateEipAddress", binding(eip, at, token))
            .await
    }

    /// `ReleaseEipAddress`, asynchronous: `Releasing`, then gone. The call takes no token.
    pub async fn release(&self, eip: &EipId) -> Result<RequestId, CloudError> {
        self.change("ReleaseEipAddress", args([("AllocationId", eip.as_str())]))
            .await
    }

    /// `AddCommonBandwidthPackageIp`, asynchronous. An EIP that is in a package already counts as done.
    pub async fn join_package(
        &self,
        eip: &EipId,
        package: &str,
        token: &str,
    ) -> Result<RequestId, CloudError> {
        let mut args = membership(eip, package, token);
        push(&mut args, "IpType", "EIP");
        done_already(self.change("AddCommonBandwidthPackageIp", args).await)
    }

    /// `RemoveCommonBandwidthPackageIp`. An EIP that is in no package counts as done.
    pub async fn leave_package(
        &self,
        eip: &EipId,
        package: &str,
        token: &str,
    ) -> Result<RequestId, CloudError> {
        let args = membership(eip, package, token);
        done_already(self.change("RemoveCommonBandwidthPackageIp", args).await)
    }

    /// `ModifyEipAddressAttribute`: the EIP's own bandwidth, at once. The call takes no token; a repeat does no harm.
    pub async fn modify_bandwidth(&self, eip: &EipId, mbit: u32) -> Result<RequestId, CloudError> {
        let args = args([
            ("AllocationId", eip.as_str()),
            ("Bandwidth", &mbit.to_string()),
        ]);
        self.change("ModifyEipAddressAttribute", args).await
    }

    /// `TagResources`: adds these tags, at most 20, and keeps the others; a key that is there gets the new value. The call
    /// takes no token; a repeat does no harm.
    pub async fn tag(
        &self,
        eip: &EipId,
        tags: &[(String, String)],
    ) -> Result<RequestId, CloudError> {
        let mut args = args([("ResourceType", "EIP"), ("ResourceId.1", eip.as_str())]);
        push_tags(
            &mut args,
            tags.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        );
        self.change("TagResources", args).await
    }

    /// `DescribeEipAddresses` by id, 50 to a call. An EIP that does not exist is missing from the answer.
    pub async fn look(&self, eips: &[EipId]) -> Result<Vec<EipView>, CloudError> {
        let ids: Vec<&str> = eips
            .iter()
            .map(EipId::as_str)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut seen = Vec::with_capacity(ids.len());
        for some in ids.chunks(IDS_PER_CALL) {
            let filter = args([("AllocationId", some.join(",").as_str())]);
            seen.extend(self.pages::<view::Page>(&filter).await?);
        }
        Ok(seen)
    }

    /// `DescribeEipAddresses` by tags, all of which an EIP must carry. An EIP that is released meanwhile may hide another.
    pub async fn look_by_tags(
        &self,
        tags: &[(String, String)],
    ) -> Result<Vec<EipView>, CloudError> {
        let mut filter = Args::new();
        push_tags(
            &mut filter,
            tags.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        );
        self.pages::<view::Page>(&filter).await
    }

    /// How many EIPs of the region carry all these tags; without tags, how many the account has there.
    pub async fn count(&self, tags: &[(String, String)]) -> Result<usize, CloudError> {
        let mut args = args([("PageNumber", "1"), ("PageSize", "1")]);
        push_tags(
            &mut args,
            tags.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        );
        let page: view::Page = self.call("DescribeEipAddresses", args).await?.parse()?;
        Ok(page.total)
    }

    async fn change(&self, action: &'static str, args: Args) -> Result<RequestId, CloudError> {
        self.call(action, args)
            .await
            .map(|answer| answer.request_id)
    }

    async fn call(&self, action: &'static str, mut args: Args) -> Result<Answer, CloudError> {
        push(&mut args, "RegionId", &self.region);
        self.rpc.call(action, &args).await
    }
}

fn binding(eip: &EipId, at: &Place, token: &str) -> Args {
    args([
        ("AllocationId", eip.as_str()),
        ("InstanceId", at.eni.as_str()),
        ("InstanceType", "NetworkInterface"),
        ("PrivateIpAddress", &at.ip.to_string()),
        ("ClientToken", token),
    ])
}

fn membership(eip: &EipId, package: &str, token: &str) -> Args {
    args([
        ("IpInstanceId", eip.as_str()),
        ("BandwidthPackageId", package),
        ("ClientToken", token),
    ])
}

fn allocated(answer: Answer) -> Result<Allocated, CloudError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Wire {
        allocation_id: String,
        eip_address: Ipv4Addr,
    }
    let request_id = answer.request_id.clone();
    let wire: Wire = answer.parse()?;
    if wire.allocation_id.is_empty() {
        return Err(rpc::unreadable(
            "AllocateEipAddress",
            request_id,
            "AllocationId is empty",
        ));
    }
    Ok(Allocated {
        id: EipId::new(wire.allocation_id),
        address: wire.eip_address,
        request_id,
    })
}

fn done_already(result: Result<RequestId, CloudError>) -> Result<RequestId, CloudError> {
    match result {
        Err(CloudError::Refused {
            request_id,
            code,
            status,
            ..
        }) if super::error::classify(&code, status) == Class::AlreadyDone => Ok(request_id),
        result => result,
    }
}

fn push_tags<'a>(args: &mut Args, tags: impl Iterator<Item = (&'a str, &'a str)>) {
    for (n, (key, value)) in (1..).zip(tags) {
        push(args, &format!("Tag.{n}.Key"), key);
        push(args, &format!("Tag.{n}.Value"), value);
    }
}
