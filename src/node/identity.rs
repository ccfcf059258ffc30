//! Which instance this node is, as its metadata service says.

use super::metadata::{Metadata, MetadataError};

/// The node in the cloud's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub region: String,
    pub zone: String,
    pub vpc: String,
    pub vswitch: String,
    pub instance_id: String,
    /// The account that owns the instance.
    pub account: String,
    /// The RAM role of the instance, if it has one.
    pub role: Option<String>,
}

impl Identity {
    pub async fn read(from: &Metadata) -> Result<Self, MetadataError> {
        Ok(Self {
            region: word(from, "region-id").await?,
            zone: word(from, "zone-id").await?,
            vpc: word(from, "vpc-id").await?,
            vswitch: word(from, "vswitch-id").await?,
            instance_id: word(from, "instance-id").await?,
            account: word(from, "owner-account-id").await?,
            role: role(from).await?,
        })
    }
}

/// The name of the instance's RAM role; the path gives 404 where there is none.
pub async fn role(from: &Metadata) -> Result<Option<String>, MetadataError> {
    const PATH: &str = "ram/security-credentials/";
    let Some(text) = from.find(PATH).await? else {
        return Ok(None);
    };
    let first = text.lines().next().unwrap_or_default().trim();
    if first.is_empty() {
        Ok(None)
    } else {
        checked(PATH, first).map(Some)
    }
}

async fn word(from: &Metadata, path: &'static str) -> Result<String, MetadataError> {
    checked(path, &from.get(path).await?)
}

/// Ids and names go on into URLs, tags and labels: what is no word is a sign of another service at that address.
fn checked(path: &str, text: &str) -> Result<String, MetadataError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.len() <= 128 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(MetadataError::Odd {
        path: path.to_owned(),
        detail: "not an id".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_ids() {
        assert_eq!(checked("p", "cn-hangzhou-b").unwrap(), "cn-hangzhou-b");
        for text in ["", "<html>", "a b", "a\nb", "a/b", &"x".repeat(129)] {
            assert!(
                matches!(checked("p", text), Err(MetadataError::Odd { .. })),
                "{text}"
            );
        }
    }
}
