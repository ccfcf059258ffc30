//! Credentials of the node's RAM role, from its metadata service.

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;

use super::identity;
use super::metadata::Metadata;
use crate::cloud::credentials::{Keys, Source};

/// The node's RAM role as a source of credentials.
#[derive(Clone)]
pub struct NodeRole {
    metadata: Metadata,
}

/// The service's answer, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    code: String,
    #[serde(default)]
    access_key_id: String,
    #[serde(default)]
    access_key_secret: String,
    #[serde(default)]
    security_token: String,
    expiration: Option<Timestamp>,
}

impl NodeRole {
    pub fn new(metadata: Metadata) -> Self {
        Self { metadata }
    }

    async fn read(&self) -> Result<Option<Keys>, String> {
        let role = identity::role(&self.metadata)
            .await
            .map_err(|e| e.to_string())?;
        let Some(role) = role else { return Ok(None) };
        let path = format!("ram/security-credentials/{role}");
        let body = self.metadata.get(&path).await.map_err(|e| e.to_string())?;
        keys(&body)
            .map(Some)
            .map_err(|why| format!("role {role}: {why}"))
    }
}

/// Nothing of the body may reach the error: it holds the secret.
fn keys(body: &str) -> Result<Keys, String> {
    let wire: Wire =
        serde_json::from_str(body).map_err(|_| "the answer is not readable".to_owned())?;
    if wire.code != "Success" {
        return Err("the answer's code is not Success".to_owned());
    }
    let parts = [
        &wire.access_key_id,
        &wire.access_key_secret,
        &wire.security_token,
    ];
    let Some(expires) = wire
        .expiration
        .filter(|_| parts.iter().all(|part| !part.is_empty()))
    else {
        return Err("the answer lacks a part of the credentials".to_owned());
    };
    Ok(Keys {
        access_key_id: wire.access_key_id,
        secret: wire.access_key_secret.into(),
        token: Some(wire.security_token.into()),
        expires: Some(expires),
    })
}

impl Source for NodeRole {
    fn name(&self) -> &'static str {
        "the node's RAM role"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        self.read().boxed()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const GOOD: &str = r#"{"Code":"Success","AccessKeyId":"STS.a","AccessKeySecret":"s3cret","SecurityToken":"t0ken",
        "Expiration":"2026-11-23T06:00:00Z","LastUpdated":"2026-11-23T00:00:00Z"}"#;

    #[test]
    fn the_services_answer_is_read() {
        let keys = keys(GOOD).unwrap();
        assert_eq!(
            (keys.access_key_id.as_str(), keys.secret.expose_secret()),
            ("STS.a", "s3cret")
        );
        assert_eq!(keys.token.unwrap().expose_secret(), "t0ken");
        assert_eq!(keys.expires, Some("2026-11-23T06:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_bad_answer_is_a_failure_that_shows_no_secret() {
        for (from, to) in [
            ("Success", "Fail"),
            ("STS.a", ""),
            ("2026-11-23T06:00:00Z", "soon"),
            ("t0ken", ""),
        ] {
            let why = keys(&GOOD.replace(from, to)).unwrap_err();
            assert!(!why.contains("s3cret") && !why.contains("t0ken"), "{why}");
        }
        assert!(keys("<html>").is_err());
    }
}
