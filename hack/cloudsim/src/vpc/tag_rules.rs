//! What tags may look like (alibaba-api.md 1.1 and 1.8).

use std::collections::BTreeMap;

use crate::rpc::{ApiError, Args};

/// Most tags in one call.
pub const PER_CALL: usize = 20;

/// Reads `Tag.N.Key`/`Tag.N.Value` of a call that sets them.
pub fn read(args: &Args, per_resource: usize) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = args.pairs("Tag")?;
    if pairs.len() > PER_CALL.min(per_resource) {
        return Err(quota());
    }
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        let value = value.unwrap_or_default();
        check(&key, &value)?;
        if tags.insert(key, value).is_some() {
            return Err(ApiError::refused(
                "Duplicate.TagKey",
                "The Tag.N.Key contain duplicate key.",
            ));
        }
    }
    Ok(tags)
}

/// The code for too many tags.
pub fn quota() -> ApiError {
    ApiError::refused(
        "QuotaExceeded.TagsPerResource",
        "The number of tags exceeds the limit.",
    )
}

/// Checks one tag.
pub fn check(key: &str, value: &str) -> Result<(), ApiError> {
    let bad_key = key.chars().count() > 128 || is_reserved(key) || has_address(key);
    if bad_key || key.is_empty() {
        return Err(ApiError::refused(
            "InvalidTagKey",
            "The specified tag key is not valid.",
        ));
    }
    if value.chars().count() > 128 || value.starts_with("acs:") || has_address(value) {
        return Err(ApiError::refused(
            "InvalidTagValue",
            "The specified tag value is not valid.",
        ));
    }
    Ok(())
}

fn is_reserved(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("aliyun") || key.starts_with("acs:")
}

fn has_address(text: &str) -> bool {
    text.contains("http://") || text.contains("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_long_and_address_like_keys_are_refused() {
        let code = |key: &str| check(key, "v").err().map(|error| error.code);
        assert_eq!(code("team"), None);
        for key in [
            "aliyun",
            "Aliyun-x",
            "acs:x",
            "see http://x",
            "",
            &"k".repeat(129),
        ] {
            assert_eq!(code(key).as_deref(), Some("InvalidTagKey"), "{key}");
        }
        assert_eq!(
            check("k", &"v".repeat(129)).unwrap_err().code,
            "InvalidTagValue"
        );
        assert_eq!(check("k", &"v".repeat(128)), Ok(()));
        assert_eq!(check("k", ""), Ok(()));
    }
}
