//! The one call of the ECS API (2014-05-26) that EIPs need, typed: which network interfaces there are.
//!
//! Source of names, limits and behaviour: Alibaba's `alibabacloud_ecs20140526` 7.11.8, the API's page and Terway.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::error::{Class, CloudError};
use super::rpc::{self, Args, Rpc, args, push};
use crate::domain::ids::{EniId, RequestId};

mod view;

pub use view::Interface;

/// A client of the ECS API in one region; clones share connections and credentials.
#[derive(Clone)]
pub struct Ecs {
    rpc: Arc<Rpc>,
    region: Arc<str>,
}

const ACTION: &str = "DescribeNetworkInterfaces";
/// Interfaces of one page: from 10 to 500. What is asked for here has one hit, or a few.
const PAGE: &str = "100";
/// A token that never comes to an end must not be a loop without one.
const PAGES: usize = 50;

impl Ecs {
    pub fn new(rpc: Rpc, region: &str) -> Self {
        Self {
            rpc: Arc::new(rpc),
            region: region.into(),
        }
    }

    /// The interface of that id, whichever VPC it is in; `None`: this account has none of that id here.
    pub async fn interface(&self, eni: &EniId) -> Result<Option<Interface>, CloudError> {
        let filter = args([("NetworkInterfaceId.1", eni.as_str())]);
        let found = self.pages(&filter).await?;
        Ok(found.into_iter().find(|it| it.id == *eni))
    }

    /// The interfaces of the VPC that have this private address, primary or not. One, or none; more than one is for the
    /// caller to refuse.
    ///
    /// `PrivateIpAddress.N` is documented for secondary addresses and finds primary ones too (Terway relies on that);
    /// where it finds nothing, the primary ones are asked for by their own filter.
    pub async fn with_address(
        &self,
        vpc: &str,
        ip: Ipv4Addr,
    ) -> Result<Vec<Interface>, CloudError> {
        for by in ["PrivateIpAddress.1", "PrimaryIpAddress"] {
            let filter = args([("VpcId", vpc), (by, &ip.to_string())]);
            let mut found = self.pages(&filter).await?;
            // Whatever the cloud makes of a filter: what is no hit is none.
            found.retain(|it| it.vpc == vpc && it.has(ip));
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn pages(&self, filter: &Args) -> Result<Vec<Interface>, CloudError> {
        let (mut seen, mut token) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = match self.page(filter, token.as_deref()).await {
                // The answer for an id that is not there, where it is not an empty list.
                Err(error) if error.class() == Class::PlaceNotFound => return Ok(seen),
                page => page?,
            };
            seen.extend(page.interfaces);
            token = page.next;
            if token.is_none() {
                return Ok(seen);
            }
        }
        Err(rpc::unreadable(
            ACTION,
            RequestId::new(""),
            "pages without an end",
        ))
    }

    async fn page(&self, filter: &Args, token: Option<&str>) -> Result<view::Page, CloudError> {
        let mut args = filter.clone();
        push(&mut args, "RegionId", &self.region);
        push(&mut args, "MaxResults", PAGE);
        if let Some(token) = token {
            push(&mut args, "NextToken", token);
        }
        self.rpc.call(ACTION, &args).await?.parse()
    }
}
