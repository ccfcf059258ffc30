//! The RPC style of Alibaba's APIs: what a request says, and how it is answered.

pub mod args;
pub mod auth;
pub mod error;
pub mod form;
pub mod rates;
pub mod replay;
pub mod sign_v1;
pub mod sign_v3;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;

pub use args::Args;
pub use error::ApiError;

/// An API request, taken apart but not yet judged.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// The action's name as sent.
    pub action: String,
    /// The API version as sent, which also tells the product.
    pub version: String,
    /// Every decoded pair of query and form body, in the order of arrival.
    pub pairs: Vec<(String, String)>,
    /// The request itself: the signature covers method, path, headers and body.
    pub head: http::request::Parts,
    /// The body.
    pub body: Bytes,
}

impl Rpc {
    /// Takes a request apart. A form body's arguments join those of the query.
    pub fn parse(request: Request<Bytes>) -> Self {
        let (head, body) = request.into_parts();
        let mut pairs = form::decode(head.uri.query().unwrap_or(""));
        if is_form(&head) {
            pairs.extend(form::decode(&String::from_utf8_lossy(&body)));
        }
        let named = |header: &str, argument: &str| {
            let argument = pairs.iter().find(|(name, _)| name == argument);
            let argument = argument.map(|(_, value)| value.clone());
            argument
                .or_else(|| header_text(&head, header))
                .unwrap_or_default()
        };
        let action = named("x-acs-action", "Action");
        let version = named("x-acs-version", "Version");
        Self {
            action,
            version,
            pairs,
            head,
            body,
        }
    }

    /// The value of the first argument of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        header_text(&self.head, name)
    }

    /// The API's own arguments: without those of the signature and the protocol, and without the
    /// hidden owner ones, which mean nothing here.
    pub fn arguments(&self) -> Args {
        let own = self
            .pairs
            .iter()
            .filter(|(name, _)| !PROTOCOL.contains(&name.as_str()));
        Args(own.cloned().collect::<BTreeMap<_, _>>())
    }
}

/// Arguments of the protocol itself. `SecurityToken` and `Signature` are secrets besides.
const PROTOCOL: [&str; 15] = [
    "Action",
    "Version",
    "Format",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "SignatureType",
    "Timestamp",
    "SecurityToken",
    "OwnerId",
    "OwnerAccount",
    "ResourceOwnerId",
    "ResourceOwnerAccount",
];

fn header_text(head: &http::request::Parts, name: &str) -> Option<String> {
    let value = head.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn is_form(head: &http::request::Parts) -> bool {
    header_text(head, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}
