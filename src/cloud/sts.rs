//! The calls of the STS API (2015-04-01): an OIDC token for credentials, and who the caller is.
//!
//! Source of names and behaviour: Alibaba's `alibabacloud_sts20150401` 1.2.0 and the API's pages.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credentials::Keys;
use super::error::CloudError;
use super::rpc::{self, Rpc, args};

/// A client of the STS API; clones share connections.
#[derive(Clone)]
pub struct Sts {
    rpc: Arc<Rpc>,
}

/// What is exchanged for credentials.
pub struct Assume<'a> {
    /// `acs:ram::<account>:role/<name>`
    pub role_arn: &'a str,
    /// `acs:ram::<account>:oidc-provider/<name>`
    pub provider_arn: &'a str,
    /// The token itself; its audience has to be `sts.aliyuncs.com`.
    pub token: &'a SecretString,
    /// What the cloud's audit log calls the caller: 2 to 64 letters, digits and `.@-_`.
    pub session: &'a str,
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Caller {
    pub account_id: String,
    pub arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Wire,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: Timestamp,
}

impl Sts {
    pub fn new(rpc: Rpc) -> Self {
        Self { rpc: Arc::new(rpc) }
    }

    /// Temporary credentials of a role, for an hour (the API's default). Nobody signs this call: the token is the proof.
    pub async fn assume_role_with_oidc(&self, what: &Assume<'_>) -> Result<Keys, CloudError> {
        let args = args([
            ("Format", "json"),
            ("RoleArn", what.role_arn),
            ("OIDCProviderArn", what.provider_arn),
            ("OIDCToken", what.token.expose_secret()),
            ("RoleSessionName", what.session),
        ]);
        let answer = self
            .rpc
            .call_unsigned("AssumeRoleWithOIDC", &args, what.token)
            .await?;
        let (action, request_id) = (answer.action, answer.request_id.clone());
        // Nothing of the answer may reach the error: it holds the secret.
        let wire = serde_json::from_value::<Assumed>(answer.body);
        let wire = wire.map_err(|_| rpc::unreadable(action, request_id, "no credentials in it"))?;
        let wire = wire.credentials;
        Ok(Keys {
            access_key_id: wire.access_key_id,
            secret: wire.access_key_secret.into(),
            token: Some(wire.security_token.into()),
            expires: Some(wire.expiration),
        })
    }

    /// Whose keys these are. It needs no permission.
    pub async fn get_caller_identity(&self) -> Result<Caller, CloudError> {
        let args = args([("Format", "json")]);
        self.rpc.call("GetCallerIdentity", &args).await?.parse()
    }
}
