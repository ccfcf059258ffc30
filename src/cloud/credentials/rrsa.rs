//! RRSA: the pod's own `ServiceAccount` token, exchanged for credentials of a RAM role.
//!
//! Source: ACK's page on RRSA; `ack-pod-identity-webhook` mounts the token and sets the variables that name the rest.

use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;

use super::{Keys, Source};
use crate::cloud::error::CloudError;
use crate::cloud::sts::{Assume, Sts};

/// A role to assume with a token that is read anew at each exchange: kubelet renews it.
#[derive(Clone)]
pub struct Rrsa {
    pub role_arn: String,
    pub provider_arn: String,
    pub token_file: PathBuf,
    /// What the cloud's audit log shows; see [`session`].
    pub session: String,
    pub sts: Sts,
}

/// A session name for a node, within 64 characters of those that are allowed.
pub fn session(node: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let node = node.chars().filter(|c| allowed(*c)).take(59);
    format!("eipd-{}", node.collect::<String>())
}

impl Rrsa {
    async fn exchange(&self) -> Result<Option<Keys>, String> {
        // A small file of a memory-backed volume: read in place.
        let token = std::fs::read_to_string(&self.token_file)
            .map_err(|cause| format!("{}: {cause}", self.token_file.display()))?;
        let token = SecretString::from(token.trim());
        let what = Assume {
            role_arn: &self.role_arn,
            provider_arn: &self.provider_arn,
            token: &token,
            session: &self.session,
        };
        let keys = self.sts.assume_role_with_oidc(&what).await;
        keys.map(Some).map_err(|error| self.explained(&error))
    }

    /// The cloud's words, and what is to be done about them.
    fn explained(&self, error: &CloudError) -> String {
        let (role, provider) = (&self.role_arn, &self.provider_arn);
        let remedy = match error.code() {
            Some("AuthenticationFail.OIDCToken.AudienceNotMatch") => {
                "the projected token needs the audience sts.aliyuncs.com".to_owned()
            }
            Some("AuthenticationFail.OIDCToken.Expired") => {
                format!("kubelet has not renewed {}", self.token_file.display())
            }
            Some("AuthenticationFail.OIDCToken.IssuerNotMatch") => {
                format!("{provider} is the provider of another cluster")
            }
            Some("AuthenticationFail.NoPermission") => format!(
                "the trust policy of {role} has to name {provider} and eipd's ServiceAccount, and RRSA has to be on in this cluster"
            ),
            Some("EntityNotExist.Role") => format!("there is no role {role}"),
            _ => return error.to_string(),
        };
        format!("{error}: {remedy}")
    }
}

impl Source for Rrsa {
    fn name(&self) -> &'static str {
        "RRSA"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        self.exchange().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_the_node_within_the_limits() {
        assert_eq!(session("cn-hangzhou.10.0.0.1"), "eipd-cn-hangzhou.10.0.0.1");
        assert_eq!(session(&"n".repeat(253)).len(), 64);
        assert_eq!(session("a/b c"), "eipd-abc");
    }
}
